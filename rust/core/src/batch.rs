//! A batch through the network and back, one block of rows at a time.
//!
//! However many rows a batch has, memory holds the activations of one block. A batch of one block,
//! which mini-batches are, can update each layer as soon as its gradient is there; a batch of several
//! adds their gradients up first ([`Accumulate`]).

use ndarray::ArrayView2;

use crate::architecture::Architecture;
use crate::backprop::{GradientSink, Workspace, rows_per_block};
use crate::context::Context;
use crate::data::Data;
use crate::dense::{linear_backward_bias, linear_backward_weight};
use crate::dropout::Dropout;
use crate::error::Result;
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::layout::Layout;
use crate::loader::Loader;
use crate::loss::Loss;
use crate::parameters::Parameters;
use crate::samples::Rows;

/// The buffers that forward and backward passes use, made once for a fit.
pub(crate) struct Passes<T: Float> {
    block: usize,
    workspace: Workspace<T>,
    pub(crate) loader: Loader<T>,
}

impl<T: Float> Passes<T> {
    /// For batches of up to `rows` rows.
    pub(crate) fn in_blocks(
        architecture: &Architecture,
        uint8_scale: f64,
        rows: usize,
    ) -> Result<Self> {
        let block = match architecture.normalizes_batches() {
            true => rows,
            false => rows_per_block::<T>(architecture).min(rows),
        };
        let workspace = Workspace::new(architecture, block, Layout::Rows)?;
        Ok(Self { block, workspace, loader: Loader::new(uint8_scale) })
    }

    /// For a first layer in the space of examples, where each batch is one block: the samples are not read.
    pub(crate) fn without_samples(
        architecture: &Architecture,
        uint8_scale: f64,
        rows: usize,
    ) -> Result<Self> {
        let workspace = Workspace::new(architecture, rows, Layout::Columns)?;
        Ok(Self { block: rows, workspace, loader: Loader::new(uint8_scale) })
    }

    /// Leaves out what enters each layer with these probabilities, drawn from `seed`.
    pub(crate) fn drop_out(
        &mut self,
        architecture: &Architecture,
        rates: &[f64],
        seed: u64,
    ) -> Result<()> {
        self.workspace.dropout = Some(Dropout::new(architecture, rates, seed, self.block)?);
        Ok(())
    }

    /// Draws the masks of that step from here on.
    pub(crate) fn begin_step(&mut self, step: u64) {
        if let Some(dropout) = &mut self.workspace.dropout {
            dropout.begin_step(step);
        }
    }

    /// Lets the normalisations remember the last batch.
    pub(crate) fn remember(&self, parameters: &mut Parameters<T>) {
        self.workspace.remember(parameters);
    }

    /// Whether so many rows are one block.
    pub(crate) fn fits_one_block(&self, rows: usize) -> bool {
        rows <= self.block
    }

    /// Takes those rows through the network, hands the gradients of each block to the sink, and returns
    /// Σ w_i J_i. Ends early, and returns what is not finite, where the loss is not.
    ///
    /// `stop` is asked before each layer, on the way there and back.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when `stop` says so.
    #[allow(clippy::too_many_arguments, reason = "a pass stands between network, data and sink")]
    pub(crate) fn run(
        &mut self,
        ctx: &Context,
        architecture: &Architecture,
        loss: Loss,
        data: &Data<'_, T>,
        rows: &Rows<'_>,
        sink: &mut impl GradientSink<T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<f64> {
        let mut sum = 0.0;
        for from in (0..rows.len()).step_by(self.block) {
            let part = rows.part(from..rows.len().min(from + self.block));
            if let Some(dropout) = &mut self.workspace.dropout {
                dropout.begin_block(from);
            }
            let first = self.workspace.first_from_preactivations(ctx, architecture, sink)?;
            let block = self.loader.load(ctx, data, &part, !first)?;
            self.workspace.forward(ctx, architecture, sink.parameters(), block.x, first, stop)?;
            sum += self.workspace.backward(ctx, architecture, loss, &block, sink, stop)?;
            if !sum.is_finite() {
                break;
            }
        }
        Ok(sum)
    }
}

/// Adds the gradients of all blocks up: `scale · Σ`.
pub(crate) struct Accumulate<'a, T: Float> {
    parameters: &'a Parameters<T>,
    gradients: &'a mut Parameters<T>,
    scale: T,
    /// Layers still to be written for the first time, when nothing is there yet to add to.
    fresh: usize,
}

impl<'a, T: Float> Accumulate<'a, T> {
    /// Into `gradients`, whatever they hold.
    pub(crate) fn new(
        parameters: &'a Parameters<T>,
        gradients: &'a mut Parameters<T>,
        scale: f64,
    ) -> Self {
        let fresh = parameters.layers();
        Self { parameters, gradients, scale: T::from_f64(scale), fresh }
    }
}

impl<T: Float> GradientSink<T> for Accumulate<'_, T> {
    fn parameters(&self) -> &Parameters<T> {
        self.parameters
    }

    fn normalization(&mut self, _: &Context, l: usize, gain: &[T], shift: &[T]) {
        let (scale, fresh) = (self.scale, self.fresh > 0);
        let to = self.gradients.normalization_mut(l).expect("gradients have the form");
        for (to, sums) in [(to.gain, gain), (to.shift, shift)] {
            for (to, &sum) in to.iter_mut().zip(sums) {
                *to = scale * sum + if fresh { T::ZERO } else { *to };
            }
        }
    }

    fn layer(
        &mut self,
        ctx: &Context,
        l: usize,
        a: ArrayView2<'_, T>,
        dz: ArrayView2<'_, T>,
    ) -> Result<()> {
        let keep = if self.fresh > 0 { T::ZERO } else { T::ONE };
        self.fresh = self.fresh.saturating_sub(1);
        let (dw, mut db) = self.gradients.layer_mut(l);
        let db = db.as_slice_mut().expect("biases lie one behind the other");
        match self.parameters.bias_counts(l) {
            true => linear_backward_bias(ctx, self.scale, dz, keep, db)?,
            false => db.fill(T::ZERO),
        }
        linear_backward_weight(ctx, self.scale, dz, a, keep, dw, Epilogue::None)
    }
}
