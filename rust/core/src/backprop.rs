//! One block of rows, forward and backward through every layer.
//!
//! ```text
//! forward    Z_l = A_{l-1} W_lᵀ + b_l      A_l = g_l(Z_l)
//! backward   dZ_L from the loss            dA_{l-1} = dZ_l W_l
//!            dZ_{l-1} = dA_{l-1} ∘ g'_{l-1}
//! ```
//!
//! Where a layer is [normalised](crate::normalization), that stands between `Z_l` and `g_l`; where numbers are
//! [left out](crate::dropout), between `A_{l-1}` and `W_l`.
//!
//! The gradient of the input is never formed: nobody wants it, and it would be a third of the work.
//! Buffers are allocated once and reused for every block.

use ndarray::{ArrayView2, ArrayViewMut2, s};

use crate::activation::Activation;
use crate::architecture::Architecture;
use crate::buffer::Buffer;
use crate::context::Context;
use crate::dense::linear_backward_input;
use crate::dropout::Dropout;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::gemm::{Epilogue, gemm};
use crate::layout::Layout;
use crate::loader::Block;
use crate::loss::Loss;
use crate::math::map::{Unary, map};
use crate::normalization::{self, Room};
use crate::parameters::Parameters;
use crate::simd::VectorMath;
use crate::sink::GradientSink;

/// The most memory that the activations of a block may take.
const BLOCK_BYTES: usize = 32 << 20;

/// The most multiplications in a block: a fraction of a second's work, so that an interruption
/// is noticed soon.
const BLOCK_WORK: usize = 2 << 30;

/// How many rows go through the network at once: a function of the sizes and the element type, so
/// that the order of every sum is too.
pub(crate) fn rows_per_block<T: Float>(architecture: &Architecture) -> usize {
    let sizes = architecture.sizes();
    let units: usize = sizes[1..].iter().sum();
    let by_memory = BLOCK_BYTES / size_of::<T>() / (sizes[0] + 2 * units);
    let by_work = BLOCK_WORK / architecture.parameters();
    by_memory.min(by_work).clamp(16, 2048)
}

/// Room for the activations and gradients of a block of rows.
pub(crate) struct Workspace<T: Float> {
    /// Of the hidden layers. The logits always have an example a row.
    layout: Layout,
    /// `A_l`, (rows, n_l), for each layer; `Z_L`, then `dZ_L`, for the last.
    activations: Vec<Buffer<T>>,
    /// `Z_l` of the layers whose activation is differentiated from its input.
    inputs: Vec<Option<Buffer<T>>>,
    /// `dZ_l` of the hidden layers.
    deltas: Vec<Buffer<T>>,
    /// Of the layers that are normalised.
    rooms: Vec<Option<Room<T>>>,
    /// What is left out of the layers' inputs, if anything is.
    pub(crate) dropout: Option<Dropout<T>>,
}

impl<T: Float> Workspace<T> {
    /// Room for blocks of up to `rows` rows.
    pub(crate) fn new(architecture: &Architecture, rows: usize, layout: Layout) -> Result<Self> {
        let what = "activations";
        let rows = layout.padded(rows);
        let sizes = &architecture.sizes()[1..];
        let activations =
            sizes.iter().map(|n| Buffer::zeros(rows * n, what)).collect::<Result<_>>()?;
        let inputs = sizes
            .iter()
            .enumerate()
            .map(|(l, n)| match architecture.activation(l) {
                Some(g) if g.saves_input() => Buffer::zeros(rows * n, what).map(Some),
                _ => Ok(None),
            })
            .collect::<Result<_>>()?;
        let hidden = &sizes[..sizes.len() - 1];
        let deltas = hidden.iter().map(|n| Buffer::zeros(rows * n, what)).collect::<Result<_>>()?;
        let room = |(l, &n): (usize, &usize)| {
            let kind = architecture.normalization_of(l);
            kind.map(|kind| Room::new(kind, rows, n)).transpose()
        };
        let rooms = sizes.iter().enumerate().map(room).collect::<Result<_>>()?;
        let dropout = None;
        Ok(Self { layout, activations, inputs, deltas, rooms, dropout })
    }

    /// Leaves out what enters each layer with these probabilities, drawn from `seed`, for up to `rows` rows.
    pub(crate) fn drop_out(
        &mut self,
        architecture: &Architecture,
        rates: &[f64],
        seed: u64,
        rows: usize,
    ) -> Result<()> {
        let rows = self.layout.padded(rows);
        self.dropout = Some(Dropout::new(architecture, rates, seed, rows)?);
        Ok(())
    }

    /// The forward pass: leaves every `A_l` and the logits `Z_L` in the workspace. `first`, if it is known, is `Z_1`
    /// without its bias, (rows, n_1): then the samples are not read.
    pub(crate) fn forward(
        &mut self,
        ctx: &Context,
        architecture: &Architecture,
        parameters: &Parameters<T>,
        x: ArrayView2<'_, T>,
        first: Option<ArrayView2<'_, T>>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<()> {
        let rows = x.nrows();
        let padded = self.layout.padded(rows);
        if let Some(z) = first {
            let layout = self.layout(architecture, 0);
            let a = layout.view_mut(&mut self.activations[0], layout.padded(rows), z.ncols());
            let input = self.inputs[0].as_deref_mut();
            first_activations(ctx, architecture, z, parameters.bias_slice(0), a, input);
        }
        for l in usize::from(first.is_some())..architecture.layers() {
            look(stop)?;
            let layout = self.layout(architecture, l);
            let (before, after) = self.activations.split_at_mut(l);
            let n = architecture.sizes()[l];
            let mut a = before.last().map_or(x, |a| self.layout.view(a, padded, n));
            if let Some(dropout) = &mut self.dropout {
                dropout.forward(ctx, l, a.slice(s![..rows, ..]));
                a = dropout.kept(l, padded, n).unwrap_or(a);
            }
            let a = a.slice_move(s![..layout.padded(rows), ..]);
            let z = layout.view_mut(&mut after[0], a.nrows(), architecture.sizes()[l + 1]);
            let saved =
                Saved { input: self.inputs[l].as_deref_mut(), room: self.rooms[l].as_mut() };
            layer_forward(ctx, architecture, parameters, l, a, z, saved)?;
        }
        Ok(())
    }

    /// How the output of layer `l` lies.
    fn layout(&self, architecture: &Architecture, l: usize) -> Layout {
        if l + 1 == architecture.layers() { Layout::Rows } else { self.layout }
    }

    /// The logits of the last forward pass, (rows, n_L).
    pub(crate) fn logits(&mut self, rows: usize, outputs: usize) -> ArrayViewMut2<'_, T> {
        matrix_mut(self.activations.last_mut().expect("there is a layer"), rows, outputs)
    }

    /// The backward pass: returns the loss, a sum over the rows, and hands `A_{l-1}` and `dZ_l` of each layer to
    /// the sink, from the last layer to the first. Where the loss is not finite, nothing is handed over.
    pub(crate) fn backward(
        &mut self,
        ctx: &Context,
        architecture: &Architecture,
        loss: Loss,
        block: &Block<'_, T>,
        sink: &mut impl GradientSink<T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<f64> {
        let rows = block.x.nrows();
        let sizes = architecture.sizes();
        let last = architecture.layers() - 1;
        let logits = self.logits(rows, architecture.outputs());
        let value = loss.value_and_gradient(ctx.isa(), logits, block.y, block.weights);
        if !value.is_finite() {
            return Ok(value);
        }

        let layout = self.layout;
        let padded = layout.padded(rows);
        for l in (0..=last).rev() {
            look(stop)?;
            let (before, after) = self.activations.split_at(l);
            let (deltas_before, deltas_after) = self.deltas.split_at_mut(l);
            let dz = match l == last {
                true => matrix(&after[0], rows, sizes[l + 1]),
                false => layout.view(&deltas_after[0], padded, sizes[l + 1]),
            };
            let a = match (before.last(), deltas_before.last_mut()) {
                (Some(a), Some(delta)) => {
                    let mut da = layout.view_mut(delta, padded, sizes[l]);
                    let w = sink.parameters().weight(l);
                    linear_backward_input(ctx, dz, w, da.slice_mut(s![..dz.nrows(), ..]))?;
                    if let Some(dropout) = &self.dropout {
                        dropout.backward(l, da.slice_mut(s![..rows, ..]));
                    }
                    let g = architecture.activation(l - 1).expect("a hidden layer has one");
                    let saved = self.inputs[l - 1].as_deref().unwrap_or(a);
                    activation_backward(ctx, g, saved, &mut delta[..padded * sizes[l]]);
                    if let Some(room) = &mut self.rooms[l - 1] {
                        let by = sink.parameters().normalization(l - 1);
                        let by = by.expect("the parameters have the form");
                        room.backward(ctx, by, &mut delta[..rows * sizes[l]]);
                        let (gain, shift) = room.gradients();
                        sink.normalization(ctx, l - 1, gain, shift);
                    }
                    layout.view(a, padded, sizes[l])
                }
                _ => block.x.view(),
            };
            let kept = self.dropout.as_ref().and_then(|dropout| dropout.kept(l, rows, sizes[l]));
            let a = kept.unwrap_or(a);
            sink.layer(ctx, l, a.slice(s![..rows, ..]), dz.slice(s![..rows, ..]))?;
        }
        Ok(value)
    }

    /// Lets the normalisations remember the last batch.
    pub(crate) fn remember(&self, parameters: &mut Parameters<T>) {
        for (l, room) in self.rooms.iter().enumerate() {
            if let (Some(room), Some(remembered)) = (room, parameters.normalization_mut(l)) {
                room.remember(remembered);
            }
        }
    }
}

/// Whether to go on.
fn look(stop: &mut dyn FnMut() -> bool) -> Result<()> {
    if stop() { Err(Error::Interrupted) } else { Ok(()) }
}

/// What the forward pass of a layer leaves for the backward pass.
pub(crate) struct Saved<'a, T: Float> {
    /// For activations that are differentiated from their input.
    pub(crate) input: Option<&'a mut [T]>,
    /// For a normalised layer.
    pub(crate) room: Option<&'a mut Room<T>>,
}

/// Nothing, in a network that predicts.
impl<T: Float> Default for Saved<'_, T> {
    fn default() -> Self {
        Self { input: None, room: None }
    }
}

/// `z = a W_lᵀ + b_l`, then the layer's normalisation, if any, and its activation in place; the logits in the last
/// layer.
pub(crate) fn layer_forward<T: Float>(
    ctx: &Context,
    architecture: &Architecture,
    parameters: &Parameters<T>,
    l: usize,
    a: ArrayView2<'_, T>,
    mut z: ArrayViewMut2<'_, T>,
    saved: Saved<'_, T>,
) -> Result<()> {
    let (w, b) = (parameters.weight(l), parameters.bias_slice(l));
    let activation = architecture.activation(l).unwrap_or(Activation::Identity);
    if z.strides()[0] == 1 {
        // A column for each unit, Zᵀ = W Aᵀ + b: the bias is what the products are added to.
        z.columns_mut().into_iter().zip(b).for_each(|(mut unit, &b)| unit.fill(b));
        let (a, z) = (a.reversed_axes(), z.view_mut().reversed_axes());
        gemm(ctx, T::ONE, w, a, T::ONE, z, Epilogue::None)?;
    } else if activation == Activation::Relu && architecture.normalization_of(l).is_none() {
        return gemm(ctx, T::ONE, a, w.reversed_axes(), T::ZERO, z, Epilogue::BiasRelu(b));
    } else {
        gemm(ctx, T::ONE, a, w.reversed_axes(), T::ZERO, z.view_mut(), Epilogue::Bias(b))?;
    }
    let z = z.as_slice_memory_order_mut().expect("the numbers lie one behind the other");
    if let (Some(kind), Some(by)) = (architecture.normalization_of(l), parameters.normalization(l))
    {
        match saved.room {
            Some(room) => room.forward(ctx, by, z),
            None => normalization::evaluate(ctx, kind, by, z),
        }
    }
    activate(ctx, Some(activation), z, saved.input);
    Ok(())
}

/// `A_1` from `z`, `Z_1` without its bias, both (rows, n_1), where `a` may have more rows; `input` as for the other
/// layers.
pub(crate) fn first_activations<T: Float>(
    ctx: &Context,
    architecture: &Architecture,
    z: ArrayView2<'_, T>,
    bias: &[T],
    mut a: ArrayViewMut2<'_, T>,
    input: Option<&mut [T]>,
) {
    for ((mut a, z), &b) in a.columns_mut().into_iter().zip(z.columns()).zip(bias) {
        let mut a = a.slice_mut(s![..z.len()]);
        match (a.as_slice_mut(), z.as_slice()) {
            (Some(a), Some(z)) => map(ctx.isa(), Plus(b.to_f64()), z, a),
            _ => a.zip_mut_with(&z, |a, &z| *a = z + b),
        }
    }
    let a = a.as_slice_memory_order_mut().expect("the numbers lie one behind the other");
    activate(ctx, architecture.activation(0), a, input);
}

/// `z + b`
#[derive(Clone, Copy)]
struct Plus(f64);

impl Unary for Plus {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V) -> V {
        z.add(V::splat(V::Elem::from_f64(self.0)))
    }
}

/// `Z → A = g(Z)`, in place; `input` keeps `Z` for activations that are differentiated from it.
pub(crate) fn activate<T: Float>(
    ctx: &Context,
    activation: Option<Activation>,
    z: &mut [T],
    input: Option<&mut [T]>,
) {
    if let Some(input) = input {
        input[..z.len()].copy_from_slice(z);
    }
    match activation {
        None | Some(Activation::Identity) => {}
        Some(g) => ctx.in_pieces(z, |_, piece| g.forward(ctx.isa(), piece)),
    }
}

/// `dA → dZ = dA ∘ g'`, in place.
pub(crate) fn activation_backward<T: Float>(
    ctx: &Context,
    g: Activation,
    saved: &[T],
    da: &mut [T],
) {
    ctx.in_pieces(da, |from, piece| {
        g.backward(ctx.isa(), &saved[from..from + piece.len()], piece);
    });
}

/// The first `rows` rows of a buffer as a matrix.
pub(crate) fn matrix<T: Float>(buffer: &[T], rows: usize, columns: usize) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((rows, columns), &buffer[..rows * columns]).expect("the lengths agree")
}

/// The first `rows` rows of a buffer as a matrix to write.
pub(crate) fn matrix_mut<T: Float>(
    buffer: &mut [T],
    rows: usize,
    columns: usize,
) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape((rows, columns), &mut buffer[..rows * columns])
        .expect("the lengths agree")
}
