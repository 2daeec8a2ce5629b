//! A small network in two halves, cut through its units.
//!
//! Where a whole step takes some tens of microseconds, what costs is not the arithmetic but what one core has written
//! and another must read: weights, gradients, activations. So the network is cut where least has to pass. Each half has
//! half of the units of the first hidden layer, with all of their weights, to them and from them:
//!
//! ```text
//! each half, by itself    A_1 = g_1(X W_1ᵀ + b_1)          its units: rows of W_1
//!                         P   = A_1 W_2ᵀ                   its units: columns of W_2
//! both meet               Z_2 = P + P' + b_2               all that passes between them
//! each half, by itself    the layers after, forward, to the loss, and back to dZ_2, and the optimiser's step on them
//!                         dZ_1 = dZ_2 W_2 ∘ g_1'           its units
//!                         dW_2 = dZ_2ᵀ A_1, dW_1 = dZ_1ᵀ X its units, and the optimiser's step on them
//! ```
//!
//! Both halves compute and update all that is behind `Z_2`, because that is little work: each has a copy, and both stay
//! the same. So the halves meet once a step, and a step's end and the next one's beginning are one
//! [stage](crate::threads::in_step). (Megatron-LM cuts the layers of a transformer in this way, arXiv 1909.08053.) How a
//! network is cut follows from its sizes alone, and so do all sums.
//!
//! Activations lie with a row for each unit and a column for each example: then half of the units is a matrix without
//! gaps, and no weights have to be turned over.

mod half;
mod walk;

use half::Half;
use walk::Walk;

use crate::architecture::Architecture;
use crate::buffer::Buffer;
use crate::context::Context;
use crate::disjoint::Disjoint;
use crate::epoch::MeanCost;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::lanes::OPERATIONS_A_UNIT;
use crate::parameters::Parameters;
use crate::threads::in_step;
use crate::update::Changed;
use crate::way::Course;

/// Operations of a step that are worth being cut in half: some 10 µs.
const WORTH_CUTTING: usize = 1 << 20;

/// The most weights. The products of larger networks are well shared out as they are, and a copy of half of their
/// weights would be too much.
const MOST_WEIGHTS: usize = 1 << 20;

/// Operations of a half that are worth more threads than one.
const WORTH_SHARING: usize = 1 << 25;

/// Two halves of a network.
pub(crate) struct Halves<T: Float> {
    halves: [Half<T>; 2],
    /// What they pass to each other: each half's of a step, and each half's of the next.
    parts: [[Part<T>; 2]; 2],
    /// Operations of a half in a step.
    work: usize,
}

/// What a half passes to the other in a step.
#[repr(align(128))]
struct Part<T: Float> {
    /// What it adds to `Z_2`: (n_2, rows), or (rows, n_2) where these are the logits.
    z: Buffer<T>,
    /// Its share of Σ W², if there is a penalty.
    squares: f64,
}

impl<T: Float> Part<T> {
    fn new(len: usize) -> Result<Self> {
        Ok(Self { z: Buffer::zeros(len, "activations")?, squares: 0.0 })
    }
}

/// Whether a network is worth cutting, for batches of so many rows.
fn pays(architecture: &Architecture, rows: usize) -> bool {
    let sizes = architecture.sizes();
    let weights = |n: &[usize]| n.windows(2).map(|n| n[0] * n[1]).sum::<usize>();
    let cannot = architecture.is_normalized() || sizes.len() < 3 || sizes[1] < 2;
    if cannot || weights(sizes) > MOST_WEIGHTS {
        return false;
    }
    let (cut, whole) = (&sizes[..3], &sizes[2..]);
    let operations = |weights: usize, units: usize| 6 * weights + OPERATIONS_A_UNIT * units;
    let halved = operations(weights(cut), sizes[1]);
    let twice = operations(weights(whole), whole.iter().sum());
    rows.saturating_mul(halved) > WORTH_CUTTING && 4 * twice <= halved
}

impl<T: Float> Halves<T> {
    /// For batches of up to `rows` rows, and an optimiser with so many slots; none if the network is not worth cutting.
    pub(crate) fn of(
        architecture: &Architecture,
        uint8_scale: f64,
        rows: usize,
        slots: usize,
    ) -> Result<Option<Self>> {
        if !pays(architecture, rows) {
            return Ok(None);
        }
        let new = |i| Half::new(architecture, uint8_scale, rows, slots, i);
        let part = || Part::new(architecture.sizes()[2] * rows);
        let parts = [[part()?, part()?], [part()?, part()?]];
        let work = rows.saturating_mul(3 * architecture.parameters());
        Ok(Some(Self { halves: [new(0)?, new(1)?], parts, work }))
    }

    /// Takes over the layers behind the first until the run [ends](Self::end_run), and forgets the samples that have been
    /// read: the caller may have changed them since.
    pub(crate) fn begin_run(&mut self, parameters: &Parameters<T>, slots: &[Parameters<T>]) {
        for half in &mut self.halves {
            half.begin_run(parameters, slots);
        }
    }

    /// Gives them back.
    pub(crate) fn end_run(&self, parameters: &mut Parameters<T>, slots: &mut [Parameters<T>]) {
        for half in &self.halves {
            half.end_run(parameters, slots);
        }
    }

    /// Makes the steps of an epoch, and returns what they cost. Where a cost is not finite, no parameter has been changed
    /// since.
    ///
    /// # Errors
    /// As the products; [`Error::Interrupted`] when `stop`, which is asked before each step, says so.
    pub(crate) fn epoch(
        &mut self,
        ctx: &Context,
        course: &Course<'_, '_, T>,
        changed: &mut Changed<'_, T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<MeanCost> {
        // A thread for each half; where there are more and enough to do, all of them for the one and then for the other.
        let all = ctx.threads() > 2 && self.work > WORTH_SHARING;
        let (threads, within) = if all { (1, *ctx) } else { (ctx.threads(), ctx.serial()) };

        let shared = changed.shared();
        let parts = Disjoint::new(self.parts.as_flattened_mut());
        let walk = |half| Walk::new(half, course.epoch.batches());
        let mut walks = self.halves.each_mut().map(walk);
        let interrupted = in_step(
            threads,
            &mut walks,
            |walk, n| {
                let now = n % 2;
                // SAFETY: each half has a part of its own to write; those of the stage before both read, and neither
                // writes them before the next stage. And each half changes units of its own.
                unsafe {
                    let part = 2 * now + walk.half.i;
                    let part = &mut parts.part(part..part + 1)[0];
                    let parts = parts.read(2 * (1 - now)..2 * (1 - now) + 2);
                    walk.stage(&within, course, &shared, parts, part)
                }
            },
            stop,
        );
        if interrupted {
            return Err(Error::Interrupted);
        }
        let [cost, other] = walks.map(Walk::end);
        other.and(cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Normalization, Output};

    fn form(sizes: &[usize]) -> Architecture {
        Architecture::new(sizes, Activation::Relu, Output::Softmax).unwrap()
    }

    #[test]
    fn small_networks_are_cut_and_others_are_not() {
        assert!(pays(&form(&[30, 64, 64, 2]), 32));
        assert!(pays(&form(&[64, 100, 10]), 200));
        assert!(pays(&form(&[784, 512, 256, 10]), 128));
        // Those of `tests/ways.rs`, which would compare nothing if they were not.
        assert!(pays(&form(&[30, 64, 63, 3]), 64));
        assert!(pays(&form(&[41, 97, 40, 9, 2]), 333));
        assert!(pays(&form(&[300, 150, 2]), 50));
        assert!(!pays(&form(&[64, 100, 10]), 10), "too little work");
        assert!(!pays(&form(&[784, 2048, 2048, 10]), 256), "too large");
        assert!(!pays(&form(&[64, 10]), 10_000), "there is nothing to cut");
        assert!(!pays(&form(&[9000, 1, 2]), 10_000), "one unit");
        assert!(!pays(&form(&[30, 100, 100, 100, 2]), 100), "too much would be done twice");
        let normalized = form(&[64, 100, 10]).normalized(vec![Some(Normalization::Layer)]);
        assert!(!pays(&normalized.unwrap(), 200));
    }
}
