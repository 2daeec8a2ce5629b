//! Products with the samples, a block of features at a time: `X Xᵀ`, `W Xᵀ` and `D X`, in f64.
//!
//! The samples are widened block by block, so that a copy of them all is never made.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};

use super::tiles::{add_products, dots};
use super::{WHAT, bytes};
use crate::backprop::{matrix, matrix_mut};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::error::{Error, Result};
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
    let (m, bytes) = (x.dim().0, matches!(x, Samples::U8(_)));
    let mut gram = Buffer::zeros(m * stride, "the Gram matrix")?;
    let new = |w: &ArrayView2<'_, T>| Buffer::zeros(w.nrows() * stride, WHAT);
    let mut products = weights.iter().map(new).collect::<Result<Vec<_>>>()?;
    if let Samples::U8(pixels) = x {
        bytes::gram(ctx, pixels, scale, &mut gram, stride, stop)?;
    }
    let isa = ctx.isa();
    for_each_block(ctx, x, scale, stop, |features, block, stop| {
        let x = rows(&block);
        if !bytes {
            add_products(ctx, |a, b| dots(isa, a, b), &x, &x, true, &mut gram, stride, stop)?;
        }
        for (w, product) in weights.iter().zip(&mut products) {
            let w = w.slice(s![.., features.clone()]).mapv(T::to_f64);
            add_products(
                ctx,
                |a, b| dots(isa, a, b),
                &rows(&w.view()),
                &x,
                false,
                product,
                stride,
                stop,
            )?;
        }
        Ok(())
    })?;
    mirror(&mut gram, m, stride);
    Ok((gram, products))
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
    for_each_block(ctx, x, scale, &mut || false, |features, block, _| {
        let mut sum = Array2::zeros((d.nrows(), features.len()));
        for (factor, start) in &starts {
            let start = start.slice(s![.., features.clone()]);
            sum.zip_mut_with(&start, |sum, start| *sum += factor * start.to_f64());
        }
        gemm(ctx, 1.0, d, block, 1.0, sum.view_mut(), Epilogue::None)?;
        into.slice_mut(s![.., features]).zip_mut_with(&sum, |to, &sum| *to = T::from_f64(sum));
        Ok(())
    })
}

/// Calls `f(features, block, stop)` with the samples' features, a block after the other, (m, features) in f64 and in
/// contiguous rows.
fn for_each_block(
    ctx: &Context,
    x: &Samples<'_>,
    scale: f64,
    stop: &mut dyn FnMut() -> bool,
    mut f: impl FnMut(Range<usize>, ArrayView2<'_, f64>, &mut dyn FnMut() -> bool) -> Result<()>,
) -> Result<()> {
    let (m, n) = x.dim();
    let as_they_are = x.as_float::<f64>().filter(|x| n <= 1 || x.strides()[1] == 1);
    let room = if as_they_are.is_some() { 0 } else { m * n.min(BLOCK) };
    let mut room = Buffer::zeros(room, "a block of features")?;
    for from in (0..n).step_by(BLOCK) {
        if stop() {
            return Err(Error::Interrupted);
        }
        let features = from..n.min(from + BLOCK);
        let block = match as_they_are {
            Some(x) => x.slice(s![.., features.clone()]),
            None => {
                let columns = x.columns(features.clone());
                let into = matrix_mut(&mut room, m, features.len());
                columns.load(ctx, &Rows::Run(0..m), scale, into);
                matrix(&room, m, features.len())
            }
        };
        f(features, block, stop)?;
    }
    Ok(())
}
