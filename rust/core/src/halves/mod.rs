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
//! each half, by itself    the layers after, forward, to the loss, and back to dZ_2
//!                         dZ_1 = dZ_2 W_2 ∘ g_1'           its units
//!                         dW_2 = dZ_2ᵀ A_1, dW_1 = dZ_1ᵀ X its units, and the optimiser's step on them
//! ```
//!
//! Both halves compute the layers behind the second, because that is little work; of their weights each updates half.
//! (Megatron-LM cuts the layers of a transformer in this way, arXiv 1909.08053.) How a network is cut follows from its
//! sizes alone, and so do all sums.
//!
//! Activations lie with a row for each unit and a column for each example: then half of the units is a matrix without
//! gaps, and no weights have to be turned over.

mod half;

use half::Half;
use ndarray::s;

use crate::architecture::Architecture;
use crate::backprop::{matrix, matrix_mut};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::disjoint::{Disjoint, share};
use crate::error::Result;
use crate::float::Float;
use crate::lanes::{OPERATIONS_A_UNIT, Problem};
use crate::parameters::Parameters;
use crate::samples::Rows;
use crate::update::UpdateAtOnce;

/// Operations of a step that are worth being cut in half: some 10 µs.
const WORTH_CUTTING: usize = 1 << 20;

/// The most weights. The products of larger networks are well shared out as they are, and a copy of half of their
/// weights would be too much.
const MOST_WEIGHTS: usize = 1 << 20;

/// Operations of a half that are worth more threads than one.
const WORTH_SHARING: usize = 1 << 25;

/// Two halves of a network, and the buffers that a step leaves its numbers in.
pub(crate) struct Halves<T: Float> {
    halves: [Half<T>; 2],
    /// What each half adds to `Z_2`: (n_2, rows), or (rows, n_2) where these are the logits.
    parts: [Buffer<T>; 2],
    /// Operations of a half for each row.
    work: usize,
}

/// Whether a network is worth cutting, for batches of so many rows.
fn pays(architecture: &Architecture, rows: usize) -> bool {
    let sizes = architecture.sizes();
    let weights = |n: &[usize]| n.windows(2).map(|n| n[0] * n[1]).sum::<usize>();
    if architecture.is_normalized() || sizes.len() < 3 || weights(sizes) > MOST_WEIGHTS {
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
        let part = || Buffer::zeros(architecture.sizes()[2] * rows, "activations");
        let work = 3 * architecture.parameters();
        Ok(Some(Self { halves: [new(0)?, new(1)?], parts: [part()?, part()?], work }))
    }

    /// Takes over the second layer's weights until the run [ends](Self::end_run), and forgets the samples that have been
    /// read: the caller may have changed them since.
    pub(crate) fn begin_run(&mut self, parameters: &Parameters<T>, slots: &[Parameters<T>]) {
        for (i, half) in self.halves.iter_mut().enumerate() {
            half.samples.reset();
            let all = std::iter::once(parameters).chain(slots);
            for (own, all) in half.second.arrays.iter_mut().zip(all) {
                let w = all.weight(1);
                let own_columns = w.slice(s![.., share(w.ncols(), 2, i)]);
                matrix_mut(own, w.nrows(), own_columns.ncols()).assign(&own_columns);
            }
        }
    }

    /// Gives the second layer's weights back.
    pub(crate) fn end_run(&self, parameters: &mut Parameters<T>, slots: &mut [Parameters<T>]) {
        for (i, half) in self.halves.iter().enumerate() {
            let all = std::iter::once(&mut *parameters).chain(slots.iter_mut());
            for (own, all) in half.second.arrays.iter().zip(all) {
                let mut w = all.layer_mut(1).0;
                let (units, columns) = (w.nrows(), share(w.ncols(), 2, i));
                let own = matrix(own, units, columns.len());
                w.slice_mut(s![.., columns]).assign(&own);
            }
        }
    }

    /// Takes those rows through the network and back, makes the step that `update` says, and returns Σ w_i J_i and,
    /// if the step has a penalty, Σ W² before it. Where the cost is not finite, no parameter has been changed.
    ///
    /// # Errors
    /// As the products.
    pub(crate) fn step(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        rows: &Rows<'_>,
        update: &mut UpdateAtOnce<'_, T>,
    ) -> Result<(f64, f64)> {
        let penalized = update.step.decay != 0.0;
        // A thread for each half; where there are more and enough to do, all of them for the one and then for the other.
        let alone = ctx.serial();
        let all = ctx.threads() > 2 && rows.len() * self.work > WORTH_SHARING;
        let (across, within) = if all { (&alone, ctx) } else { (ctx, &alone) };

        let halves = Disjoint::new(&mut self.halves);
        let mut squares = [const { Ok(0.0) }; 2];
        {
            let squares = Disjoint::new(&mut squares);
            let parts = Disjoint::new(&mut self.parts);
            let parameters = &*update.parameters;
            across.parallel(2, |i| {
                // SAFETY: each half has its own buffers, part and result.
                let (half, part, squares) = unsafe {
                    (&mut halves.part(i..i + 1)[0], parts.part(i..i + 1), squares.part(i..i + 1))
                };
                let begun = half.begin(within, problem, rows, parameters, i, &mut part[0]);
                squares[0] = begun.map(|()| match penalized {
                    true => half.sum_of_squares(within, parameters, i),
                    false => 0.0,
                });
            });
        }
        let squares = squares.into_iter().sum::<Result<f64>>()?;
        let mut sums = [const { Ok(0.0) }; 2];
        {
            let sums = Disjoint::new(&mut sums);
            let parts = &self.parts;
            let shared = update.shared();
            across.parallel(2, |i| {
                // SAFETY: as above; and the halves change parameters of their own, and read no others.
                unsafe {
                    let (half, sum) = (&mut halves.part(i..i + 1)[0], sums.part(i..i + 1));
                    sum[0] = half.finish(within, problem, rows, &shared, i, parts);
                }
            });
        }
        let [sum, other] = sums;
        other.and(sum).map(|sum| (sum, squares))
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
        assert!(!pays(&form(&[30, 100, 100, 100, 2]), 100), "too much would be done twice");
        let normalized = form(&[64, 100, 10]).normalized(vec![Some(Normalization::Layer)]);
        assert!(!pays(&normalized.unwrap(), 200));
    }
}
