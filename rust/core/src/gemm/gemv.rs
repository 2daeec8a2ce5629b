//! One row times a matrix, whose columns or rows are contiguous.
//!
//! Contiguous columns are taken a few side by side, a register's lanes of them before their sums are added up: so that
//! the loads of the next few need not wait for anything.
//!
//! For contiguous rows the natural order is a multiple of one row of the matrix after the other. But the same
//! product with the matrix turned over is taken along k, a vector at a time (`dot.rs`), and the
//! layout must not show in the bits. So the sums are taken as if along k: sum l of a column is that
//! of products l, l + LANES, ...; it costs nothing, because a processor wants that many sums under
//! way in any case.
#![allow(clippy::needless_range_loop, reason = "see `micro.rs`")]

use super::along::all_sums;
use super::matrix::Matrix;
use crate::simd::{MOST_LANES, Vector};

/// Columns side by side: a divisor of any register's lanes.
const FEW: usize = 4;

/// `to[j]`, for each column j of `b`, is the sum over p of `x[p] b[p, j]`.
///
/// # Safety
/// `x` is one row as long as `b` has rows, contiguous; both can be read, `b`'s columns are contiguous, and
/// `b.cols` elements can be written at `to`.
#[inline(always)]
pub(super) unsafe fn along<V: Vector>(x: Matrix<V::Elem>, b: Matrix<V::Elem>, to: *mut V::Elem) {
    for j in (0..b.cols).step_by(V::LANES) {
        let lanes = V::LANES.min(b.cols - j);
        let mut sums = [V::splat(V::Elem::default()); MOST_LANES];
        // SAFETY: products and columns stay within both operands; `lanes` sums are written.
        unsafe {
            for l in (0..lanes / FEW * FEW).step_by(FEW) {
                let few = columns::<V, FEW>(x.ptr, b, j + l);
                sums[l..l + FEW].copy_from_slice(&few);
            }
            for l in lanes / FEW * FEW..lanes {
                [sums[l]] = columns::<V, 1>(x.ptr, b, j + l);
            }
            all_sums(sums).store_head(to.add(j), lanes);
        }
    }
}

/// A vector of partial sums for each of a few columns from the `j`th on.
///
/// # Safety
/// As [`along`]; there are so many columns.
#[inline(always)]
unsafe fn columns<V: Vector, const N: usize>(
    x: *const V::Elem,
    b: Matrix<V::Elem>,
    j: usize,
) -> [V; N] {
    let mut sums = [V::splat(V::Elem::default()); N];
    let whole = b.rows / V::LANES * V::LANES;
    // SAFETY: the products stay within both operands.
    unsafe {
        for p in (0..whole).step_by(V::LANES) {
            let x = V::load(x.add(p));
            for l in 0..N {
                sums[l] = V::load(b.at(p, j + l)).mul_add(x, sums[l]);
            }
        }
        if whole < b.rows {
            let rest = b.rows - whole;
            let x = V::load_head(x.add(whole), rest);
            for l in 0..N {
                sums[l] = V::load_head(b.at(whole, j + l), rest).mul_add(x, sums[l]);
            }
        }
    }
    sums
}

/// `to[j]`, for each column j of `b`, is the sum over p of `x[p] b[p, j]`.
///
/// # Safety
/// `x` is one row as long as `b` has rows; both can be read, `b`'s rows are contiguous, and
/// `b.cols` elements can be written at `to`.
#[inline(always)]
pub(super) unsafe fn across<V: Vector>(x: Matrix<V::Elem>, b: Matrix<V::Elem>, to: *mut V::Elem) {
    let whole = b.rows / V::LANES * V::LANES;
    for j in (0..b.cols).step_by(V::LANES) {
        let lanes = V::LANES.min(b.cols - j);
        let mut sums = [V::splat(V::Elem::default()); MOST_LANES];
        // SAFETY: products and columns stay within both operands; `lanes` sums are written.
        unsafe {
            if lanes == V::LANES {
                for p in (0..whole).step_by(V::LANES) {
                    for l in 0..V::LANES {
                        let row = V::load(b.at(p + l, j));
                        sums[l] = V::splat(*x.at(0, p + l)).mul_add(row, sums[l]);
                    }
                }
            } else {
                for p in (0..whole).step_by(V::LANES) {
                    for l in 0..V::LANES {
                        let row = V::load_head(b.at(p + l, j), lanes);
                        sums[l] = V::splat(*x.at(0, p + l)).mul_add(row, sums[l]);
                    }
                }
            }
            for l in 0..V::LANES {
                if whole + l < b.rows {
                    let row = V::load_head(b.at(whole + l, j), lanes);
                    sums[l] = V::splat(*x.at(0, whole + l)).mul_add(row, sums[l]);
                }
            }
            // By halves, as `Vector::sum` does.
            if V::LANES >= 16 {
                fold(&mut sums, 8);
            }
            if V::LANES >= 8 {
                fold(&mut sums, 4);
            }
            fold(&mut sums, 2);
            sums[0].add(sums[1]).store_head(to.add(j), lanes);
        }
    }
}

#[inline(always)]
fn fold<V: Vector>(sums: &mut [V; MOST_LANES], half: usize) {
    for l in 0..half {
        sums[l] = sums[l].add(sums[l + half]);
    }
}
