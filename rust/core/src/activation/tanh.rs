//! The hyperbolic tangent: `a = tanh(z)`; `dz = da (1 - a²)`.
//!
//! With `u = exp(-2|z|) - 1`, `tanh |z| = -u / (2 + u)`, which loses no figures near 0; `u` is put
//! together as in [`expm1`](crate::math::exp::expm1), but nothing can overflow here.

use crate::float::Float;
use crate::math::Constants;
use crate::math::exp::reduced;
use crate::math::map::{Binary, Unary};
use crate::simd::VectorMath;

/// `a = tanh(z)`
#[derive(Clone, Copy)]
pub(crate) struct Tanh;

impl Unary for Tanh {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V) -> V {
        let one = V::splat(V::Elem::ONE);
        let two = V::splat(V::Elem::from_f64(2.0));
        // In this order, NaN passes.
        let y = V::splat(V::Elem::EXPM1_LOWEST).max(z.abs().neg().mul(two));
        let (n, q) = reduced(y, None);
        let s = n.pow2();
        let u = s.mul_add(q, s.sub(one));
        u.div(u.add(two)).copysign(z)
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
