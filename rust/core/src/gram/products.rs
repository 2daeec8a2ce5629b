//! Products with the samples, a block of features at a time: `X Xᵀ`, `W Xᵀ` and `D X`, in f64.
//!
//! The samples are widened block by block, so that a copy of them all is never made.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};

use super::tiles::add_dots;
use super::{WHAT, bytes};
use crate::backprop::{matrix, matrix_mut};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::error::Result;
use crate::float::Float;
use crate::gemm::{Epilogue, gemm};
use crate::samples::{Rows, Samples};

/// Features a block: four rows of so many numbers fit in the first-level cache twice.
const BLOCK: usize = 512;

/// `G = X Xᵀ`, (m, m), of the samples as the network sees them, and `W Xᵀ`, (h, m), for each `w`, (h, n): all in rows
/// of `stride` elements. From bytes, `G` is exact but for the final scaling.
pub(super) fn with_samples<T: Float>(
    ctx: &Context,
    x: &Samples<'_>,
    scale: f64,
    weights: &[ArrayView2<'_, T>],
    stride: usize,
    stop: &mut dyn FnMut() -> bool,
) -> Result<(Buffer<f64>, Vec<Buffer<f64>>)> {
    let ((m, n), bytes) = (x.dim(), matches!(x, Samples::U8(_)));
    let mut gram = Buffer::zeros(m * stride, "the Gram matrix")?;
    let mut products = rooms(weights, stride)?;
    if let Samples::U8(pixels) = x {
        bytes::gram(ctx, pixels, scale, &mut gram, stride, stop)?;
    }
    let mut x = Widened::new(x, scale)?;
    for features in blocks(n) {
        let block = x.block(ctx, features.clone());
        let x = rows(&block);
        if !bytes {
            add_dots(ctx, &x, &x, true, &mut gram, stride, stop)?;
        }
        add_weighted(ctx, weights, features, &x, &mut products, stride, stop)?;
    }
    mirror(&mut gram, m, stride);
    Ok((gram, products))
}

/// `X Yᵀ`, (m, v), of two sets of samples, and `W Yᵀ`, (h, v), for each `w`, (h, n).
pub(super) fn across<T: Float>(
    ctx: &Context,
    x: &Samples<'_>,
    y: &Samples<'_>,
    scale: f64,
    weights: &[ArrayView2<'_, T>],
    stop: &mut dyn FnMut() -> bool,
) -> Result<(Buffer<f64>, Vec<Buffer<f64>>)> {
    let ((m, n), v) = (x.dim(), y.dim().0);
    let mut kernel = Buffer::zeros(m * v, WHAT)?;
    let mut products = rooms(weights, v)?;
    let (mut x, mut y) = (Widened::new(x, scale)?, Widened::new(y, scale)?);
    for features in blocks(n) {
        let (x, y) = (x.block(ctx, features.clone()), y.block(ctx, features.clone()));
        let (x, y) = (rows(&x), rows(&y));
        add_dots(ctx, &x, &y, false, &mut kernel, v, stop)?;
        add_weighted(ctx, weights, features, &y, &mut products, v, stop)?;
    }
    Ok((kernel, products))
}

/// Room for `W Xᵀ` for each `w`, (h, n), in rows of `stride` elements.
fn rooms<T: Float>(weights: &[ArrayView2<'_, T>], stride: usize) -> Result<Vec<Buffer<f64>>> {
    weights.iter().map(|w| Buffer::zeros(w.nrows() * stride, WHAT)).collect()
}

/// Adds those features' part of `W Xᵀ` for each `w`.
fn add_weighted<T: Float>(
    ctx: &Context,
    weights: &[ArrayView2<'_, T>],
    features: Range<usize>,
    x: &[&[f64]],
    products: &mut [Buffer<f64>],
    stride: usize,
    stop: &mut dyn FnMut() -> bool,
) -> Result<()> {
    for (w, product) in weights.iter().zip(products) {
        let w = w.slice(s![.., features.clone()]);
        let mut wide = Buffer::zeros(w.len(), WHAT)?;
        matrix_mut(&mut wide, w.nrows(), w.ncols()).zip_mut_with(&w, |to, w| *to = w.to_f64());
        let wide = matrix(&wide, w.nrows(), w.ncols());
        add_dots(ctx, &rows(&wide), x, false, product, stride, stop)?;
    }
    Ok(())
}

fn rows<'a>(matrix: &'a ArrayView2<'_, f64>) -> Vec<&'a [f64]> {
    let slice = |row: ndarray::ArrayView1<'a, f64>| row.to_slice().expect("rows are contiguous");
    matrix.axis_iter(Axis(0)).map(slice).collect()
}

/// Copies what is below the diagonal to where it belongs above.
fn mirror(gram: &mut [f64], m: usize, stride: usize) {
    /// Rows and columns copied at a time, for the cache.
    const TILE: usize = 32;
    for top in (0..m).step_by(TILE) {
        for left in (top..m).step_by(TILE) {
            for i in top..m.min(top + TILE) {
                for j in left.max(i + 1)..m.min(left + TILE) {
                    gram[i * stride + j] = gram[j * stride + i];
                }
            }
        }
    }
}

/// `Σ factor · start + D X`, (h, n): starts are (h, n), `d` is (h, m).
pub(super) fn combine<'a, T: Float>(
    ctx: &Context,
    x: &Samples<'_>,
    scale: f64,
    starts: impl Iterator<Item = (f64, ArrayView2<'a, T>)>,
    d: ArrayView2<'_, f64>,
    mut into: ArrayViewMut2<'_, T>,
) -> Result<()> {
    let starts: Vec<_> = starts.collect();
    let n = x.dim().1;
    let mut x = Widened::new(x, scale)?;
    let mut room = Buffer::zeros(d.nrows() * n.min(BLOCK), WHAT)?;
    for features in blocks(n) {
        let block = x.block(ctx, features.clone());
        let mut sum = matrix_mut(&mut room, d.nrows(), features.len());
        sum.fill(0.0);
        for (factor, start) in &starts {
            let start = start.slice(s![.., features.clone()]);
            sum.zip_mut_with(&start, |sum, start| *sum += factor * start.to_f64());
        }
        gemm(ctx, 1.0, d, block, 1.0, sum.view_mut(), Epilogue::None)?;
        into.slice_mut(s![.., features]).zip_mut_with(&sum, |to, &sum| *to = T::from_f64(sum));
    }
    Ok(())
}

/// The features in blocks.
fn blocks(n: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n).step_by(BLOCK).map(move |from| from..n.min(from + BLOCK))
}

/// Samples in f64, a block of features at a time.
struct Widened<'x, 'a> {
    x: &'x Samples<'a>,
    scale: f64,
    /// Where a block is widened to; empty if the samples can be read as they are.
    room: Buffer<f64>,
}

impl<'x, 'a> Widened<'x, 'a> {
    fn new(x: &'x Samples<'a>, scale: f64) -> Result<Self> {
        let (m, n) = x.dim();
        let room = if as_they_are(x).is_some() { 0 } else { m * n.min(BLOCK) };
        Ok(Self { x, scale, room: Buffer::zeros(room, "a block of features")? })
    }

    /// Those features of all samples, in contiguous rows.
    fn block(&mut self, ctx: &Context, features: Range<usize>) -> ArrayView2<'_, f64> {
        if let Some(x) = as_they_are(self.x) {
            return x.slice(s![.., features]);
        }
        let (m, columns) = (self.x.dim().0, self.x.columns(features.clone()));
        let into = matrix_mut(&mut self.room, m, features.len());
        columns.load(ctx, &Rows::Run(0..m), self.scale, into);
        matrix(&self.room, m, features.len())
    }
}

/// The samples themselves, if they are f64 in contiguous rows.
fn as_they_are<'s, 'a>(x: &'s Samples<'a>) -> Option<&'s ArrayView2<'a, f64>> {
    x.as_float::<f64>().filter(|x| x.ncols() <= 1 || x.strides()[1] == 1)
}
