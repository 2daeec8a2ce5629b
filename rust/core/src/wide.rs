//! A wide first layer on samples that stay: a full batch, read once an epoch.
//!
//! Where an example has thousands of features and the first layer few units, an epoch is two products with the samples,
//! `Z_1 = X W_1ᵀ` and `dW_1 = dZ_1ᵀ X`, which do little with each number: what takes the time is to fetch `X`, twice. But
//! the columns of `X` that a block of `W_1` goes with are all that its update needs, and all that it meets in the next
//! forward pass. So the layer is cut into blocks of columns, and one goes through both while it is in the cache:
//!
//! ```text
//! for each block B of columns     W_B ← W_B - step(dZ_1ᵀ X_B)         of this epoch
//!                                 P   ← P + X_B W_Bᵀ                  of the next one
//! ```
//!
//! `X` is packed once, in the order in which the kernels read it (`gemm/packed.rs`), and the blocks keep their weights,
//! and what the optimiser knows of them, while a call of epochs is under way. Groups of blocks are tasks, and each adds up its own
//! `P`; how many there are follows from the sizes, and so do all sums. The layers behind go their usual way
//! (`batch.rs`), as they do where the first is trained in the space of examples.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, s};

use crate::architecture::Architecture;
use crate::backprop::{matrix, matrix_mut};
use crate::batch::Passes;
use crate::buffer::Buffer;
use crate::context::Context;
use crate::disjoint::{Disjoint, share};
use crate::epoch::MeanCost;
use crate::error::Result;
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::gemm::packed::{MOST_ROWS, Packed};
use crate::lanes::Problem;
use crate::math::map::{Add, zip_in_place};
use crate::math::sum_of_squares;
use crate::parameters::Parameters;
use crate::penalty::sum_of_squared_weights;
use crate::samples::{Place, Rows, Samples};
use crate::step::Step;
use crate::update::{Changed, update_apart};
use crate::way::Course;

/// Bytes of a row of a block: 512 `f32` or 256 `f64`. With some hundred examples a block stays in the second level.
const BLOCK_BYTES: usize = 2048;

/// The most examples: more, and a block no longer stays there.
const MOST_SAMPLES: usize = 400;

/// The fewest numbers in `X` for which it matters how often they are fetched.
const FEWEST_NUMBERS: usize = 1 << 20;

/// The most bytes that a copy of `X` may take.
const MOST_BYTES: usize = 32 << 20;

/// Groups of blocks.
const GROUPS: usize = 8;

/// Pieces of `Z_1` that are added up side by side.
const PIECES: usize = 4;

/// A row of a block's weights begins so many elements behind a multiple of so many.
const APART: usize = 16;

/// A first layer in blocks, and the passes through the layers behind it.
pub(crate) struct Wide<T: Float> {
    scale: T,
    rows: usize,
    units: usize,
    groups: Vec<Group<T>>,
    passes: Passes<T>,
    /// `Z_1ᵀ` without its bias, (units, rows).
    z: Buffer<T>,
    /// How many more epochs the run has.
    left: usize,
    /// Which samples are packed.
    packed: Option<Place>,
}

/// Some blocks, one after the other a thread's work.
#[repr(align(128))]
struct Group<T: Float> {
    blocks: Vec<Block<T>>,
    /// `Σ X_B W_Bᵀ`, (rows, units).
    part: Buffer<T>,
}

struct Block<T: Float> {
    columns: Range<usize>,
    samples: Packed<T>,
    /// The weights, (units, columns) in rows that are `stride` apart, then what the optimiser knows of them.
    arrays: Vec<Buffer<T>>,
    stride: usize,
    /// Room for their gradient.
    gradient: Buffer<T>,
}

/// Whether a network's first layer is worth it, for a batch of all of so many samples.
fn pays<T>(architecture: &Architecture, samples: usize) -> bool {
    let sizes = architecture.sizes();
    let numbers = samples.saturating_mul(sizes[0]);
    !architecture.is_normalized()
        && sizes.len() > 2
        && sizes[1] <= MOST_ROWS
        && samples <= MOST_SAMPLES
        && (FEWEST_NUMBERS..=MOST_BYTES / size_of::<T>()).contains(&numbers)
}

impl<T: Float> Wide<T> {
    /// For a batch of all of so many samples, and an optimiser with so many slots; none if it is not worth it.
    pub(crate) fn of(
        architecture: &Architecture,
        uint8_scale: f64,
        samples: usize,
        slots: usize,
    ) -> Result<Option<Self>> {
        if !pays::<T>(architecture, samples) {
            return Ok(None);
        }
        let (features, units) = (architecture.sizes()[0], architecture.sizes()[1]);
        let width = BLOCK_BYTES / size_of::<T>();
        let count = features.div_ceil(width);
        let block = |i: usize| {
            let columns = i * width..features.min((i + 1) * width);
            Block::new(samples, units, columns, slots)
        };
        let groups = GROUPS.min(count);
        let group = |g: usize| -> Result<Group<T>> {
            let blocks = share(count, groups, g).map(block).collect::<Result<_>>()?;
            Ok(Group { blocks, part: Buffer::zeros(samples * units, "activations")? })
        };
        Ok(Some(Self {
            scale: T::from_f64(uint8_scale),
            rows: samples,
            units,
            groups: (0..groups).map(group).collect::<Result<_>>()?,
            passes: Passes::without_samples(architecture, uint8_scale, samples)?,
            z: Buffer::zeros(samples * units, "activations")?,
            left: 0,
            packed: None,
        }))
    }

    /// Takes over the samples and the first layer until the run, of so many epochs, [ends](Self::end_run). Samples that
    /// lie where those of the last run lay are the same, and packed already.
    pub(crate) fn begin_run(
        &mut self,
        ctx: &Context,
        x: &Samples<'_>,
        parameters: &Parameters<T>,
        slots: &[Parameters<T>],
        epochs: usize,
    ) -> Result<()> {
        let (scale, rows) = (self.scale, self.rows);
        self.left = epochs;
        let load = self.packed.take() != Some(x.place());
        in_groups(ctx, &mut self.groups, |ctx, group| {
            for block in &mut group.blocks {
                if load {
                    block.load(ctx, x, rows, scale)?;
                }
                let all = std::iter::once(parameters).chain(slots);
                for (own, all) in block.arrays.iter_mut().zip(all) {
                    let from = all.weight(0).slice_move(s![.., block.columns.clone()]);
                    let mut to = matrix_mut(own, from.nrows(), block.stride);
                    to.slice_mut(s![.., ..from.ncols()]).assign(&from);
                }
            }
            group.forward();
            Ok(0.0)
        })?;
        self.packed = Some(x.place());
        Ok(())
    }

    /// Gives the first layer's weights back.
    pub(crate) fn end_run(&self, parameters: &mut Parameters<T>, slots: &mut [Parameters<T>]) {
        for block in self.groups.iter().flat_map(|group| &group.blocks) {
            let all = std::iter::once(&mut *parameters).chain(slots.iter_mut());
            for (own, all) in block.arrays.iter().zip(all) {
                let mut to = all.layer_mut(0).0;
                to.slice_mut(s![.., block.columns.clone()]).assign(&block.view(own));
            }
        }
    }

    /// Takes all samples through the network and back, and makes a step: an epoch. Where the cost is not finite, no
    /// parameter has been changed.
    ///
    /// # Errors
    /// As the products; [`Error::Interrupted`](crate::Error::Interrupted) when `stop` says so.
    pub(crate) fn epoch(
        &mut self,
        ctx: &Context,
        course: &Course<'_, '_, T>,
        changed: &mut Changed<'_, T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<MeanCost> {
        let mut cost = MeanCost::default();
        for batch in course.epoch.batches() {
            let step = Step::of(course.settings, &batch);
            let (sum, squares) = self.step(ctx, &course.problem(&batch), &step, changed, stop)?;
            cost.add(step.m, step.cost(sum, squares));
        }
        Ok(cost)
    }

    /// Returns Σ w_i J_i and, if the step has a penalty, Σ W² before it.
    fn step(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        step: &Step,
        changed: &mut Changed<'_, T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<(f64, f64)> {
        let all = Rows::Run(0..self.rows);
        self.add_up(ctx);
        let z = matrix(&self.z, self.units, self.rows).reversed_axes();
        let Changed { parameters, gradients, .. } = &mut *changed;
        let sum = self.passes.accumulate(
            ctx,
            problem,
            &all,
            parameters,
            gradients,
            step.scale(),
            Some(z),
            stop,
        )?;
        if !sum.is_finite() {
            return Ok((sum, 0.0));
        }
        self.left -= 1;
        let goes_on = self.left > 0;
        let penalized = step.decay != 0.0;
        let dz = self.passes.first_delta(self.rows);
        let squares = in_groups(ctx, &mut self.groups, |ctx, group| {
            let squares = if penalized { group.sum_of_squares(ctx) } else { 0.0 };
            group.update(ctx, step, dz)?;
            if goes_on {
                group.forward();
            }
            Ok(squares)
        })?;
        let Changed { parameters, gradients, slots } = changed;
        let behind = match penalized {
            true => sum_of_squared_weights(ctx, parameters, 1),
            false => 0.0,
        };
        let start = parameters.places(0).bias.start;
        step.everything(ctx, start, parameters, gradients, self.passes.others(self.rows), slots);
        Ok((sum, squares + behind))
    }

    /// `Z_1` from the groups' parts.
    fn add_up(&mut self, ctx: &Context) {
        let Self { rows, units, ref mut groups, ref mut z, .. } = *self;
        let (first, others) = groups.split_first_mut().expect("there is a block");
        let (sums, z) = (Disjoint::new(&mut first.part), Disjoint::new(z));
        ctx.parallel(PIECES, |i| {
            let piece = share(rows, PIECES, i);
            let range = piece.start * units..piece.end * units;
            // SAFETY: the pieces do not overlap, and they have rows of their own in `z`.
            let (sum, mut z) = unsafe {
                let shape = (units, piece.len());
                (sums.part(range.clone()), z.block(piece.start, shape, rows))
            };
            for other in others.iter() {
                zip_in_place(ctx.isa(), Add, &other.part[range.clone()], sum);
            }
            z.assign(&matrix(sum, piece.len(), units).reversed_axes());
        });
    }
}

/// Calls `f` for each group, on the context's threads, and adds up what it returns.
fn in_groups<T: Float>(
    ctx: &Context,
    groups: &mut [Group<T>],
    f: impl Fn(&Context, &mut Group<T>) -> Result<f64> + Sync,
) -> Result<f64> {
    let mut results = [const { Ok(0.0) }; GROUPS];
    {
        let (count, alone) = (groups.len(), ctx.serial());
        let (groups, results) = (Disjoint::new(groups), Disjoint::new(&mut results));
        ctx.parallel(count, |i| {
            // SAFETY: each task has a group and a result of its own.
            let (group, result) =
                unsafe { (&mut groups.part(i..i + 1)[0], &mut results.part(i..i + 1)[0]) };
            *result = f(&alone, group);
        });
    }
    results.into_iter().sum()
}

impl<T: Float> Group<T> {
    /// Its part of `Z_1`.
    fn forward(&mut self) {
        for (i, block) in self.blocks.iter().enumerate() {
            block.samples.times_transposed(block.view(&block.arrays[0]), i > 0, &mut self.part);
        }
    }

    /// Σ W² of its blocks.
    fn sum_of_squares(&self, ctx: &Context) -> f64 {
        // What is between the rows is zero.
        self.blocks.iter().map(|block| sum_of_squares(ctx.isa(), &block.arrays[0])).sum()
    }

    /// Makes the optimiser's step on its blocks: dz is `dZ_1`, (rows, units).
    fn update(&mut self, ctx: &Context, step: &Step, dz: ArrayView2<'_, T>) -> Result<()> {
        for block in &mut self.blocks {
            let Block { columns, samples, arrays, stride, gradient } = block;
            let shape = (dz.ncols(), columns.len());
            let product = |scale, keep, dw: ArrayViewMut2<'_, T>, then: Epilogue<'_, T>| {
                samples.product(scale, dz.reversed_axes(), keep, dw, then);
                Ok(())
            };
            update_apart(ctx, step, arrays, gradient, shape, *stride, product)?;
        }
        Ok(())
    }
}

impl<T: Float> Block<T> {
    fn new(samples: usize, units: usize, columns: Range<usize>, slots: usize) -> Result<Self> {
        // Rows that are a multiple of a page apart would fight for the same lines of the cache.
        let stride = columns.len().next_multiple_of(APART) + APART;
        let array = |_| Buffer::zeros(units * stride, "parameters");
        Ok(Self {
            samples: Packed::zeros(samples, columns.len())?,
            arrays: (0..=slots).map(array).collect::<Result<_>>()?,
            stride,
            gradient: array(0)?,
            columns,
        })
    }

    /// Packs its columns of the samples.
    fn load(&mut self, ctx: &Context, x: &Samples<'_>, rows: usize, scale: T) -> Result<()> {
        let x = x.columns(self.columns.clone());
        if let Some(x) = x.as_float::<T>() {
            self.samples.fill(ctx.isa(), x.view());
            return Ok(());
        }
        let mut room = Buffer::zeros(rows * self.columns.len(), "a block of samples")?;
        let mut widened = matrix_mut(&mut room, rows, self.columns.len());
        x.load(ctx, &Rows::Run(0..rows), scale, widened.view_mut());
        self.samples.fill(ctx.isa(), widened.view());
        Ok(())
    }

    /// One of its arrays as a matrix, (units, columns).
    fn view<'a>(&self, array: &'a Buffer<T>) -> ArrayView2<'a, T> {
        let rows = matrix(array, array.len() / self.stride, self.stride);
        rows.slice_move(s![.., ..self.columns.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Normalization, Output};

    #[test]
    fn wide_layers_of_few_units_are_worth_it_and_others_are_not() {
        let form =
            |sizes: &[usize]| Architecture::new(sizes, Activation::Relu, Output::Softmax).unwrap();
        assert!(pays::<f32>(&form(&[12288, 20, 7, 5, 2]), 209));
        assert!(pays::<f64>(&form(&[12288, 20, 7, 5, 2]), 209));
        // Those of `tests/ways.rs`, which would compare nothing if they were not.
        assert!(pays::<f64>(&form(&[4001, 24, 3]), 333));
        assert!(pays::<f64>(&form(&[6000, 5, 7, 2]), 333));
        assert!(!pays::<f32>(&form(&[12288, 2]), 209), "no layer behind");
        assert!(!pays::<f32>(&form(&[12288, 25, 2]), 209), "too many units");
        assert!(!pays::<f32>(&form(&[784, 20, 2]), 209), "too few numbers");
        assert!(!pays::<f32>(&form(&[3000, 20, 2]), 401), "too many samples");
        assert!(!pays::<f64>(&form(&[20_000, 20, 2]), 300), "too large a copy");
        let normalized = form(&[12288, 20, 2]).normalized(vec![Some(Normalization::Layer)]);
        assert!(!pays::<f32>(&normalized.unwrap(), 209));
    }
}
