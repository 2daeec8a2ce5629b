//! The hyperbolic tangent: `a = tanh(z)`; `dz = da (1 - a²)`.
//!
//! With `t = exp(-2|z|)`, `tanh |z| = (1 - t) / (1 + t)`; and with `t = s (1 + q)` where `s` is a
//! power of two, `1 ∓ t = (1 ∓ s) ∓ s q`, which loses no figures near 0.

use crate::float::Float;
use crate::math::Constants;
use crate::math::exp::exp_whole;
use crate::math::map::{Binary, Unary};
use crate::simd::VectorMath;

/// `a = tanh(z)`
#[derive(Clone, Copy)]
pub(crate) struct Tanh;

impl Unary for Tanh {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V) -> V {
        let one = V::splat(V::Elem::ONE);
        // In this order, NaN passes.
        let y = V::splat(V::Elem::EXPM1_LOWEST).max(z.abs().mul(V::splat(V::Elem::from_f64(-2.0))));
        let (n, q) = exp_whole(y);
        let s = n.pow2();
        let (above, below) = (s.neg_mul_add(q, one.sub(s)), s.mul_add(q, one.add(s)));
        above.div(below).copysign(z)
    }
}

/// `dz = da (1 - a²)`
#[derive(Clone, Copy)]
pub(crate) struct Backward;

impl Binary for Backward {
    #[inline(always)]
    fn apply<V: VectorMath>(self, a: V, da: V) -> V {
        // 1 - a² = (1 - a)(1 + a), without the square's rounding error.
        let one = V::splat(V::Elem::ONE);
        da.mul(one.sub(a).mul(one.add(a)))
    }
}
