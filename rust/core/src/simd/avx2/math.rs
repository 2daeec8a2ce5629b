//! [`VectorMath`] with AVX2: masks are vectors, powers of two are put together from their bits.

use std::arch::x86_64::*;

use super::{F32x8, F64x4, head4, head8};
use crate::math::Constants;
use crate::simd::{Vector, VectorMath};

// In every method below: the type is reached through `dispatch` alone, which entered
// code for this instruction set after checking the machine.
impl VectorMath for F32x8 {
    type Mask = __m256;
    type Double = F64x4;
    const PARTS: usize = 2;

    #[inline(always)]
    fn lt(self, b: Self) -> __m256 {
        // SAFETY: see the impl.
        unsafe { _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, b.0) }
    }
    #[inline(always)]
    fn le(self, b: Self) -> __m256 {
        // SAFETY: see the impl.
        unsafe { _mm256_cmp_ps::<_CMP_LE_OQ>(self.0, b.0) }
    }
    #[inline(always)]
    fn head(n: usize) -> __m256 {
        // SAFETY: see the impl.
        unsafe { _mm256_castsi256_ps(head8(n)) }
    }
    #[inline(always)]
    fn select(mask: __m256, yes: Self, no: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_blendv_ps(no.0, yes.0, mask) })
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0) })
    }
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_xor_ps(_mm256_set1_ps(-0.0), self.0) })
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe {
            let bit = _mm256_set1_ps(-0.0);
            _mm256_or_ps(_mm256_and_ps(bit, sign.0), _mm256_andnot_ps(bit, self.0))
        })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_sqrt_ps(self.0) })
    }
    #[inline(always)]
    fn pow2(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe {
            let biased = _mm256_add_ps(self.0, _mm256_set1_ps(f32::WHOLE + 127.0));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(biased)))
        })
    }
    #[inline(always)]
    fn scale2(self, n: Self) -> Self {
        let half = n.round_product(Self::splat(0.5));
        self.mul(half.pow2()).mul(n.sub(half).pow2())
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe {
            let biased = _mm256_srli_epi32::<23>(_mm256_castps_si256(self.0));
            _mm256_sub_ps(_mm256_cvtepi32_ps(biased), _mm256_set1_ps(127.0))
        })
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: see the impl.
        unsafe {
            let x = _mm_max_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let x = _mm_max_ps(x, _mm_movehl_ps(x, x));
            _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)))
        }
    }
    #[inline(always)]
    fn widen(self, part: usize) -> F64x4 {
        // SAFETY: see the impl.
        F64x4(unsafe {
            _mm256_cvtps_pd(match part {
                0 => _mm256_castps256_ps128(self.0),
                _ => _mm256_extractf128_ps::<1>(self.0),
            })
        })
    }
}

// As above.
impl VectorMath for F64x4 {
    type Mask = __m256d;
    type Double = F64x4;
    const PARTS: usize = 1;

    #[inline(always)]
    fn lt(self, b: Self) -> __m256d {
        // SAFETY: see the impl.
        unsafe { _mm256_cmp_pd::<_CMP_LT_OQ>(self.0, b.0) }
    }
    #[inline(always)]
    fn le(self, b: Self) -> __m256d {
        // SAFETY: see the impl.
        unsafe { _mm256_cmp_pd::<_CMP_LE_OQ>(self.0, b.0) }
    }
    #[inline(always)]
    fn head(n: usize) -> __m256d {
        // SAFETY: see the impl.
        unsafe { _mm256_castsi256_pd(head4(n)) }
    }
    #[inline(always)]
    fn select(mask: __m256d, yes: Self, no: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_blendv_pd(no.0, yes.0, mask) })
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0) })
    }
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_xor_pd(_mm256_set1_pd(-0.0), self.0) })
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe {
            let bit = _mm256_set1_pd(-0.0);
            _mm256_or_pd(_mm256_and_pd(bit, sign.0), _mm256_andnot_pd(bit, self.0))
        })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_sqrt_pd(self.0) })
    }
    #[inline(always)]
    fn pow2(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe {
            let biased = _mm256_add_pd(self.0, _mm256_set1_pd(f64::WHOLE + 1023.0));
            _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_castpd_si256(biased)))
        })
    }
    #[inline(always)]
    fn scale2(self, n: Self) -> Self {
        let half = n.round_product(Self::splat(0.5));
        self.mul(half.pow2()).mul(n.sub(half).pow2())
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        // AVX2 converts no 64-bit integers: the biased exponent becomes the low bits of 2^52 + e.
        const TWO_52: f64 = (1u64 << 52) as f64;
        // SAFETY: see the impl.
        Self(unsafe {
            let biased = _mm256_srli_epi64::<52>(_mm256_castpd_si256(self.0));
            let shifted = _mm256_or_pd(_mm256_castsi256_pd(biased), _mm256_set1_pd(TWO_52));
            _mm256_sub_pd(shifted, _mm256_set1_pd(TWO_52 + 1023.0))
        })
    }
    #[inline(always)]
    fn largest(self) -> f64 {
        // SAFETY: see the impl.
        unsafe {
            let x = _mm_max_pd(_mm256_castpd256_pd128(self.0), _mm256_extractf128_pd::<1>(self.0));
            _mm_cvtsd_f64(_mm_max_sd(x, _mm_unpackhi_pd(x, x)))
        }
    }
    #[inline(always)]
    fn widen(self, _part: usize) -> F64x4 {
        self
    }
}
