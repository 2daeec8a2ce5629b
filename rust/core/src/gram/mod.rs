//! The first layer, trained in the space of examples.
//!
//! The gradient of the first layer is `dZᵀ X / m`: a combination of the rows of `X`. So whatever a linear
//! optimiser does, the weights never leave
//!
//! ```text
//! W = s W₀ + q V₀ + Dᵀ X          D is (m, h), s and q are numbers; V₀ is the velocity of a continued run
//! ```
//!
//! and what the network needs of them, `Z = X Wᵀ`, follows from products computed once, `Z₀ = X W₀ᵀ`,
//! `Y₀ = X V₀ᵀ` and the Gram matrix `G = X Xᵀ`:
//!
//! ```text
//! Z = s Z₀ + q Y₀ + G D
//! ```
//!
//! The optimiser is not written again here. Gradient descent, with or without momentum, is linear, so the same rule
//! that would change `W` by its gradient changes the coefficients by theirs, and `Z` by its own:
//!
//! ```text
//! parameter      gradient                      (λ' = λ/m is the penalty's)
//! W              dZᵀ X / m + λ' W              never formed
//! D              dZ / m    + λ' D              in f64
//! s, q           0         + λ' s, λ' q        in f64
//! Z              G dZ / m  + λ' Z              in the network's type, and afresh from D every so often
//! ```
//!
//! An iteration costs `2 h m²` operations here instead of `4 h n m`: with 209 photos of 12288 numbers 118 times
//! less. It is algebra, not an approximation; `docs/gram.md` derives it and tells where it holds.

mod bytes;
mod choice;
mod products;

use ndarray::{ArrayView2, Axis};

use crate::backprop::{matrix, matrix_mut};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::error::Result;
use crate::float::Float;
use crate::gemm::{Epilogue, gemm};
use crate::isa::Isa;
use crate::math::{first_non_finite, sum_of_squares};
use crate::optim::Optimizer;
use crate::samples::{Rows, Samples};
use crate::step::Step;

pub use choice::{Choice, FirstLayer, choose};
use products::gram_matrix;

/// Steps after which `Z` is formed afresh from the coefficients, before its rounding errors add up.
const FRESH: u64 = 64;

/// Whose memory is short, if it is.
const WHAT: &str = "the Gram-space first layer";

/// What a combination of `W₀`, `V₀` and the rows of `X` is made of.
#[derive(Debug)]
struct Coefficients {
    /// `[s, q]`.
    starts: [f64; 2],
    /// `D`, (m, h).
    rows: Buffer<f64>,
}

impl Coefficients {
    fn try_clone(&self) -> Result<Self> {
        Ok(Self { starts: self.starts, rows: self.rows.try_clone(WHAT)? })
    }

    fn copy(from: &[Self], to: &mut [Self]) {
        for (from, to) in from.iter().zip(to) {
            to.starts = from.starts;
            to.rows.copy_from_slice(&from.rows);
        }
    }
}

fn copy<T: Float>(from: &[Buffer<T>], to: &mut [Buffer<T>]) {
    from.iter().zip(to).for_each(|(from, to)| to.copy_from_slice(from));
}

/// Everything that continues a run, bit for bit.
#[derive(Clone, Debug, PartialEq)]
pub struct GramState<T> {
    /// `W₀` and, if there is one, `V₀`: (h, n) in row order.
    pub starts: Vec<Vec<T>>,
    /// Of `W`, and of each slot of the optimiser: `[s, q]`, and `D`, (m, h).
    pub coefficients: Vec<([f64; 2], Vec<f64>)>,
    /// `Z`, and of each slot, (m, h).
    pub products: Vec<Vec<T>>,
}

impl<T> GramState<T> {
    /// Whether it is that of `m` samples of `n` features, `h` units and so many slots.
    pub(crate) fn fits(&self, m: usize, n: usize, h: usize, slots: usize) -> bool {
        (1..=2).contains(&self.starts.len())
            && self.starts.iter().all(|start| start.len() == h * n)
            && self.coefficients.len() == slots + 1
            && self.coefficients.iter().all(|(_, rows)| rows.len() == m * h)
            && self.products.len() == slots + 1
            && self.products.iter().all(|z| z.len() == m * h)
    }
}

/// A first layer of `h` units on `m` samples of `n` features.
pub(crate) struct GramLayer<T: Float> {
    m: usize,
    h: usize,
    /// `W₀`, and `V₀` where there is a velocity, (h, n).
    starts: Vec<Buffer<T>>,
    /// `Z₀ = X W₀ᵀ`, and `Y₀ = X V₀ᵀ`, (m, h).
    start_products: Vec<Buffer<f64>>,
    /// `<W₀, W₀>`, `<W₀, V₀>`, `<V₀, V₀>`.
    start_squares: [f64; 3],
    /// `G`, (m, m), in f64 and in the network's type.
    gram: Buffer<f64>,
    gram_rounded: Buffer<T>,
    /// Of `W`, and of the optimiser's slots.
    coefficients: Vec<Coefficients>,
    /// `Z`, and of the optimiser's slots, (m, h).
    products: Vec<Buffer<T>>,
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
    /// Rows of `Z` for a batch.
    batch: Buffer<T>,
    /// Rows of `G` for a batch.
    gram_rows: Buffer<T>,
    /// `G dZ / m`, (m, h).
    gradient: Buffer<T>,
    /// `dZ / m` of a batch's rows among zeros, (m, h); and `Z` when it is formed afresh.
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
        let (m, h, slots) = (x.dim().0, w.nrows(), optimizer.slots());
        // A velocity that is still zero adds nothing: leave it out.
        let v = v.filter(|v| v.iter().any(|&v| v != T::ZERO));
        let starts =
            std::iter::once(w).chain(v).map(|start| buffer(start.len(), start.iter().copied()));
        let starts = starts.collect::<Result<_>>()?;
        let mut coefficients = Vec::new();
        for i in 0..=slots {
            // W is W₀, and its velocity is V₀, if there is one.
            let starts = if i == 0 { [1.0, 0.0] } else { [0.0, 1.0] };
            coefficients.push(Coefficients { starts, rows: Buffer::zeros(m * h, WHAT)? });
        }
        let products = (0..=slots).map(|_| Buffer::zeros(m * h, WHAT)).collect::<Result<_>>()?;
        let mut layer = Self::with(ctx, x, scale, h, starts, coefficients, products, batch, stop)?;
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
        let copies = |from: Vec<Vec<T>>| {
            from.into_iter().map(|v| buffer(v.len(), v)).collect::<Result<Vec<_>>>()
        };
        let coefficients = state
            .coefficients
            .into_iter()
            .map(|(starts, rows)| Ok(Coefficients { starts, rows: buffer(rows.len(), rows)? }));
        let coefficients = coefficients.collect::<Result<_>>()?;
        let (starts, products) = (copies(state.starts)?, copies(state.products)?);
        Self::with(ctx, x, scale, h, starts, coefficients, products, batch, stop)
    }

    /// Computes the products that a run needs, from what it starts from.
    #[allow(clippy::too_many_arguments, reason = "the parts of a layer")]
    fn with(
        ctx: &Context,
        x: &Samples<'_>,
        scale: f64,
        h: usize,
        starts: Vec<Buffer<T>>,
        coefficients: Vec<Coefficients>,
        products: Vec<Buffer<T>>,
        batch: usize,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Self> {
        let (m, n) = x.dim();
        let views: Vec<_> = starts.iter().map(|start| matrix(start, h, n)).collect();
        let start_products = products::with_samples(ctx, x, scale, &views, stop)?;
        let gram = gram_matrix(ctx, x, scale, stop)?;
        let gram_rounded = buffer(m * m, gram.iter().map(|&g| T::from_f64(g)))?;

        let isa = ctx.isa();
        let mut start_squares = [sum_of_squares(isa, &starts[0]), 0.0, 0.0];
        if let [w, v] = &starts[..] {
            start_squares[1] = w.iter().zip(&**v).map(|(&w, &v)| w.to_f64() * v.to_f64()).sum();
            start_squares[2] = sum_of_squares(isa, v);
        }
        let room = Room {
            batch: Buffer::zeros(batch * h, WHAT)?,
            gram_rows: Buffer::zeros(batch * m, WHAT)?,
            gradient: Buffer::zeros(m * h, WHAT)?,
            wide: Buffer::zeros(m * h, WHAT)?,
        };
        Ok(Self {
            m,
            h,
            starts,
            start_products,
            start_squares,
            gram,
            gram_rounded,
            saved: Saved {
                coefficients: coefficients
                    .iter()
                    .map(Coefficients::try_clone)
                    .collect::<Result<_>>()?,
                products: products.iter().map(|z| z.try_clone(WHAT)).collect::<Result<_>>()?,
            },
            coefficients,
            products,
            room,
        })
    }

    /// Remembers where the run is, to [roll back](Self::roll_back) to.
    pub(crate) fn save(&mut self) {
        Coefficients::copy(&self.coefficients, &mut self.saved.coefficients);
        copy(&self.products, &mut self.saved.products);
    }

    /// Goes back to where the run was when it was [saved](Self::save).
    pub(crate) fn roll_back(&mut self) {
        Coefficients::copy(&self.saved.coefficients, &mut self.coefficients);
        copy(&self.saved.products, &mut self.products);
    }

    /// `Z = s Z₀ + q Y₀ + G D`, and the same for the velocity.
    fn form_products(&mut self, ctx: &Context) -> Result<()> {
        let Self { m, h, .. } = *self;
        for (coefficients, product) in self.coefficients.iter().zip(&mut self.products) {
            let z = &mut self.room.wide;
            z.fill(0.0);
            for (&factor, start) in coefficients.starts.iter().zip(&self.start_products) {
                z.iter_mut().zip(&**start).for_each(|(z, start)| *z += factor * start);
            }
            let (g, d) = (matrix(&self.gram, m, m), matrix(&coefficients.rows, m, h));
            gemm(ctx, 1.0, g, d, 1.0, matrix_mut(z, m, h), Epilogue::None)?;
            product.iter_mut().zip(&**z).for_each(|(to, &z)| *to = T::from_f64(z));
        }
        Ok(())
    }

    /// `Z` of those rows, without the bias, (rows, h).
    pub(crate) fn forward(&mut self, rows: &Rows<'_>) -> ArrayView2<'_, T> {
        let h = self.h;
        match rows {
            Rows::Run(run) => matrix(&self.products[0][run.start * h..], run.len(), h),
            Rows::Picked(picked) => {
                for (to, &row) in self.room.batch.chunks_exact_mut(h).zip(*picked) {
                    to.copy_from_slice(&self.products[0][row as usize * h..][..h]);
                }
                matrix(&self.room.batch, picked.len(), h)
            }
        }
    }

    /// One step of the optimiser: `dz`, (rows, h), is the gradient of the sum by `Z` of those rows, `scale` is 1/m.
    pub(crate) fn update(
        &mut self,
        ctx: &Context,
        rows: &Rows<'_>,
        dz: ArrayView2<'_, T>,
        scale: f64,
        step: &Step,
    ) -> Result<()> {
        self.update_coefficients(ctx, rows, &dz, scale, step);
        if step.number.is_multiple_of(FRESH) {
            return self.form_products(ctx);
        }
        let Self { m, h, .. } = *self;
        let g = match rows {
            Rows::Run(run) => {
                matrix(&self.gram_rounded, m, m).slice_move(ndarray::s![.., run.clone()])
            }
            Rows::Picked(picked) => {
                // G is symmetric: its rows stand for its columns.
                for (to, &row) in self.room.gram_rows.chunks_exact_mut(m).zip(*picked) {
                    to.copy_from_slice(&self.gram_rounded[row as usize * m..][..m]);
                }
                matrix(&self.room.gram_rows, picked.len(), m).reversed_axes()
            }
        };
        let (z, velocity) = self.products.split_first_mut().expect("Z is the first");
        if let Some(rate) = step.plain {
            let (factor, keep) = (T::from_f64(-rate * scale), T::from_f64(1.0 - rate * step.decay));
            return gemm(ctx, factor, g, dz, keep, matrix_mut(z, m, h), Epilogue::None);
        }
        let gradient = &mut self.room.gradient;
        let factor = T::from_f64(scale);
        gemm(ctx, factor, g, dz, T::ZERO, matrix_mut(gradient, m, h), Epilogue::None)?;
        let mut velocity: Vec<&mut [T]> = velocity.iter_mut().map(|v| &mut v[..]).collect();
        step.rule.apply(ctx.isa(), step.decay, z, gradient, &mut velocity);
        Ok(())
    }

    /// `D` by the gradient `dZ / m`, and `s` and `q` by none; the penalty pulls at all of them.
    fn update_coefficients(
        &mut self,
        ctx: &Context,
        rows: &Rows<'_>,
        dz: &ArrayView2<'_, T>,
        scale: f64,
        step: &Step,
    ) {
        let (h, isa) = (self.h, ctx.isa());
        let gradient = &mut self.room.wide;
        if rows.len() < self.m {
            gradient.fill(0.0);
        }
        for (i, dz) in dz.axis_iter(Axis(0)).enumerate() {
            let to = &mut gradient[rows.at(i) * h..][..h];
            to.iter_mut().zip(dz).for_each(|(to, &dz)| *to = scale * dz.to_f64());
        }
        let (weight, velocity) = self.coefficients.split_first_mut().expect("W is the first");
        let (mut rows, mut starts): (Vec<_>, Vec<_>) =
            velocity.iter_mut().map(|v| (&mut v.rows[..], &mut v.starts[..])).unzip();
        step.rule.apply(isa, step.decay, &mut weight.rows, gradient, &mut rows);
        step.rule.apply(isa, step.decay, &mut weight.starts, &[0.0; 2], &mut starts);
    }

    /// `‖W‖² = ‖s W₀ + q V₀‖² + <D, Z + s Z₀ + q Y₀>`, without forming `W`.
    pub(crate) fn sum_of_squares(&self) -> f64 {
        let Coefficients { starts: [s, q], rows } = &self.coefficients[0];
        let [ww, wv, vv] = self.start_squares;
        let mut sum = s * s * ww + 2.0 * s * q * wv + q * q * vv;
        let zeros = Vec::new();
        let z0 = &self.start_products[0];
        let y0 = self.start_products.get(1).map_or(&zeros[..], |y0| &y0[..]);
        for (i, (&d, &z)) in rows.iter().zip(&*self.products[0]).enumerate() {
            sum += d * (z.to_f64() + s * z0[i] + q * y0.get(i).copied().unwrap_or(0.0));
        }
        sum
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
        let d = matrix(rows, self.m, self.h);
        let into = matrix_mut(into, self.h, n);
        products::combine(ctx, x, scale, starts, d, into)
    }

    /// Whether all that the weights are made of is finite.
    pub(crate) fn is_finite(&self, isa: Isa) -> bool {
        self.coefficients.iter().all(|c| first_non_finite(isa, &c.rows).is_none())
            && self.products.iter().all(|z| first_non_finite(isa, z).is_none())
    }

    /// What continues the run.
    pub(crate) fn state(&self) -> GramState<T> {
        GramState {
            starts: self.starts.iter().map(|start| start.to_vec()).collect(),
            coefficients: self.coefficients.iter().map(|c| (c.starts, c.rows.to_vec())).collect(),
            products: self.products.iter().map(|z| z.to_vec()).collect(),
        }
    }
}

/// A buffer of those numbers.
fn buffer<F: Float>(len: usize, from: impl IntoIterator<Item = F>) -> Result<Buffer<F>> {
    let mut to = Buffer::zeros(len, WHAT)?;
    to.iter_mut().zip(from).for_each(|(to, from)| *to = from);
    Ok(to)
}
