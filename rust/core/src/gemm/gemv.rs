//! One row times a matrix whose rows are contiguous.
//!
//! The natural order here is a multiple of one row of the matrix after the other. But the same
//! product with the matrix turned over is taken along k, a vector at a time (`dot.rs`), and the
//! layout must not show in the bits. So the sums are taken as if along k: sum l of a column is that
//! of products l, l + LANES, ...; it costs nothing, because a processor wants that many sums under
//! way in any case.
#![allow(clippy::needless_range_loop, reason = "see `micro.rs`")]

use super::matrix::Matrix;
use crate::simd::{MOST_LANES, Vector};

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
