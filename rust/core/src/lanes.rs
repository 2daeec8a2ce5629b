//! Lanes: shares of a batch's rows that go through the network side by side, a thread each.
//!
//! In a large network threads share out each product. In a small one a whole layer is a microsecond or two, less
//! than it takes to call a thread: so there the rows are shared out, and every lane goes forward and backward by
//! itself, with activations and a sum of gradients of its own. The sums are then added in the order of the lanes.

use ndarray::ArrayView2;

use crate::architecture::Architecture;
use crate::backprop::Workspace;
use crate::context::Context;
use crate::data::Data;
use crate::error::Result;
use crate::float::Float;
use crate::layout::Layout;
use crate::loader::Loader;
use crate::loss::Loss;
use crate::samples::Rows;
use crate::sink::GradientSink;

/// A unit's activation, derivative and loss cost about as much as so many operations in a product.
pub(crate) const OPERATIONS_A_UNIT: usize = 128;

/// Operations that are worth two lanes: some 10 µs, several times what a fork and join take. Twice as many lanes have
/// eight times as much to do, because each is one more sum of gradients to add.
const WORTH_TWO: usize = 1 << 20;

/// The most lanes.
pub(crate) const MOST: usize = 8;

/// The largest sum of gradients, in bytes. It has to go from one core's cache to another's, and so have the parameters:
/// that takes 2 to 30 ns a line, four times a step, and soon longer than the products.
const MOST_BYTES: usize = 128 << 10;

/// In how many lanes to take batches of so many rows: a function of the sizes and the element type, so that the order
/// of every sum is too. `first` says whether the first layer's products are the network's own work.
pub(crate) fn count<T: Float>(architecture: &Architecture, rows: usize, first: bool) -> usize {
    let sizes = &architecture.sizes()[usize::from(!first)..];
    let weights: usize = sizes.windows(2).map(|n| n[0] * n[1]).sum();
    let units: usize = architecture.sizes()[1..].iter().sum();
    if architecture.normalizes_batches() || weights * size_of::<T>() > MOST_BYTES {
        return 1;
    }
    let operations = rows.saturating_mul(6 * weights + OPERATIONS_A_UNIT * units);
    let worth = (operations / WORTH_TWO).checked_ilog2().map_or(0, |eights| 1 + eights / 3);
    (1 << worth).min(MOST)
}

/// What a batch is taken through.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a, 'd, T: Float> {
    pub(crate) architecture: &'a Architecture,
    pub(crate) loss: Loss,
    pub(crate) data: &'a Data<'d, T>,
    /// The rows that will be wanted after these, as far as is known.
    pub(crate) next: &'a [u32],
}

/// The buffers of a lane, apart from the other lanes'.
#[repr(align(128))]
pub(crate) struct Lane<T: Float> {
    pub(crate) workspace: Workspace<T>,
    pub(crate) loader: Loader<T>,
}

impl<T: Float> Lane<T> {
    /// For up to `rows` rows.
    pub(crate) fn new(
        architecture: &Architecture,
        uint8_scale: f64,
        rows: usize,
        layout: Layout,
    ) -> Result<Self> {
        let workspace = Workspace::new(architecture, rows, layout)?;
        Ok(Self { workspace, loader: Loader::new(uint8_scale) })
    }

    /// Takes those rows forward and backward, hands the gradients to the sink, and returns Σ w_i J_i. The first of them
    /// is number `place` of its batch. `first`, if it is known, is `Z_1` of the rows, without its bias.
    ///
    /// `stop` is asked before each layer, on the way there and back.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted) when `stop` says so.
    #[allow(clippy::too_many_arguments, reason = "a pass stands between network, data and sink")]
    pub(crate) fn pass(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        rows: &Rows<'_>,
        place: usize,
        first: Option<ArrayView2<'_, T>>,
        sink: &mut impl GradientSink<T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<f64> {
        let Problem { architecture, loss, data, .. } = *problem;
        if let Some(dropout) = &mut self.workspace.dropout {
            dropout.begin_block(place);
        }
        let block = self.loader.load(ctx, data, rows, first.is_none())?;
        let parameters = sink.parameters();
        self.workspace.forward(ctx, architecture, parameters, block.x, first, stop)?;
        self.workspace.backward(ctx, architecture, loss, &block, sink, stop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Normalization, Output};

    fn lanes(sizes: &[usize], rows: usize, first: bool) -> usize {
        let output = if *sizes.last().unwrap() == 1 { Output::Sigmoid } else { Output::Softmax };
        count::<f32>(&Architecture::new(sizes, Activation::Relu, output).unwrap(), rows, first)
    }

    #[test]
    fn small_networks_are_taken_in_lanes_and_others_are_not() {
        assert_eq!(lanes(&[30, 20, 2], 200, true), 2);
        assert_eq!(lanes(&[30, 20, 2], 100, true), 1);
        assert_eq!(lanes(&[64, 100, 10], 200, true), 4);
        assert_eq!(lanes(&[64, 100, 10], 1000, true), 4);
        assert_eq!(lanes(&[64, 100, 10], 2000, true), 8);
        assert_eq!(lanes(&[784, 128, 10], 128, true), 1, "too much to add up");
        assert_eq!(lanes(&[12288, 20, 7, 5, 1], 209, true), 1);
        assert_eq!(lanes(&[12288, 20, 7, 5, 1], 209, false), 2);
        let form = Architecture::new(&[30, 64, 64, 2], Activation::Relu, Output::Softmax).unwrap();
        let form = form.normalized(vec![Some(Normalization::Batch), None]).unwrap();
        assert_eq!(count::<f32>(&form, 1000, true), 1, "a batch's mean is of all its rows");
    }
}
