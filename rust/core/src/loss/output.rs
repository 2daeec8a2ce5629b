//! The activation of the output layer, `a = g(z)`, for predictions.

use ndarray::ArrayViewMut2;

use super::softmax::softmax_in_place;
use crate::activation::Activation;
use crate::float::Float;
use crate::isa::Isa;
use crate::math::exp::Exp;
use crate::math::map::map_in_place;

/// What turns logits into outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// `a = z`: regression.
    Identity,
    /// `a = 1 / (1 + exp(-z))`: the probability of each label by itself.
    Sigmoid,
    /// `a_j = exp(z_j) / Σ_i exp(z_i)`: the probabilities of classes.
    Softmax,
    /// `a = exp(z)`: expected counts.
    Exp,
}

impl Output {
    /// Every output activation.
    pub const ALL: [Output; 4] = [Output::Identity, Output::Sigmoid, Output::Softmax, Output::Exp];

    /// Its name: `identity`, `sigmoid`, `softmax` or `exp`.
    pub fn name(self) -> &'static str {
        match self {
            Output::Identity => "identity",
            Output::Sigmoid => "sigmoid",
            Output::Softmax => "softmax",
            Output::Exp => "exp",
        }
    }

    /// The output activation of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|output| output.name() == name)
    }

    /// `z ← g(z)`, where `z` is (m, k): m examples, k outputs.
    ///
    /// ```
    /// use ndarray::array;
    /// use purrceptron::{Isa, loss::Output};
    ///
    /// let mut z = array![[5.0, 5.0], [-1e4, 1e4]];
    /// Output::Softmax.forward(Isa::best(), z.view_mut());
    /// assert_eq!(z, array![[0.5, 0.5], [0.0, 1.0]]);
    /// ```
    pub fn forward<T: Float>(self, isa: Isa, mut z: ArrayViewMut2<'_, T>) {
        let k = z.ncols();
        match (self, z.as_slice_mut()) {
            (Output::Identity, _) => {}
            (_, None) => {
                let mut copy = z.as_standard_layout().into_owned();
                self.forward(isa, copy.view_mut());
                z.assign(&copy);
            }
            (_, Some([])) => {}
            (Output::Sigmoid, Some(z)) => Activation::Sigmoid.forward(isa, z),
            (Output::Exp, Some(z)) => map_in_place(isa, Exp, z),
            (Output::Softmax, Some(z)) => softmax_in_place(isa, z, k),
        }
    }
}
