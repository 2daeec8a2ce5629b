//! Losses `J` and their gradients, a file for each.
//!
//! Everything starts from the logits `z`, the outputs before the output's activation: together
//! with it the logarithms and exponentials cancel, so that nothing overflows and `log(0)` cannot
//! occur. `z` is (m, k): m examples, k outputs. Sums over examples are in double precision and
//! in an order that the shapes and the instruction set alone determine.

mod absolute_error;
mod binary_cross_entropy;
mod categorical_cross_entropy;
mod elementwise;
mod huber;
mod output;
mod poisson;
mod rows;
mod softmax;
mod squared_error;
#[cfg(test)]
mod tests;

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, s};

use crate::float::Float;
use crate::isa::Isa;

pub use output::Output;
pub use softmax::{log_sum_exp, softmax};

/// What training makes small.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// `J = -[y log a + (1 - y) log(1 - a)]`, summed over the outputs; `a = sigmoid(z)`.
    BinaryCrossEntropy,
    /// `J = -Σ_j y_j log a_j`; `a = softmax(z)`.
    CategoricalCrossEntropy,
    /// `J = ½ Σ_j (a_j - y_j)²`; `a = z`.
    SquaredError,
    /// `J = Σ_j |a_j - y_j|`; `a = z`.
    AbsoluteError,
    /// With `r = a - y`, `J = Σ_j ½ r²` where `|r| <= δ`, else `δ (|r| - δ/2)`; `a = z`.
    Huber(
        /// δ, above 0.
        f64,
    ),
    /// Half the Poisson deviance, `J = Σ_j a_j - y_j + y_j log(y_j / a_j)`; `a = exp(z)`.
    Poisson,
}

/// What the outputs should have been.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a, T> {
    /// (m, k): a number for each output.
    Values(ArrayView2<'a, T>),
    /// (m,): the class of each example. With one output (k = 1), the target itself: 0 or 1.
    Classes(&'a [u32]),
}

impl<T> Targets<'_, T> {
    /// Those of some of the examples.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Targets<'_, T> {
        match self {
            Targets::Values(y) => Targets::Values(y.slice(s![rows, ..])),
            Targets::Classes(y) => Targets::Classes(&y[rows]),
        }
    }
}

impl Loss {
    /// Every loss's name.
    pub const NAMES: [&'static str; 6] = [
        "binary_cross_entropy",
        "categorical_cross_entropy",
        "squared_error",
        "absolute_error",
        "huber",
        "poisson",
    ];

    /// Its name, without parameters: `binary_cross_entropy`, `categorical_cross_entropy`,
    /// `squared_error`, `absolute_error`, `huber` or `poisson`.
    pub fn name(self) -> &'static str {
        match self {
            Loss::BinaryCrossEntropy => "binary_cross_entropy",
            Loss::CategoricalCrossEntropy => "categorical_cross_entropy",
            Loss::SquaredError => "squared_error",
            Loss::AbsoluteError => "absolute_error",
            Loss::Huber(_) => "huber",
            Loss::Poisson => "poisson",
        }
    }

    /// The loss of that name; Huber's with δ = 1.
    pub fn named(name: &str) -> Option<Self> {
        [
            Loss::BinaryCrossEntropy,
            Loss::CategoricalCrossEntropy,
            Loss::SquaredError,
            Loss::AbsoluteError,
            Loss::Huber(1.0),
            Loss::Poisson,
        ]
        .into_iter()
        .find(|loss| loss.name() == name)
    }

    /// The output's activation that the loss's formula contains.
    pub fn output(self) -> Output {
        match self {
            Loss::BinaryCrossEntropy => Output::Sigmoid,
            Loss::CategoricalCrossEntropy => Output::Softmax,
            Loss::SquaredError | Loss::AbsoluteError | Loss::Huber(_) => Output::Identity,
            Loss::Poisson => Output::Exp,
        }
    }

    /// `Σ_i w_i J_i` over the examples; without weights every `w_i` is 1. There is no `1/m`.
    ///
    /// # Panics
    /// If the shapes of `z`, `y` and `weights` do not agree, or a class is not below k.
    ///
    /// ```
    /// use ndarray::array;
    /// use purrceptron::{Isa, loss::{Loss, Targets}};
    ///
    /// let (z, y) = (array![[0.0], [1000.0]], [1, 1]);
    /// let sum = Loss::BinaryCrossEntropy.value(Isa::best(), z.view(), Targets::Classes(&y), None);
    /// assert!((sum - 2.0_f64.ln()).abs() < 1e-15);
    /// ```
    pub fn value<T: Float>(
        self,
        isa: Isa,
        z: ArrayView2<'_, T>,
        y: Targets<'_, T>,
        weights: Option<&[T]>,
    ) -> f64 {
        check_shapes(z.dim(), &y, weights);
        match self {
            Loss::CategoricalCrossEntropy => categorical_cross_entropy::value(isa, z, y, weights),
            Loss::BinaryCrossEntropy => {
                elementwise::value(isa, binary_cross_entropy::BinaryCrossEntropy, z, y, weights)
            }
            Loss::SquaredError => {
                elementwise::value(isa, squared_error::SquaredError, z, y, weights)
            }
            Loss::AbsoluteError => {
                elementwise::value(isa, absolute_error::AbsoluteError, z, y, weights)
            }
            Loss::Huber(delta) => elementwise::value(isa, huber::Huber(delta), z, y, weights),
            Loss::Poisson => elementwise::value(isa, poisson::Poisson, z, y, weights),
        }
    }

    /// The same; and `dz_i = w_i ∂J_i/∂z_i` takes the place of `z_i`: for sigmoid with binary
    /// cross-entropy, softmax with categorical cross-entropy, and squared error, `w_i (a_i - y_i)`.
    ///
    /// # Panics
    /// As [`value`](Self::value).
    pub fn value_and_gradient<T: Float>(
        self,
        isa: Isa,
        z: ArrayViewMut2<'_, T>,
        y: Targets<'_, T>,
        weights: Option<&[T]>,
    ) -> f64 {
        check_shapes(z.dim(), &y, weights);
        match self {
            Loss::CategoricalCrossEntropy => {
                categorical_cross_entropy::value_and_gradient(isa, z, y, weights)
            }
            Loss::BinaryCrossEntropy => elementwise::value_and_gradient(
                isa,
                binary_cross_entropy::BinaryCrossEntropy,
                z,
                y,
                weights,
            ),
            Loss::SquaredError => {
                elementwise::value_and_gradient(isa, squared_error::SquaredError, z, y, weights)
            }
            Loss::AbsoluteError => {
                elementwise::value_and_gradient(isa, absolute_error::AbsoluteError, z, y, weights)
            }
            Loss::Huber(delta) => {
                elementwise::value_and_gradient(isa, huber::Huber(delta), z, y, weights)
            }
            Loss::Poisson => elementwise::value_and_gradient(isa, poisson::Poisson, z, y, weights),
        }
    }
}

fn check_shapes<T>((m, k): (usize, usize), y: &Targets<'_, T>, weights: Option<&[T]>) {
    match y {
        Targets::Values(y) => assert_eq!(y.dim(), (m, k), "the shape of the targets"),
        Targets::Classes(y) => assert_eq!(y.len(), m, "the number of classes"),
    }
    if let Some(weights) = weights {
        assert_eq!(weights.len(), m, "the number of weights");
    }
}
