//! Where the backward pass of a one-block batch leaves a layer's gradient: the update, at once. The halves of a small
//! network and the blocks of a wide layer share it.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::ahead::Ahead;
use crate::buffer::Buffer;
use crate::context::Context;
use crate::dense::{linear_backward_bias, linear_backward_weight};
use crate::disjoint::Disjoint;
use crate::error::Result;
use crate::float::Float;
use crate::gemm::{Consumer, Epilogue, Tile};
use crate::parameters::{Parameters, Places};
use crate::sink::GradientSink;
use crate::step::{Step, Updated};

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
        let (units, inputs) = (0..dz.ncols(), 0..a.ncols());
        let shared = self.shared();
        // SAFETY: nobody else has the parameters, the gradients or the optimiser's memory.
        unsafe {
            shared.update_biases(ctx, l, units.clone(), dz)?;
            shared.update_weights(ctx, l, (units, inputs), a, dz, None)
        }
    }
}

impl<T: Float> UpdateAtOnce<'_, T> {
    pub(crate) fn shared(&mut self) -> Shared<'_, T> {
        let (places, gradients) = self.gradients.places_mut();
        let updated = Updated::of(self.parameters, self.slots);
        Shared {
            step: self.step,
            scale: self.scale,
            places,
            gradients: Disjoint::new(gradients),
            updated,
        }
    }
}

/// All that an update changes, for several tasks.
pub(crate) struct Shared<'a, T> {
    step: Step,
    scale: f64,
    places: &'a [Places],
    gradients: Disjoint<'a, T>,
    updated: Updated<'a, T>,
}

impl<T: Float> Shared<'_, T> {
    /// Updates the biases of those units of layer `l`: dz is (rows, units).
    ///
    /// # Safety
    /// Nobody else has them, their gradients and what the optimiser knows of them.
    pub(crate) unsafe fn update_biases(
        &self,
        ctx: &Context,
        l: usize,
        units: Range<usize>,
        dz: ArrayView2<'_, T>,
    ) -> Result<()> {
        let Self { step, places, gradients, updated, .. } = self;
        if !places[l].bias_counts() {
            return Ok(());
        }
        let start = places[l].bias.start;
        let bias = start + units.start..start + units.end;
        // SAFETY: the caller's promise.
        unsafe {
            let db = gradients.part(bias.clone());
            linear_backward_bias(ctx, T::from_f64(self.scale), dz, T::ZERO, db)?;
            updated.update(ctx, step, 0.0, bias, db);
        }
        Ok(())
    }

    /// Updates the weights of those units of layer `l` for those of its inputs: a is (rows, inputs), dz is
    /// (rows, units). Meanwhile rows are asked for, where the work to do is counted in weights.
    ///
    /// # Safety
    /// Nobody else has them, their gradients and what the optimiser knows of them.
    pub(crate) unsafe fn update_weights(
        &self,
        ctx: &Context,
        l: usize,
        (units, inputs): (Range<usize>, Range<usize>),
        a: ArrayView2<'_, T>,
        dz: ArrayView2<'_, T>,
        ahead: Option<&Ahead<'_>>,
    ) -> Result<()> {
        let columns = self.places[l].inputs();
        let first = self.places[l].weight.start + units.start * columns + inputs.start;
        debug_assert_eq!((units.len(), inputs.len()), (dz.ncols(), a.ncols()));
        let block = (first, (dz.ncols(), a.ncols()), columns);
        // SAFETY: the caller's promise.
        unsafe {
            self.update_block(
                ctx,
                &self.updated,
                &self.gradients,
                block,
                ahead,
                |scale, keep, dw, then| linear_backward_weight(ctx, scale, dz, a, keep, dw, then),
            )
        }
    }

    /// The same for weights that lie elsewhere, of that shape, their rows `stride` apart: `arrays` are they and what the
    /// optimiser knows of them, `gradient` is room, and `product` is [`linear_backward_weight`] of what belongs to them.
    pub(crate) fn update_apart(
        &self,
        ctx: &Context,
        arrays: &mut [Buffer<T>],
        gradient: &mut [T],
        shape: (usize, usize),
        stride: usize,
        product: impl FnOnce(T, T, ArrayViewMut2<'_, T>, Epilogue<'_, T>) -> Result<()>,
    ) -> Result<()> {
        let (weights, slots) = arrays.split_first_mut().expect("the weights");
        let updated = Updated::new(weights, slots.iter_mut().map(|slot| &mut slot[..]));
        let gradient = Disjoint::new(gradient);
        // SAFETY: all of them are this call's.
        unsafe { self.update_block(ctx, &updated, &gradient, (0, shape, stride), None, product) }
    }

    /// Updates the block of weights that begins at element `first`, has that shape and whose rows are `columns` apart,
    /// from the product that is its gradient.
    ///
    /// # Safety
    /// Nobody else has them, their gradients and what the optimiser knows of them.
    unsafe fn update_block(
        &self,
        ctx: &Context,
        updated: &Updated<'_, T>,
        gradients: &Disjoint<'_, T>,
        (first, shape, columns): (usize, (usize, usize), usize),
        ahead: Option<&Ahead<'_>>,
        product: impl FnOnce(T, T, ArrayViewMut2<'_, T>, Epilogue<'_, T>) -> Result<()>,
    ) -> Result<()> {
        let step = &self.step;
        if let Some(rate) = step.plain {
            // W ← (1 - ηλ/m) W - (η/m) dZᵀ A is a product added to what is there: no gradient need exist.
            let factor = T::from_f64(-rate * self.scale);
            let keep = T::from_f64(1.0 - rate * step.decay);
            // SAFETY: the caller's promise.
            let w = unsafe { updated.block(first, shape, columns) };
            return product(factor, keep, w, Epilogue::None);
        }
        // SAFETY: the caller's promise.
        let dw = unsafe { gradients.block(first, shape, columns) };
        let fetches = updated.is_far(shape.0 * shape.1, ctx.threads());
        let updating = Updating { ctx, step, updated, first, columns, fetches, ahead };
        let scale = T::from_f64(self.scale);
        product(scale, T::ZERO, dw, Epilogue::Consume(&updating))
    }
}

/// The update of a block of weights, to which the tiles of their gradient are handed.
struct Updating<'a, T> {
    ctx: &'a Context,
    step: &'a Step,
    updated: &'a Updated<'a, T>,
    /// Where the block begins.
    first: usize,
    /// From row to row.
    columns: usize,
    /// Whether the weights have to be fetched from afar. What is near comes fast enough when it is wanted.
    fetches: bool,
    /// What else is asked for meanwhile.
    ahead: Option<&'a Ahead<'a>>,
}

impl<T: Float> Consumer<T> for Updating<'_, T> {
    fn expect(&self, rows: Range<usize>, columns: Range<usize>) {
        if let Some(ahead) = self.ahead {
            ahead.go_on(rows.len() * columns.len());
        }
        if self.fetches {
            self.updated.fetch(self.first, self.columns, rows, columns);
        }
    }

    fn take(&self, tile: Tile<'_, T>) {
        // SAFETY: tiles do not overlap, and each is finished once.
        unsafe { self.updated.update_tile(self.ctx, self.step, self.first, self.columns, &tile) };
    }
}
