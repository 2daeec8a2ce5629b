//! Where the backward pass of a one-block batch leaves a layer's gradient: the update, at once. The halves of a small
//! network and the blocks of a wide layer share it.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::ahead::Ahead;
use crate::backprop::matrix;
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

/// All that a step changes.
pub(crate) struct Changed<'a, T: Float> {
    pub(crate) parameters: &'a mut Parameters<T>,
    /// Room for their gradients.
    pub(crate) gradients: &'a mut Parameters<T>,
    /// What the optimiser remembers of them.
    pub(crate) slots: &'a mut [Parameters<T>],
}

/// Updates each layer as soon as its gradient is there, tile by tile, while the tile is in the cache.
pub(crate) struct UpdateAtOnce<'a, T: Float> {
    pub(crate) step: Step,
    pub(crate) changed: Changed<'a, T>,
}

impl<T: Float> GradientSink<T> for UpdateAtOnce<'_, T> {
    fn parameters(&self) -> &Parameters<T> {
        self.changed.parameters
    }

    fn normalization(&mut self, ctx: &Context, l: usize, gain: &[T], shift: &[T]) {
        let scale = T::from_f64(self.step.scale());
        let Changed { parameters, gradients, slots } = &mut self.changed;
        let room = gradients.normalization_mut(l).expect("gradients have the form");
        room.gain.iter_mut().zip(gain).for_each(|(to, &gain)| *to = scale * gain);
        room.shift.iter_mut().zip(shift).for_each(|(to, &shift)| *to = scale * shift);
        self.step.normalization(ctx, l, parameters, gradients, slots);
    }

    fn layer(
        &mut self,
        ctx: &Context,
        l: usize,
        a: ArrayView2<'_, T>,
        dz: ArrayView2<'_, T>,
    ) -> Result<()> {
        let Self { step, changed } = self;
        // SAFETY: nobody else has the parameters, the gradients or the optimiser's memory.
        unsafe { changed.shared().update(ctx, step, (l, 0..dz.ncols()), a, dz, None) }
    }
}

impl<T: Float> Changed<'_, T> {
    pub(crate) fn shared(&mut self) -> Shared<'_, T> {
        let (places, gradients) = self.gradients.places_mut();
        let updated = Updated::of(self.parameters, self.slots);
        Shared { places, gradients: Disjoint::new(gradients), updated }
    }
}

/// The same for several tasks.
pub(crate) struct Shared<'a, T> {
    places: &'a [Places],
    gradients: Disjoint<'a, T>,
    updated: Updated<'a, T>,
}

impl<T: Float> Shared<'_, T> {
    /// The weights of those units of layer `l`, (units, inputs), and their biases.
    ///
    /// # Safety
    /// Nobody changes them as long as they are read.
    pub(crate) unsafe fn layer(&self, l: usize, units: Range<usize>) -> (ArrayView2<'_, T>, &[T]) {
        let Places { weight, bias, .. } = &self.places[l];
        let inputs = self.places[l].inputs();
        let rows = weight.start + units.start * inputs..weight.start + units.end * inputs;
        // SAFETY: the caller's promise.
        let (weight, bias) = unsafe {
            let bias = bias.start + units.start..bias.start + units.end;
            (self.updated.read(rows), self.updated.read(bias))
        };
        (matrix(weight, units.len(), inputs), bias)
    }

    /// Updates those units of layer `l`: a is (rows, inputs), dz is (rows, units). Meanwhile rows are asked for, where the
    /// work to do is counted in weights.
    ///
    /// # Safety
    /// Nobody else has their parameters, the gradients and what the optimiser knows of them.
    pub(crate) unsafe fn update(
        &self,
        ctx: &Context,
        step: &Step,
        (l, units): (usize, Range<usize>),
        a: ArrayView2<'_, T>,
        dz: ArrayView2<'_, T>,
        ahead: Option<&Ahead<'_>>,
    ) -> Result<()> {
        let Self { places, gradients, updated } = self;
        let Places { weight, bias, .. } = &places[l];
        if places[l].bias_counts() {
            let bias = bias.start + units.start..bias.start + units.end;
            // SAFETY: the caller's promise.
            unsafe {
                let db = gradients.part(bias.clone());
                linear_backward_bias(ctx, T::from_f64(step.scale()), dz, T::ZERO, db)?;
                updated.update(ctx, step, 0.0, bias, db);
            }
        }
        let inputs = places[l].inputs();
        debug_assert_eq!((units.len(), inputs), (dz.ncols(), a.ncols()));
        let block = (weight.start + units.start * inputs, (units.len(), inputs), inputs);
        let product = |scale, keep, dw: ArrayViewMut2<'_, T>, then: Epilogue<'_, T>| {
            linear_backward_weight(ctx, scale, dz, a, keep, dw, then)
        };
        // SAFETY: the caller's promise.
        unsafe { update_block(ctx, step, updated, gradients, block, ahead, product) }
    }
}

/// Updates weights that lie elsewhere, of that shape, their rows `stride` apart: `arrays` are they and what the
/// optimiser knows of them, `gradient` is room, and `product` is [`linear_backward_weight`] of what belongs to them.
pub(crate) fn update_apart<T: Float>(
    ctx: &Context,
    step: &Step,
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
    unsafe { update_block(ctx, step, &updated, &gradient, (0, shape, stride), None, product) }
}

/// Updates the block of weights that begins at element `first`, has that shape and whose rows are `columns` apart,
/// from the product that is its gradient.
///
/// # Safety
/// Nobody else has them, their gradients and what the optimiser knows of them.
unsafe fn update_block<T: Float>(
    ctx: &Context,
    step: &Step,
    updated: &Updated<'_, T>,
    gradients: &Disjoint<'_, T>,
    (first, shape, columns): (usize, (usize, usize), usize),
    ahead: Option<&Ahead<'_>>,
    product: impl FnOnce(T, T, ArrayViewMut2<'_, T>, Epilogue<'_, T>) -> Result<()>,
) -> Result<()> {
    if let Some(rate) = step.plain {
        // W ← (1 - ηλ/m) W - (η/m) dZᵀ A is a product added to what is there: no gradient need exist.
        let factor = T::from_f64(-rate * step.scale());
        let keep = T::from_f64(1.0 - rate * step.decay);
        // SAFETY: the caller's promise.
        let w = unsafe { updated.block(first, shape, columns) };
        return product(factor, keep, w, Epilogue::None);
    }
    // SAFETY: the caller's promise.
    let dw = unsafe { gradients.block(first, shape, columns) };
    let fetches = updated.is_far(shape.0 * shape.1, ctx.threads());
    let updating = Updating { ctx, step, updated, first, columns, fetches, ahead };
    product(T::from_f64(step.scale()), T::ZERO, dw, Epilogue::Consume(&updating))
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
