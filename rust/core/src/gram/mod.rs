//! The first layer, trained in the space of examples.
//!
//! The gradient of the first layer is `dZᵀ X / m`: a combination of the rows of `X`. So whatever a linear
//! optimiser does, the weights never leave
//!
//! ```text
//! W = s W₀ + q V₀ + D X           D is (h, m), s and q are numbers; V₀ is the velocity of a continued run
//! ```
//!
//! and what the network needs of them, `Zᵀ = W Xᵀ`, follows from products computed once, `Z₀ᵀ = W₀ Xᵀ`,
//! `Y₀ᵀ = V₀ Xᵀ` and the Gram matrix `G = X Xᵀ`:
//!
//! ```text
//! Zᵀ = s Z₀ᵀ + q Y₀ᵀ + D G
//! ```
//!
//! The optimiser is not written again here. Gradient descent, with or without momentum, is linear, so the same rule
//! that would change `W` by its gradient changes the coefficients by theirs, and `Z` by its own:
//!
//! ```text
//! parameter      gradient                      (λ' = λ/m is the penalty's)
//! W              dZᵀ X / m + λ' W              never formed
//! D              dZᵀ / m   + λ' D              in f64
//! s, q           0         + λ' s, λ' q        in f64
//! Zᵀ             dZᵀ G / m + λ' Zᵀ             in the network's type, and afresh from D every so often
//! ```
//!
//! An iteration costs `2 h m²` operations here instead of `4 h n m`: with 209 photos of 12288 numbers 118 times
//! less. Examples are columns here, as in the series: so the few units of a layer fill whole registers. It is algebra, not an approximation; `docs/gram.md` derives it and tells where it holds.

mod bytes;
mod choice;
mod coefficients;
mod held_out;
mod matrix;
mod products;
mod state;
mod tiles;

use ndarray::{ArrayView2, s};

use crate::backprop::{matrix, matrix_mut};
use crate::buffer::{Buffer, try_collect};
use crate::context::Context;
use crate::error::Result;
use crate::float::Float;
use crate::gemm::{Epilogue, gemm};
use crate::isa::Isa;
use crate::math::{add_widened, dot, first_non_finite, sum_of_squares};
use crate::optim::Optimizer;
use crate::samples::{Rows, Samples};
use crate::simd::MOST_LANES;
use crate::step::Step;

pub(crate) use choice::fits_budget;
pub use choice::{Choice, FirstLayer, choose};
use coefficients::Coefficients;
use held_out::HeldOut;
use matrix::Gram;
pub use state::GramState;
use state::copy;

/// Steps after which `Z` is formed afresh from the coefficients, before its rounding errors add up.
const FRESH: u64 = 64;

/// Whose memory is short, if it is.
const WHAT: &str = "the Gram-space first layer";

/// A first layer of `h` units on `m` samples of `n` features. Matrices (·, m) have rows of `stride` elements, zero
/// beyond the first `m`, except the coefficients.
pub(crate) struct GramLayer<T: Float> {
    m: usize,
    h: usize,
    stride: usize,
    /// `W₀`, and `V₀` where there is a velocity, (h, n).
    starts: Vec<Buffer<T>>,
    /// `Z₀ᵀ = W₀ Xᵀ`, and `Y₀ᵀ = V₀ Xᵀ`, (h, m).
    start_products: Vec<Buffer<f64>>,
    /// `<W₀, W₀>`, `<W₀, V₀>`, `<V₀, V₀>`.
    start_squares: [f64; 3],
    gram: Gram<T>,
    /// Of `W`, and of the optimiser's slots.
    coefficients: Vec<Coefficients>,
    /// `Zᵀ`, and that of the optimiser's slots, (h, m).
    products: Vec<Buffer<T>>,
    /// Rows that are not trained on, once they have been asked for.
    held_out: Option<HeldOut<T>>,
    room: Room<T>,
    saved: Saved<T>,
}

/// The coefficients and products as they were when they were saved last.
struct Saved<T: Float> {
    coefficients: Vec<Coefficients>,
    products: Vec<Buffer<T>>,
}

/// Buffers of a step.
struct Room<T: Float> {
    /// Columns of `Zᵀ` for a batch, (h, rows).
    batch: Buffer<T>,
    /// Rows of `G` for a batch, (rows, m).
    gram_rows: Buffer<T>,
    /// `dZᵀ G / m`, (h, m).
    gradient: Buffer<T>,
    /// The gradient of `D`, (h, m) without gaps; and `Zᵀ` when it is formed afresh.
    wide: Buffer<f64>,
}

impl<T: Float> GramLayer<T> {
    /// Starts at the weights `w` and, where the optimiser keeps one, the velocity `v`, both (h, n). Batches are drawn from
    /// the samples, so many rows each, unless `batch` is 0: then each is all of them, in order. `stop` is asked as the
    /// matrix grows.
    #[allow(clippy::too_many_arguments, reason = "the parts of a layer")]
    pub(crate) fn new(
        ctx: &Context,
        x: &Samples<'_>,
        scale: f64,
        optimizer: &Optimizer,
        w: ArrayView2<'_, T>,
        v: Option<ArrayView2<'_, T>>,
        batch: usize,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Self> {
        let (m, h) = (x.dim().0, w.nrows());
        // A velocity that is still zero adds nothing: leave it out.
        let v = v.filter(|v| v.iter().any(|&v| v != T::ZERO));
        let starts =
            std::iter::once(w).chain(v).map(|start| buffer(start.len(), start.iter().copied()));
        let starts = starts.collect::<Result<_>>()?;
        // W is W₀, and its velocity is V₀, if there is one.
        let coefficients = (0..=optimizer.slots())
            .map(|i| Coefficients::new(if i == 0 { [1.0, 0.0] } else { [0.0, 1.0] }, h * m));
        let coefficients = coefficients.collect::<Result<_>>()?;
        let mut layer = Self::with(ctx, x, scale, h, starts, coefficients, batch, stop)?;
        layer.form_products(ctx)?;
        Ok(layer)
    }

    /// Goes on from a state that [`fits`](GramState::fits).
    pub(crate) fn restore(
        ctx: &Context,
        x: &Samples<'_>,
        scale: f64,
        h: usize,
        state: GramState<T>,
        batch: usize,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Self> {
        let starts = state.starts.into_iter().map(|start| buffer(start.len(), start));
        let coefficients = state
            .coefficients
            .into_iter()
            .map(|(starts, rows)| Ok(Coefficients { starts, rows: buffer(rows.len(), rows)? }));
        let (starts, coefficients) =
            (starts.collect::<Result<_>>()?, coefficients.collect::<Result<_>>()?);
        let mut layer = Self::with(ctx, x, scale, h, starts, coefficients, batch, stop)?;
        let m = layer.m;
        for (to, from) in layer.products.iter_mut().zip(&state.products) {
            for (to, from) in to.chunks_exact_mut(layer.stride).zip(from.chunks_exact(m)) {
                to[..m].copy_from_slice(from);
            }
        }
        Ok(layer)
    }

    /// Computes what a run needs from what it starts from; the products are still zero.
    #[allow(clippy::too_many_arguments, reason = "the parts of a layer")]
    fn with(
        ctx: &Context,
        x: &Samples<'_>,
        scale: f64,
        h: usize,
        starts: Vec<Buffer<T>>,
        coefficients: Vec<Coefficients>,
        batch: usize,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Self> {
        let (m, n) = x.dim();
        // Rows of `G`, and of all that is multiplied by it, are whole registers of any type.
        let stride = m.next_multiple_of(MOST_LANES);
        let views: Vec<_> = starts.iter().map(|start| matrix(start, h, n)).collect();
        let (gram, start_products) = products::with_samples(ctx, x, scale, &views, stride, stop)?;
        let gram = Gram::new(gram, m, stride)?;

        let isa = ctx.isa();
        let mut start_squares = [sum_of_squares(isa, &starts[0]), 0.0, 0.0];
        if let [w, v] = &starts[..] {
            start_squares[1] = w.iter().zip(&**v).map(|(&w, &v)| w.to_f64() * v.to_f64()).sum();
            start_squares[2] = sum_of_squares(isa, v);
        }
        let zeros = |len| Buffer::zeros(len, WHAT);
        let products = || coefficients.iter().map(|_| zeros(h * stride)).collect::<Result<_>>();
        Ok(Self {
            m,
            h,
            stride,
            starts,
            start_products,
            start_squares,
            gram,
            products: products()?,
            held_out: None,
            room: Room {
                batch: zeros(h * batch)?,
                gram_rows: zeros(batch * stride)?,
                gradient: zeros(h * stride)?,
                wide: Buffer::zeros(h * stride, WHAT)?,
            },
            saved: Saved {
                coefficients: coefficients
                    .iter()
                    .map(Coefficients::try_clone)
                    .collect::<Result<_>>()?,
                products: products()?,
            },
            coefficients,
        })
    }

    /// Remembers where the run is, to [roll back](Self::roll_back) to.
    pub(crate) fn save(&mut self) {
        let Self { saved, coefficients, products, .. } = self;
        saved.coefficients.iter_mut().zip(coefficients).for_each(|(to, from)| to.copy_from(from));
        saved.products.iter_mut().zip(products).for_each(|(to, from)| to.copy_from_slice(from));
    }

    /// Goes back to where the run was when it was [saved](Self::save).
    pub(crate) fn roll_back(&mut self) {
        let Self { saved, coefficients, products, .. } = self;
        coefficients.iter_mut().zip(&saved.coefficients).for_each(|(to, from)| to.copy_from(from));
        products.iter_mut().zip(&saved.products).for_each(|(to, from)| to.copy_from_slice(from));
    }

    /// `Zᵀ = s Z₀ᵀ + q Y₀ᵀ + D G`, and the same for the velocity.
    fn form_products(&mut self, ctx: &Context) -> Result<()> {
        let Self { m, h, stride, .. } = *self;
        for (coefficients, product) in self.coefficients.iter().zip(&mut self.products) {
            let z = &mut self.room.wide;
            combine_starts(ctx.isa(), coefficients.starts, &self.start_products, z);
            let d = matrix(&coefficients.rows, h, m);
            let z = matrix_mut(z, h, stride);
            gemm(ctx, 1.0, d, self.gram.wide(), 1.0, z, Epilogue::None)?;
            product.iter_mut().zip(&*self.room.wide).for_each(|(to, &z)| *to = T::from_f64(z));
        }
        Ok(())
    }

    /// `Z` of those rows, without the bias, (rows, h).
    pub(crate) fn forward(&mut self, rows: &Rows<'_>) -> ArrayView2<'_, T> {
        let z = matrix(&self.products[0], self.h, self.stride);
        match rows {
            Rows::Run(run) => z.slice_move(s![.., run.clone()]).reversed_axes(),
            Rows::Picked(picked) => {
                let batch = &mut self.room.batch[..self.h * picked.len()];
                for (to, z) in batch.chunks_exact_mut(picked.len()).zip(z.rows()) {
                    to.iter_mut().zip(*picked).for_each(|(to, &row)| *to = z[row as usize]);
                }
                matrix(batch, self.h, picked.len()).reversed_axes()
            }
        }
    }

    /// One step of the optimiser: `dz`, (rows, h), is the gradient of the sum by `Z` of those rows.
    pub(crate) fn update(
        &mut self,
        ctx: &Context,
        rows: &Rows<'_>,
        dz: ArrayView2<'_, T>,
        step: &Step,
    ) -> Result<()> {
        let Self { h, stride, .. } = *self;
        let (scale, room) = (step.scale(), &mut self.room.wide[..h * self.m]);
        coefficients::update(ctx, &mut self.coefficients, rows, dz, step, room);
        if step.number.is_multiple_of(FRESH) {
            return self.form_products(ctx);
        }
        // The batch's rows of G: it is symmetric, so they stand for its columns.
        let g = self.gram.rounded();
        let g = match rows {
            Rows::Run(run) => g.slice_move(s![run.clone(), ..]),
            Rows::Picked(picked) => {
                for (to, &row) in self.room.gram_rows.chunks_exact_mut(stride).zip(*picked) {
                    let row = g.row(row as usize);
                    to.copy_from_slice(row.to_slice().expect("a row of G is contiguous"));
                }
                matrix(&self.room.gram_rows, picked.len(), stride)
            }
        };
        let (z, velocity) = self.products.split_first_mut().expect("Z is the first");
        if let Some(rate) = step.plain {
            let (factor, keep) = (T::from_f64(-rate * scale), T::from_f64(1.0 - rate * step.decay));
            let z = matrix_mut(z, h, stride);
            return gemm(ctx, factor, dz.reversed_axes(), g, keep, z, Epilogue::None);
        }
        let gradient = &mut self.room.gradient;
        let (factor, into) = (T::from_f64(scale), matrix_mut(gradient, h, stride));
        gemm(ctx, factor, dz.reversed_axes(), g, T::ZERO, into, Epilogue::None)?;
        let mut velocity = velocity.first_mut().map(|v| &mut v[..]);
        step.rule.apply(ctx.isa(), step.decay, z, gradient, velocity.as_mut_slice());
        Ok(())
    }

    /// `‖W‖² = ‖s W₀ + q V₀‖² + <D, Zᵀ + s Z₀ᵀ + q Y₀ᵀ>`, without forming `W`.
    pub(crate) fn sum_of_squares(&mut self, isa: Isa) -> f64 {
        let Coefficients { starts: [s, q], rows } = &self.coefficients[0];
        let [ww, wv, vv] = self.start_squares;
        let sum = s * s * ww + 2.0 * s * q * wv + q * q * vv;
        let z = &mut self.room.wide;
        combine_starts(isa, [*s, *q], &self.start_products, z);
        add_widened(isa, 1.0, &self.products[0], 1.0, z);
        let pairs = rows.chunks_exact(self.m).zip(z.chunks_exact(self.stride));
        sum + pairs.map(|(d, z)| dot(d, &z[..self.m])).sum::<f64>()
    }

    /// Forms the weights (`of == 0`) or the velocity (`of == 1`), (h, n), from the same samples.
    pub(crate) fn form(
        &self,
        ctx: &Context,
        x: &Samples<'_>,
        scale: f64,
        of: usize,
        into: &mut [T],
    ) -> Result<()> {
        let Coefficients { starts, rows } = &self.coefficients[of];
        let n = x.dim().1;
        let starts =
            starts.iter().copied().zip(self.starts.iter().map(|start| matrix(start, self.h, n)));
        let d = matrix(rows, self.h, self.m);
        let into = matrix_mut(into, self.h, n);
        products::combine(ctx, x, scale, starts, d, into)
    }

    /// Whether all that the weights are made of is finite.
    pub(crate) fn is_finite(&self, isa: Isa) -> bool {
        self.coefficients.iter().all(|c| first_non_finite(isa, &c.rows).is_none())
            && self.products.iter().all(|z| first_non_finite(isa, z).is_none())
    }

    /// What continues the run.
    pub(crate) fn state(&self) -> Result<GramState<T>> {
        let products = self.products.iter().map(|z| {
            let rows = z.chunks_exact(self.stride).flat_map(|z| &z[..self.m]);
            try_collect(self.h * self.m, WHAT, rows.copied())
        });
        let coefficients = self.coefficients.iter();
        Ok(GramState {
            starts: self.starts.iter().map(|start| copy(start)).collect::<Result<_>>()?,
            coefficients: coefficients
                .map(|c| Ok((c.starts, copy(&c.rows)?)))
                .collect::<Result<_>>()?,
            products: products.collect::<Result<_>>()?,
        })
    }
}

/// `to = s Z₀ᵀ + q Y₀ᵀ`, where there is a `Y₀`.
fn combine_starts(isa: Isa, factors: [f64; 2], starts: &[Buffer<f64>], to: &mut [f64]) {
    for (i, (factor, start)) in factors.into_iter().zip(starts).enumerate() {
        add_widened(isa, factor, start, if i == 0 { 0.0 } else { 1.0 }, to);
    }
}

/// A buffer of those numbers.
fn buffer<F: Float>(len: usize, from: impl IntoIterator<Item = F>) -> Result<Buffer<F>> {
    let mut to = Buffer::zeros(len, WHAT)?;
    to.iter_mut().zip(from).for_each(|(to, from)| *to = from);
    Ok(to)
}
