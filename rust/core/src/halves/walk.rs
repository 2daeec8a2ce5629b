//! A half on its way through an epoch.

use super::Part;
use super::half::Half;
use crate::context::Context;
use crate::epoch::{Batch, MeanCost};
use crate::error::Result;
use crate::float::Float;
use crate::step::Step;
use crate::update::Shared;
use crate::way::Course;

/// A half, the batches that are still to come, and the one it is at.
pub(super) struct Walk<'h, 'a, T: Float, B> {
    pub(super) half: &'h mut Half<T>,
    batches: B,
    at: Option<(Batch<'a>, Step)>,
    cost: MeanCost,
    result: Result<()>,
}

impl<'h, 'a, T: Float, B: Iterator<Item = Batch<'a>>> Walk<'h, 'a, T, B> {
    pub(super) fn new(half: &'h mut Half<T>, batches: B) -> Self {
        Self { half, batches, at: None, cost: MeanCost::default(), result: Ok(()) }
    }

    /// What the steps cost, or why there are no more.
    pub(super) fn end(self) -> Result<MeanCost> {
        self.result.map(|()| self.cost)
    }

    /// Finishes a step with the parts of `Z_2` that both halves have left, and begins the next with this half's part of
    /// its. Whether there is a next.
    ///
    /// # Safety
    /// Nobody else has the first layer's parameters of this half's units.
    pub(super) unsafe fn stage(
        &mut self,
        ctx: &Context,
        course: &Course<'a, '_, T>,
        first: &Shared<'_, T>,
        parts: &[Part<T>],
        part: &mut Part<T>,
    ) -> bool {
        // SAFETY: the caller's promise.
        let next = unsafe {
            self.finish(ctx, course, first, parts)
                .and_then(|goes_on| Ok(goes_on && self.begin(ctx, course, first, part)?))
        };
        next.unwrap_or_else(|error| {
            self.result = Err(error);
            false
        })
    }

    /// Whether the cost was finite, if there was a step to finish; if not, no parameter has been changed.
    ///
    /// # Safety
    /// As [`stage`](Self::stage).
    unsafe fn finish(
        &mut self,
        ctx: &Context,
        course: &Course<'a, '_, T>,
        first: &Shared<'_, T>,
        parts: &[Part<T>],
    ) -> Result<bool> {
        let Some((batch, step)) = self.at.take() else { return Ok(true) };
        let problem = course.problem(&batch);
        let sum = self.half.loss(ctx, &problem, &batch.rows, parts)?;
        let cost = step.cost(sum, parts.iter().map(|part| part.squares).sum());
        self.cost.add(step.m, cost);
        if cost.is_finite() {
            // SAFETY: the caller's promise.
            unsafe { self.half.back(ctx, &problem, &batch.rows, &step, first)? };
        }
        Ok(cost.is_finite())
    }

    /// Whether there was a batch to begin.
    ///
    /// # Safety
    /// As [`stage`](Self::stage).
    unsafe fn begin(
        &mut self,
        ctx: &Context,
        course: &Course<'a, '_, T>,
        first: &Shared<'_, T>,
        part: &mut Part<T>,
    ) -> Result<bool> {
        let Some(batch) = self.batches.next() else { return Ok(false) };
        let step = Step::of(course.settings, &batch);
        // SAFETY: the caller's promise.
        let own = unsafe { first.layer(0, self.half.units.clone()) };
        self.half.begin(ctx, &course.problem(&batch), &batch.rows, own, &mut part.z)?;
        part.squares = match step.decay == 0.0 {
            true => 0.0,
            false => self.half.sum_of_squares(ctx, own.0),
        };
        self.at = Some((batch, step));
        Ok(true)
    }
}
