//! The cost as a function of one long vector, `θ ↦ J(θ), ∇J(θ)`: what an optimiser from outside wants, such as L-BFGS.
//!
//! `θ` holds each layer's weights, (n_out, n_in) row by row, and then its biases, layer after layer, in double
//! precision whatever the network computes in.

use crate::architecture::Architecture;
use crate::batch::Passes;
use crate::context::Context;
use crate::data::Data;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::lanes::Problem;
use crate::loss::Loss;
use crate::network::Model;
use crate::parameters::Parameters;
use crate::penalty::sum_of_squared_weights;
use crate::samples::Rows;

/// `J` and its gradient, with the buffers to find them in again and again.
pub struct Objective<T: Float> {
    architecture: Architecture,
    loss: Loss,
    l2: f64,
    parameters: Parameters<T>,
    gradients: Parameters<T>,
    passes: Passes<T>,
}

impl<T: Float> Objective<T> {
    /// For data of up to so many samples; it begins at the model's parameters.
    ///
    /// # Errors
    /// [`Error::Value`] if a layer is normalised: γ and β have no place in `θ`. [`Error::OutOfMemory`].
    pub fn new(model: Model<'_, T>, samples: usize, loss: Loss, l2: f64) -> Result<Self> {
        let architecture = model.architecture.clone();
        if architecture.is_normalized() {
            let (came, expected) = ("normalised".to_owned(), "one that is not".to_owned());
            return Err(Error::Value { argument: "network", came, expected });
        }
        Ok(Self {
            passes: Passes::in_blocks(&architecture, model.uint8_scale, samples)?,
            parameters: model.parameters.try_clone()?,
            gradients: Parameters::zeros(&architecture)?,
            architecture,
            loss,
            l2,
        })
    }

    /// How many numbers `θ` has.
    pub fn len(&self) -> usize {
        self.architecture.parameters()
    }

    /// Never true: there is a layer.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The parameters of the last evaluation.
    pub fn parameters(&self) -> &Parameters<T> {
        &self.parameters
    }

    /// Writes the parameters of the last evaluation as `θ`.
    ///
    /// # Panics
    /// If `theta` has not [`len`](Self::len) elements.
    pub fn write(&self, theta: &mut [f64]) {
        write(&self.parameters, theta);
    }

    /// `J(θ)`, and its gradient into `gradient`. Where `J` is not finite the gradient is zero.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when `stop`, which is asked between layers, says so.
    ///
    /// # Panics
    /// If `theta` or `gradient` has not [`len`](Self::len) elements.
    pub fn evaluate(
        &mut self,
        ctx: &Context,
        data: &Data<'_, T>,
        theta: &[f64],
        gradient: &mut [f64],
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<f64> {
        self.read(theta);
        let rows = Rows::Run(0..data.len());
        let m = data.total_weight(&rows);
        self.passes.reset();
        let problem =
            Problem { architecture: &self.architecture, loss: self.loss, data, next: &[] };
        let (parameters, gradients) = (&self.parameters, &mut self.gradients);
        let passes = &mut self.passes;
        let sum = passes.gradients(ctx, &problem, &rows, parameters, gradients, 1.0 / m, stop)?;
        let decay = self.l2 / m;
        let cost = sum / m + decay / 2.0 * sum_of_squared_weights(ctx, &self.parameters, 0);
        if !cost.is_finite() {
            gradient.fill(0.0);
            return Ok(f64::INFINITY);
        }
        let decay = T::from_f64(decay);
        for l in 0..self.parameters.layers() {
            let (dw, _) = self.gradients.slices_mut(l);
            dw.iter_mut()
                .zip(self.parameters.weight_slice(l))
                .for_each(|(dw, &w)| *dw += decay * w);
        }
        write(&self.gradients, gradient);
        Ok(cost)
    }

    /// Fails unless an array has as many elements as `θ`.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn check_len(&self, argument: &'static str, len: usize) -> Result<()> {
        if len == self.len() {
            return Ok(());
        }
        let (came, expected) = (format!("({len},)"), format!("({},)", self.len()));
        Err(Error::Shape { argument, came, expected })
    }

    fn read(&mut self, theta: &[f64]) {
        assert_eq!(theta.len(), self.len(), "the length of theta");
        let mut theta = theta.iter();
        for l in 0..self.parameters.layers() {
            let (weight, bias) = self.parameters.slices_mut(l);
            weight.iter_mut().chain(bias).zip(&mut theta).for_each(|(p, &x)| *p = T::from_f64(x));
        }
    }
}

fn write<T: Float>(parameters: &Parameters<T>, into: &mut [f64]) {
    let mut into = into.iter_mut();
    for l in 0..parameters.layers() {
        let (weight, bias) = parameters.slices(l);
        for p in weight.iter().chain(bias) {
            *into.next().expect("the length of theta") = p.to_f64();
        }
    }
    assert!(into.next().is_none(), "the length of theta");
}
