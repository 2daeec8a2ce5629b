//! Vectors of AVX2 with FMA: 16 registers of 256 bits; edges by mask loads and stores.

mod math;

use std::arch::x86_64::*;

use super::Vector;
use crate::isa::Isa;

/// Eight `f32`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F32x8(__m256);

// In every method below: the type is reached through `dispatch` alone, which entered
// code for this instruction set after checking the machine; pointers are the caller's promise.
impl Vector for F32x8 {
    type Elem = f32;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;
    const ISA: Isa = Isa::Avx2;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_set1_ps(x) })
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_loadu_ps(p) })
    }
    #[inline(always)]
    unsafe fn load_head(p: *const f32, n: usize) -> Self {
        // SAFETY: see the impl; masked lanes are not read.
        Self(unsafe { _mm256_maskload_ps(p, head8(n)) })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: see the impl.
        unsafe { _mm256_storeu_ps(p, self.0) }
    }
    #[inline(always)]
    unsafe fn store_head(self, p: *mut f32, n: usize) {
        // SAFETY: see the impl; masked lanes are not written.
        unsafe { _mm256_maskstore_ps(p, head8(n), self.0) }
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_add_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_sub_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_mul_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_div_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_max_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_min_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_fmadd_ps(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_fnmadd_ps(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: see the impl.
        unsafe { sum8(self.0) }
    }
    #[inline(always)]
    fn zip(self, b: Self) -> (Self, Self) {
        // SAFETY: see the impl.
        unsafe {
            let (x, y) = (_mm256_unpacklo_ps(self.0, b.0), _mm256_unpackhi_ps(self.0, b.0));
            (Self(_mm256_permute2f128_ps::<0x20>(x, y)), Self(_mm256_permute2f128_ps::<0x31>(x, y)))
        }
    }
}

/// All ones in the first `n <= 8` lanes of 32 bits.
#[inline(always)]
unsafe fn head8(n: usize) -> __m256i {
    // SAFETY: as the callers.
    unsafe {
        let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_cmpgt_epi32(_mm256_set1_epi32(n as i32), lane)
    }
}

/// The sum of eight lanes, by halves.
/// # Safety
/// The machine has AVX2.
#[inline(always)]
pub(super) unsafe fn sum8(v: __m256) -> f32 {
    // SAFETY: as the caller promises.
    unsafe {
        let x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
        let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
        _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)))
    }
}

/// Four `f64`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F64x4(__m256d);

// In every method below: the type is reached through `dispatch` alone, which entered
// code for this instruction set after checking the machine; pointers are the caller's promise.
impl Vector for F64x4 {
    type Elem = f64;
    const LANES: usize = 4;
    const REGISTERS: usize = 16;
    const ISA: Isa = Isa::Avx2;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_set1_pd(x) })
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_loadu_pd(p) })
    }
    #[inline(always)]
    unsafe fn load_head(p: *const f64, n: usize) -> Self {
        // SAFETY: see the impl; masked lanes are not read.
        Self(unsafe { _mm256_maskload_pd(p, head4(n)) })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f64) {
        // SAFETY: see the impl.
        unsafe { _mm256_storeu_pd(p, self.0) }
    }
    #[inline(always)]
    unsafe fn store_head(self, p: *mut f64, n: usize) {
        // SAFETY: see the impl; masked lanes are not written.
        unsafe { _mm256_maskstore_pd(p, head4(n), self.0) }
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_add_pd(self.0, b.0) })
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_sub_pd(self.0, b.0) })
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_mul_pd(self.0, b.0) })
    }
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_div_pd(self.0, b.0) })
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_max_pd(self.0, b.0) })
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_min_pd(self.0, b.0) })
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_fmadd_pd(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see the impl.
        Self(unsafe { _mm256_fnmadd_pd(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn sum(self) -> f64 {
        // SAFETY: see the impl.
        unsafe { sum4(self.0) }
    }
    #[inline(always)]
    fn zip(self, b: Self) -> (Self, Self) {
        // SAFETY: see the impl.
        unsafe {
            let (x, y) = (_mm256_unpacklo_pd(self.0, b.0), _mm256_unpackhi_pd(self.0, b.0));
            (Self(_mm256_permute2f128_pd::<0x20>(x, y)), Self(_mm256_permute2f128_pd::<0x31>(x, y)))
        }
    }
}

/// All ones in the first `n <= 4` lanes of 64 bits.
#[inline(always)]
unsafe fn head4(n: usize) -> __m256i {
    // SAFETY: as the callers.
    unsafe {
        let lane = _mm256_setr_epi64x(0, 1, 2, 3);
        _mm256_cmpgt_epi64(_mm256_set1_epi64x(n as i64), lane)
    }
}

/// The sum of four lanes, by halves.
/// # Safety
/// The machine has AVX2.
#[inline(always)]
pub(super) unsafe fn sum4(v: __m256d) -> f64 {
    // SAFETY: as the caller promises.
    unsafe {
        let x = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v));
        _mm_cvtsd_f64(_mm_add_sd(x, _mm_unpackhi_pd(x, x)))
    }
}
