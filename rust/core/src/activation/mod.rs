//! Activation functions `a = g(z)` and their derivatives, a file for each.
//!
//! Forward and backward stand side by side, each written for a register of numbers and applied
//! in place along a slice. Backward turns `da` into `dz = da ∘ g'(z)`; where it can, it takes
//! `g'` from the output `a`, which a network keeps anyway.

mod elu;
mod gelu;
mod leaky_relu;
pub(crate) mod relu;
mod selu;
pub(crate) mod sigmoid;
mod silu;
pub(crate) mod softplus;
pub(crate) mod tanh;
#[cfg(test)]
mod tests;

use crate::float::Float;
use crate::isa::Isa;
use crate::math::map::{map_in_place, zip_in_place};

/// What stands between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `a = z`
    Identity,
    /// `a = max(z, 0)`
    Relu,
    /// `a = 1 / (1 + exp(-z))`
    Sigmoid,
    /// `a = tanh(z)`
    Tanh,
    /// `a = z` if `z > 0`, else `z / 100`
    LeakyRelu,
    /// `a = z` if `z > 0`, else `exp(z) - 1`
    Elu,
    /// `a = λ z` if `z > 0`, else `λ α (exp(z) - 1)`; self-normalising
    Selu,
    /// `a = z Φ(z)`, with the normal distribution itself (not its approximation by tanh)
    Gelu,
    /// `a = z sigmoid(z)`, also called swish
    Silu,
    /// `a = log(1 + exp(z))`
    Softplus,
}

impl Activation {
    /// Every activation.
    pub const ALL: [Activation; 10] = [
        Activation::Identity,
        Activation::Relu,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Selu,
        Activation::Gelu,
        Activation::Silu,
        Activation::Softplus,
    ];

    /// Its name: `identity`, `relu`, `sigmoid`, `tanh`, `leaky_relu`, `elu`, `selu`, `gelu`,
    /// `silu` or `softplus`.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::LeakyRelu => "leaky_relu",
            Activation::Elu => "elu",
            Activation::Selu => "selu",
            Activation::Gelu => "gelu",
            Activation::Silu => "silu",
            Activation::Softplus => "softplus",
        }
    }

    /// The activation of that name.
    ///
    /// ```
    /// use purrceptron::activation::Activation;
    /// assert_eq!(Activation::named("relu"), Some(Activation::Relu));
    /// assert_eq!(Activation::named("purr"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|activation| activation.name() == name)
    }

    /// `z ← g(z)`.
    ///
    /// ```
    /// use purrceptron::{Isa, activation::Activation};
    /// let mut z = [-2.0, 0.0, 3.0];
    /// Activation::Relu.forward(Isa::best(), &mut z);
    /// assert_eq!(z, [0.0, 0.0, 3.0]);
    /// ```
    pub fn forward<T: Float>(self, isa: Isa, z: &mut [T]) {
        match self {
            Activation::Identity => {}
            Activation::Relu => map_in_place(isa, relu::Relu, z),
            Activation::Sigmoid => map_in_place(isa, sigmoid::Sigmoid, z),
            Activation::Tanh => map_in_place(isa, tanh::Tanh, z),
            Activation::LeakyRelu => map_in_place(isa, leaky_relu::LeakyRelu, z),
            Activation::Elu => map_in_place(isa, elu::Elu, z),
            Activation::Selu => map_in_place(isa, selu::Selu, z),
            Activation::Gelu => map_in_place(isa, gelu::Gelu, z),
            Activation::Silu => map_in_place(isa, silu::Silu, z),
            Activation::Softplus => map_in_place(isa, softplus::Softplus, z),
        }
    }

    /// Whether [`backward`](Self::backward) wants the input `z`: so it is for GELU and SiLU,
    /// which are not monotonic. All others want the output `a`.
    pub fn saves_input(self) -> bool {
        matches!(self, Activation::Gelu | Activation::Silu)
    }

    /// `da ← dz = da ∘ g'(z)`, where `saved` is `a = g(z)`, or `z` itself if
    /// [`saves_input`](Self::saves_input). The derivative of ReLU at 0 is 0.
    ///
    /// # Panics
    /// If the lengths differ.
    ///
    /// ```
    /// use purrceptron::{Isa, activation::Activation};
    /// let (a, mut da) = ([0.5, 1.0], [2.0, 2.0]);
    /// Activation::Tanh.backward(Isa::best(), &a, &mut da);
    /// assert_eq!(da, [1.5, 0.0]);
    /// ```
    pub fn backward<T: Float>(self, isa: Isa, saved: &[T], da: &mut [T]) {
        match self {
            Activation::Identity => {}
            Activation::Relu => zip_in_place(isa, relu::Backward, saved, da),
            Activation::Sigmoid => zip_in_place(isa, sigmoid::Backward, saved, da),
            Activation::Tanh => zip_in_place(isa, tanh::Backward, saved, da),
            Activation::LeakyRelu => zip_in_place(isa, leaky_relu::Backward, saved, da),
            Activation::Elu => zip_in_place(isa, elu::Backward, saved, da),
            Activation::Selu => zip_in_place(isa, selu::Backward, saved, da),
            Activation::Gelu => zip_in_place(isa, gelu::Backward, saved, da),
            Activation::Silu => zip_in_place(isa, silu::Backward, saved, da),
            Activation::Softplus => zip_in_place(isa, softplus::Backward, saved, da),
        }
    }
}
