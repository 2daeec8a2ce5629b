//! Vectors in plain Rust, which LLVM turns into whatever registers the target has (SSE2 on any
//! x86-64, NEON on aarch64).

mod math;

use super::{Vector, each};
use crate::float::Float;
use crate::isa::Isa;

/// `N` elements side by side.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Lanes<T, const N: usize>([T; N]);

/// Eight `f32`.
pub type P32x8 = Lanes<f32, 8>;

/// Four `f64`.
pub type P64x4 = Lanes<f64, 4>;

impl<T: Float, const N: usize> Lanes<T, N> {
    #[inline(always)]
    fn map(self, f: impl Fn(T) -> T) -> Self {
        Self(each(|i| f(self.0[i])))
    }
    #[inline(always)]
    fn zip(self, b: Self, f: impl Fn(T, T) -> T) -> Self {
        Self(each(|i| f(self.0[i], b.0[i])))
    }
}

impl<T: Float, const N: usize> Vector for Lanes<T, N> {
    type Elem = T;
    const LANES: usize = N;
    const REGISTERS: usize =
        if cfg!(target_arch = "aarch64") { 32 } else { 16 } * 16 / size_of::<Self>();
    const ISA: Isa = Isa::Portable;

    #[inline(always)]
    fn splat(x: T) -> Self {
        Self([x; N])
    }
    #[inline(always)]
    unsafe fn load(p: *const T) -> Self {
        // SAFETY: the caller promises LANES readable elements.
        Self(unsafe { p.cast::<[T; N]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn load_head(p: *const T, n: usize) -> Self {
        Self(each(|i| {
            if i < n {
                // SAFETY: the caller promises n readable elements.
                unsafe { p.add(i).read() }
            } else {
                T::ZERO
            }
        }))
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut T) {
        // SAFETY: the caller promises LANES writable elements.
        unsafe { p.cast::<[T; N]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn store_head(self, p: *mut T, n: usize) {
        for (i, x) in self.0.into_iter().enumerate().take(n) {
            // SAFETY: the caller promises n writable elements.
            unsafe { p.add(i).write(x) }
        }
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        self.zip(b, |x, y| x + y)
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        self.zip(b, |x, y| x - y)
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        self.zip(b, |x, y| x * y)
    }
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        self.zip(b, |x, y| x / y)
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Self(each(|i| fused(self.0[i], b.0[i], c.0[i])))
    }
    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        Self(each(|i| fused(-self.0[i], b.0[i], c.0[i])))
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        self.zip(b, |x, y| if x > y { x } else { y })
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        self.zip(b, |x, y| if x < y { x } else { y })
    }
    #[inline(always)]
    fn sum(self) -> T {
        let mut x = self.0;
        let mut half = N / 2;
        while half > 0 {
            for i in 0..half {
                x[i] += x[i + half];
            }
            half /= 2;
        }
        x[0]
    }
    #[inline(always)]
    fn zip(self, b: Self) -> (Self, Self) {
        let lanes = |first| Self(each(|i| if i % 2 == 0 { &self } else { &b }.0[first + i / 2]));
        (lanes(0), lanes(N / 2))
    }
}

/// `a * b + c`: fused where the target always has the instruction; elsewhere `mul_add` would be
/// a library call a hundred times slower, so two roundings it is.
#[inline(always)]
fn fused<T: Float>(a: T, b: T, c: T) -> T {
    if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
        a.mul_add(b, c)
    } else {
        a * b + c
    }
}
