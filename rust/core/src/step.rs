//! One step of the optimiser on a layer: as a whole, or piece by piece while its gradient is in the cache.

use std::ops::Range;

use crate::caches::Caches;
use crate::context::{Context, PIECE};
use crate::disjoint::Disjoint;
use crate::float::Float;
use crate::gemm::Tile;
use crate::optim::{self, Block, Optimizer};
use crate::parameters::Parameters;
use crate::simd::prefetch;

/// One step of the optimiser, as it applies to every parameter.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// Counted from 1.
    pub(crate) number: u64,
    /// The optimiser's rule, worked out for this step.
    pub(crate) rule: optim::Update,
    /// λ/m: what the penalty adds to a weight's gradient, for each unit of the weight.
    pub(crate) decay: f64,
    /// η, if the step is nothing but `w - η g`.
    pub(crate) plain: Option<f64>,
}

impl Step {
    /// Updates layer `l` from its gradients.
    pub(crate) fn layer<T: Float>(
        &self,
        ctx: &Context,
        l: usize,
        parameters: &mut Parameters<T>,
        gradients: &Parameters<T>,
        slots: &mut [Parameters<T>],
    ) {
        self.normalization(ctx, l, parameters, gradients, slots);
        self.bias(ctx, l, parameters, gradients, slots);
        let weight = &gradients.places(l).weight;
        let updated = Updated::of(parameters, slots);
        ctx.parallel(weight.len().div_ceil(PIECE), |piece| {
            let from = weight.start + piece * PIECE;
            let range = from..weight.end.min(from + PIECE);
            let dw = &gradients.values()[range.clone()];
            // SAFETY: the pieces do not overlap.
            unsafe { updated.update(ctx, self, self.decay, range, dw) };
        });
    }

    /// Updates γ and β of layer `l`, if it is normalised, from their gradients.
    pub(crate) fn normalization<T: Float>(
        &self,
        ctx: &Context,
        l: usize,
        parameters: &mut Parameters<T>,
        gradients: &Parameters<T>,
        slots: &mut [Parameters<T>],
    ) {
        let places = gradients.places(l).gain_and_shift();
        let updated = Updated::of(parameters, slots);
        for place in places.into_iter().flatten() {
            let gradient = &gradients.values()[place.clone()];
            // SAFETY: nobody else has the normalisation.
            unsafe { updated.update(ctx, self, 0.0, place.clone(), gradient) };
        }
    }

    /// Updates the biases of layer `l`, if they count, from their gradient.
    pub(crate) fn bias<T: Float>(
        &self,
        ctx: &Context,
        l: usize,
        parameters: &mut Parameters<T>,
        gradients: &Parameters<T>,
        slots: &mut [Parameters<T>],
    ) {
        let places = gradients.places(l);
        if places.bias_counts() {
            let db = &gradients.values()[places.bias.clone()];
            // SAFETY: nobody else has the biases.
            unsafe {
                Updated::of(parameters, slots).update(ctx, self, 0.0, places.bias.clone(), db);
            }
        }
    }
}

/// All parameters and what the optimiser remembers of them, to be updated piece by piece from several threads. Pieces
/// are ranges of [`Parameters::values`]; where each layer's are, its [places](Parameters::places) say.
pub(crate) struct Updated<'a, T> {
    parameters: Disjoint<'a, T>,
    slots: [Disjoint<'a, T>; Optimizer::MAX_SLOTS],
    /// How many of the slots there are; the others are empty.
    used: usize,
}

impl<'a, T: Float> Updated<'a, T> {
    pub(crate) fn of(parameters: &'a mut Parameters<T>, slots: &'a mut [Parameters<T>]) -> Self {
        let used = slots.len();
        let mut arrays: [&mut [T]; Optimizer::MAX_SLOTS] = Default::default();
        for (array, slot) in arrays.iter_mut().zip(slots) {
            *array = slot.values_mut();
        }
        let parameters = Disjoint::new(parameters.values_mut());
        Self { parameters, slots: arrays.map(Disjoint::new), used }
    }

    /// Those parameters.
    ///
    /// # Safety
    /// Nobody else uses them meanwhile.
    #[allow(clippy::mut_from_ref, reason = "the caller promises that parts are not shared")]
    pub(crate) unsafe fn parameters(&self, range: Range<usize>) -> &mut [T] {
        // SAFETY: the caller's promise.
        unsafe { self.parameters.part(range) }
    }

    /// One step of the optimiser on those elements, whose gradient is given.
    ///
    /// # Safety
    /// Nobody else uses those elements meanwhile.
    pub(crate) unsafe fn update(
        &self,
        ctx: &Context,
        step: &Step,
        decay: f64,
        range: Range<usize>,
        gradient: &[T],
    ) {
        // SAFETY: the caller's promise.
        let parameters = unsafe { self.parameters.part(range.clone()) };
        let mut state: [&mut [T]; Optimizer::MAX_SLOTS] = Default::default();
        for (part, slot) in state.iter_mut().zip(&self.slots[..self.used]) {
            // SAFETY: the caller's promise.
            *part = unsafe { slot.part(range.clone()) };
        }
        step.rule.apply(ctx.isa(), decay, parameters, gradient, &mut state[..self.used]);
    }

    /// One step of the optimiser on a tile of a matrix that begins at element `first` and has so many columns, from its
    /// gradient.
    ///
    /// # Safety
    /// The tile lies within the matrix, and nobody else uses its elements meanwhile.
    pub(crate) unsafe fn update_tile(
        &self,
        ctx: &Context,
        step: &Step,
        first: usize,
        columns: usize,
        tile: &Tile<'_, T>,
    ) {
        let (rows, width) = tile.values.dim();
        assert!(width <= 1 || tile.values.strides()[1] == 1, "a tile's rows are contiguous");
        let from = first + tile.row * columns + tile.column;
        self.parameters.at(from + rows.saturating_sub(1) * columns + width); // It lies within.
        let mut state = [std::ptr::null_mut(); Optimizer::MAX_SLOTS];
        for (start, slot) in state.iter_mut().zip(&self.slots[..self.used]) {
            *start = slot.at(from);
        }
        let block = Block {
            param: self.parameters.at(from),
            grad: tile.values.as_ptr(),
            state,
            rows,
            columns: width,
            stride: columns,
            grad_stride: tile.values.strides()[0] as usize,
        };
        // SAFETY: the caller's promise.
        unsafe { step.rule.apply_block(ctx.isa(), step.decay, self.used, block) };
    }

    /// Whether so many parameters, with what the optimiser knows of them, are more than so many cores have in their
    /// second level.
    pub(crate) fn is_far(&self, parameters: usize, threads: usize) -> bool {
        (1 + self.used) * parameters * size_of::<T>() / threads > Caches::get().l2
    }

    /// Asks for the lines of the cache that a tile's update will want.
    #[inline]
    pub(crate) fn fetch(
        &self,
        first: usize,
        columns: usize,
        rows: Range<usize>,
        width: Range<usize>,
    ) {
        let line = 64 / size_of::<T>();
        for array in std::iter::once(&self.parameters).chain(&self.slots[..self.used]) {
            for row in rows.clone() {
                let start = array.at(first + row * columns);
                for column in width.clone().step_by(line) {
                    prefetch(start.wrapping_add(column));
                }
            }
        }
    }
}
