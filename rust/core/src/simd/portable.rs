//! Vectors in plain Rust, which LLVM turns into whatever registers the target has (SSE2 on any
//! x86-64, NEON on aarch64).

mod math;

use super::Vector;

/// Eight `f32`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct P32x8([f32; 8]);

impl P32x8 {
    #[inline(always)]
    fn zip(self, b: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], b.0[i])))
    }
}

impl Vector for P32x8 {
    type Elem = f32;
    const LANES: usize = 8;
    const REGISTERS: usize =
        if cfg!(target_arch = "aarch64") { 32 } else { 16 } * 16 / size_of::<Self>();

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([x; 8])
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: the caller promises LANES readable elements.
        Self(unsafe { p.cast::<[f32; 8]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn load_head(p: *const f32, n: usize) -> Self {
        Self(std::array::from_fn(|i| {
            if i < n {
                // SAFETY: the caller promises n readable elements.
                unsafe { p.add(i).read() }
            } else {
                0.0
            }
        }))
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller promises LANES writable elements.
        unsafe { p.cast::<[f32; 8]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn store_head(self, p: *mut f32, n: usize) {
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
        Self(std::array::from_fn(|i| fused(self.0[i], b.0[i], c.0[i])))
    }
    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        Self(std::array::from_fn(|i| fused(-self.0[i], b.0[i], c.0[i])))
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
    fn sum(self) -> f32 {
        let mut x = self.0;
        let mut half = 8 / 2;
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
        let lanes = |first| {
            Self(std::array::from_fn(|i| if i % 2 == 0 { &self } else { &b }.0[first + i / 2]))
        };
        (lanes(0), lanes(4))
    }
}

/// Four `f64`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct P64x4([f64; 4]);

impl P64x4 {
    #[inline(always)]
    fn zip(self, b: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], b.0[i])))
    }
}

impl Vector for P64x4 {
    type Elem = f64;
    const LANES: usize = 4;
    const REGISTERS: usize =
        if cfg!(target_arch = "aarch64") { 32 } else { 16 } * 16 / size_of::<Self>();

    #[inline(always)]
    fn splat(x: f64) -> Self {
        Self([x; 4])
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> Self {
        // SAFETY: the caller promises LANES readable elements.
        Self(unsafe { p.cast::<[f64; 4]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn load_head(p: *const f64, n: usize) -> Self {
        Self(std::array::from_fn(|i| {
            if i < n {
                // SAFETY: the caller promises n readable elements.
                unsafe { p.add(i).read() }
            } else {
                0.0
            }
        }))
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f64) {
        // SAFETY: the caller promises LANES writable elements.
        unsafe { p.cast::<[f64; 4]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn store_head(self, p: *mut f64, n: usize) {
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
        Self(std::array::from_fn(|i| fused(self.0[i], b.0[i], c.0[i])))
    }
    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        Self(std::array::from_fn(|i| fused(-self.0[i], b.0[i], c.0[i])))
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
    fn sum(self) -> f64 {
        let mut x = self.0;
        let mut half = 4 / 2;
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
        let lanes = |first| {
            Self(std::array::from_fn(|i| if i % 2 == 0 { &self } else { &b }.0[first + i / 2]))
        };
        (lanes(0), lanes(2))
    }
}

/// `a * b + c`: fused where the target always has the instruction; elsewhere `mul_add` would be
/// a library call a hundred times slower, so two roundings it is.
#[inline(always)]
fn fused<T: crate::float::Float>(a: T, b: T, c: T) -> T {
    if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
        a.mul_add(b, c)
    } else {
        a * b + c
    }
}
