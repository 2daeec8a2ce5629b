//! Packing: copies of pieces of A and B in the order in which the microkernel reads them.
//!
//! A panel of B is `width` columns of a slice, product after product: row p of it is the vectors
//! that the tile multiplies in step p. A panel of A is `rows` rows, again product after product. So
//! the microkernel walks straight through memory, whatever the layouts were: transposed operands
//! are turned over here, a square of registers at a time.

use super::matrix::Matrix;
use crate::float::Float;
use crate::simd::{Kernel, Vector, dispatch, prefetch, transpose};

/// Packs all of `b` (products x columns) to panels of `nr` columns, one after the other; the last
/// is as wide as the vectors that it takes, and has zeros where `b` ends within one. It is a function of its own, because
/// several call it.
///
/// # Safety
/// `b` can be read, and `b.rows` times its columns, rounded up to whole vectors, can be written at
/// `to`.
#[inline(always)]
pub(super) unsafe fn pack_b<V: Vector>(b: Matrix<V::Elem>, nr: usize, to: *mut V::Elem) {
    dispatch(V::ISA, PackB { b, nr, to });
}

/// The arguments of [`pack_b`].
struct PackB<T> {
    b: Matrix<T>,
    nr: usize,
    to: *mut T,
}

impl<T: Float> Kernel<T> for PackB<T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        // SAFETY: as the caller of `pack_b` promised.
        unsafe { panels::<V>(self.b, self.nr, self.to) };
    }
}

/// # Safety
/// As [`pack_b`].
#[inline(always)]
unsafe fn panels<V: Vector>(b: Matrix<V::Elem>, nr: usize, to: *mut V::Elem) {
    let whole = if b.cs == 1 { b.cols / nr * nr } else { 0 };
    // Row by row of B, and not panel by panel: memory likes to be read straight on.
    for p in 0..if whole > 0 { b.rows } else { 0 } {
        for j in (0..whole).step_by(nr) {
            let panel = to.wrapping_add(j * b.rows + p * nr);
            for v in (0..nr).step_by(V::LANES) {
                // A row may be far from the one before: its lines are asked for one row ahead.
                let below = b.ptr.wrapping_offset((p + 1) as isize * b.rs + (j + v) as isize);
                prefetch(below);
                // SAFETY: the caller promises both; the vector ends within `b`.
                unsafe { V::load(b.at(p, j + v)).store(panel.add(v)) };
            }
        }
    }
    for j in (whole..b.cols).step_by(nr) {
        let width = nr.min(b.cols - j).next_multiple_of(V::LANES);
        for v in (0..width).step_by(V::LANES) {
            let lanes = V::LANES.min(b.cols - j - v);
            // SAFETY: as above; the panels before this one are whole, so it starts where they end.
            unsafe {
                let to = to.add(j * b.rows + v);
                pack_lanes::<V>(b, j + v, lanes, to, width, V::LANES);
            }
        }
    }
}

/// Packs all of `a` (rows x products, at most a tile's rows) to columns of `a.rows` elements.
///
/// # Safety
/// `a` can be read, `a.rows * a.cols` elements can be written at `to`.
#[inline(always)]
pub(super) unsafe fn pack_a<V: Vector>(a: Matrix<V::Elem>, to: *mut V::Elem) {
    for i in (0..a.rows).step_by(V::LANES) {
        let lanes = V::LANES.min(a.rows - i);
        // SAFETY: as the caller promises.
        unsafe { pack_lanes::<V>(a.t(), i, lanes, to.add(i), a.rows, lanes) };
    }
}

/// Copies all of `x` to rows that are `stride` apart.
///
/// # Safety
/// `x` can be read, and `x.cols` elements of each of `x.rows` rows written.
#[inline(always)]
pub(super) unsafe fn pack_rows<V: Vector>(x: Matrix<V::Elem>, to: *mut V::Elem, stride: usize) {
    for j in (0..x.cols).step_by(V::LANES) {
        let lanes = V::LANES.min(x.cols - j);
        // SAFETY: as the caller promises.
        unsafe { pack_lanes::<V>(x, j, lanes, to.add(j), stride, lanes) };
    }
}

/// Copies `lanes` columns of `x`, from column `j` on, to rows that are `stride` apart; `out` of
/// each row's elements are written, zeros beyond `lanes`.
///
/// # Safety
/// The columns can be read, and `out <= V::LANES` elements of each of `x.rows` rows written.
#[inline(always)]
unsafe fn pack_lanes<V: Vector>(
    x: Matrix<V::Elem>,
    j: usize,
    lanes: usize,
    to: *mut V::Elem,
    stride: usize,
    out: usize,
) {
    // SAFETY: all as the caller promises: reads stay within `lanes` columns and `x.rows` rows,
    // writes within `out` elements of a row.
    unsafe {
        if x.cs == 1 && lanes == V::LANES {
            for p in 0..x.rows {
                V::load(x.at(p, j)).store(to.add(p * stride));
            }
        } else if x.cs == 1 {
            for p in 0..x.rows {
                V::load_head(x.at(p, j), lanes).store_head(to.add(p * stride), out);
            }
        } else if x.rs == 1 {
            for p in (0..x.rows).step_by(V::LANES) {
                let rows = V::LANES.min(x.rows - p);
                let from = x.ptr.offset(p as isize + j as isize * x.cs);
                transpose::<V>(from, x.cs, lanes, rows, to.add(p * stride), stride, out);
            }
        } else {
            for p in 0..x.rows {
                for l in 0..out {
                    let value = if l < lanes { *x.at(p, j + l) } else { V::Elem::ZERO };
                    *to.add(p * stride + l) = value;
                }
            }
        }
    }
}
