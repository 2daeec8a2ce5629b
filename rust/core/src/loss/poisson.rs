//! Half the Poisson deviance after an exponential: `J = a - y + y log(y / a)`, `a = exp(z)`;
//! `dz = a - y`.
//!
//! From the logits, `J = exp(z) - y + y (log y - z)`, and `exp(z)` alone where `y = 0`. PyTorch's
//! Poisson loss leaves out the part that `z` does not change, `y log y - y`; scikit-learn's has it.

use super::elementwise::ElementLoss;
use crate::float::Float;
use crate::math::exp::exp;
use crate::math::log::log;
use crate::simd::VectorMath;

/// `J = exp(z) - y + y (log y - z)`; `dz = exp(z) - y`
#[derive(Clone, Copy)]
pub(super) struct Poisson;

impl ElementLoss for Poisson {
    #[inline(always)]
    fn value_and_gradient<V: VectorMath>(self, z: V, y: V) -> (V, V) {
        let zero = V::splat(V::Elem::ZERO);
        let gradient = exp(z).sub(y);
        let rest = V::select(zero.lt(y), y.mul(log(y).sub(z)), zero);
        (gradient.add(rest), gradient)
    }
}
