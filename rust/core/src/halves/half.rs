//! One half: its buffers, and what it does in a step, before the other's share of `Z_2` is wanted and after.

use crate::activation::Activation;
use crate::ahead::Ahead;
use crate::architecture::Architecture;
use crate::backprop::{activate, activation_backward, matrix, matrix_mut};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::dense::linear_backward_weight;
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
use crate::update::Shared;
use ndarray::{ArrayView2, s};

/// A half's own buffers, apart from the other's.
#[repr(align(128))]
pub(super) struct Half<T: Float> {
    pub(super) samples: SampleLoader<T>,
    targets: TargetLoader<T>,
    /// The half's own columns of `W_2`, while a run is under way.
    pub(super) second: Second<T>,
    /// The parameters from `b_2` on, as they were when the step began: the other half may be changing them already.
    kept: Parameters<T>,
    /// Of the hidden layers, (units, rows), but of the first layer only the half's own units: `A_l`, ...
    activations: Vec<Buffer<T>>,
    /// ... `Z_l`, where the activation is differentiated from it, ...
    inputs: Vec<Option<Buffer<T>>>,
    /// ... and `dZ_l`.
    deltas: Vec<Buffer<T>>,
    /// `Z_L`, then `dZ_L`, (rows, n_L).
    logits: Buffer<T>,
}

/// A half's own columns of `W_2`, (n_2, units) without gaps. Where they lie among the other half's, a core that fetches
/// its own ahead takes the other's along, and each line goes to and fro.
pub(super) struct Second<T: Float> {
    /// The weights, then what the optimiser knows of them.
    pub(super) arrays: Vec<Buffer<T>>,
    /// Room for their gradient.
    gradient: Buffer<T>,
}

impl<T: Float> Half<T> {
    pub(super) fn new(
        architecture: &Architecture,
        uint8_scale: f64,
        rows: usize,
        slots: usize,
        i: usize,
    ) -> Result<Self> {
        let (sizes, last) = (&architecture.sizes()[1..], architecture.layers() - 1);
        let units = |l: usize| if l == 0 { share(sizes[0], 2, i).len() } else { sizes[l] };
        let (mut activations, mut inputs, mut deltas) = (Vec::new(), Vec::new(), Vec::new());
        for l in 0..last {
            let buffer = || Buffer::zeros(units(l) * rows, "activations");
            activations.push(buffer()?);
            deltas.push(buffer()?);
            let saves = architecture.activation(l).is_some_and(Activation::saves_input);
            inputs.push(if saves { Some(buffer()?) } else { None });
        }
        let second = || Buffer::zeros(sizes[1] * units(0), "parameters");
        let mut arrays = Vec::new();
        for _ in 0..=slots {
            arrays.push(second()?);
        }
        Ok(Self {
            samples: SampleLoader::new(uint8_scale),
            targets: TargetLoader::default(),
            second: Second { arrays, gradient: second()? },
            kept: Parameters::zeros(architecture)?,
            activations,
            inputs,
            deltas,
            logits: Buffer::zeros(sizes[last] * rows, "activations")?,
        })
    }

    /// Half `i` up to what it adds to `Z_2`.
    pub(super) fn begin(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        rows: &Rows<'_>,
        parameters: &Parameters<T>,
        i: usize,
        part: &mut [T],
    ) -> Result<()> {
        let Problem { architecture, data, .. } = *problem;
        let (sizes, m) = (architecture.sizes(), rows.len());
        let own = share(sizes[1], 2, i);
        let rest = parameters.places(1).bias.start;
        self.kept.values_mut()[rest..].copy_from_slice(&parameters.values()[rest..]);

        self.samples.prepare(ctx, &data.x, rows)?;
        let x = self.samples.view(&data.x, rows).reversed_axes();
        let w = parameters.weight(0).slice_move(s![own.clone(), ..]);
        let b = &parameters.bias_slice(0)[own.clone()];
        let input = self.inputs[0].as_deref_mut();
        hidden(ctx, architecture.activation(0), w, x, b, &mut self.activations[0], input)?;

        let a = matrix(&self.activations[0], own.len(), m);
        let w = matrix(&self.second.arrays[0], sizes[2], own.len());
        let part = match architecture.layers() {
            2 => matrix_mut(part, m, sizes[2]).reversed_axes(),
            _ => matrix_mut(part, sizes[2], m),
        };
        gemm(ctx, T::ONE, w, a, T::ZERO, part, Epilogue::None)
    }

    /// Its share of Σ W².
    pub(super) fn sum_of_squares(
        &self,
        ctx: &Context,
        parameters: &Parameters<T>,
        i: usize,
    ) -> f64 {
        let (units, n) = parameters.weight(0).dim();
        let own = share(units, 2, i);
        let first = &parameters.weight_slice(0)[own.start * n..own.end * n];
        let behind = if i == 0 { 2..parameters.layers() } else { 0..0 };
        let all = [first, &self.second.arrays[0]].into_iter();
        let all = all.chain(behind.map(|l| self.kept.weight_slice(l)));
        all.map(|w| sum_of_squares(ctx.isa(), w)).sum()
    }

    /// Half `i` from `Z_2` on, to the loss, back, and to the new parameters; these only if the loss is finite.
    ///
    /// # Safety
    /// Nobody else has the parameters of this half's units, nor its half of those of the layers behind.
    pub(super) unsafe fn finish(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        rows: &Rows<'_>,
        shared: &Shared<'_, T>,
        i: usize,
        parts: &[Buffer<T>; 2],
    ) -> Result<f64> {
        let Problem { architecture, loss, data, .. } = *problem;
        self.meet(ctx, architecture, rows.len(), parts);
        self.behind(ctx, architecture, rows.len())?;
        let logits = matrix_mut(&mut self.logits, rows.len(), architecture.outputs());
        let (y, weights) = self.targets.load(data, rows);
        let value = loss.value_and_gradient(ctx.isa(), logits, y, weights);
        if value.is_finite() {
            // SAFETY: the caller's promise.
            unsafe { self.back(ctx, problem, rows, shared, i)? };
        }
        Ok(value)
    }

    /// `Z_2` from the parts of both halves, and `A_2`.
    fn meet(
        &mut self,
        ctx: &Context,
        architecture: &Architecture,
        m: usize,
        [part, other]: &[Buffer<T>; 2],
    ) {
        let len = architecture.sizes()[2] * m;
        let b = self.kept.bias_slice(1);
        let hidden = self.activations.get_mut(1);
        let is_last = hidden.is_none();
        let z = &mut hidden.unwrap_or(&mut self.logits)[..len];
        z.copy_from_slice(&part[..len]);
        zip_in_place(ctx.isa(), Add, &other[..len], z);
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
    fn behind(&mut self, ctx: &Context, architecture: &Architecture, m: usize) -> Result<()> {
        let (sizes, last) = (architecture.sizes(), architecture.layers() - 1);
        for l in 2..=last {
            let (before, after) = self.activations.split_at_mut(l);
            let a = matrix(&before[l - 1], sizes[l], m);
            let (w, b) = (self.kept.weight(l), self.kept.bias_slice(l));
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
    /// As [`finish`](Self::finish).
    unsafe fn back(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        rows: &Rows<'_>,
        shared: &Shared<'_, T>,
        i: usize,
    ) -> Result<()> {
        let Problem { architecture, data, next, .. } = *problem;
        let (sizes, last, m) = (architecture.sizes(), architecture.layers() - 1, rows.len());
        let own = share(sizes[1], 2, i);
        let Self { second, kept, activations, inputs, deltas, logits, .. } = self;
        for l in (1..=last).rev() {
            let (before, after) = deltas.split_at_mut(l);
            let dz = match after.first() {
                Some(delta) => matrix(delta, sizes[l + 1], m).reversed_axes(),
                None => matrix(logits, m, sizes[l + 1]),
            };
            let (w, n) = match l {
                1 => (matrix(&second.arrays[0], sizes[2], own.len()), own.len()),
                _ => (kept.weight(l), sizes[l]),
            };
            let delta = &mut before[l - 1][..n * m];
            let (w, dz_t, da) = (w.reversed_axes(), dz.reversed_axes(), matrix_mut(delta, n, m));
            gemm(ctx, T::ONE, w, dz_t, T::ZERO, da, Epilogue::None)?;
            let g = architecture.activation(l - 1).expect("a hidden layer has one");
            let saved = inputs[l - 1].as_ref().unwrap_or(&activations[l - 1]);
            activation_backward(ctx, g, saved, delta);

            let a = matrix(&activations[l - 1], n, m);
            if l == 1 {
                let (arrays, room, shape) =
                    (&mut second.arrays, &mut second.gradient, (sizes[2], n));
                shared.update_apart(ctx, arrays, room, shape, n, |scale, keep, dw, then| {
                    linear_backward_weight(ctx, scale, dz, a.reversed_axes(), keep, dw, then)
                })?;
            } else {
                let taken = share(n, 2, i);
                let a = a.slice_move(s![taken.clone(), ..]).reversed_axes();
                // SAFETY: the caller's promise.
                unsafe { shared.update_weights(ctx, l, (0..sizes[l + 1], taken), a, dz, None)? };
            }
            let units = share(sizes[l + 1], 2, i);
            let dz = dz.slice_move(s![.., units.clone()]);
            // SAFETY: the caller's promise.
            unsafe { shared.update_biases(ctx, l, units, dz)? };
        }
        let dz = matrix(&deltas[0], own.len(), m).reversed_axes();
        let x = self.samples.view(&data.x, rows);
        let ahead = Ahead::of(&data.x, next, own.len() * sizes[0]);
        // SAFETY: the caller's promise.
        unsafe {
            shared.update_biases(ctx, 0, own.clone(), dz)?;
            shared.update_weights(ctx, 0, (own, 0..sizes[0]), x, dz, ahead.as_ref())
        }
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
