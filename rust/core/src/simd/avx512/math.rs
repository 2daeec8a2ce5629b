//! [`VectorMath`] with AVX-512: masks in registers of their own, `vscalef`, `vgetexp`.

use std::arch::x86_64::*;

use super::tanh::by_pieces;
use super::{F32x16, F64x8, head8, head16};
use crate::math::Constants;
use crate::math::constants::{COTH_SHORT, EXP_SHORT, POWERS};
use crate::simd::VectorMath;

// In every method below: the type is reached through `dispatch` alone, which entered
// code for this instruction set after checking the machine.
impl VectorMath for F32x16 {
    type Mask = __mmask16;
    type Double = F64x8;
    const PARTS: usize = 2;

    #[inline(always)]
    fn lt(self, b: Self) -> __mmask16 {
        // SAFETY: see the impl.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, b.0) }
    }
    #[inline(always)]
    fn le(self, b: Self) -> __mmask16 {
        // SAFETY: see the impl.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LE_OQ>(self.0, b.0) }
    }
    #[inline(always)]
    fn head(n: usize) -> __mmask16 {
        head16(n)
    }
    #[inline(always)]
    fn select(mask: __mmask16, yes: Self, no: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_mask_blend_ps(mask, no.0, yes.0) })
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_abs_ps(self.0) })
    }
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_xor_ps(self.0, _mm512_set1_ps(-0.0)) })
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe {
            let bit = _mm512_set1_ps(-0.0);
            _mm512_or_ps(_mm512_and_ps(bit, sign.0), _mm512_andnot_ps(bit, self.0))
        })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_sqrt_ps(self.0) })
    }
    #[inline(always)]
    fn pow2(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_scalef_ps(_mm512_set1_ps(1.0), self.0) })
    }
    #[inline(always)]
    fn scale2(self, n: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_scalef_ps(self.0, n.0) })
    }
    #[inline(always)]
    fn tanh_from_zero(self) -> Self {
        by_pieces(self)
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_getexp_ps(self.0) })
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: see the impl.
        unsafe { _mm512_reduce_max_ps(self.0) }
    }
    #[inline(always)]
    fn widen(self, part: usize) -> F64x8 {
        // SAFETY: see the impl.
        F64x8(unsafe {
            _mm512_cvtps_pd(match part {
                0 => _mm512_castps512_ps256(self.0),
                _ => _mm512_extractf32x8_ps::<1>(self.0),
            })
        })
    }
}

// As above.
impl VectorMath for F64x8 {
    type Mask = __mmask8;
    type Double = F64x8;
    const PARTS: usize = 1;
    const EXP: &'static [f64] = &EXP_SHORT;
    const COTH: &'static [f64] = &COTH_SHORT;

    #[inline(always)]
    fn lt(self, b: Self) -> __mmask8 {
        // SAFETY: see the impl.
        unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, b.0) }
    }
    #[inline(always)]
    fn le(self, b: Self) -> __mmask8 {
        // SAFETY: see the impl.
        unsafe { _mm512_cmp_pd_mask::<_CMP_LE_OQ>(self.0, b.0) }
    }
    #[inline(always)]
    fn head(n: usize) -> __mmask8 {
        head8(n)
    }
    #[inline(always)]
    fn select(mask: __mmask8, yes: Self, no: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_mask_blend_pd(mask, no.0, yes.0) })
    }
    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_abs_pd(self.0) })
    }
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_xor_pd(self.0, _mm512_set1_pd(-0.0)) })
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe {
            let bit = _mm512_set1_pd(-0.0);
            _mm512_or_pd(_mm512_and_pd(bit, sign.0), _mm512_andnot_pd(bit, self.0))
        })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_sqrt_pd(self.0) })
    }
    #[inline(always)]
    fn pow2(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_scalef_pd(_mm512_set1_pd(1.0), self.0) })
    }
    #[inline(always)]
    fn scale2(self, n: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_scalef_pd(self.0, n.0) })
    }
    /// The 16ths are the lowest bits of the sum, and index a table in two registers.
    #[inline(always)]
    fn exp_split(x: Self) -> (Self, Self) {
        // SAFETY: see the impl; each half of the table is eight numbers.
        unsafe {
            let shift = _mm512_set1_pd(f64::WHOLE / 16.0);
            let shifted = _mm512_fmadd_pd(x.0, _mm512_set1_pd(f64::LOG2_E), shift);
            let low = _mm512_loadu_pd(POWERS.as_ptr());
            let high = _mm512_loadu_pd(POWERS.as_ptr().add(8));
            let power = _mm512_permutex2var_pd(low, _mm512_castpd_si512(shifted), high);
            (Self(_mm512_sub_pd(shifted, shift)), Self(power))
        }
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_getexp_pd(self.0) })
    }
    #[inline(always)]
    fn largest(self) -> f64 {
        // SAFETY: see the impl.
        unsafe { _mm512_reduce_max_pd(self.0) }
    }
    #[inline(always)]
    fn widen(self, _part: usize) -> F64x8 {
        self
    }
}
