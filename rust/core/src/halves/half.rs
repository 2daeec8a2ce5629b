//! One half: its buffers, and what it does in a step, before the other's share of `Z_2` is wanted and after.

use std::ops::Range;

use ndarray::{ArrayView2, s};

use super::Part;
use crate::activation::Activation;
use crate::ahead::Ahead;
use crate::architecture::Architecture;
use crate::backprop::{activate, activation_backward, matrix, matrix_mut};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::disjoint::share;
use crate::error::Result;
use crate::float::Float;
use crate::gemm::{Epilogue, gemm};
use crate::lanes::Problem;
use crate::loader::{SampleLoader, TargetLoader};
use crate::math::map::{Add, zip_in_place};
use crate::math::sum_of_squares;
use crate::parameters::Parameters;
use crate::samples::Rows;
use crate::sink::GradientSink;
use crate::step::Step;
use crate::update::{Changed, Shared, UpdateAtOnce};

/// A half's own buffers, apart from the other's.
#[repr(align(128))]
pub(super) struct Half<T: Float> {
    /// Which of the two it is, and its units of the first layer.
    pub(super) i: usize,
    pub(super) units: Range<usize>,
    samples: SampleLoader<T>,
    targets: TargetLoader<T>,
    behind: Behind<T>,
    /// Of the hidden layers, (units, rows), but of the first layer only the half's own units: `A_l`, ...
    activations: Vec<Buffer<T>>,
    /// ... `Z_l`, where the activation is differentiated from it, ...
    inputs: Vec<Option<Buffer<T>>>,
    /// ... and `dZ_l`.
    deltas: Vec<Buffer<T>>,
    /// `Z_L`, then `dZ_L`, (rows, n_L).
    logits: Buffer<T>,
}

/// The layers behind the first, while a run is under way: of the second the half's own columns, all of the others. Layer
/// `l` of the network is number `l - 1` here.
///
/// Where the columns lie among the other half's, a core that fetches its own ahead takes the other's along, and each line
/// goes to and fro.
struct Behind<T: Float> {
    parameters: Parameters<T>,
    gradients: Parameters<T>,
    slots: Vec<Parameters<T>>,
}

impl<T: Float> Half<T> {
    /// Half `i`, for batches of up to `rows` rows and an optimiser with so many slots.
    pub(super) fn new(
        architecture: &Architecture,
        uint8_scale: f64,
        rows: usize,
        slots: usize,
        i: usize,
    ) -> Result<Self> {
        let own = share(architecture.sizes()[1], 2, i);
        let behind = architecture.behind_first(own.len())?;
        let (sizes, last) = (behind.sizes(), behind.layers());
        let (mut activations, mut inputs, mut deltas) = (Vec::new(), Vec::new(), Vec::new());
        for (&units, g) in sizes[..last].iter().zip(architecture.hidden()) {
            let buffer = || Buffer::zeros(units * rows, "activations");
            activations.push(buffer()?);
            deltas.push(buffer()?);
            inputs.push(if g.saves_input() { Some(buffer()?) } else { None });
        }
        let zeros = || Parameters::zeros(&behind);
        Ok(Self {
            i,
            units: own,
            samples: SampleLoader::new(uint8_scale),
            targets: TargetLoader::default(),
            behind: Behind {
                parameters: zeros()?,
                gradients: zeros()?,
                slots: (0..slots).map(|_| zeros()).collect::<Result<_>>()?,
            },
            activations,
            inputs,
            deltas,
            logits: Buffer::zeros(sizes[last] * rows, "activations")?,
        })
    }

    /// See [`Halves::begin_run`](super::Halves::begin_run).
    pub(super) fn begin_run(&mut self, parameters: &Parameters<T>, slots: &[Parameters<T>]) {
        self.samples.reset();
        let Behind { parameters: own, slots: own_slots, .. } = &mut self.behind;
        let all = std::iter::once(parameters).chain(slots);
        for (to, from) in std::iter::once(own).chain(own_slots).zip(all) {
            for l in 1..from.layers() {
                let columns = if l == 1 { self.units.clone() } else { 0..from.weight(l).ncols() };
                let (mut weight, mut bias) = to.layer_mut(l - 1);
                weight.assign(&from.weight(l).slice(s![.., columns]));
                bias.assign(&from.bias(l));
            }
        }
    }

    /// See [`Halves::end_run`](super::Halves::end_run).
    pub(super) fn end_run(&self, parameters: &mut Parameters<T>, slots: &mut [Parameters<T>]) {
        let Behind { parameters: own, slots: own_slots, .. } = &self.behind;
        let all = std::iter::once(parameters).chain(slots);
        for (from, to) in std::iter::once(own).chain(own_slots).zip(all) {
            for l in 1..to.layers() {
                let (mut weight, mut bias) = to.layer_mut(l);
                let columns = if l == 1 { self.units.clone() } else { 0..weight.ncols() };
                weight.slice_mut(s![.., columns]).assign(&from.weight(l - 1));
                bias.assign(&from.bias(l - 1));
            }
        }
    }
}

/// A step's passes.
impl<T: Float> Half<T> {
    /// Up to what this half adds to `Z_2`: `w` and `b` are the first layer's, of this half's units.
    pub(super) fn begin(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        rows: &Rows<'_>,
        (w, b): (ArrayView2<'_, T>, &[T]),
        part: &mut [T],
    ) -> Result<()> {
        let Problem { architecture, data, .. } = *problem;
        let m = rows.len();
        self.samples.prepare(ctx, &data.x, rows)?;
        let x = self.samples.view(&data.x, rows).reversed_axes();
        let input = self.inputs[0].as_deref_mut();
        hidden(ctx, architecture.activation(0), w, x, b, &mut self.activations[0], input)?;

        let a = matrix(&self.activations[0], b.len(), m);
        let w = self.behind.parameters.weight(0);
        let part = match architecture.layers() {
            2 => matrix_mut(part, m, w.nrows()).reversed_axes(),
            _ => matrix_mut(part, w.nrows(), m),
        };
        gemm(ctx, T::ONE, w, a, T::ZERO, part, Epilogue::None)
    }

    /// Its share of Σ W²: `w` is as there.
    pub(super) fn sum_of_squares(&self, ctx: &Context, w: ArrayView2<'_, T>) -> f64 {
        let first = w.as_slice().expect("rows one behind the other");
        // What is behind the second layer both have.
        let layers = if self.i == 0 { self.behind.parameters.layers() } else { 1 };
        let behind = (0..layers).map(|l| self.behind.parameters.weight_slice(l));
        std::iter::once(first).chain(behind).map(|w| sum_of_squares(ctx.isa(), w)).sum()
    }

    /// From `Z_2` on to the loss, Σ w_i J_i, and `dZ_L`.
    pub(super) fn loss(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        rows: &Rows<'_>,
        parts: &[Part<T>],
    ) -> Result<f64> {
        let Problem { architecture, loss, data, .. } = *problem;
        self.meet(ctx, architecture, rows.len(), parts);
        self.forward(ctx, architecture, rows.len())?;
        let logits = matrix_mut(&mut self.logits, rows.len(), architecture.outputs());
        let (y, weights) = self.targets.load(data, rows);
        Ok(loss.value_and_gradient(ctx.isa(), logits, y, weights))
    }

    /// `Z_2` from the parts of both halves, and `A_2`.
    fn meet(&mut self, ctx: &Context, architecture: &Architecture, m: usize, parts: &[Part<T>]) {
        let len = architecture.sizes()[2] * m;
        let b = self.behind.parameters.bias_slice(0);
        let hidden = self.activations.get_mut(1);
        let is_last = hidden.is_none();
        let z = &mut hidden.unwrap_or(&mut self.logits)[..len];
        z.copy_from_slice(&parts[0].z[..len]);
        zip_in_place(ctx.isa(), Add, &parts[1].z[..len], z);
        if is_last {
            for row in z.chunks_exact_mut(b.len()) {
                row.iter_mut().zip(b).for_each(|(z, &b)| *z += b);
            }
        } else {
            for (unit, &b) in z.chunks_exact_mut(m).zip(b) {
                unit.iter_mut().for_each(|z| *z += b);
            }
            activate(ctx, architecture.activation(1), z, self.inputs[1].as_deref_mut());
        }
    }

    /// The layers behind the second, up to the logits.
    fn forward(&mut self, ctx: &Context, architecture: &Architecture, m: usize) -> Result<()> {
        let (sizes, last) = (architecture.sizes(), architecture.layers() - 1);
        for l in 2..=last {
            let (before, after) = self.activations.split_at_mut(l);
            let a = matrix(&before[l - 1], sizes[l], m);
            let behind = &self.behind.parameters;
            let (w, b) = (behind.weight(l - 1), behind.bias_slice(l - 1));
            if let Some(after) = after.first_mut() {
                let input = self.inputs[l].as_deref_mut();
                hidden(ctx, architecture.activation(l), w, a, b, after, input)?;
            } else {
                let (a, w) = (a.reversed_axes(), w.reversed_axes());
                let z = matrix_mut(&mut self.logits, m, sizes[l + 1]);
                gemm(ctx, T::ONE, a, w, T::ZERO, z, Epilogue::Bias(b))?;
            }
        }
        Ok(())
    }

    /// From `dZ_L` back through all layers, and the optimiser's step on each.
    ///
    /// # Safety
    /// Nobody else has the first layer's parameters of this half's units.
    pub(super) unsafe fn back(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        rows: &Rows<'_>,
        step: &Step,
        first: &Shared<'_, T>,
    ) -> Result<()> {
        let Problem { architecture, data, next, .. } = *problem;
        let (sizes, last, m) = (architecture.sizes(), architecture.layers() - 1, rows.len());
        let Self { units, behind, activations, inputs, deltas, logits, .. } = self;
        for l in (1..=last).rev() {
            let (before, after) = deltas.split_at_mut(l);
            let dz = match after.first() {
                Some(delta) => matrix(delta, sizes[l + 1], m).reversed_axes(),
                None => matrix(logits, m, sizes[l + 1]),
            };
            let w = behind.parameters.weight(l - 1);
            let n = w.ncols();
            let delta = &mut before[l - 1][..n * m];
            let (w, dz_t, da) = (w.reversed_axes(), dz.reversed_axes(), matrix_mut(delta, n, m));
            gemm(ctx, T::ONE, w, dz_t, T::ZERO, da, Epilogue::None)?;
            let g = architecture.activation(l - 1).expect("a hidden layer has one");
            let saved = inputs[l - 1].as_ref().unwrap_or(&activations[l - 1]);
            activation_backward(ctx, g, saved, delta);

            let a = matrix(&activations[l - 1], n, m).reversed_axes();
            UpdateAtOnce { step: *step, changed: behind.changed() }.layer(ctx, l - 1, a, dz)?;
        }
        let dz = matrix(&deltas[0], units.len(), m).reversed_axes();
        let x = self.samples.view(&data.x, rows);
        let ahead = Ahead::of(&data.x, next, units.len() * sizes[0]);
        // SAFETY: the caller's promise.
        unsafe { first.update(ctx, step, (0, units.clone()), x, dz, ahead.as_ref()) }
    }
}

impl<T: Float> Behind<T> {
    fn changed(&mut self) -> Changed<'_, T> {
        let Self { parameters, gradients, slots } = self;
        Changed { parameters, gradients, slots }
    }
}

/// `A = g(W A' + b)`, (units, rows): w is (units, n), a is (n, rows), and `to` has room for it.
fn hidden<T: Float>(
    ctx: &Context,
    g: Option<Activation>,
    w: ArrayView2<'_, T>,
    a: ArrayView2<'_, T>,
    b: &[T],
    to: &mut [T],
    input: Option<&mut [T]>,
) -> Result<()> {
    let (units, rows) = (b.len(), a.ncols());
    let to = &mut to[..units * rows];
    let relu = g == Some(Activation::Relu);
    let then = if relu { Epilogue::BiasRelu(b) } else { Epilogue::Bias(b) };
    let (a, w) = (a.reversed_axes(), w.reversed_axes());
    gemm(ctx, T::ONE, a, w, T::ZERO, matrix_mut(to, units, rows).reversed_axes(), then)?;
    activate(ctx, g.filter(|_| !relu), to, input);
    Ok(())
}
