//! Binary cross-entropy after a sigmoid: `J = -[y log a + (1 - y) log(1 - a)]`, `a = sigmoid(z)`;
//! `dz = a - y`, and a speck of that is none (`math/speck.rs`).
//!
//! From the logits, `J = log(1 + exp(z)) - y z`, with the softplus that does not overflow.

use super::elementwise::ElementLoss;
use crate::activation::sigmoid::sigmoid_of;
use crate::float::Float;
use crate::math::exp::exp_neg_abs;
use crate::math::log::log1p_unit;
use crate::math::speck::without_specks;
use crate::simd::VectorMath;

/// `J = max(z, 0) - y z + log1p(exp(-|z|))`; `dz = sigmoid(z) - y`
#[derive(Clone, Copy)]
pub(super) struct BinaryCrossEntropy;

impl ElementLoss for BinaryCrossEntropy {
    #[inline(always)]
    fn value_and_gradient<V: VectorMath>(self, z: V, y: V) -> (V, V) {
        let t = exp_neg_abs(z);
        // max(z, 0) - y z first: where y is 0 or 1 it is exact, and nothing large is left in it.
        let linear = y.neg_mul_add(z, V::splat(V::Elem::ZERO).max(z));
        (linear.add(log1p_unit(t)), without_specks(sigmoid_of(t, z).sub(y)))
    }
}
