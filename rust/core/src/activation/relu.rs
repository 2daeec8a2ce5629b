//! ReLU: `a = max(z, 0)`; `dz = da` where `a > 0`, else 0, so 0 at `z = 0`.

use crate::float::Float;
use crate::math::map::{Binary, Unary};
use crate::simd::VectorMath;

/// `a = max(z, 0)`
#[derive(Clone, Copy)]
pub(crate) struct Relu;

impl Unary for Relu {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V) -> V {
        // In this order, NaN passes.
        V::splat(V::Elem::ZERO).max(z)
    }
}

/// `dz = da [a > 0]`
#[derive(Clone, Copy)]
pub(crate) struct Backward;

impl Binary for Backward {
    #[inline(always)]
    fn apply<V: VectorMath>(self, a: V, da: V) -> V {
        let (zero, one) = (V::splat(V::Elem::ZERO), V::splat(V::Elem::ONE));
        // A product, not a choice of `da`, which would become a masked store: slow with AVX2.
        da.mul(V::select(zero.lt(a), one, zero))
    }
}
