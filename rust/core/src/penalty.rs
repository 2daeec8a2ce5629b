//! The penalties on the weights, not on the biases, and what they add to the gradient.
//!
//! ```text
//! P      = (λ/2m) Σ W² + (λ₁/m) Σ |W|
//! ∂P/∂W  = (λ/m) W + (λ₁/m) sign(W)        sign(0) = 0
//! ```

use crate::context::Context;
use crate::float::Float;
use crate::math::sum_of_squares;
use crate::parameters::Parameters;

/// Strengths of the penalties.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Penalty {
    /// λ, of the squares.
    pub l2: f64,
    /// λ₁, of the absolute values.
    pub l1: f64,
}

/// The squares alone.
impl From<f64> for Penalty {
    fn from(l2: f64) -> Self {
        Self { l2, l1: 0.0 }
    }
}

impl Penalty {
    /// `P` for a total weight `m` of the samples.
    pub(crate) fn value<T: Float>(self, ctx: &Context, parameters: &Parameters<T>, m: f64) -> f64 {
        let mut sum = 0.0;
        if self.l2 != 0.0 {
            sum += self.l2 / (2.0 * m) * sum_of_squared_weights(ctx, parameters, 0);
        }
        if self.l1 != 0.0 {
            sum += self.l1 / m * sum_of_absolute_weights(parameters);
        }
        sum
    }

    /// Adds `∂P/∂W` to the gradients.
    pub(crate) fn add_gradient<T: Float>(
        self,
        ctx: &Context,
        parameters: &Parameters<T>,
        m: f64,
        gradients: &mut Parameters<T>,
    ) {
        if self == Self::default() {
            return;
        }
        let (decay, pull) = (T::from_f64(self.l2 / m), T::from_f64(self.l1 / m));
        for l in 0..parameters.layers() {
            let w = parameters.weight_slice(l);
            ctx.in_pieces(gradients.slices_mut(l).0, |from, dw| {
                for (dw, &w) in dw.iter_mut().zip(&w[from..]) {
                    *dw += decay * w + pull * sign(w);
                }
            });
        }
    }
}

/// -1, 0 or 1.
fn sign<T: Float>(w: T) -> T {
    let one = |yes| if yes { T::ONE } else { T::ZERO };
    one(w > T::ZERO) - one(w < T::ZERO)
}

/// Σ W² over the layers from number `from` on.
pub(crate) fn sum_of_squared_weights<T: Float>(
    ctx: &Context,
    parameters: &Parameters<T>,
    from: usize,
) -> f64 {
    let squares = |l| sum_of_squares(ctx.isa(), parameters.weight_slice(l));
    (from..parameters.layers()).map(squares).sum()
}

/// Σ |W| over all layers, in a fixed order.
fn sum_of_absolute_weights<T: Float>(parameters: &Parameters<T>) -> f64 {
    /// Sums side by side, which need not wait for each other.
    const SUMS: usize = 8;
    let of_layer = |l| {
        let mut sums = [0.0; SUMS];
        for chunk in parameters.weight_slice(l).chunks(SUMS) {
            sums.iter_mut().zip(chunk).for_each(|(sum, w)| *sum += w.abs().to_f64());
        }
        sums.iter().sum::<f64>()
    };
    (0..parameters.layers()).map(of_layer).sum()
}
