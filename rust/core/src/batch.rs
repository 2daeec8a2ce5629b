//! A batch through the network and back, one block of rows at a time.
//!
//! However many rows a batch has, memory holds the activations of one block. A batch of one block and one
//! [lane](crate::lanes), which the mini-batches of a large network are, can update each layer as soon as its gradient
//! is there; the others add their gradients up first.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut1, s};

use crate::architecture::Architecture;
use crate::backprop::{matrix, rows_per_block};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::dense::{linear_backward_bias, linear_backward_weight};
use crate::disjoint::{Disjoint, share};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::lanes::{self, Lane, Problem};
use crate::layout::Layout;
use crate::math::map::{Add, zip_in_place};
use crate::parameters::Parameters;
use crate::samples::Rows;
use crate::sink::GradientSink;

/// The buffers that forward and backward passes use, made once for a fit.
pub(crate) struct Passes<T: Float> {
    /// The most rows that go through the network at once, in all lanes together.
    block: usize,
    lanes: Vec<Lane<T>>,
    /// The gradients that each lane adds up, but for the first, which has the caller's.
    sums: Vec<Parameters<T>>,
    /// `dZ_1ᵀ` of a batch, (n_1, rows), where the first layer is trained elsewhere.
    first: Buffer<T>,
}

impl<T: Float> Passes<T> {
    /// For batches of up to `rows` rows.
    pub(crate) fn in_blocks(
        architecture: &Architecture,
        uint8_scale: f64,
        rows: usize,
    ) -> Result<Self> {
        let block = match architecture.normalizes_batches() {
            true => rows,
            false => rows_per_block::<T>(architecture).min(rows),
        };
        let lanes = lanes::count::<T>(architecture, block, true);
        Self::new(architecture, uint8_scale, block, lanes, Layout::Rows)
    }

    /// For a first layer that is done elsewhere, in the space of examples or as a [wide](crate::wide) one, where each batch
    /// is one block: the samples are not read.
    pub(crate) fn without_samples(
        architecture: &Architecture,
        uint8_scale: f64,
        rows: usize,
    ) -> Result<Self> {
        let lanes = lanes::count::<T>(architecture, rows, false);
        let new = Self::new(architecture, uint8_scale, rows, lanes, Layout::Columns)?;
        let first = Buffer::zeros(architecture.sizes()[1] * rows, "activations")?;
        Ok(Self { first, ..new })
    }

    fn new(
        architecture: &Architecture,
        uint8_scale: f64,
        block: usize,
        lanes: usize,
        layout: Layout,
    ) -> Result<Self> {
        let lane = |_| Lane::new(architecture, uint8_scale, block.div_ceil(lanes), layout);
        let lanes = (0..lanes).map(lane).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            block,
            sums: lanes[1..]
                .iter()
                .map(|_| Parameters::zeros(architecture))
                .collect::<Result<_>>()?,
            lanes,
            first: Buffer::zeros(0, "activations")?,
        })
    }

    /// Leaves out what enters each layer with these probabilities, drawn from `seed`.
    pub(crate) fn drop_out(
        &mut self,
        architecture: &Architecture,
        rates: &[f64],
        seed: u64,
    ) -> Result<()> {
        let rows = self.block.div_ceil(self.lanes.len());
        for lane in &mut self.lanes {
            lane.workspace.drop_out(architecture, rates, seed, rows)?;
        }
        Ok(())
    }

    /// Draws the masks of that step from here on.
    pub(crate) fn begin_step(&mut self, step: u64) {
        for lane in &mut self.lanes {
            if let Some(dropout) = &mut lane.workspace.dropout {
                dropout.begin_step(step);
            }
        }
    }

    /// Forgets the samples that have been read: the caller may have changed them since.
    pub(crate) fn reset(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.loader.reset());
    }

    /// Lets the normalisations remember the last batch.
    pub(crate) fn remember(&self, parameters: &mut Parameters<T>) {
        self.lanes[0].workspace.remember(parameters);
    }

    /// Whether so many rows are one block.
    pub(crate) fn is_one_block(&self, rows: usize) -> bool {
        rows <= self.block
    }

    /// Whether so many rows are one block of one lane, and the network's own work.
    pub(crate) fn can_update_at_once(&self, rows: usize) -> bool {
        self.is_one_block(rows) && self.lanes.len() == 1 && self.first.is_empty()
    }

    /// Takes those rows, which [fit](Self::can_update_at_once), through the network, hands the gradients to the sink,
    /// and returns Σ w_i J_i.
    ///
    /// `stop` is asked before each layer, on the way there and back.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when `stop` says so.
    pub(crate) fn update_at_once(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        rows: &Rows<'_>,
        sink: &mut impl GradientSink<T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<f64> {
        self.lanes[0].pass(ctx, problem, rows, 0, None, sink, stop)
    }

    /// Takes those rows through the network, block by block and lane by lane, and returns Σ w_i J_i. What is left is
    /// `scale · Σ` of the gradients, but lane by lane: the first lane's sum in `gradients`, the others' in
    /// [`others`](Self::others). Ends early, and returns what is not finite, where the loss is not.
    ///
    /// `first` is `Z_1` of all rows, without its bias, where the first layer is trained elsewhere: then its
    /// [`dZ_1`](Self::first_delta) is left instead of the gradient of its weights.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when `stop`, which is asked often, says so.
    #[allow(
        clippy::too_many_arguments,
        reason = "a pass stands between network, data and gradients"
    )]
    pub(crate) fn accumulate(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        rows: &Rows<'_>,
        parameters: &Parameters<T>,
        gradients: &mut Parameters<T>,
        scale: f64,
        first: Option<ArrayView2<'_, T>>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<f64> {
        let mut sum = 0.0;
        for from in (0..rows.len()).step_by(self.block) {
            let block = from..rows.len().min(from + self.block);
            let batch = Batch { problem, rows, parameters, scale, first, fresh: from == 0 };
            sum += self.block(ctx, &batch, block, gradients, stop)?;
            if !sum.is_finite() {
                return Ok(sum);
            }
        }
        Ok(sum)
    }

    /// The sums of gradients that the lanes of a batch of so many rows left, but for the first lane's.
    pub(crate) fn others(&self, rows: usize) -> &[Parameters<T>] {
        &self.sums[..self.lanes.len().min(rows) - 1]
    }

    /// Adds the sums that the lanes of a batch of so many rows left to the first lane's.
    pub(crate) fn add_up(&self, ctx: &Context, rows: usize, gradients: &mut Parameters<T>) {
        for other in self.others(rows) {
            ctx.in_pieces(gradients.values_mut(), |from, piece| {
                let other = &other.values()[from..from + piece.len()];
                zip_in_place(ctx.isa(), Add, other, piece);
            });
        }
    }

    /// As [`accumulate`](Self::accumulate), with the sums of all lanes added up in `gradients`.
    ///
    /// # Errors
    /// As there.
    #[allow(clippy::too_many_arguments, reason = "as there")]
    pub(crate) fn gradients(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        rows: &Rows<'_>,
        parameters: &Parameters<T>,
        gradients: &mut Parameters<T>,
        scale: f64,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<f64> {
        let sum = self.accumulate(ctx, problem, rows, parameters, gradients, scale, None, stop)?;
        self.add_up(ctx, rows.len(), gradients);
        Ok(sum)
    }

    /// One block of a batch: the rows at those places.
    fn block(
        &mut self,
        ctx: &Context,
        batch: &Batch<'_, '_, T>,
        block: Range<usize>,
        gradients: &mut Parameters<T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<f64> {
        let used = self.lanes.len().min(block.len());
        let first = Disjoint::new(&mut self.first);
        if used == 1 {
            return batch.pass(ctx, &mut self.lanes[0], block, gradients, &first, stop);
        }
        if stop() {
            return Err(Error::Interrupted);
        }
        let mut results = [const { Ok(0.0) }; lanes::MOST];
        {
            let (results, lanes) = (Disjoint::new(&mut results), Disjoint::new(&mut self.lanes));
            let (own, others) =
                (Disjoint::new(std::slice::from_mut(gradients)), Disjoint::new(&mut self.sums));
            let alone = ctx.serial();
            ctx.parallel(used, |i| {
                let share = share(block.len(), used, i);
                let places = block.start + share.start..block.start + share.end;
                // SAFETY: each lane has its own buffers, sum and result.
                let (lane, sum, result) = unsafe {
                    let sum = if i == 0 { own.part(0..1) } else { others.part(i - 1..i) };
                    (lanes.part(i..i + 1), sum, results.part(i..i + 1))
                };
                let pass =
                    batch.pass(&alone, &mut lane[0], places, &mut sum[0], &first, &mut || false);
                result[0] = pass;
            });
        }
        results.into_iter().sum()
    }

    /// `dZ_1` of the batch of so many rows that was [taken](Self::accumulate) last, (rows, n_1).
    pub(crate) fn first_delta(&self, rows: usize) -> ArrayView2<'_, T> {
        let units = self.first.len() / self.block;
        matrix(&self.first, units, rows).reversed_axes()
    }
}

/// A batch, and what becomes of a block of it.
struct Batch<'a, 'd, T: Float> {
    problem: &'a Problem<'a, 'd, T>,
    rows: &'a Rows<'a>,
    parameters: &'a Parameters<T>,
    scale: f64,
    /// `Z_1` of all rows, without its bias, if it is known.
    first: Option<ArrayView2<'a, T>>,
    /// Whether this is the batch's first block.
    fresh: bool,
}

impl<T: Float> Batch<'_, '_, T> {
    /// Takes the rows at those places through one lane, and adds their gradients to `gradients`, or writes them if they
    /// are the lane's first; where `Z_1` is given, `dZ_1ᵀ` goes to its place in `deltas`.
    fn pass(
        &self,
        ctx: &Context,
        lane: &mut Lane<T>,
        places: Range<usize>,
        gradients: &mut Parameters<T>,
        deltas: &Disjoint<'_, T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<f64> {
        let first = self.first.map(|z| z.slice_move(s![places.clone(), ..]));
        let (rows, from) = (self.rows.part(places.clone()), places.start);
        let deltas = first.is_some().then_some((deltas, places, self.rows.len()));
        let (parameters, scale) = (self.parameters, T::from_f64(self.scale));
        let mut sink = Accumulate { parameters, gradients, scale, fresh: self.fresh, deltas };
        lane.pass(ctx, self.problem, &rows, from, first, &mut sink, stop)
    }
}

/// Adds gradients up: `scale · Σ`.
struct Accumulate<'a, T: Float> {
    parameters: &'a Parameters<T>,
    gradients: &'a mut Parameters<T>,
    scale: T,
    /// Whether nothing is there yet to add to.
    fresh: bool,
    /// Where `dZ_1ᵀ` of the batch is wanted, (n_1, rows), the places of these rows in it, and how many rows it has.
    deltas: Option<(&'a Disjoint<'a, T>, Range<usize>, usize)>,
}

impl<T: Float> GradientSink<T> for Accumulate<'_, T> {
    fn parameters(&self) -> &Parameters<T> {
        self.parameters
    }

    fn normalization(&mut self, _: &Context, l: usize, gain: &[T], shift: &[T]) {
        let (scale, fresh) = (self.scale, self.fresh);
        let to = self.gradients.normalization_mut(l).expect("gradients have the form");
        for (to, sums) in [(to.gain, gain), (to.shift, shift)] {
            for (to, &sum) in to.iter_mut().zip(sums) {
                *to = scale * sum + if fresh { T::ZERO } else { *to };
            }
        }
    }

    fn layer(
        &mut self,
        ctx: &Context,
        l: usize,
        a: ArrayView2<'_, T>,
        dz: ArrayView2<'_, T>,
    ) -> Result<()> {
        let keep = if self.fresh { T::ZERO } else { T::ONE };
        let (dw, mut db) = self.gradients.layer_mut(l);
        let db = db.as_slice_mut().expect("biases lie one behind the other");
        match self.parameters.places(l).bias_counts() {
            true => linear_backward_bias(ctx, self.scale, dz, keep, db)?,
            false => db.fill(T::ZERO),
        }
        if let Some((deltas, places, rows)) = self.deltas.as_ref().filter(|_| l == 0) {
            for (unit, dz) in dz.columns().into_iter().enumerate() {
                let start = unit * rows;
                // SAFETY: these places are this lane's.
                let to = unsafe { deltas.part(start + places.start..start + places.end) };
                ArrayViewMut1::from(to).assign(&dz);
            }
            return Ok(());
        }
        linear_backward_weight(ctx, self.scale, dz, a, keep, dw, Epilogue::None)
    }
}
