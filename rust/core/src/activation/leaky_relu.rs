//! Leaky ReLU: `a = z` if `z > 0`, else `z / 100`; `dz = da`, or `da / 100`.

use crate::float::Float;
use crate::math::map::{Binary, Unary};
use crate::simd::VectorMath;

/// What is left of a negative input: PyTorch's default.
const SLOPE: f64 = 0.01;

/// `a = z` if `z > 0`, else `z / 100`
#[derive(Clone, Copy)]
pub(crate) struct LeakyRelu;

impl Unary for LeakyRelu {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V) -> V {
        let leak = z.mul(V::splat(V::Elem::from_f64(SLOPE)));
        V::select(V::splat(V::Elem::ZERO).lt(z), z, leak)
    }
}

/// `dz = da` if `a > 0`, else `da / 100`
#[derive(Clone, Copy)]
pub(crate) struct Backward;

impl Binary for Backward {
    #[inline(always)]
    fn apply<V: VectorMath>(self, a: V, da: V) -> V {
        // A product, not a choice of `da`, which would become a masked store: slow with AVX2.
        let (one, leak) = (V::splat(V::Elem::ONE), V::splat(V::Elem::from_f64(SLOPE)));
        da.mul(V::select(V::splat(V::Elem::ZERO).lt(a), one, leak))
    }
}
