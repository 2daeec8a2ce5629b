//! Gradient clipping: a gradient whose norm is too large is shortened, and keeps its direction.
//!
//! ```text
//! g ← g · min(1, c / ‖g‖)        ‖g‖² = Σ g² over all weights and biases
//! ```

use crate::context::Context;
use crate::float::Float;
use crate::math::sum_of_squares;
use crate::parameters::Parameters;

/// Shortens the gradients to the norm `most`, if theirs is larger.
pub(crate) fn clip<T: Float>(ctx: &Context, gradients: &mut Parameters<T>, most: f64) {
    // The padding between the layers is zero, and adds nothing.
    let norm = sum_of_squares(ctx.isa(), gradients.values()).sqrt();
    if norm > most {
        let factor = T::from_f64(most / norm);
        ctx.in_pieces(gradients.values_mut(), |_, g| g.iter_mut().for_each(|g| *g *= factor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Architecture, Init, Isa, Output};

    #[test]
    fn a_long_gradient_is_shortened_and_a_short_one_is_left() {
        let ctx = Context::new(Isa::best(), 2);
        let architecture = Architecture::new(&[3, 4, 1], Activation::Relu, Output::Identity);
        let new = || Parameters::<f64>::init(architecture.as_ref().unwrap(), Init::HeNormal, 1);
        let (before, mut after) = (new().unwrap(), new().unwrap());
        let norm = sum_of_squares(ctx.isa(), before.values()).sqrt();
        clip(&ctx, &mut after, norm);
        assert_eq!(before.values(), after.values());
        clip(&ctx, &mut after, norm / 4.0);
        for (before, after) in before.values().iter().zip(after.values()) {
            assert!((before / 4.0 - after).abs() < 1e-15);
        }
    }
}
