//! SiLU, or swish: `a = z s` where `s = sigmoid(z)`; `dz = da s (1 + z (1 - s))`.

use super::sigmoid::sigmoid;
use crate::float::Float;
use crate::math::Constants;
use crate::math::map::{Binary, Unary};
use crate::simd::VectorMath;

/// `a = z sigmoid(z)`
#[derive(Clone, Copy)]
pub(crate) struct Silu;

impl Unary for Silu {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V) -> V {
        // The bound spares an infinity times zero; in this order, NaN passes.
        V::splat(V::Elem::EXP_LOWEST).max(z).mul(sigmoid(z))
    }
}

/// `dz = da s (1 + z (1 - s))`, where `s = sigmoid(z)`
#[derive(Clone, Copy)]
pub(crate) struct Backward;

impl Binary for Backward {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V, da: V) -> V {
        let one = V::splat(V::Elem::ONE);
        let bound = V::splat(V::Elem::EXP_LOWEST);
        let z = bound.neg().min(bound.max(z));
        let s = sigmoid(z);
        da.mul(s.mul(z.mul_add(one.sub(s), one)))
    }
}
