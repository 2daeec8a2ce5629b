//! The hyperbolic tangent: `a = tanh(z)`; `dz = da (1 - a²)`.

use crate::float::Float;
use crate::math::map::{Binary, Unary};
use crate::simd::VectorMath;

/// `a = tanh(z)`
#[derive(Clone, Copy)]
pub(crate) struct Tanh;

impl Unary for Tanh {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V) -> V {
        z.abs().tanh_from_zero().copysign(z)
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
