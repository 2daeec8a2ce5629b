//! Numbers so small that what training makes of them is subnormal, and is nothing.
//!
//! Some processors take a hundred cycles for an operation on a subnormal number. A fit makes many of them as it converges:
//! * The probability of the wrong class falls below 1e-31, and all that backpropagation makes of it is smaller still.
//! * Where a unit is dead, gradients are zero, and a running average only shrinks. With β = 0.9 it is subnormal after 830
//!   steps, and stays so for ever: 0.9 times the smallest number is rounded to the smallest number.
//!
//! Both are taken as zero. A step of 30-64-64-2 took up to two and a half times as long before.

use crate::float::Float;
use crate::math::Constants;
use crate::simd::VectorMath;

/// `x`, or zero where that is closer to zero than [`Constants::SPECK`].
#[inline(always)]
pub(crate) fn without_specks<V: VectorMath>(x: V) -> V {
    let speck = x.abs().lt(V::splat(V::Elem::SPECK)); // NaN is none.
    V::select(speck, V::splat(V::Elem::ZERO), x)
}
