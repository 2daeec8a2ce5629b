//! Squared error: `J = ½ (z - y)²`; `dz = z - y`.

use super::elementwise::ElementLoss;
use crate::float::Float;
use crate::simd::VectorMath;

/// `J = ½ (z - y)²`; `dz = z - y`
#[derive(Clone, Copy)]
pub(super) struct SquaredError;

impl ElementLoss for SquaredError {
    #[inline(always)]
    fn value_and_gradient<V: VectorMath>(self, z: V, y: V) -> (V, V) {
        let r = z.sub(y);
        (r.mul(r).mul(V::splat(V::Elem::from_f64(0.5))), r)
    }
}
