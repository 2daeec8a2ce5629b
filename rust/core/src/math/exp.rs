//! `exp(x) = 2^k exp(r)`, where `r = x - k ln 2` is small.
//!
//! `k` is `x / ln 2` to the nearest whole number, or, where the instruction set can look up powers
//! of two, to the nearest 16th. `ln 2` is taken off in two parts, the first so short that `k`
//! times it is exact; then `exp(r) - 1 = r + r²/2 + r³ P(r)` with a minimax polynomial `P`.

use super::constants::Constants;
use super::map::{Unary, polynomial};
use crate::float::Float;
use crate::simd::VectorMath;

/// `x - k ln 2`.
#[inline(always)]
fn remainder<V: VectorMath>(x: V, k: V) -> V {
    let r = k.neg_mul_add(V::splat(V::Elem::LN_2_HIGH), x);
    k.neg_mul_add(V::splat(V::Elem::LN_2_LOW), r)
}

/// `exp(r) - 1`, where `p` is `P` for that range of `r`.
#[inline(always)]
fn expm1_of_remainder<V: VectorMath>(p: &[V::Elem], r: V) -> V {
    let half = V::splat(V::Elem::from_f64(0.5));
    r.mul(r).mul_add(polynomial(p, r).mul_add(r, half), r)
}

/// `exp(x + low)` for a finite `x` (NaN stays NaN) and a `low` far below it.
#[inline(always)]
fn exp_bounded<V: VectorMath>(x: V, low: V) -> V {
    let (k, power) = V::exp_split(x);
    let q = expm1_of_remainder(V::EXP, remainder(x, k).add(low));
    power.mul_add(q, power).scale2(k)
}

/// `exp(x)`.
#[inline(always)]
pub(crate) fn exp<V: VectorMath>(x: V) -> V {
    // In this order, NaN passes.
    let x = V::splat(V::Elem::EXP_HIGHEST).min(V::splat(V::Elem::EXP_LOWEST).max(x));
    exp_bounded(x, V::splat(-V::Elem::ZERO))
}

/// `exp(x)` for an `x` that is not far above 0.
#[inline(always)]
pub(crate) fn exp_below<V: VectorMath>(x: V) -> V {
    exp_bounded(V::splat(V::Elem::EXP_LOWEST).max(x), V::splat(-V::Elem::ZERO))
}

/// `exp(x + low)` for `x <= 0` and a `low` far below it.
#[inline(always)]
pub(crate) fn exp_sum<V: VectorMath>(x: V, low: V) -> V {
    exp_bounded(V::splat(V::Elem::EXP_LOWEST).max(x), low)
}

/// `exp(-|x|)`, which does not overflow.
#[inline(always)]
pub(crate) fn exp_neg_abs<V: VectorMath>(x: V) -> V {
    exp_below(x.abs().neg())
}

/// `(u, v)` with `exp(x) = u / v`, for an `x` that is not far above 0.
///
/// `exp(r) = (c + r) / (c - r)`, where `c = r coth(r / 2) = 2 + r² Q(r²)` is even, so half the terms
/// do; and where a quotient is wanted anyway, the division costs nothing.
#[inline(always)]
pub(crate) fn exp_quotient<V: VectorMath>(x: V) -> (V, V) {
    let x = V::splat(V::Elem::EXP_LOWEST).max(x);
    let (k, power) = V::exp_split(x);
    let r = remainder(x, k);
    let z = r.mul(r);
    let c = polynomial(V::COTH, z).mul_add(z, V::splat(V::Elem::from_f64(2.0)));
    (c.add(r).mul(power).scale2(k), c.sub(r))
}

/// `(n, q)` with `exp(x) = 2^n (1 + q)`, a whole `n` and a `q` that keeps its figures near 0, for a
/// finite `x`.
#[inline(always)]
pub(crate) fn exp_whole<V: VectorMath>(x: V) -> (V, V) {
    let n = x.round_product(V::splat(V::Elem::LOG2_E));
    (n, expm1_of_remainder(V::Elem::EXP, remainder(x, n)))
}

/// `exp(x) - 1`, without the loss of figures near 0: `2^n q + (2^n - 1)`.
#[inline(always)]
pub(crate) fn expm1<V: VectorMath>(x: V) -> V {
    let (one, half) = (V::splat(V::Elem::ONE), V::splat(V::Elem::from_f64(0.5)));
    let clamped = V::splat(V::Elem::EXP_HIGHEST).min(V::splat(V::Elem::EXPM1_LOWEST).max(x));
    let (n, q) = exp_whole(clamped);
    // Half of it first: 2^n itself may overflow where the result does not.
    let s = n.sub(one).pow2();
    let y = s.mul_add(q, s.sub(half));
    V::select(n.abs().lt(half), q, y.add(y)).copysign(x)
}

/// [`exp`] as a function to map.
#[derive(Clone, Copy)]
pub(crate) struct Exp;

impl Unary for Exp {
    #[inline(always)]
    fn apply<V: VectorMath>(self, x: V) -> V {
        exp(x)
    }
}

/// [`expm1`] as a function to map.
#[derive(Clone, Copy)]
pub(crate) struct Expm1;

impl Unary for Expm1 {
    #[inline(always)]
    fn apply<V: VectorMath>(self, x: V) -> V {
        expm1(x)
    }
}
