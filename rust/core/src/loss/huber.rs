//! Huber's loss: squared where the error `r = z - y` is small, absolute where it is large.
//!
//! With `c` the error cut off at ±δ, `J = c (r - c/2)`: that is `½ r²` for `|r| <= δ`, and
//! `δ (|r| - δ/2)` beyond; `dz = c`.

use super::elementwise::ElementLoss;
use crate::float::Float;
use crate::simd::VectorMath;

/// `J = c (r - c/2)`; `dz = c`, where `r = z - y` and `c = clip(r, -δ, δ)`
#[derive(Clone, Copy)]
pub(super) struct Huber(pub(super) f64);

impl ElementLoss for Huber {
    #[inline(always)]
    fn value_and_gradient<V: VectorMath>(self, z: V, y: V) -> (V, V) {
        let delta = V::splat(V::Elem::from_f64(self.0));
        let r = z.sub(y);
        // In this order, NaN passes.
        let c = delta.min(delta.neg().max(r));
        (c.mul(c.neg_mul_add(V::splat(V::Elem::from_f64(0.5)), r)), c)
    }
}
