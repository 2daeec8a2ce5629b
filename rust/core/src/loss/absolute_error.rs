//! Absolute error: `J = |z - y|`; `dz` is the sign of `z - y`, and 0 where they are equal.

use super::elementwise::ElementLoss;
use crate::float::Float;
use crate::simd::VectorMath;

/// `J = |z - y|`; `dz = sign(z - y)`
#[derive(Clone, Copy)]
pub(super) struct AbsoluteError;

impl ElementLoss for AbsoluteError {
    #[inline(always)]
    fn value_and_gradient<V: VectorMath>(self, z: V, y: V) -> (V, V) {
        let r = z.sub(y);
        let zero = V::splat(V::Elem::ZERO);
        let sign = V::select(zero.lt(r.abs()), V::splat(V::Elem::ONE).copysign(r), r);
        (r.abs(), sign)
    }
}
