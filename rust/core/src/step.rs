//! One step of the optimiser: on all parameters in one job, or piece by piece while the gradient is in the cache.

use std::ops::Range;

use ndarray::ArrayViewMut2;

use crate::caches::{Caches, LINE};
use crate::context::{Context, PIECE};
use crate::disjoint::Disjoint;
use crate::epoch::{Batch, Cost};
use crate::float::Float;
use crate::gemm::Tile;
use crate::math::map::{Add, zip_in_place};
use crate::optim::{self, Block, Optimizer};
use crate::parameters::Parameters;
use crate::settings::Settings;
use crate::simd::prefetch_far;

/// Parameters that are worth a task of their own, if a thread is at hand: half a microsecond's work.
const WORTH_A_TASK: usize = 1024;

/// Parameters whose gradients are added up at a time: in the first-level cache.
const CHUNK: usize = 512;

/// An optimiser's step on a weight takes about as long as so many operations in a product.
const OPERATIONS_A_WEIGHT: usize = 50;

/// One step of the optimiser, as it applies to every parameter.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// Counted from 1.
    pub(crate) number: u64,
    /// The total weight of the rows.
    pub(crate) m: f64,
    /// The optimiser's rule, worked out for this step.
    pub(crate) rule: optim::Update,
    /// λ/m: what the penalty adds to a weight's gradient, for each unit of the weight.
    pub(crate) decay: f64,
    /// η, if the step is nothing but `w - η g`.
    pub(crate) plain: Option<f64>,
}

impl Step {
    /// The step that is made on those rows.
    pub(crate) fn of(settings: &Settings, batch: &Batch<'_>) -> Self {
        let rate = settings.learning_rate * settings.schedule.factor(batch.t);
        Self {
            number: batch.step,
            m: batch.m,
            rule: settings.optimizer.update(batch.step, rate),
            decay: settings.l2 / batch.m,
            plain: (settings.optimizer.slots() == 0).then_some(rate),
        }
    }

    /// What sums over the rows are multiplied by: 1/m.
    pub(crate) fn scale(&self) -> f64 {
        1.0 / self.m
    }

    /// What the rows cost, from Σ w_i J_i and, if there is a penalty, Σ W².
    pub(crate) fn cost(&self, sum: f64, squares: f64) -> Cost {
        let penalty = self.decay / 2.0 * squares;
        Cost { whole: sum / self.m + penalty, penalty }
    }

    /// Updates all parameters from element `start` of [the values](Parameters::values) on. Their gradient is the sum of
    /// `gradients` and `others`, in this order.
    ///
    /// A task takes a run of the parameters, whatever layers they are of, so that one job does it all; and the same run
    /// step after step, so that a core finds what the optimiser knows of them where it left it.
    pub(crate) fn everything<T: Float>(
        &self,
        ctx: &Context,
        start: usize,
        parameters: &mut Parameters<T>,
        gradients: &Parameters<T>,
        others: &[Parameters<T>],
        slots: &mut [Parameters<T>],
    ) {
        let updated = Updated::of(parameters, slots);
        let len = gradients.values().len() - start;
        // Each parameter is updated for itself: how they are cut makes no difference.
        let tasks = (len / WORTH_A_TASK).min(ctx.threads()).max(len / PIECE).max(1);
        let cut = |i: usize| start + (len.div_ceil(CHUNK) * i / tasks * CHUNK).min(len);
        ctx.parallel_work(tasks, OPERATIONS_A_WEIGHT * len, |i| {
            let mut room = [T::ZERO; CHUNK];
            for from in (cut(i)..cut(i + 1)).step_by(CHUNK) {
                let chunk = from..cut(i + 1).min(from + CHUNK);
                let mut gradient = &gradients.values()[chunk.clone()];
                if !others.is_empty() {
                    let sum = &mut room[..chunk.len()];
                    sum.copy_from_slice(gradient);
                    for other in others {
                        zip_in_place(ctx.isa(), Add, &other.values()[chunk.clone()], sum);
                    }
                    gradient = sum;
                }
                for (place, is_weight) in gradients.learned() {
                    let part = place.start.max(from)..place.end.min(chunk.end);
                    if !part.is_empty() {
                        let decay = if is_weight { self.decay } else { 0.0 };
                        let gradient = &gradient[part.start - from..part.end - from];
                        // SAFETY: the runs do not overlap.
                        unsafe { updated.update(ctx, self, decay, part, gradient) };
                    }
                }
            }
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
}

/// Parameters and what the optimiser remembers of them, to be updated piece by piece from several threads. If they are
/// all of a network's, where each layer's are its [places](Parameters::places) say.
pub(crate) struct Updated<'a, T> {
    parameters: Disjoint<'a, T>,
    slots: [Disjoint<'a, T>; Optimizer::MAX_SLOTS],
    /// How many of the slots there are; the others are empty.
    used: usize,
}

impl<'a, T: Float> Updated<'a, T> {
    pub(crate) fn of(parameters: &'a mut Parameters<T>, slots: &'a mut [Parameters<T>]) -> Self {
        Self::new(parameters.values_mut(), slots.iter_mut().map(Parameters::values_mut))
    }

    /// Of parameters that lie anywhere.
    pub(crate) fn new(
        parameters: &'a mut [T],
        slots: impl ExactSizeIterator<Item = &'a mut [T]>,
    ) -> Self {
        let used = slots.len();
        let mut arrays: [&mut [T]; Optimizer::MAX_SLOTS] = Default::default();
        arrays.iter_mut().zip(slots).for_each(|(array, slot)| *array = slot);
        Self { parameters: Disjoint::new(parameters), slots: arrays.map(Disjoint::new), used }
    }

    /// Parameters to read.
    ///
    /// # Safety
    /// Nobody changes them as long as the returned slice lives.
    pub(crate) unsafe fn read(&self, range: Range<usize>) -> &[T] {
        // SAFETY: the caller's promise.
        unsafe { self.parameters.read(range) }
    }

    /// A block of a matrix of parameters whose rows are `stride` apart, from element `first` on.
    ///
    /// # Safety
    /// Nobody else uses them meanwhile.
    pub(crate) unsafe fn block(
        &self,
        first: usize,
        shape: (usize, usize),
        stride: usize,
    ) -> ArrayViewMut2<'_, T> {
        // SAFETY: the caller's promise.
        unsafe { self.parameters.block(first, shape, stride) }
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

    /// Asks for the lines of the cache that a tile's update will want, into the second level: in the first they would drive
    /// out the panels that the tile is computed from.
    #[inline]
    pub(crate) fn fetch(
        &self,
        first: usize,
        columns: usize,
        rows: Range<usize>,
        width: Range<usize>,
    ) {
        let line = LINE / size_of::<T>();
        for array in std::iter::once(&self.parameters).chain(&self.slots[..self.used]) {
            for row in rows.clone() {
                let start = array.at(first + row * columns);
                for column in width.clone().step_by(line) {
                    prefetch_far(start.wrapping_add(column));
                }
            }
        }
    }
}
