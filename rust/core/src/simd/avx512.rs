//! Vectors of AVX-512: 32 registers of 512 bits, with masked loads and stores.

mod math;
mod tanh;

use std::arch::x86_64::*;

use super::Vector;
use crate::isa::Isa;

/// Sixteen `f32`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F32x16(__m512);

// In every method below: the type is reached through `dispatch` alone, which entered
// code for this instruction set after checking the machine; pointers are the caller's promise.
impl Vector for F32x16 {
    type Elem = f32;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;
    const FROM_MEMORY: bool = true;
    const ISA: Isa = Isa::Avx512;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_set1_ps(x) })
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_loadu_ps(p) })
    }
    #[inline(always)]
    unsafe fn load_head(p: *const f32, n: usize) -> Self {
        // SAFETY: see the impl; masked lanes are not read.
        Self(unsafe { _mm512_maskz_loadu_ps(head16(n), p) })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: see the impl.
        unsafe { _mm512_storeu_ps(p, self.0) }
    }
    #[inline(always)]
    unsafe fn store_head(self, p: *mut f32, n: usize) {
        // SAFETY: see the impl; masked lanes are not written.
        unsafe { _mm512_mask_storeu_ps(p, head16(n), self.0) }
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_add_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_sub_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_mul_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_div_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_max_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_min_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_fmadd_ps(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_fnmadd_ps(self.0, b.0, c.0) })
    }
    #[cfg(not(miri))]
    #[inline(always)]
    fn after(p: *const f32, x: Self, y: Self) -> *const f32 {
        // SAFETY: see the impl.
        unsafe { after(p.cast(), x.0, y.0).cast() }
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: see the impl.
        unsafe {
            let half =
                _mm256_add_ps(_mm512_castps512_ps256(self.0), _mm512_extractf32x8_ps::<1>(self.0));
            super::avx2::sum8(half)
        }
    }
    #[inline(always)]
    fn zip(self, b: Self) -> (Self, Self) {
        // SAFETY: see the impl.
        unsafe {
            let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
            (
                Self(_mm512_permutex2var_ps(self.0, low, b.0)),
                Self(_mm512_permutex2var_ps(self.0, high, b.0)),
            )
        }
    }
}

/// See [`Vector::after`].
#[cfg(not(miri))]
#[allow(clippy::pointers_in_nomem_asm_block, reason = "nothing is read through it")]
#[inline]
#[target_feature(enable = "avx512f")]
fn after(mut p: *const u8, x: __m512, y: __m512) -> *const u8 {
    // SAFETY: it is no instruction at all.
    unsafe {
        std::arch::asm!(
            "/* {0} {1} {2} */",
            inout(reg) p,
            in(zmm_reg) x,
            in(zmm_reg) y,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    p
}

/// The mask of the first `n <= 16` lanes.
#[inline(always)]
fn head16(n: usize) -> __mmask16 {
    ((1u32 << n) - 1) as __mmask16
}

/// Eight `f64`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F64x8(__m512d);

// In every method below: the type is reached through `dispatch` alone, which entered
// code for this instruction set after checking the machine; pointers are the caller's promise.
impl Vector for F64x8 {
    type Elem = f64;
    const LANES: usize = 8;
    const REGISTERS: usize = 32;
    const FROM_MEMORY: bool = true;
    const ISA: Isa = Isa::Avx512;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_set1_pd(x) })
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_loadu_pd(p) })
    }
    #[inline(always)]
    unsafe fn load_head(p: *const f64, n: usize) -> Self {
        // SAFETY: see the impl; masked lanes are not read.
        Self(unsafe { _mm512_maskz_loadu_pd(head8(n), p) })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f64) {
        // SAFETY: see the impl.
        unsafe { _mm512_storeu_pd(p, self.0) }
    }
    #[inline(always)]
    unsafe fn store_head(self, p: *mut f64, n: usize) {
        // SAFETY: see the impl; masked lanes are not written.
        unsafe { _mm512_mask_storeu_pd(p, head8(n), self.0) }
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_add_pd(self.0, b.0) })
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_sub_pd(self.0, b.0) })
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_mul_pd(self.0, b.0) })
    }
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_div_pd(self.0, b.0) })
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_max_pd(self.0, b.0) })
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_min_pd(self.0, b.0) })
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_fmadd_pd(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm512_fnmadd_pd(self.0, b.0, c.0) })
    }
    #[cfg(not(miri))]
    #[inline(always)]
    fn after(p: *const f64, x: Self, y: Self) -> *const f64 {
        // SAFETY: see the impl.
        unsafe { after(p.cast(), _mm512_castpd_ps(x.0), _mm512_castpd_ps(y.0)).cast() }
    }
    #[inline(always)]
    fn sum(self) -> f64 {
        // SAFETY: see the impl.
        unsafe {
            let half =
                _mm256_add_pd(_mm512_castpd512_pd256(self.0), _mm512_extractf64x4_pd::<1>(self.0));
            super::avx2::sum4(half)
        }
    }
    #[inline(always)]
    fn zip(self, b: Self) -> (Self, Self) {
        // SAFETY: see the impl.
        unsafe {
            let low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
            let high = _mm512_add_epi64(low, _mm512_set1_epi64(4));
            (
                Self(_mm512_permutex2var_pd(self.0, low, b.0)),
                Self(_mm512_permutex2var_pd(self.0, high, b.0)),
            )
        }
    }
}

/// The mask of the first `n <= 8` lanes.
#[inline(always)]
fn head8(n: usize) -> __mmask8 {
    ((1u32 << n) - 1) as __mmask8
}
