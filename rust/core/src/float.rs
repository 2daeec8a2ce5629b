//! The two element types, `f32` and `f64`, and what generic code may ask of them.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use ndarray::ArrayView2;

use crate::context::Context;
use crate::error::Result;
use crate::gemm::packed;
use crate::gemm::product::Product;
use crate::isa::Isa;
use crate::math::Constants;
use crate::samples::Samples;
use crate::simd;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`. Everything that computes is generic over it; which one it is, is decided
/// once, at the edge.
pub trait Float:
    sealed::Sealed
    + Constants
    + Copy
    + Default
    + PartialEq
    + PartialOrd
    + Debug
    + Display
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
    + Send
    + Sync
    + 'static
{
    /// The number zero.
    const ZERO: Self;
    /// The number one.
    const ONE: Self;
    /// NumPy's name of the type.
    const NAME: &'static str;

    /// The vector of AVX-512.
    #[cfg(target_arch = "x86_64")]
    #[doc(hidden)]
    type Avx512: simd::VectorMath<Elem = Self>;
    /// The vector of AVX2.
    #[cfg(target_arch = "x86_64")]
    #[doc(hidden)]
    type Avx2: simd::VectorMath<Elem = Self>;
    /// The vector of plain Rust.
    #[doc(hidden)]
    type Portable: simd::VectorMath<Elem = Self>;

    /// The samples themselves, if this is their type.
    #[doc(hidden)]
    fn view_of<'s, 'a>(samples: &'s Samples<'a>) -> Option<&'s ArrayView2<'a, Self>>;

    /// The matrix product, compiled for this type in this crate.
    ///
    /// # Errors
    /// As [`gemm`](crate::gemm::gemm).
    #[doc(hidden)]
    fn product(ctx: &Context, product: Product<'_, Self>) -> Result<()>;

    /// A product with a packed matrix, compiled for this type in this crate.
    #[doc(hidden)]
    fn packed(isa: Isa, task: packed::Task<'_, Self>);

    /// The nearest number of this type.
    fn from_f64(x: f64) -> Self;
    /// The same number in double precision.
    fn to_f64(self) -> f64;
    /// Neither NaN nor infinite.
    fn is_finite(self) -> bool;
    /// `self * a + b`, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
}

macro_rules! float {
    ($t:ty, $name:literal, $samples:ident, $avx512:ident, $avx2:ident, $portable:ident) => {
        impl Float for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAME: &'static str = $name;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = simd::$avx512;
            #[cfg(target_arch = "x86_64")]
            type Avx2 = simd::$avx2;
            type Portable = simd::$portable;

            fn product(ctx: &Context, product: Product<'_, Self>) -> Result<()> {
                crate::gemm::product::run(ctx, product)
            }
            fn packed(isa: Isa, task: packed::Task<'_, Self>) {
                packed::run(isa, task);
            }
            fn view_of<'s, 'a>(samples: &'s Samples<'a>) -> Option<&'s ArrayView2<'a, Self>> {
                match samples {
                    Samples::$samples(view) => Some(view),
                    _ => None,
                }
            }
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                <$t>::is_finite(self)
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                <$t>::mul_add(self, a, b)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$t>::abs(self)
            }
        }
    };
}

float!(f32, "float32", F32, F32x16, F32x8, P32x8);
float!(f64, "float64", F64, F64x8, F64x4, P64x4);
