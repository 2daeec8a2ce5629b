//! Optimisers: how a gradient `g` changes parameters `w`. A file for each family.
//!
//! The formulas are PyTorch's. `t` counts the steps from 1, `η` is the learning rate, and
//! `g` already contains the penalty's `l2 · w`.

mod adam;
mod rms_prop;
mod sgd;
#[cfg(test)]
mod tests;
mod update;

use crate::error::{Error, Result};
use crate::float::Float;
use crate::isa::Isa;

pub(crate) use update::Block;
pub use update::Update;

/// An optimiser's settings. Its state (velocities, moments) belongs to the caller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Gradient descent, with momentum if `momentum > 0`.
    Sgd {
        /// How much of the velocity stays, in [0, 1).
        momentum: f64,
        /// Nesterov's look ahead; needs momentum.
        nesterov: bool,
    },
    /// RMSProp: the step is divided by a running root mean square of the gradient.
    RmsProp {
        /// How much of the mean square stays, in [0, 1) (PyTorch's `alpha`).
        rho: f64,
        /// Added to the root.
        epsilon: f64,
        /// How much of the velocity stays, in [0, 1).
        momentum: f64,
    },
    /// Adam: running means of the gradient and of its square, corrected for their start at 0.
    Adam {
        /// How much of the first mean stays, in [0, 1).
        beta1: f64,
        /// How much of the second mean stays, in [0, 1).
        beta2: f64,
        /// Added to the corrected root.
        epsilon: f64,
    },
    /// Adam as its paper puts it for efficiency, with `ε̂` added to the root before that is corrected: scikit-learn's.
    AdamHat {
        /// How much of the first mean stays, in [0, 1).
        beta1: f64,
        /// How much of the second mean stays, in [0, 1).
        beta2: f64,
        /// `ε̂`, added to the root as it is.
        epsilon: f64,
    },
    /// Adam with decoupled weight decay: `w` shrinks by the factor `1 - η weight_decay`.
    AdamW {
        /// How much of the first mean stays, in [0, 1).
        beta1: f64,
        /// How much of the second mean stays, in [0, 1).
        beta2: f64,
        /// Added to the corrected root.
        epsilon: f64,
        /// The decay, at least 0.
        weight_decay: f64,
    },
}

impl Optimizer {
    /// The most numbers of state that any optimiser needs for a parameter.
    pub const MAX_SLOTS: usize = 2;

    /// How many numbers of state a parameter needs: 0, 1 or 2. They start as zeros.
    pub fn slots(&self) -> usize {
        match *self {
            Optimizer::Sgd { momentum, .. } => usize::from(momentum != 0.0),
            Optimizer::RmsProp { momentum, .. } => 1 + usize::from(momentum != 0.0),
            Optimizer::Adam { .. } | Optimizer::AdamHat { .. } | Optimizer::AdamW { .. } => 2,
        }
    }

    /// Checks that every setting is within its range.
    ///
    /// # Errors
    /// [`Error::Value`] for the first that is not.
    pub fn validate(&self) -> Result<()> {
        match *self {
            Optimizer::Sgd { momentum, nesterov } => {
                fraction("momentum", momentum)?;
                if nesterov && momentum == 0.0 {
                    return Err(Error::Value {
                        argument: "momentum",
                        came: "0".to_owned(),
                        expected: "a number above 0, because nesterov is true".to_owned(),
                    });
                }
                Ok(())
            }
            Optimizer::RmsProp { rho, epsilon, momentum } => {
                fraction("rho", rho)?;
                positive("epsilon", epsilon)?;
                fraction("momentum", momentum)
            }
            Optimizer::Adam { beta1, beta2, epsilon }
            | Optimizer::AdamHat { beta1, beta2, epsilon } => {
                fraction("beta1", beta1)?;
                fraction("beta2", beta2)?;
                positive("epsilon", epsilon)
            }
            Optimizer::AdamW { beta1, beta2, epsilon, weight_decay } => {
                Optimizer::Adam { beta1, beta2, epsilon }.validate()?;
                if weight_decay >= 0.0 && weight_decay.is_finite() {
                    return Ok(());
                }
                Err(Error::Value {
                    argument: "weight_decay",
                    came: weight_decay.to_string(),
                    expected: "a finite number of at least 0".to_owned(),
                })
            }
        }
    }

    /// What all parameters have in common in step `t` (counted from 1), worked out once.
    pub fn update(&self, t: u64, learning_rate: f64) -> Update {
        Update::new(self, t, learning_rate)
    }

    /// One step on a run of parameters; `state` holds [`slots`](Self::slots) slices as long as
    /// `param`. Where many runs share a step, [`update`](Self::update) spares its preparation.
    ///
    /// # Panics
    /// If the lengths differ, or the number of slots.
    ///
    /// ```
    /// use purrceptron::{Isa, optim::Optimizer};
    ///
    /// let sgd = Optimizer::Sgd { momentum: 0.5, nesterov: false };
    /// let (mut w, mut v) = ([1.0], [0.0]);
    /// for t in 1..=2 {
    ///     sgd.step(Isa::best(), t, 0.1, 0.0, &mut w, &[2.0], &mut [&mut v]);
    /// }
    /// assert_eq!((v, w), ([3.0], [1.0 - 0.1 * 2.0 - 0.1 * 3.0]));
    /// ```
    #[allow(clippy::too_many_arguments, reason = "a step has that many ingredients")]
    pub fn step<T: Float>(
        &self,
        isa: Isa,
        t: u64,
        learning_rate: f64,
        l2: f64,
        param: &mut [T],
        grad: &[T],
        state: &mut [&mut [T]],
    ) {
        self.update(t, learning_rate).apply(isa, l2, param, grad, state);
    }
}

fn fraction(argument: &'static str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::Value {
        argument,
        came: value.to_string(),
        expected: "a number from 0 up to, but not including, 1".to_owned(),
    })
}

fn positive(argument: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::Value {
        argument,
        came: value.to_string(),
        expected: "a finite number above 0".to_owned(),
    })
}
