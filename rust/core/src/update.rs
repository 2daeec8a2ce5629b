//! Where the backward pass of a one-block batch leaves a layer's gradient: the update, at once.

use std::ops::Range;

use ndarray::ArrayView2;

use crate::backprop::GradientSink;
use crate::context::Context;
use crate::dense::{linear_backward_bias, linear_backward_weight};
use crate::error::Result;
use crate::float::Float;
use crate::gemm::{Consumer, Epilogue, Tile};
use crate::parameters::Parameters;
use crate::step::{LayerState, Step};

/// Updates each layer as soon as its gradient is there, tile by tile, while the tile is in the cache.
pub(crate) struct UpdateAtOnce<'a, T: Float> {
    pub(crate) step: Step,
    /// 1/m.
    pub(crate) scale: f64,
    pub(crate) parameters: &'a mut Parameters<T>,
    pub(crate) gradients: &'a mut Parameters<T>,
    pub(crate) slots: &'a mut [Parameters<T>],
}

impl<T: Float> GradientSink<T> for UpdateAtOnce<'_, T> {
    fn parameters(&self) -> &Parameters<T> {
        self.parameters
    }

    fn normalization(&mut self, ctx: &Context, l: usize, gain: &[T], shift: &[T]) {
        let scale = T::from_f64(self.scale);
        let room = self.gradients.normalization_mut(l).expect("gradients have the form");
        room.gain.iter_mut().zip(gain).for_each(|(to, &gain)| *to = scale * gain);
        room.shift.iter_mut().zip(shift).for_each(|(to, &shift)| *to = scale * shift);
        self.step.normalization(ctx, l, self.parameters, self.gradients, self.slots);
    }

    fn layer(
        &mut self,
        ctx: &Context,
        l: usize,
        a: ArrayView2<'_, T>,
        dz: ArrayView2<'_, T>,
    ) -> Result<()> {
        let step = self.step;
        self.bias(ctx, l, dz)?;
        if let Some(rate) = step.plain {
            // W ← (1 - ηλ/m) W - (η/m) dZᵀ A is a product added to what is there: no gradient need exist.
            let factor = T::from_f64(-rate * self.scale);
            let keep = T::from_f64(1.0 - rate * step.decay);
            let (w, _) = self.parameters.layer_mut(l);
            return linear_backward_weight(ctx, factor, dz, a, keep, w, Epilogue::None);
        }
        let (dw, _) = self.gradients.layer_mut(l);
        let (weight, _) = LayerState::of(l, self.parameters, self.slots);
        let updating = Updating { ctx, step, weight, columns: dw.ncols() };
        let scale = T::from_f64(self.scale);
        linear_backward_weight(ctx, scale, dz, a, T::ZERO, dw, Epilogue::Consume(&updating))
    }
}

/// The update of a layer's weights, to which the tiles of their gradient are handed.
struct Updating<'a, T> {
    ctx: &'a Context,
    step: Step,
    weight: LayerState<'a, T>,
    columns: usize,
}

impl<T: Float> Consumer<T> for Updating<'_, T> {
    fn expect(&self, rows: Range<usize>, columns: Range<usize>) {
        self.weight.fetch(self.columns, rows, columns);
    }

    fn take(&self, tile: Tile<'_, T>) {
        // SAFETY: tiles do not overlap, and each is finished once.
        unsafe { self.weight.update_tile(self.ctx, &self.step, self.columns, &tile) };
    }
}

impl<T: Float> UpdateAtOnce<'_, T> {
    /// Updates the biases of layer `l`.
    fn bias(&mut self, ctx: &Context, l: usize, dz: ArrayView2<'_, T>) -> Result<()> {
        if !self.parameters.bias_counts(l) {
            return Ok(());
        }
        let (_, db) = self.gradients.slices_mut(l);
        linear_backward_bias(ctx, T::from_f64(self.scale), dz, T::ZERO, db)?;
        self.step.bias(ctx, l, self.parameters, self.gradients, self.slots);
        Ok(())
    }
}
