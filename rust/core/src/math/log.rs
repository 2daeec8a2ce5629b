//! `log(2^-n (1 + f)) = log1p(f) - n ln 2`, where `1 + f` lies in [√½, √2].
//!
//! With `s = f / (2 + f)` and `z = s²`, `log1p(f) = 2s + s z P(z)`; written as
//! `f - (f²/2 - s (f²/2 + z P(z)))` it loses nothing where `f` is small (as in fdlibm).

use super::constants::Constants;
use super::map::{Unary, polynomial};
use crate::float::Float;
use crate::simd::VectorMath;

/// `log1p(f) - n ln 2`.
///
/// It is `n`, the exponent turned round, so that -0 comes out of -0: -0 - 0 is -0, but -0 + 0 is 0.
#[inline(always)]
fn sum<V: VectorMath>(n: V, f: V) -> V {
    let s = f.div(f.add(V::splat(V::Elem::from_f64(2.0))));
    let z = s.mul(s);
    let half_square = f.mul(f).mul(V::splat(V::Elem::from_f64(0.5)));
    let r = polynomial(V::Elem::LOG, z).mul_add(z, half_square);
    let low = s.mul_add(r, n.mul(V::splat(-V::Elem::LN_2_LOW)));
    n.neg_mul_add(V::splat(V::Elem::LN_2_HIGH), f.sub(half_square.sub(low)))
}

/// `n` such that `2^n x` lies in [√½, √2], for a positive normal `x`.
#[inline(always)]
fn exponent<V: VectorMath>(x: V) -> V {
    let half_sqrt = V::splat(V::Elem::SQRT_2 * V::Elem::from_f64(0.5));
    V::splat(-V::Elem::ONE).sub(x.mul(half_sqrt).exponent())
}

/// `y` where `0 < x < ∞`; else the value of the logarithm there: -∞, NaN or `x` itself.
#[inline(always)]
fn outside<V: VectorMath>(x: V, y: V) -> V {
    let zero = V::splat(V::Elem::ZERO);
    let y = V::select(x.lt(V::splat(V::Elem::INFINITY)), y, x);
    let below = V::select(x.lt(zero), V::splat(V::Elem::NAN), V::splat(-V::Elem::INFINITY));
    V::select(x.le(zero), below, y)
}

/// `log(x)`, the natural logarithm.
#[inline(always)]
pub(crate) fn log<V: VectorMath>(x: V) -> V {
    let tiny = x.lt(V::splat(V::Elem::LOG_TINY));
    let lifted = V::select(tiny, x.mul(V::splat(V::Elem::LOG_LIFT)), x);
    let lift = V::select(tiny, V::splat(V::Elem::LOG_LIFT_EXPONENT), V::splat(V::Elem::ZERO));
    let n = exponent(lifted);
    let f = lifted.scale2(n).sub(V::splat(V::Elem::ONE));
    outside(x, sum(n.add(lift), f))
}

/// `log(1 + x)`, without the loss of figures near 0.
#[inline(always)]
pub(crate) fn log1p<V: VectorMath>(x: V) -> V {
    let one = V::splat(V::Elem::ONE);
    let u = x.add(one);
    // f = 2^n (1 + x) - 1, from x and not from the rounded u.
    let n = exponent(u);
    let f = x.scale2(n).sub(one.sub(one.scale2(n)));
    let y = V::select(x.lt(V::splat(V::Elem::INFINITY)), sum(n, f), x);
    let minus_one = one.neg();
    let below = V::select(x.lt(minus_one), V::splat(V::Elem::NAN), V::splat(-V::Elem::INFINITY));
    V::select(x.le(minus_one), below, y)
}

/// `log(1 + t)` for `0 <= t <= 1`, where `n` is 0 or -1.
#[inline(always)]
pub(crate) fn log1p_unit<V: VectorMath>(t: V) -> V {
    let (zero, one) = (V::splat(V::Elem::ZERO), V::splat(V::Elem::ONE));
    let big = V::splat(V::Elem::SQRT_2 - V::Elem::ONE).lt(t);
    let halved = t.sub(one).mul(V::splat(V::Elem::from_f64(0.5)));
    sum(V::select(big, one.neg(), zero), V::select(big, halved, t))
}

/// [`log`] as a function to map.
#[derive(Clone, Copy)]
pub(crate) struct Log;

impl Unary for Log {
    #[inline(always)]
    fn apply<V: VectorMath>(self, x: V) -> V {
        log(x)
    }
}

/// [`log1p`] as a function to map.
#[derive(Clone, Copy)]
pub(crate) struct Log1p;

impl Unary for Log1p {
    #[inline(always)]
    fn apply<V: VectorMath>(self, x: V) -> V {
        log1p(x)
    }
}
