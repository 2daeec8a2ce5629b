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
        let dw = gradients.weight_slice(l);
        let (weight, _) = LayerState::of(l, parameters, slots);
        let pieces = dw.len().div_ceil(PIECE);
        ctx.parallel(pieces, |piece| {
            let range = piece * PIECE..dw.len().min((piece + 1) * PIECE);
            // SAFETY: the pieces do not overlap.
            unsafe { weight.update(ctx, self, self.decay, range.clone(), &dw[range]) };
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
        if let (Some(gradient), Some((gain, shift))) =
            (gradients.normalization(l), LayerState::of_normalization(l, parameters, slots))
        {
            // SAFETY: nobody else has the normalisation.
            unsafe {
                gain.update(ctx, self, 0.0, 0..gradient.gain.len(), gradient.gain);
                shift.update(ctx, self, 0.0, 0..gradient.shift.len(), gradient.shift);
            }
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
        if parameters.bias_counts(l) {
            let (_, db) = gradients.slices(l);
            let (_, bias) = LayerState::of(l, parameters, slots);
            // SAFETY: nobody else has the biases.
            unsafe { bias.update(ctx, self, 0.0, 0..db.len(), db) };
        }
    }
}

/// The weights, or the biases, of one layer and what the optimiser remembers of them, to be updated piece by
/// piece from several threads.
pub(crate) struct LayerState<'a, T> {
    parameters: Disjoint<'a, T>,
    slots: [Disjoint<'a, T>; Optimizer::MAX_SLOTS],
    /// How many of the slots there are; the others are empty.
    used: usize,
}

impl<'a, T: Float> LayerState<'a, T> {
    /// Those of all layers in one.
    pub(crate) fn of_all(
        parameters: &'a mut Parameters<T>,
        slots: &'a mut [Parameters<T>],
    ) -> Self {
        let used = slots.len();
        let mut arrays: [&mut [T]; Optimizer::MAX_SLOTS] = Default::default();
        for (array, slot) in arrays.iter_mut().zip(slots) {
            *array = slot.values_mut();
        }
        Self::new(parameters.values_mut(), arrays, used)
    }

    /// Those of layer `l`: of the weights, and of the biases.
    pub(crate) fn of(
        l: usize,
        parameters: &'a mut Parameters<T>,
        slots: &'a mut [Parameters<T>],
    ) -> (Self, Self) {
        let used = slots.len();
        let mut weight_slots: [&mut [T]; Optimizer::MAX_SLOTS] = Default::default();
        let mut bias_slots: [&mut [T]; Optimizer::MAX_SLOTS] = Default::default();
        for ((w, b), slot) in weight_slots.iter_mut().zip(&mut bias_slots).zip(slots) {
            (*w, *b) = slot.slices_mut(l);
        }
        let (weight, bias) = parameters.slices_mut(l);
        (Self::new(weight, weight_slots, used), Self::new(bias, bias_slots, used))
    }

    /// Those of the normalisation of layer `l`, if it has one: of γ, and of β.
    pub(crate) fn of_normalization(
        l: usize,
        parameters: &'a mut Parameters<T>,
        slots: &'a mut [Parameters<T>],
    ) -> Option<(Self, Self)> {
        let used = slots.len();
        let mut gain_slots: [&mut [T]; Optimizer::MAX_SLOTS] = Default::default();
        let mut shift_slots: [&mut [T]; Optimizer::MAX_SLOTS] = Default::default();
        for ((gain, shift), slot) in gain_slots.iter_mut().zip(&mut shift_slots).zip(slots) {
            let normalization = slot.normalization_mut(l)?;
            (*gain, *shift) = (normalization.gain, normalization.shift);
        }
        let normalization = parameters.normalization_mut(l)?;
        Some((
            Self::new(normalization.gain, gain_slots, used),
            Self::new(normalization.shift, shift_slots, used),
        ))
    }

    fn new(
        parameters: &'a mut [T],
        slots: [&'a mut [T]; Optimizer::MAX_SLOTS],
        used: usize,
    ) -> Self {
        Self { parameters: Disjoint::new(parameters), slots: slots.map(Disjoint::new), used }
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
