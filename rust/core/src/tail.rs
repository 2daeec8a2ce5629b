//! The tail of a network: its last layers, where they are so small that their products can not be shared out.
//!
//! In a large layer the threads share out each product. In a small one a product is a microsecond or two, and what one
//! core has written the other has to fetch; so there the rows of the batch are shared out, and each thread takes its
//! own forward through all layers of the tail, to the loss, and back: one job, whatever the number of layers. What is
//! left, the gradients of the weights, wants all rows again, and is a second job (`update.rs`).

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, s};

use crate::architecture::Architecture;
use crate::backprop::{Saved, activation_backward, layer_forward};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::dense::linear_backward_input;
use crate::disjoint::Disjoint;
use crate::error::Result;
use crate::float::Float;
use crate::loader::Block;
use crate::loss::Loss;
use crate::parameters::Parameters;

/// A layer of the tail has at most so many weights: every thread reads them all.
const SMALL: usize = 1 << 14;

/// And so many inputs, because it is by units that its gradient is shared out.
const NARROW: usize = 1 << 10;

/// Operations that are worth a share: a microsecond or two.
const WORTH_A_SHARE: usize = 1 << 17;

/// A unit's activation, derivative and loss cost about as much as so many operations in a product.
pub(crate) const OPERATIONS_A_UNIT: usize = 128;

/// Rows of a share come in groups that fill a register of any type.
const GROUP: usize = 16;

/// The most shares: the more rows a share has, the faster are its products.
const MOST: usize = 4;

/// Where the tail of a network begins, for batches of so many rows, and how its rows are shared out: functions of the
/// sizes alone, because the order in which the rows' losses are added depends on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tail {
    /// The first layer of it.
    pub(crate) first: usize,
    rows: usize,
    shares: usize,
}

impl Tail {
    /// None if there is nothing to share out.
    pub(crate) fn of(architecture: &Architecture, rows: usize) -> Option<Self> {
        let sizes = architecture.sizes();
        let weights = |l: usize| sizes[l] * sizes[l + 1];
        let large = |l: &usize| weights(*l) > SMALL || sizes[*l] > NARROW;
        let first = (0..architecture.layers()).rev().find(large).map_or(0, |l| l + 1);
        // Each weight is multiplied forward and back.
        let operations: usize = (first..architecture.layers())
            .map(|l| 4 * weights(l) + OPERATIONS_A_UNIT * sizes[l + 1])
            .sum();
        let work = operations.saturating_mul(rows);
        let shares = (work / WORTH_A_SHARE).min(rows / GROUP).min(MOST);
        (shares > 1).then_some(Self { first, rows, shares })
    }

    /// The rows of share `i`.
    fn share(&self, i: usize) -> Range<usize> {
        let groups = self.rows.div_ceil(GROUP);
        let start = |i: usize| (groups * i / self.shares * GROUP).min(self.rows);
        start(i)..start(i + 1)
    }

    /// Takes a block through the tail and back, and returns Σ w_i J_i.
    ///
    /// # Errors
    /// As the products.
    pub(crate) fn run<T: Float>(&self, ctx: &Context, pass: &Pass<'_, '_, T>) -> Result<f64> {
        let mut results = [const { Ok(0.0) }; MOST];
        let alone = ctx.serial();
        let out = Disjoint::new(&mut results);
        ctx.parallel(self.shares, |i| {
            // SAFETY: each share has rows and a result of its own.
            unsafe { out.part(i..i + 1)[0] = pass.rows(&alone, self.first, self.share(i)) };
        });
        results.into_iter().sum()
    }
}

/// A block on its way, and the buffers that it leaves its numbers in: an example a row.
pub(crate) struct Pass<'a, 'd, T: Float> {
    pub(crate) architecture: &'a Architecture,
    pub(crate) parameters: &'a Parameters<T>,
    pub(crate) loss: Loss,
    pub(crate) block: &'a Block<'d, T>,
    /// `A_l` of each layer; `Z_L`, then `dZ_L`, for the last.
    pub(crate) activations: &'a mut [Buffer<T>],
    /// `Z_l` of the layers whose activation is differentiated from its input.
    pub(crate) inputs: &'a mut [Option<Buffer<T>>],
    /// `dZ_l` of each hidden layer.
    pub(crate) deltas: &'a mut [Buffer<T>],
}

impl<T: Float> Pass<'_, '_, T> {
    /// Takes those rows forward from layer `first` on, to the loss, and back to `dZ` of the layer before `first`.
    ///
    /// # Safety
    /// Nobody else has these rows of the buffers.
    unsafe fn rows(&self, ctx: &Context, first: usize, rows: Range<usize>) -> Result<f64> {
        let Self { architecture, parameters, block, .. } = *self;
        let (sizes, last) = (architecture.sizes(), architecture.layers() - 1);
        // SAFETY: the buffers are this pass's, and the rows of them this call's.
        let part = |b, n| unsafe { of_rows(b, rows.clone(), n) };
        for l in first..=last {
            let (n, n_out) = (sizes[l], sizes[l + 1]);
            let a = match l {
                0 => block.x.slice(s![rows.clone(), ..]),
                _ => view(part(&self.activations[l - 1], n), n),
            };
            let z = view_mut(part(&self.activations[l], n_out), n_out);
            let input = self.inputs[l].as_ref().map(|input| part(input, n_out));
            layer_forward(ctx, architecture, parameters, l, a, z, Saved { input, room: None })?;
        }
        let outputs = sizes[last + 1];
        let logits = view_mut(part(&self.activations[last], outputs), outputs);
        let (y, weights) = (block.y.rows(rows.clone()), block.weights.map(|w| &w[rows.clone()]));
        let value = self.loss.value_and_gradient(ctx.isa(), logits, y, weights);
        for l in (first.max(1)..=last).rev() {
            let (n, n_out) = (sizes[l], sizes[l + 1]);
            let dz = if l == last { &self.activations[l] } else { &self.deltas[l] };
            let da = part(&self.deltas[l - 1], n);
            let dz = view(part(dz, n_out), n_out);
            linear_backward_input(ctx, dz, parameters.weight(l), view_mut(da, n))?;
            let g = architecture.activation(l - 1).expect("a hidden layer has one");
            let saved = self.inputs[l - 1].as_ref().unwrap_or(&self.activations[l - 1]);
            activation_backward(ctx, g, part(saved, n), da);
        }
        Ok(value)
    }
}

/// Those rows of a buffer, of `n` numbers each.
///
/// # Safety
/// As [`Buffer::part`].
#[allow(clippy::mut_from_ref, reason = "the caller promises that rows are not shared")]
unsafe fn of_rows<T: Float>(buffer: &Buffer<T>, rows: Range<usize>, n: usize) -> &mut [T] {
    // SAFETY: the caller's promise.
    unsafe { buffer.part(rows.start * n..rows.end * n) }
}

/// Rows of `n` numbers as a matrix.
fn view<T>(rows: &[T], n: usize) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((rows.len() / n, n), rows).expect("whole rows")
}

/// Rows of `n` numbers as a matrix to write.
fn view_mut<T>(rows: &mut [T], n: usize) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape((rows.len() / n, n), rows).expect("whole rows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Output};

    fn tail(sizes: &[usize], rows: usize) -> Option<(usize, usize)> {
        let form = Architecture::new(sizes, Activation::Relu, Output::Softmax).unwrap();
        Tail::of(&form, rows).map(|tail| (tail.first, tail.shares))
    }

    #[test]
    fn small_layers_at_the_end_are_the_tail() {
        assert_eq!(tail(&[30, 64, 64, 2], 32), Some((0, 2)));
        assert_eq!(tail(&[784, 128, 10], 128), Some((1, 4)));
        assert_eq!(tail(&[784, 512, 256, 10], 128), Some((2, 4)));
        assert_eq!(tail(&[30, 64, 64, 2], 8), None, "too few rows");
        assert_eq!(tail(&[4, 3, 2], 32), None, "too little work");
    }

    #[test]
    fn shares_are_all_rows_once() {
        for rows in [32, 33, 200, 1000] {
            let form =
                Architecture::new(&[64, 100, 10], Activation::Relu, Output::Softmax).unwrap();
            let tail = Tail::of(&form, rows).unwrap();
            let all: Vec<_> = (0..tail.shares).flat_map(|i| tail.share(i)).collect();
            assert_eq!(all, (0..rows).collect::<Vec<_>>());
        }
    }
}
