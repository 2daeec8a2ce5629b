//! The tiles of the sums along k (`dot.rs`, `packed.rs`): a vector of partial sums for each element of C, and how their
//! lanes are added up.
#![allow(clippy::needless_range_loop, reason = "see `micro.rs`")]

use super::blocking::dot_tile;
use super::matrix::Matrix;
use crate::float::Float;
use crate::simd::{Kernel, MOST_LANES, Strides, Vector, dispatch};

/// Lane l of the result is [`Vector::sum`] of `x[l]`.
///
/// Zipping two vectors brings the halves of both under one another, so one addition folds both.
#[inline(always)]
pub(super) fn all_sums<V: Vector>(mut x: [V; MOST_LANES]) -> V {
    let mut half = V::LANES / 2;
    while half > 0 {
        for i in 0..half {
            let (low, high) = x[i].zip(x[i + half]);
            x[i] = low.add(high);
        }
        half /= 2;
    }
    x[0]
}

/// The sums of the lanes of so many vectors, at most `V::LANES`, one behind the other at `vectors`.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub(super) unsafe fn lot<V: Vector>(vectors: *const V::Elem, count: usize) -> V {
    let mut lot = [V::splat(V::Elem::ZERO); MOST_LANES];
    for (l, vector) in lot.iter_mut().enumerate().take(count) {
        // SAFETY: the caller's promise.
        *vector = unsafe { V::load(vectors.add(l * V::LANES)) };
    }
    all_sums(lot)
}

/// Adds the products of a few rows of `x` with a few rows of `y`, at most [`dot_tile`] of them, to the vectors at
/// `to`; those of the `first` slice are written there. From a vector of a row of `x` it is `x_step` elements to the next.
///
/// It is a function of its own, as the tiles of `micro.rs` are.
///
/// # Safety
/// `x.rs` and `y.rs` apart are rows that can be read, of as many elements as `x` has columns, those of `y` contiguous
/// and those of `x` a vector at a time, and `y.rows` vectors can be written for each row of `x`, `width` apart (and read,
/// unless `first`).
#[inline(always)]
pub(super) unsafe fn tile<V: Vector>(
    x: Matrix<V::Elem>,
    x_step: usize,
    y: Matrix<V::Elem>,
    to: *mut V::Elem,
    width: usize,
    first: bool,
) {
    dispatch(V::ISA, Tile { x, x_step, y, to, width, first });
}

/// The arguments of [`tile`].
struct Tile<T> {
    x: Matrix<T>,
    x_step: usize,
    y: Matrix<T>,
    to: *mut T,
    width: usize,
    first: bool,
}

impl<T: Float> Kernel<T> for Tile<T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        // SAFETY: as the caller of `tile` promised.
        unsafe { of_size::<V>(self) };
    }
}

/// # Safety
/// As [`tile`].
#[inline(always)]
unsafe fn of_size<V: Vector>(tile: Tile<V::Elem>) {
    let Tile { x, x_step, y, to, width, first } = tile;
    let most = dot_tile::<V>();
    macro_rules! size {
        ($rows:literal, $columns:literal) => {
            if $rows <= most.0 && $columns <= most.1 && (x.rows, y.rows) == ($rows, $columns) {
                // SAFETY: as the caller promises.
                return unsafe { fixed::<V, $rows, $columns>(x, x_step, y, to, width, first) };
            }
        };
    }
    macro_rules! row {
        ($($rows:literal)*) => {
            $(size!($rows, 5); size!($rows, 4); size!($rows, 3); size!($rows, 2); size!($rows, 1);)*
        };
    }
    row!(5 4 3 2 1);
    unreachable!("a tile of {} by {}", x.rows, y.rows)
}

/// # Safety
/// As [`tile`].
#[inline(always)]
unsafe fn fixed<V: Vector, const MR: usize, const NR: usize>(
    x: Matrix<V::Elem>,
    x_step: usize,
    y: Matrix<V::Elem>,
    to: *mut V::Elem,
    width: usize,
    first: bool,
) {
    let mut sums = [[V::splat(V::Elem::ZERO); NR]; MR];
    let at = |i: usize, j: usize| to.wrapping_add((i * width + j) * V::LANES);
    if !first {
        for i in 0..MR {
            for j in 0..NR {
                // SAFETY: written by the slice before.
                sums[i][j] = unsafe { V::load(at(i, j)) };
            }
        }
    }
    let (mut x_rows, mut y_rows) = (Strides::new::<V::Elem>(x.rs), Strides::new::<V::Elem>(y.rs));
    let (mut x_at, mut y_at) = (x.ptr, y.ptr);
    for _ in 0..x.cols / V::LANES {
        (x_rows, y_rows) = (x_rows.opaque(), y_rows.opaque());
        let mut column = [V::splat(V::Elem::ZERO); NR];
        for j in 0..NR {
            // SAFETY: a whole vector of row j.
            column[j] = unsafe { V::load(y_rows.row(y_at, j)) };
        }
        for i in 0..MR {
            // SAFETY: a whole vector of row i.
            let row = unsafe { V::load(x_rows.row(x_at, i)) };
            for j in 0..NR {
                sums[i][j] = row.mul_add(column[j], sums[i][j]);
            }
        }
        y_at = y_at.wrapping_add(V::LANES);
        x_at = x_at.wrapping_add(x_step);
    }
    let rest = x.cols % V::LANES;
    if rest > 0 {
        let mut column = [V::splat(V::Elem::ZERO); NR];
        for j in 0..NR {
            // SAFETY: the rest of row j.
            column[j] = unsafe { V::load_head(y_rows.row(y_at, j), rest) };
        }
        for i in 0..MR {
            // SAFETY: the rest of row i.
            let row = unsafe { V::load_head(x_rows.row(x_at, i), rest) };
            for j in 0..NR {
                sums[i][j] = row.mul_add(column[j], sums[i][j]);
            }
        }
    }
    for i in 0..MR {
        for j in 0..NR {
            // SAFETY: the caller promises room for the vectors.
            unsafe { sums[i][j].store(at(i, j)) };
        }
    }
}
