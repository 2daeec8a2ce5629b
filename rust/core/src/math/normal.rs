//! The normal distribution: its upper tail `Φ(-x) = erfc(x / √2) / 2` and its density
//! `φ(x) = exp(-x²/2) / √(2π)`.
//!
//! `Φ(-x) = exp(-x²/2) P(q) / (x + c)` for `x >= 0`, where `q = (x - c) / (x + c)` maps [0, ∞) to
//! [-1, 1) and `P` is a minimax polynomial. The rounding error of `x²`, which `exp` would
//! magnify, is found by a fused multiplication and handed to it. (Where nothing is fused, that is
//! in the portable set on x86-64, it stays: `x²/2` units in the last place, far out in the tail.)

use super::constants::Constants;
use super::exp::exp_sum;
use super::map::polynomial;
use crate::float::Float;
use crate::simd::VectorMath;

/// `(a, Φ(-a), exp(-a²/2))`, where `a` is `|x|`, or as much of it as makes a difference.
#[inline(always)]
pub(crate) fn upper_tail<V: VectorMath>(x: V) -> (V, V, V) {
    let half = V::splat(V::Elem::from_f64(0.5));
    let centre = V::splat(V::Elem::TAIL_CENTRE);
    // In this order, NaN passes.
    let a = V::splat(V::Elem::TAIL_HIGHEST).min(x.abs());
    let square = a.mul(a);
    let error = a.mul_add(a, square.neg());
    let density = exp_sum(square.mul(half).neg(), error.mul(half).neg());
    let inverse = V::splat(V::Elem::ONE).div(a.add(centre));
    let q = a.sub(centre).mul(inverse);
    (a, density.mul(polynomial(V::Elem::TAIL, q)).mul(inverse), density)
}
