//! ELU: `a = z` if `z > 0`, else `exp(z) - 1`; `dz = da`, or `da (a + 1)`.

use crate::float::Float;
use crate::math::exp::expm1;
use crate::math::map::{Binary, Unary};
use crate::simd::VectorMath;

/// `a = z` if `z > 0`, else `exp(z) - 1`
#[derive(Clone, Copy)]
pub(crate) struct Elu;

impl Unary for Elu {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V) -> V {
        let zero = V::splat(V::Elem::ZERO);
        // The order in which NaN passes.
        V::select(zero.lt(z), z, expm1(zero.min(z)))
    }
}

/// `dz = da` if `a > 0`, else `da (a + 1)`
#[derive(Clone, Copy)]
pub(crate) struct Backward;

impl Binary for Backward {
    #[inline(always)]
    fn apply<V: VectorMath>(self, a: V, da: V) -> V {
        let one = V::splat(V::Elem::ONE);
        // a + 1 is at most 1 exactly where z is negative.
        da.mul(one.min(a.add(one)))
    }
}
