//! How a network is trained: the optimiser and its learning rate, what is minimised, in which batches.

use crate::architecture::Architecture;
use crate::dropout;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::gram::{self, Choice, FirstLayer};
use crate::loss::Loss;
use crate::optim::Optimizer;
use crate::penalty::Penalty;
use crate::schedule::Schedule;

/// How a network is trained.
///
/// ```
/// use purrceptron::{Loss, Schedule, train::Settings};
///
/// let series = Settings::gradient_descent(0.0075, Loss::BinaryCrossEntropy);
/// let cosine = Schedule::Cosine { epochs: 100.0, last: 0.0 };
/// let ours = Settings { schedule: cosine, batch_size: Some(32), ..series };
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The rule of the step.
    pub optimizer: Optimizer,
    /// Its size, η.
    pub learning_rate: f64,
    /// What η is multiplied by as training goes on.
    pub schedule: Schedule,
    /// What is minimised.
    pub loss: Loss,
    /// λ, the strength of the penalty on the squared weights.
    pub l2: f64,
    /// λ₁, the strength of the penalty on the absolute weights.
    pub l1: f64,
    /// The norm that the gradient of a step, penalties included, is shortened to if it is longer.
    pub clip_norm: Option<f64>,
    /// The probability that a number is left out of what enters a layer, for each layer (the first is that of the
    /// samples), or nothing.
    pub dropout: Vec<f64>,
    /// Rows a step, or all of them (`None`), in their order and without shuffling.
    pub batch_size: Option<usize>,
    /// Where the order of the rows comes from.
    pub seed: u64,
    /// Whether the first layer is trained in the space of examples, as [`choose`](Self::choose) says. The
    /// samples must then stay as they are from the first epoch to the last.
    pub gram: bool,
}

impl Settings {
    /// Plain gradient descent on all rows, as in the series.
    pub fn gradient_descent(learning_rate: f64, loss: Loss) -> Self {
        Self {
            optimizer: Optimizer::Sgd { momentum: 0.0, nesterov: false },
            learning_rate,
            schedule: Schedule::Constant,
            loss,
            l2: 0.0,
            l1: 0.0,
            clip_norm: None,
            dropout: Vec::new(),
            batch_size: None,
            seed: 0,
            gram: false,
        }
    }

    /// The penalties on the weights.
    pub fn penalty(&self) -> Penalty {
        Penalty { l2: self.l2, l1: self.l1 }
    }

    /// Whether a step has to know the gradient of every layer before it changes the first: so the penalty
    /// on absolute weights, which no optimiser knows, finds its place too.
    pub(crate) fn wants_whole_gradient(&self) -> bool {
        self.clip_norm.is_some() || self.l1 != 0.0
    }

    /// How the first layer is trained: what is asked for, where it holds.
    ///
    /// # Errors
    /// [`Error::Value`] if the Gram form is asked for where it does not hold.
    pub fn choose<T: Float>(
        &self,
        asked: FirstLayer,
        architecture: &Architecture,
        samples: usize,
        epochs: usize,
    ) -> Result<Choice> {
        match (self.against_gram(architecture), asked) {
            (Some(why), FirstLayer::Auto) => Ok(Choice { gram: false, why: why.to_owned() }),
            (Some(why), FirstLayer::Gram) => Err(Error::Value {
                argument: "first_layer",
                came: "gram".to_owned(),
                expected: format!("direct or auto: {why}"),
            }),
            _ => {
                let batch = self.batch_size.unwrap_or(samples);
                gram::choose::<T>(asked, architecture, samples, epochs, batch, &self.optimizer)
            }
        }
    }

    /// What stands against the space of examples, beside the optimiser.
    fn against_gram(&self, architecture: &Architecture) -> Option<&'static str> {
        if self.dropout.first().is_some_and(|&rate| rate > 0.0) {
            return Some("dropout of the input changes the examples in every step");
        }
        if architecture.is_normalized() {
            return Some("normalisation is not done in the space of examples");
        }
        if self.l1 != 0.0 {
            return Some("the penalty l1 pulls at each weight by itself");
        }
        if self.clip_norm.is_some() {
            return Some("clip_norm wants the first layer's gradient itself");
        }
        None
    }

    /// Fails at the first setting that is out of its range, or does not fit the network.
    pub(crate) fn check(&self, architecture: &Architecture, samples: usize) -> Result<()> {
        dropout::check(architecture, &self.dropout)?;
        self.optimizer.validate()?;
        self.schedule.validate()?;
        let wrong = |argument, came: f64, expected: &str| {
            Err(Error::Value { argument, came: came.to_string(), expected: expected.to_owned() })
        };
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return wrong("learning_rate", self.learning_rate, "a finite number above 0");
        }
        for (argument, strength) in [("l2", self.l2), ("l1", self.l1)] {
            if !(strength >= 0.0 && strength.is_finite()) {
                return wrong(argument, strength, "a finite number from 0 on");
            }
        }
        if let Some(most) = self.clip_norm
            && !(most > 0.0 && most.is_finite())
        {
            return wrong("clip_norm", most, "a finite number above 0");
        }
        if self.batch_size == Some(0) {
            return wrong("batch_size", 0.0, "at least 1");
        }
        if architecture.normalizes_batches() && self.batch_size.unwrap_or(samples).min(samples) == 1
        {
            return wrong("batch_size", 1.0, "at least 2, for batch normalisation");
        }
        if self.gram
            && let Some(why) = self.against_gram(architecture)
        {
            return wrong("gram", 1.0, why);
        }
        Ok(())
    }
}
