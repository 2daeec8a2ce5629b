//! Products with the samples, a block of features at a time: `X Xᵀ`, `X Wᵀ` and `Dᵀ X`, in f64.
//!
//! The samples are widened block by block, so that a copy of them all is never made.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use super::bytes;
use crate::backprop::{matrix, matrix_mut};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::gemm::{Epilogue, gemm};
use crate::samples::{Rows, Samples};

/// Features a block.
const BLOCK: usize = 512;

/// Rows of `G` a product: what lies beyond the diagonal of a panel is computed in vain.
const PANEL: usize = 64;

/// `G = X Xᵀ`, (m, m), of the samples as the network sees them. From bytes it is exact but for the final scaling.
pub(super) fn gram_matrix(
    ctx: &Context,
    x: &Samples<'_>,
    scale: f64,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Buffer<f64>> {
    let m = x.dim().0;
    let mut gram = Buffer::zeros(m * m, "the Gram matrix")?;
    match x {
        Samples::U8(pixels) => bytes::gram(ctx, pixels, scale, &mut gram, stop)?,
        _ => for_each_block(ctx, x, scale, stop, |_, block, stop| {
            for from in (0..m).step_by(PANEL) {
                let to = m.min(from + PANEL);
                if stop() {
                    return Err(Error::Interrupted);
                }
                let (left, right) = (block.slice(s![from..to, ..]), block.slice(s![..to, ..]));
                let panel = matrix_mut(&mut gram[from * m..], to - from, m);
                let panel = panel.slice_move(s![.., ..to]);
                gemm(ctx, 1.0, left, right.reversed_axes(), 1.0, panel, Epilogue::None)?;
            }
            Ok(())
        })?,
    }
    mirror(&mut gram, m);
    Ok(gram)
}

/// Copies what is below the diagonal to where it belongs above.
fn mirror(gram: &mut [f64], m: usize) {
    /// Rows and columns copied at a time, for the cache.
    const TILE: usize = 32;
    for top in (0..m).step_by(TILE) {
        for left in (top..m).step_by(TILE) {
            for i in top..m.min(top + TILE) {
                for j in left.max(i + 1)..m.min(left + TILE) {
                    gram[i * m + j] = gram[j * m + i];
                }
            }
        }
    }
}

/// `X Wᵀ`, (m, h), for each `w`, (h, n).
pub(super) fn with_samples<T: Float>(
    ctx: &Context,
    x: &Samples<'_>,
    scale: f64,
    weights: &[ArrayView2<'_, T>],
    stop: &mut dyn FnMut() -> bool,
) -> Result<Vec<Buffer<f64>>> {
    let m = x.dim().0;
    let new = |w: &ArrayView2<'_, T>| Buffer::zeros(m * w.nrows(), "the Gram-space first layer");
    let mut products = weights.iter().map(new).collect::<Result<Vec<_>>>()?;
    for_each_block(ctx, x, scale, stop, |features, block, _| {
        for (w, product) in weights.iter().zip(&mut products) {
            let w = w.slice(s![.., features.clone()]).mapv(T::to_f64);
            let into = matrix_mut(product, m, w.nrows());
            gemm(ctx, 1.0, block, w.t(), 1.0, into, Epilogue::None)?;
        }
        Ok(())
    })?;
    Ok(products)
}

/// `Σ factor · start + Dᵀ X`, (h, n): starts are (h, n), `d` is (m, h).
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
        let mut sum = Array2::zeros((d.ncols(), features.len()));
        for (factor, start) in &starts {
            let start = start.slice(s![.., features.clone()]);
            sum.zip_mut_with(&start, |sum, start| *sum += factor * start.to_f64());
        }
        gemm(ctx, 1.0, d.t(), block, 1.0, sum.view_mut(), Epilogue::None)?;
        into.slice_mut(s![.., features]).zip_mut_with(&sum, |to, &sum| *to = T::from_f64(sum));
        Ok(())
    })
}

/// Calls `f(features, block, stop)` with the samples' features, a block after the other, (m, features) in f64.
fn for_each_block(
    ctx: &Context,
    x: &Samples<'_>,
    scale: f64,
    stop: &mut dyn FnMut() -> bool,
    mut f: impl FnMut(Range<usize>, ArrayView2<'_, f64>, &mut dyn FnMut() -> bool) -> Result<()>,
) -> Result<()> {
    let (m, n) = x.dim();
    let mut room = Buffer::zeros(m * n.min(BLOCK), "a block of features")?;
    for from in (0..n).step_by(BLOCK) {
        if stop() {
            return Err(Error::Interrupted);
        }
        let features = from..n.min(from + BLOCK);
        let width = features.len();
        x.columns(features.clone()).load(
            ctx,
            &Rows::Run(0..m),
            scale,
            matrix_mut(&mut room, m, width),
        );
        f(features, matrix(&room, m, width), stop)?;
    }
    Ok(())
}
