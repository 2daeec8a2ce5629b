//! Products with few rows or few columns and a long k: sums of products along k, a vector of them
//! at a time.
//!
//! The loop nest puts vectors along the rows of C. With 20 columns that leaves registers empty, and
//! packing an operand costs as much as using it 20 times. But if both operands lie along k, as in
//! `X Wᵀ`, nothing needs to be turned over: the vectors lie along k, each element of C is a vector
//! of partial sums, and its lanes are added at the end. With AVX-512 a tile of 5 x 5 such vectors
//! takes 10 loads for 25 multiply-adds.
//!
//! k is cut into chunks of fixed length; lane l of a chunk adds up products l, l + LANES, ..., the
//! lanes are added by halves, and the chunks in order. The chunks' sums wait in a buffer meanwhile,
//! so that threads can share out k as well as C.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;
use std::sync::OnceLock;

use super::Product;
use super::along::{lot, tile};
use super::blocking::{Pieces, chunk, dot_slice, dot_tile};
use super::gemv::{across, along};
use super::matrix::Matrix;
use super::pack::pack_rows;
use super::scratch::with_scratch;
use super::sums::{Sums, add_up};
use crate::context::Context;
use crate::error::Result;
use crate::float::Float;
use crate::simd::{Kernel, Vector, dispatch};

/// Operations that are worth a thread of their own, if it is at hand: a microsecond or two.
const WORTH_A_TASK: usize = 1 << 17;
/// The most elements of the larger operand that make a task.
const ELEMENTS_A_TASK: usize = 1 << 17;
/// So many rows are whole tiles of any instruction set.
const ROWS_OF_TILES: usize = 30;
/// Rows of the larger operand for which a copy of the smaller is worth making.
const WORTH_PACKING: usize = 16;
/// Bytes of the smaller operand that stay in the first-level cache whatever their addresses.
const IN_FIRST_LEVEL: usize = 8 << 10;

/// Whether sums are taken along k: a function of the sizes alone, because the order of the sums
/// depends on it.
pub(super) fn pays(m: usize, k: usize, n: usize) -> bool {
    let (few, many) = (m.min(n), m.max(n));
    few == 1 || few <= 24 && (k >= many && k >= 256 || k >= 5 * many && k >= 64)
}

/// `p`, by sums along k, on the context's threads.
pub(super) fn dot<T: Float>(ctx: &Context, p: &Product<'_, T>) -> Result<()> {
    let (m, k, n) = (p.c.rows, p.a.cols, p.c.cols);
    let serial = ctx.serial();
    // A matrix times a vector waits for the cache: it takes several times as long as its operations.
    let work = p.work().saturating_mul(if m.min(n) == 1 { 3 } else { 1 });
    let ctx = if work < 2 * WORTH_A_TASK { &serial } else { ctx };
    // The rows of the smaller operand are read again for each few rows of the larger.
    let (large, small) = if m >= n { (p.a, p.b.t()) } else { (p.b.t(), p.a) };
    let chunks = Pieces::at_most(k, chunk::<T>());
    let depth = chunks.longest();
    let most = (ELEMENTS_A_TASK / depth.max(1)).next_multiple_of(ROWS_OF_TILES);
    let wanted = (work / WORTH_A_TASK).min(ctx.threads()).div_ceil(chunks.count).max(1);
    let group = large.rows.div_ceil(wanted).min(most);
    let groups = large.rows.div_ceil(group);
    let packs = if small.cs == 1 {
        large.rows >= WORTH_PACKING && small.rows * k * size_of::<T>() > IN_FIRST_LEVEL
    } else {
        !is_across(&large, &small) || large.rows >= WORTH_PACKING
    };
    let packed_len = if packs { small.rows.saturating_mul(k) } else { 0 };
    let sums_len = (m * n).saturating_mul(chunks.count);
    let failed = OnceLock::new();
    with_scratch(packed_len.saturating_add(sums_len), |packed: *mut T| {
        let buffer = packed.wrapping_add(packed_len);
        let sums = Sums { buffer, chunks: chunks.count, elements: m * n, columns: small.rows };
        let small = Small { matrix: small, packed: if packs { packed } else { ptr::null_mut() } };
        if packs {
            ctx.parallel_work(chunks.count, work, |chunk| {
                dispatch(ctx.isa(), Pack { small: &small, products: chunks.get(chunk) });
            });
        }
        // Chunk by chunk, so that the smaller operand's stays in the second level meanwhile.
        ctx.parallel_work(chunks.count * groups, work, |task| {
            let (chunk, row) = (task / groups, task % groups * group);
            let products = chunks.get(chunk);
            let large = large.sub(row..large.rows.min(row + group), products.clone());
            let to = sums.at(chunk, row, 0);
            let sum = Sum { large, small: &small, products, to, scratch: ptr::null_mut() };
            let done = with_scratch(sum.room(), |scratch| {
                dispatch(ctx.isa(), Sum { scratch, ..sum });
            });
            if let Err(error) = done {
                failed.get_or_init(|| error);
            }
        });
        if failed.get().is_none() {
            add_up(ctx, p, &sums);
        }
    })?;
    failed.into_inner().map_or(Ok(()), Err)
}

/// The smaller operand, and perhaps a copy of it, a slice after the other, each row by row: its rows are then
/// neither a multiple of a page apart, which would have them fight for the same lines of the cache, nor unaligned.
#[derive(Clone, Copy)]
struct Small<T> {
    matrix: Matrix<T>,
    /// Null if there is no copy.
    packed: *mut T,
}

// SAFETY: as a `Matrix`; the copy is written by one task for each of its pieces, and read after that.
unsafe impl<T: Send + Sync> Sync for Small<T> {}

impl<T: Float> Small<T> {
    /// Those products of all rows; they are a slice, or part of one from its beginning.
    #[inline(always)]
    fn slice(&self, products: Range<usize>) -> Matrix<T> {
        if self.packed.is_null() {
            return self.matrix.sub(0..self.matrix.rows, products);
        }
        let (rows, cols) = (self.matrix.rows, products.len());
        let ptr = self.packed.wrapping_add(products.start * rows).cast_const();
        Matrix { ptr, rows, cols, rs: cols as isize, cs: 1 }
    }
}

/// Copies those products of the smaller operand.
struct Pack<'a, T> {
    small: &'a Small<T>,
    products: Range<usize>,
}

impl<T: Float> Kernel<T> for Pack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        for products in slices::<T>(self.products) {
            let to = self.small.slice(products.clone());
            let from = self.small.matrix.sub(0..to.rows, products);
            // SAFETY: the copy has room for all products, and these are this task's.
            unsafe { pack_rows::<V>(from, to.ptr.cast_mut(), to.cols) };
        }
    }
}

/// The slices of a chunk: so many products of all rows of the smaller operand at a time stay in the first-level cache.
fn slices<T>(products: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let Range { start, end } = products;
    let most = dot_slice::<T>();
    (start..end.max(start + 1)).step_by(most).map(move |from| from..end.min(from + most))
}

/// The sums of one chunk for some rows of the larger operand.
#[derive(Clone)]
struct Sum<'a, T> {
    large: Matrix<T>,
    small: &'a Small<T>,
    /// The chunk.
    products: Range<usize>,
    /// Row by row, an element for each of the smaller operand's rows.
    to: *mut T,
    /// Room for the larger operand, if it has to be packed.
    scratch: *mut T,
}

/// One row against a matrix whose columns are contiguous: see `gemv.rs`.
fn is_across<T>(large: &Matrix<T>, small: &Matrix<T>) -> bool {
    small.rows == 1 && large.cs != 1 && large.rs == 1
}

impl<T> Sum<'_, T> {
    fn packs(&self) -> bool {
        self.large.cs != 1 && !is_across(&self.large, &self.small.matrix)
    }

    fn room(&self) -> usize {
        if self.packs() { self.large.rows * stride_of(&self.large) } else { 0 }
    }
}

/// Rows that are packed are so far apart: whole vectors, and not a multiple of a page, for lines
/// of the cache that are a page apart share one place in it.
fn stride_of<T>(x: &Matrix<T>) -> usize {
    x.cols.next_multiple_of(64) + 16
}

impl<T: Float> Kernel<T> for Sum<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        let columns = self.small.matrix.rows;
        let mut x = self.large;
        if is_across(&x, &self.small.matrix) {
            let small = self.small.matrix.sub(0..1, self.products);
            // SAFETY: both operands can be read, and there is a sum for each of `x`'s rows.
            return unsafe { across::<V>(small, x.t(), self.to) };
        }
        if self.packs() {
            let stride = stride_of(&x);
            // SAFETY: the scratch has room for it.
            unsafe { pack_rows::<V>(x, self.scratch, stride) };
            x = Matrix { ptr: self.scratch, rs: stride as isize, cs: 1, ..x };
        }
        if columns == 1 {
            let small = self.small.slice(self.products);
            // SAFETY: the rows of both are contiguous, and there is a sum for each of `x`'s.
            return unsafe { along::<V>(small, x.t(), self.to) };
        }
        // So many rows that their sums fill a vector.
        let (most_rows, _) = dot_tile::<V>();
        let rows = most_rows * V::LANES.div_ceil(most_rows * columns);
        for i in (0..x.rows).step_by(rows) {
            let x = x.sub(i..x.rows.min(i + rows), 0..x.cols);
            // SAFETY: the rows are among those of the task.
            unsafe { self.rows::<V>(x, self.to.add(i * columns)) };
        }
    }
}

/// The most rows of the smaller operand: see [`pays`].
const MOST_COLUMNS: usize = 32;
/// Room for some rows of tiles: a vector of partial sums for each element.
const ROOM: usize = 5 * MOST_COLUMNS;

impl<T: Float> Sum<'_, T> {
    /// The sums of a few rows of the larger operand, which are `x`.
    ///
    /// # Safety
    /// Their rows are contiguous; the sums can be written at `to`.
    #[inline(always)]
    unsafe fn rows<V: Vector<Elem = T>>(&self, x: Matrix<T>, to: *mut T) {
        let mut vectors = [const { MaybeUninit::<V>::uninit() }; ROOM];
        let vectors: *mut T = vectors.as_mut_ptr().cast();
        let width = self.small.matrix.rows;
        let (most_rows, most_columns) = dot_tile::<V>();
        let (rows, columns) =
            (Pieces::at_most(x.rows, most_rows), Pieces::at_most(width, most_columns));
        for i in 0..rows.count {
            for products in slices::<T>(self.products.clone()) {
                let start = self.products.start;
                let first = products.start == start;
                let x = x.sub(rows.get(i), products.start - start..products.end - start);
                let y = self.small.slice(products);
                for j in 0..columns.count {
                    let y = y.sub(columns.get(j), 0..y.cols);
                    let at = rows.start(i) * width + columns.start(j);
                    // SAFETY: there is room for a vector for each of the sums.
                    unsafe { tile::<V>(x, V::LANES, y, vectors.add(at * V::LANES), width, first) };
                }
            }
        }
        let count = x.rows * width;
        for from in (0..count).step_by(V::LANES) {
            let lanes = V::LANES.min(count - from);
            // SAFETY: the vectors are written; the caller promises room for the sums.
            unsafe {
                lot::<V>(vectors.add(from * V::LANES), lanes).store_head(to.add(from), lanes)
            };
        }
    }
}
