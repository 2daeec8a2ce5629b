//! Vectors: every kernel is written once, against [`Vector`], and compiled once for each
//! instruction set.
//!
//! [`dispatch`] is the only door: it enters a function compiled for the instruction set and
//! hands the kernel that set's vector type. Everything below it is `#[inline(always)]`, so that
//! the whole driver, and not a single tile, becomes code of that instruction set.
#![allow(
    unreachable_pub,
    reason = "`Float` names the vectors, so they are public in a private module"
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod math;
mod portable;
mod strides;
mod transpose;

use std::mem::MaybeUninit;

use crate::float::Float;
use crate::isa::Isa;

#[cfg(target_arch = "x86_64")]
pub use self::{
    avx2::{F32x8, F64x4},
    avx512::{F32x16, F64x8},
};
pub use math::VectorMath;
pub use portable::{P32x8, P64x4};
pub(crate) use strides::Strides;
pub(crate) use transpose::transpose;

/// The lanes of the widest vector: so many `f32` of AVX-512.
pub(crate) const MOST_LANES: usize = 16;

/// A register of floats.
///
/// The methods are safe to call wherever the vector's instruction set is present, which
/// [`dispatch`] guarantees; nothing outside this crate can name an implementation.
///
/// The `head` forms touch the first `n < LANES` elements alone, so that the edge of a matrix
/// needs no scalar tail and nothing beyond it is read or written.
pub trait Vector: Copy + Send + Sync + 'static {
    /// The element: `f32` or `f64`.
    type Elem: Float;
    /// Elements a register holds.
    const LANES: usize;
    /// Registers the instruction set names: the room a microkernel's tile must fit in.
    const REGISTERS: usize;
    /// Whether a multiply-add can take one element from memory for all lanes: a broadcast that is no instruction.
    const FROM_MEMORY: bool = false;
    /// The instruction set.
    const ISA: Isa;

    /// `x` in every lane.
    fn splat(x: Self::Elem) -> Self;
    /// # Safety
    /// `LANES` elements can be read at `p`, which need not be aligned.
    unsafe fn load(p: *const Self::Elem) -> Self;
    /// The first `n <= LANES` elements at `p`; zeros in the other lanes.
    /// # Safety
    /// `n` elements can be read at `p`.
    unsafe fn load_head(p: *const Self::Elem, n: usize) -> Self;
    /// # Safety
    /// `LANES` elements can be written at `p`, which need not be aligned.
    unsafe fn store(self, p: *mut Self::Elem);
    /// Stores the first `n <= LANES` lanes.
    /// # Safety
    /// `n` elements can be written at `p`.
    unsafe fn store_head(self, p: *mut Self::Elem, n: usize);

    /// `self + b`
    fn add(self, b: Self) -> Self;
    /// `self - b`
    fn sub(self, b: Self) -> Self;
    /// `self * b`
    fn mul(self, b: Self) -> Self;
    /// `self / b`
    fn div(self, b: Self) -> Self;
    /// `self * b + c`, rounded once where the hardware can.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `c - self * b`, rounded once where the hardware can.
    fn neg_mul_add(self, b: Self, c: Self) -> Self;
    /// The larger, lane by lane; `b` where either is NaN (the rule of x86).
    fn max(self, b: Self) -> Self;
    /// The smaller, lane by lane; `b` where either is NaN.
    fn min(self, b: Self) -> Self;
    /// The pointer itself. The compiler takes it to follow from the vectors, so it reads there only when these have been
    /// computed: where each register counts, reading ahead is the core's business.
    #[inline(always)]
    fn after(p: *const Self::Elem, _: Self, _: Self) -> *const Self::Elem {
        p
    }
    /// The sum of the lanes, by halves: the upper half is added to the lower until one is left.
    fn sum(self) -> Self::Elem;
    /// The lanes of both in turn, `self[0], b[0], self[1], b[1], ...`: the first half of them, and
    /// the second.
    fn zip(self, b: Self) -> (Self, Self);
}

/// Asks for the cache line at `p`, which will be wanted soon; `p` may be any address.
#[inline(always)]
pub(crate) fn prefetch<T>(p: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint: it reads nothing and never faults, and every x86-64 has it.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(p.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}

/// The same, into the second level, for what is wanted later.
#[inline(always)]
pub(crate) fn prefetch_far<T>(p: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as above.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(p.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}

/// `[f(0), f(1), ...]`. The standard library's own forms, `from_fn` and `map`, can stay calls, which take registers through
/// memory.
#[inline(always)]
pub(crate) fn each<R: Copy, const N: usize>(f: impl Fn(usize) -> R) -> [R; N] {
    let mut all = [const { MaybeUninit::uninit() }; N];
    let mut i = 0;
    while i < N {
        all[i].write(f(i));
        i += 1;
    }
    // SAFETY: each element has been written.
    unsafe { all.as_ptr().cast::<[R; N]>().read() }
}

/// A piece of work that any vector type can do. The implementation of `run` and everything it
/// calls must be `#[inline(always)]`.
pub(crate) trait Kernel<T: Float> {
    /// What the work returns.
    type Output;
    /// Does the work with `V` as the register.
    fn run<V: VectorMath<Elem = T>>(self) -> Self::Output;
}

/// Runs `kernel` in code compiled for `isa`, a function of its own for each kernel.
#[inline]
pub(crate) fn dispatch<T: Float, K: Kernel<T>>(isa: Isa, kernel: K) -> K::Output {
    match isa {
        // SAFETY: an `Isa` value exists only for a set that this machine has (see `isa.rs`).
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { run_avx512(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { run_avx2(kernel) },
        Isa::Portable => kernel.run::<T::Portable>(),
    }
}

/// # Safety
/// The machine has AVX-512 F, DQ, VL and BW, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi2,popcnt")]
#[inline(never)]
unsafe fn run_avx512<T: Float, K: Kernel<T>>(kernel: K) -> K::Output {
    kernel.run::<T::Avx512>()
}

/// # Safety
/// The machine has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
#[inline(never)]
unsafe fn run_avx2<T: Float, K: Kernel<T>>(kernel: K) -> K::Output {
    kernel.run::<T::Avx2>()
}
