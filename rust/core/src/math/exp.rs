//! `exp(x) = 2^n exp(r)`, where `n = round(x / ln 2)` and `r = x - n ln 2` lies within ±ln 2 / 2.
//!
//! `ln 2` is taken off in two parts, the first so short that `n` times it is exact; then
//! `exp(r) - 1 = r + r²/2 + r³ P(r)` with a minimax polynomial `P`.

use super::constants::Constants;
use super::map::{Unary, polynomial};
use crate::float::Float;
use crate::simd::VectorMath;

/// `(n, exp(r) - 1)` for a finite `x` (NaN stays NaN); `exp(x + low)` if `low` is far below `x`.
#[inline(always)]
pub(crate) fn reduced<V: VectorMath>(x: V, low: Option<V>) -> (V, V) {
    let n = x.mul(V::splat(V::Elem::LOG2_E)).round();
    let r = n.neg_mul_add(V::splat(V::Elem::LN_2_HIGH), x);
    let r = n.neg_mul_add(V::splat(V::Elem::LN_2_LOW), r);
    let r = match low {
        Some(low) => r.add(low),
        None => r,
    };
    let half = V::splat(V::Elem::from_f64(0.5));
    let tail = polynomial(V::Elem::EXP, r).mul_add(r, half);
    (n, r.mul(r).mul_add(tail, r))
}

/// `exp(x)`.
#[inline(always)]
pub(crate) fn exp<V: VectorMath>(x: V) -> V {
    // In this order, NaN passes.
    let x = V::splat(V::Elem::EXP_HIGHEST).min(V::splat(V::Elem::EXP_LOWEST).max(x));
    let (n, q) = reduced(x, None);
    q.add(V::splat(V::Elem::ONE)).scale2(n)
}

/// `exp(x + low)` for `x <= 0` and a `low` far below it.
#[inline(always)]
pub(crate) fn exp_sum<V: VectorMath>(x: V, low: V) -> V {
    let (n, q) = reduced(V::splat(V::Elem::EXP_LOWEST).max(x), Some(low));
    q.add(V::splat(V::Elem::ONE)).scale2(n)
}

/// `exp(-|x|)`, which does not overflow.
#[inline(always)]
pub(crate) fn exp_neg_abs<V: VectorMath>(x: V) -> V {
    let (n, q) = reduced(V::splat(V::Elem::EXP_LOWEST).max(x.abs().neg()), None);
    q.add(V::splat(V::Elem::ONE)).scale2(n)
}

/// `exp(x) - 1`, without the loss of figures near 0: `2^n q + (2^n - 1)`, where `q = exp(r) - 1`.
#[inline(always)]
pub(crate) fn expm1<V: VectorMath>(x: V) -> V {
    let (one, half) = (V::splat(V::Elem::ONE), V::splat(V::Elem::from_f64(0.5)));
    let clamped = V::splat(V::Elem::EXP_HIGHEST).min(V::splat(V::Elem::EXPM1_LOWEST).max(x));
    let (n, q) = reduced(clamped, None);
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
