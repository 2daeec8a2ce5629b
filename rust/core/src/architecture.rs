//! What a network is made of, without its numbers: layer sizes, activations, output.

use std::fmt;

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::loss::{Loss, Output};
use crate::normalization::Normalization;

/// The shape of a multi-layer perceptron. With sizes `[n_0, ..., n_L]` it has `L` dense layers;
/// layer `l` turns `n_{l-1}` numbers into `n_l`.
///
/// ```
/// use purrceptron::{Activation, Architecture, Output};
///
/// let cats = Architecture::new(&[12288, 20, 7, 5, 1], Activation::Relu, Output::Sigmoid)?;
/// assert_eq!(cats.layers(), 4);
/// assert_eq!(cats.parameters(), 245_973);
/// assert!(Architecture::new(&[2, 0, 1], Activation::Relu, Output::Sigmoid).is_err());
/// # Ok::<(), purrceptron::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    sizes: Vec<usize>,
    hidden: Vec<Activation>,
    output: Output,
    /// Of each hidden layer, between its linear half and its activation.
    normalization: Vec<Option<Normalization>>,
    parameters: usize,
}

impl Architecture {
    /// The same activation in every hidden layer.
    ///
    /// # Errors
    /// [`Error::Value`] if there are fewer than two sizes, a size is zero, the number of
    /// parameters overflows, or a softmax has one output.
    pub fn new(sizes: &[usize], hidden: Activation, output: Output) -> Result<Self> {
        Self::with_activations(sizes, vec![hidden; sizes.len().saturating_sub(2)], output)
    }

    /// One activation for each hidden layer.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if there are not as many activations as hidden layers.
    pub fn with_activations(
        sizes: &[usize],
        hidden: Vec<Activation>,
        output: Output,
    ) -> Result<Self> {
        let wrong = |argument, came: &dyn fmt::Debug, expected: &str| {
            Err(Error::Value { argument, came: format!("{came:?}"), expected: expected.to_owned() })
        };
        if sizes.len() < 2 || sizes.contains(&0) {
            return wrong("sizes", &sizes, "at least an input and an output size, each at least 1");
        }
        if hidden.len() != sizes.len() - 2 {
            let expected = format!("{} names, one for each hidden layer", sizes.len() - 2);
            return wrong("hidden", &hidden, &expected);
        }
        if output == Output::Softmax && sizes[sizes.len() - 1] == 1 {
            return wrong(
                "output",
                &"softmax",
                "sigmoid with one output: a softmax of one class is always 1",
            );
        }
        let parameters = sizes.windows(2).try_fold(0usize, |sum, pair| {
            // Eight bytes each, and room to pad every layer: all later sizes then fit as well.
            let weights = pair[0].checked_mul(pair[1])?.checked_add(pair[1])?;
            sum.checked_add(weights).filter(|&sum| sum <= isize::MAX as usize / 64)
        });
        let Some(parameters) = parameters else {
            return wrong("sizes", &sizes, "a number of parameters that memory can hold");
        };
        let normalization = vec![None; hidden.len()];
        Ok(Self { sizes: sizes.to_vec(), hidden, output, normalization, parameters })
    }

    /// The layers behind the first, which is taken to have so many units, without normalisation.
    pub(crate) fn behind_first(&self, units: usize) -> Result<Self> {
        let mut sizes = self.sizes[1..].to_vec();
        sizes[0] = units;
        Self::with_activations(&sizes, self.hidden[1..].to_vec(), self.output)
    }

    /// The same with hidden layers normalised, or not, one by one.
    ///
    /// # Errors
    /// [`Error::Value`] if there are not as many as hidden layers.
    pub fn normalized(self, normalization: Vec<Option<Normalization>>) -> Result<Self> {
        if normalization.len() != self.hidden.len() {
            return Err(Error::Value {
                argument: "normalization",
                came: format!("{normalization:?}"),
                expected: format!("{}, one for each hidden layer", self.hidden.len()),
            });
        }
        Ok(Self { normalization, ..self })
    }

    /// Layer sizes, input first.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The number of dense layers.
    pub fn layers(&self) -> usize {
        self.sizes.len() - 1
    }

    /// The number of inputs, `n_0`.
    pub fn inputs(&self) -> usize {
        self.sizes[0]
    }

    /// The number of outputs, `n_L`.
    pub fn outputs(&self) -> usize {
        self.sizes[self.layers()]
    }

    /// The hidden layers' activations.
    pub fn hidden(&self) -> &[Activation] {
        &self.hidden
    }

    /// The output activation.
    pub fn output(&self) -> Output {
        self.output
    }

    /// The hidden layers' normalisations.
    pub fn normalization(&self) -> &[Option<Normalization>] {
        &self.normalization
    }

    /// Whether a hidden layer is normalised.
    pub(crate) fn is_normalized(&self) -> bool {
        self.normalization.iter().any(Option::is_some)
    }

    /// Whether a batch has to go through as a whole.
    pub(crate) fn normalizes_batches(&self) -> bool {
        self.normalization.contains(&Some(Normalization::Batch))
    }

    /// The normalisation of layer `l` (from 0); the last layer has none.
    pub(crate) fn normalization_of(&self, l: usize) -> Option<Normalization> {
        self.normalization.get(l).copied().flatten()
    }

    /// The number of weights and biases.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// The loss that fits the output.
    pub fn default_loss(&self) -> Loss {
        match self.output {
            Output::Sigmoid => Loss::BinaryCrossEntropy,
            Output::Softmax => Loss::CategoricalCrossEntropy,
            Output::Identity => Loss::SquaredError,
            Output::Exp => Loss::Poisson,
        }
    }

    /// The activation of layer `l` (from 0), or none for the last layer, whose output belongs to
    /// the loss.
    pub(crate) fn activation(&self, l: usize) -> Option<Activation> {
        self.hidden.get(l).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused_with_a_sentence() {
        let new = |sizes: &[usize]| Architecture::new(sizes, Activation::Relu, Output::Sigmoid);
        for sizes in [&[][..], &[3], &[3, 0], &[usize::MAX, 2], &[1 << 40, 1 << 40, 1]] {
            let message = new(sizes).unwrap_err().to_string();
            assert!(message.starts_with("sizes is ["), "{message}");
        }
        let one_class = Architecture::new(&[3, 1], Activation::Relu, Output::Softmax);
        assert!(one_class.unwrap_err().to_string().starts_with("output is"));
        let two = vec![Activation::Relu; 2];
        let wrong = Architecture::with_activations(&[3, 2, 1], two, Output::Sigmoid);
        assert!(wrong.unwrap_err().to_string().contains("1 names"));
    }
}
