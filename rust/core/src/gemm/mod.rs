//! Matrix multiplication: `C ← α A B + β C`, and what is done to `C` on the way.

mod along;
mod blocked;
mod blocking;
mod dot;
mod edge;
mod gemv;
mod matrix;
mod micro;
mod naive;
mod pack;
pub(crate) mod packed;
mod plan;
pub(crate) mod product;
mod scratch;
mod sums;
#[cfg(test)]
mod tests;

use std::mem::MaybeUninit;
use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

use matrix::{Matrix, MatrixMut};
use product::Product;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::float::Float;

pub use naive::gemm_naive;

/// What is done to a tile of `C` when its last product has been added, while it is in registers
/// or in the first-level cache.
#[derive(Clone, Copy, Default)]
pub enum Epilogue<'a, T> {
    /// Nothing.
    #[default]
    None,
    /// `bias[j]` is added to column `j`: the forward pass of a dense layer.
    Bias(&'a [T]),
    /// The same, then `max(0, ·)`: a dense layer with ReLU.
    BiasRelu(&'a [T]),
    /// Any function of the finished tile. It is called once for each tile, from several threads at
    /// once, each with a tile of its own; together the tiles make up `C`.
    Then(&'a (dyn Fn(Tile<'_, T>) + Sync)),
    /// The same, where nobody wants `C` itself: it is but room to work in, and what it holds afterwards
    /// is of no use.
    Consume(&'a dyn Consumer<T>),
}

/// Uses a product up, tile by tile, so that it need not be written to memory.
pub trait Consumer<T>: Sync {
    /// That piece of `C` will be finished soon: what goes with it may be fetched meanwhile.
    fn expect(&self, rows: Range<usize>, columns: Range<usize>) {
        let _ = (rows, columns);
    }

    /// Takes a finished piece. It is called as the function of [`Epilogue::Then`] is.
    fn take(&self, tile: Tile<'_, T>);
}

/// A finished piece of `C`: its place, and its elements.
pub struct Tile<'a, T> {
    /// The row of `C` that is the tile's first.
    pub row: usize,
    /// The column of `C` that is the tile's first.
    pub column: usize,
    /// The elements, (rows, columns).
    pub values: ArrayViewMut2<'a, T>,
}

/// `C ← α A B + β C`, then the epilogue.
///
/// `a` is (m, k), `b` is (k, n), `c` is (m, n); each in any layout: transposed, strided and
/// reversed views cost no copy of the whole. With `beta == 0`, `c` is written without being read,
/// so whatever it held, NaN included, does not matter. With `k == 0` the product is zero.
///
/// Each element is one sum in an order that depends on the shapes, the element type and the
/// instruction set, never on the layouts' strides or the number of threads.
///
/// A matrix times its own transposed view, without β or an epilogue, is half the work: the product is symmetric.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not agree, or a bias has not `n` elements;
/// [`Error::OutOfMemory`] if there is no memory for a packed panel.
///
/// ```
/// use ndarray::array;
/// use purrceptron::{Context, gemm::{Epilogue, gemm}};
///
/// let ctx = Context::current()?;
/// let (a, b) = (array![[1.0, 2.0]], array![[3.0], [4.0]]);
/// let mut c = array![[f64::NAN]];
/// gemm(&ctx, 1.0, a.view(), b.view(), 0.0, c.view_mut(), Epilogue::Bias(&[0.5]))?;
/// assert_eq!(c, array![[11.5]]);
/// # Ok::<(), purrceptron::Error>(())
/// ```
pub fn gemm<T: Float>(
    ctx: &Context,
    alpha: T,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    beta: T,
    mut c: ArrayViewMut2<'_, T>,
    epilogue: Epilogue<'_, T>,
) -> Result<()> {
    check_shapes(a.dim(), b.dim(), c.dim(), &epilogue)?;
    let (a, b, c) = (Matrix::new(&a), Matrix::new(&b), MatrixMut::new(&mut c));
    T::product(ctx, Product { alpha, a, b, beta, c, epilogue, transposed: false })
}

/// `C ← α A B`, then the epilogue, into memory that need not have been written before: if it
/// returns `Ok`, all of `c` has been.
///
/// # Errors
/// As [`gemm`].
pub fn gemm_into<T: Float>(
    ctx: &Context,
    alpha: T,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    mut c: ArrayViewMut2<'_, MaybeUninit<T>>,
    epilogue: Epilogue<'_, T>,
) -> Result<()> {
    check_shapes(a.dim(), b.dim(), c.dim(), &epilogue)?;
    // With β = 0, C is written before anything reads it (the epilogue, for one).
    let (a, b, c) = (Matrix::new(&a), Matrix::new(&b), MatrixMut::new(&mut c).cast());
    T::product(ctx, Product { alpha, a, b, beta: T::ZERO, c, epilogue, transposed: false })
}

fn check_shapes<T>(
    (m, k): (usize, usize),
    (kb, n): (usize, usize),
    c: (usize, usize),
    epilogue: &Epilogue<'_, T>,
) -> Result<()> {
    let wrong = |argument, came, expected| Err(Error::Shape { argument, came, expected });
    if kb != k {
        return wrong("b", format!("({kb}, {n})"), format!("({k}, {n}): a is ({m}, {k})"));
    }
    if c != (m, n) {
        return wrong("c", format!("{c:?}"), format!("({m}, {n})"));
    }
    match epilogue {
        Epilogue::Bias(bias) | Epilogue::BiasRelu(bias) if bias.len() != n => {
            wrong("bias", format!("({},)", bias.len()), format!("({n},)"))
        }
        _ => Ok(()),
    }
}
