//! The edges of C: how a tile's sums are stored where whole vectors of a row cannot be.

use std::mem::MaybeUninit;

use super::matrix::MatrixMut;
use super::micro::Store;
use crate::float::Float;
use crate::simd::{Kernel, MOST_LANES, Vector, dispatch, transpose};

/// What the microkernel does with its sums, for a tile that is cut short by the edge of C, whose rows are not contiguous, or have a bias
/// each: the sums are in `sums`, whose rows are `sums_rs` apart, and go to C's elements, at
/// any strides. The arithmetic is the same, vector by vector.
///
/// # Safety
/// `sums` can be read up to whole vectors; the elements of C can be written (and, unless `beta`
/// is zero, read); a bias that is not null has an element for each column, or for each row.
#[inline(always)]
pub(super) unsafe fn finish<V: Vector>(
    sums: *const V::Elem,
    sums_rs: usize,
    c: MatrixMut<V::Elem>,
    store: Store<V::Elem>,
) {
    dispatch(V::ISA, Edge { sums, sums_rs, c, store });
}

/// The arguments of [`finish`], which is a function of its own, as the tiles are.
struct Edge<T> {
    sums: *const T,
    sums_rs: usize,
    c: MatrixMut<T>,
    store: Store<T>,
}

impl<T: Float> Kernel<T> for Edge<T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        // SAFETY: as the caller of `finish` promised.
        unsafe { edge::<V>(self) };
    }
}

/// # Safety
/// As [`finish`].
#[inline(always)]
unsafe fn edge<V: Vector>(edge: Edge<V::Elem>) {
    let Edge { sums, sums_rs, c, store } = edge;
    if c.rs == 1 && c.cs != 1 {
        // C's columns are contiguous: a square of sums at a time is turned over.
        for i in (0..c.rows).step_by(V::LANES) {
            for j in (0..c.cols).step_by(V::LANES) {
                let (rows, cols) = (V::LANES.min(c.rows - i), V::LANES.min(c.cols - j));
                let mut square = [MaybeUninit::<V>::uninit(); MOST_LANES];
                let square: *mut V::Elem = square.as_mut_ptr().cast();
                // SAFETY: as the caller promises; the square has room for LANES vectors.
                unsafe {
                    let from = sums.add(i * sums_rs + j);
                    transpose::<V>(from, sums_rs as isize, rows, cols, square, V::LANES, V::LANES);
                    for l in 0..cols {
                        let sum = V::load(square.add(l * V::LANES));
                        let bias = match (store.bias.is_null(), store.row_bias.is_null()) {
                            (false, _) => Some(V::splat(*store.bias.add(j + l))),
                            (_, false) => Some(V::load_head(store.row_bias.add(i), rows)),
                            _ => None,
                        };
                        finish_vector(sum, c.at(i, j + l), 1, rows, store, bias);
                    }
                }
            }
        }
        return;
    }
    for i in 0..c.rows {
        for j in (0..c.cols).step_by(V::LANES) {
            let lanes = V::LANES.min(c.cols - j);
            // SAFETY: as the caller promises; only the first `lanes` of the row are touched.
            unsafe {
                let sum = V::load(sums.add(i * sums_rs + j));
                let bias = match (store.bias.is_null(), store.row_bias.is_null()) {
                    (false, _) => Some(V::load_head(store.bias.add(j), lanes)),
                    (_, false) => Some(V::splat(*store.row_bias.add(i))),
                    _ => None,
                };
                finish_vector(sum, c.at(i, j), c.cs, lanes, store, bias);
            }
        }
    }
}

/// What the microkernel does with its sums, for `lanes` elements that are `cs` apart, and their bias.
///
/// # Safety
/// The elements at `c` can be written (and, unless `beta` is zero, read).
#[inline(always)]
pub(super) unsafe fn finish_vector<V: Vector>(
    sum: V,
    c: *mut V::Elem,
    cs: isize,
    lanes: usize,
    store: Store<V::Elem>,
    bias: Option<V>,
) {
    let (alpha, beta) = (V::splat(store.alpha), V::splat(store.beta));
    // SAFETY: as the caller promises.
    unsafe {
        let mut x = if store.beta == V::Elem::ZERO {
            alpha.mul(sum)
        } else {
            alpha.mul_add(sum, beta.mul(load_strided::<V>(c, cs, lanes)))
        };
        if let Some(bias) = bias {
            x = x.add(bias);
        }
        if store.relu {
            x = V::splat(V::Elem::ZERO).max(x);
        }
        store_strided(x, c, cs, lanes);
    }
}

/// # Safety
/// `lanes <= V::LANES` elements, `stride` apart, can be read.
#[inline(always)]
pub(super) unsafe fn load_strided<V: Vector>(p: *const V::Elem, stride: isize, lanes: usize) -> V {
    if stride == 1 {
        // SAFETY: as the caller promises.
        return unsafe { V::load_head(p, lanes) };
    }
    let mut row = [V::Elem::ZERO; MOST_LANES];
    for (l, x) in row.iter_mut().enumerate().take(lanes) {
        // SAFETY: as the caller promises.
        *x = unsafe { *p.offset(l as isize * stride) };
    }
    // SAFETY: the array has room for any vector.
    unsafe { V::load(row.as_ptr()) }
}

/// # Safety
/// `lanes <= V::LANES` elements, `stride` apart, can be written.
#[inline(always)]
unsafe fn store_strided<V: Vector>(x: V, p: *mut V::Elem, stride: isize, lanes: usize) {
    if stride == 1 {
        // SAFETY: as the caller promises.
        return unsafe { x.store_head(p, lanes) };
    }
    let mut row = [V::Elem::ZERO; MOST_LANES];
    // SAFETY: the array has room for any vector.
    unsafe { x.store(row.as_mut_ptr()) };
    for (l, &x) in row.iter().enumerate().take(lanes) {
        // SAFETY: as the caller promises.
        unsafe { *p.offset(l as isize * stride) = x };
    }
}
