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
#![allow(clippy::needless_range_loop, reason = "see `micro.rs`")]

use std::ops::Range;
use std::ptr;
use std::sync::OnceLock;

use super::blocking::{Pieces, WORTH_A_TASK, chunk, dot_tile};
use super::gemv::across;
use super::matrix::Matrix;
use super::micro::{Store, finish_vector, load_strided};
use super::pack::pack_rows;
use super::scratch::with_scratch;
use super::{Epilogue, Product};
use crate::context::Context;
use crate::error::Result;
use crate::float::Float;
use crate::simd::{Kernel, Vector, dispatch, prefetch};

/// Elements of the larger operand that make a task.
const ELEMENTS_A_TASK: usize = 1 << 17;
/// Elements of C that make a task when the chunks are added up.
const SUMS_A_TASK: usize = 1 << 14;

/// Whether sums are taken along k: a function of the sizes alone, because the order of the sums
/// depends on it.
pub(super) fn pays(m: usize, k: usize, n: usize) -> bool {
    let (few, many) = (m.min(n), m.max(n));
    few == 1 || few <= 24 && k >= many && k >= 256
}

/// `p`, by sums along k, on the context's threads.
pub(super) fn dot<T: Float>(ctx: &Context, p: &Product<'_, T>) -> Result<()> {
    let (m, k, n) = (p.c.rows, p.a.cols, p.c.cols);
    let serial = ctx.serial();
    let ctx = if k.saturating_mul(2 * m * n) < 2 * WORTH_A_TASK { &serial } else { ctx };
    // The rows of the smaller operand are read again for each few rows of the larger.
    let (large, small) = if m >= n { (p.a, p.b.t()) } else { (p.b.t(), p.a) };
    let chunks = Pieces::at_most(k, chunk::<T>());
    let depth = chunks.get(0).len();
    let groups = Pieces::at_most(large.rows, (ELEMENTS_A_TASK / depth.max(1)).max(64));
    let room = (m * n).saturating_mul(chunks.count);
    let failed = OnceLock::new();
    with_scratch(room, |buffer: *mut T| {
        let sums = Sums { buffer, chunks: chunks.count, elements: m * n, columns: small.rows };
        ctx.parallel(groups.count * chunks.count, |task| {
            let (group, chunk) = (task / chunks.count, task % chunks.count);
            let large = large.sub(groups.get(group), chunks.get(chunk));
            let small = small.sub(0..small.rows, chunks.get(chunk));
            let to = sums.at(chunk, groups.start(group), 0);
            let sum = Sum { large, small, to, scratch: ptr::null_mut() };
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

/// The sums of each chunk: its own (large, small) matrix, row by row.
#[derive(Clone, Copy)]
struct Sums<T> {
    buffer: *mut T,
    chunks: usize,
    /// Of one chunk.
    elements: usize,
    columns: usize,
}

// SAFETY: an exclusive borrow of the buffer for the time of one product; the tasks write disjoint
// pieces of it, and later read it.
unsafe impl<T: Send> Sync for Sums<T> {}

impl<T> Sums<T> {
    fn at(&self, chunk: usize, row: usize, column: usize) -> *mut T {
        self.buffer.wrapping_add(chunk * self.elements + row * self.columns + column)
    }
}

/// The sums of one chunk for some rows of the larger operand.
#[derive(Clone, Copy)]
struct Sum<T> {
    large: Matrix<T>,
    small: Matrix<T>,
    /// Row by row, `small.rows` in each.
    to: *mut T,
    /// Room for the operands that have to be packed.
    scratch: *mut T,
}

impl<T> Sum<T> {
    /// One row against a matrix whose columns are contiguous: see `gemv.rs`.
    fn is_across(&self) -> bool {
        self.small.rows == 1 && self.large.cs != 1 && self.large.rs == 1
    }

    fn room(&self) -> usize {
        if self.is_across() { 0 } else { room_for(&self.large) + room_for(&self.small) }
    }
}

/// Rows that are packed are so far apart: whole vectors, and not a multiple of a page, for lines
/// of the cache that are a page apart share one place in it.
fn stride_of<T>(x: &Matrix<T>) -> usize {
    x.cols.next_multiple_of(64) + 16
}

/// Elements of the packed copy of an operand; 0 if it lies along k already.
fn room_for<T>(x: &Matrix<T>) -> usize {
    if x.cs == 1 { 0 } else { x.rows * stride_of(x) }
}

impl<T: Float> Kernel<T> for Sum<T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        if self.is_across() {
            // SAFETY: both operands can be read, and there is a sum for each of `large`'s rows.
            return unsafe { across::<V>(self.small, self.large.t(), self.to) };
        }
        // SAFETY: the scratch has room for both, one after the other.
        let (large, small) = unsafe {
            let large = along_k::<V>(self.large, self.scratch);
            (large, along_k::<V>(self.small, self.scratch.wrapping_add(room_for(&self.large))))
        };
        let (most_rows, most_columns) = dot_tile::<V>();
        let rows = Pieces::at_most(large.rows, most_rows);
        let columns = Pieces::at_most(small.rows, most_columns);
        for i in 0..rows.count {
            let x = large.sub(rows.get(i), 0..large.cols);
            for j in 0..columns.count {
                let y = small.sub(columns.get(j), 0..small.cols);
                // SAFETY: the tile's rows and columns are among those of the task.
                unsafe {
                    let to = self.to.add(rows.start(i) * small.rows + columns.start(j));
                    let row = rows.start(i + 1) + (2 * j) % x.rows;
                    let next = large.sub(row..row, 0..0).ptr;
                    tile::<V>(x, y, to, small.rows, next);
                }
            }
        }
    }
}

/// The same matrix with contiguous rows: itself, or a copy in `scratch`.
///
/// # Safety
/// It can be read, and `room_for` of it written at `scratch`.
#[inline(always)]
unsafe fn along_k<V: Vector>(x: Matrix<V::Elem>, scratch: *mut V::Elem) -> Matrix<V::Elem> {
    if x.cs == 1 {
        return x;
    }
    let stride = stride_of(&x);
    // SAFETY: as the caller promises.
    unsafe { pack_rows::<V>(x, scratch, stride) };
    Matrix { ptr: scratch, rs: stride as isize, cs: 1, ..x }
}

/// The sums of a few rows of `x` with a few rows of `y`, at most [`dot_tile`] of them.
///
/// # Safety
/// `x.rs` and `y.rs` apart are rows of `x.cols` contiguous elements that can be read, and `y.rows` sums
/// can be written for each row of `x`, `to_stride` apart.
#[inline(always)]
unsafe fn tile<V: Vector>(
    x: Matrix<V::Elem>,
    y: Matrix<V::Elem>,
    to: *mut V::Elem,
    to_stride: usize,
    next: *const V::Elem,
) {
    let most = dot_tile::<V>();
    macro_rules! size {
        ($rows:literal, $columns:literal) => {
            if $rows <= most.0 && $columns <= most.1 && (x.rows, y.rows) == ($rows, $columns) {
                // SAFETY: as the caller promises.
                return unsafe { fixed::<V, $rows, $columns>(x, y, to, to_stride, next) };
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
    y: Matrix<V::Elem>,
    to: *mut V::Elem,
    to_stride: usize,
    next: *const V::Elem,
) {
    let mut sums = [[V::splat(V::Elem::ZERO); NR]; MR];
    let xs: [_; MR] = std::array::from_fn(|i| x.ptr.wrapping_offset(i as isize * x.rs));
    let ys: [_; NR] = std::array::from_fn(|j| y.ptr.wrapping_offset(j as isize * y.rs));
    let whole = x.cols / V::LANES * V::LANES;
    let mut p = 0;
    while p < whole {
        for r in 0..2 {
            prefetch(next.wrapping_offset(r * x.rs).wrapping_add(p));
        }
        let mut column = [V::splat(V::Elem::ZERO); NR];
        for j in 0..NR {
            // SAFETY: a whole vector of row j.
            column[j] = unsafe { V::load(ys[j].add(p)) };
        }
        for i in 0..MR {
            // SAFETY: a whole vector of row i.
            let row = unsafe { V::load(xs[i].add(p)) };
            for j in 0..NR {
                sums[i][j] = row.mul_add(column[j], sums[i][j]);
            }
        }
        p += V::LANES;
    }
    let rest = x.cols - whole;
    if rest > 0 {
        let mut column = [V::splat(V::Elem::ZERO); NR];
        for j in 0..NR {
            // SAFETY: the rest of row j.
            column[j] = unsafe { V::load_head(ys[j].add(p), rest) };
        }
        for i in 0..MR {
            // SAFETY: the rest of row i.
            let row = unsafe { V::load_head(xs[i].add(p), rest) };
            for j in 0..NR {
                sums[i][j] = row.mul_add(column[j], sums[i][j]);
            }
        }
    }
    for i in 0..MR {
        for j in 0..NR {
            // SAFETY: the caller promises room for the sums.
            unsafe { *to.add(i * to_stride + j) = sums[i][j].sum() };
        }
    }
}

/// `C ← α (the chunks' sums) + β C`, and the epilogue: a piece of C a task.
fn add_up<T: Float>(ctx: &Context, p: &Product<'_, T>, sums: &Sums<T>) {
    let (m, n) = (p.c.rows, p.c.cols);
    let long = Pieces::at_most(m.max(n), (SUMS_A_TASK / m.min(n)).max(64));
    ctx.parallel(long.count, |task| {
        let (rows, columns) = if m >= n { (long.get(task), 0..n) } else { (0..m, long.get(task)) };
        dispatch(ctx.isa(), Add { p, sums, rows: rows.clone(), columns: columns.clone() });
        if let Epilogue::Then(f) = p.epilogue {
            // SAFETY: the piece is within C, finished, and this task's own.
            unsafe { p.hand_over(f, rows, columns) };
        }
    });
}

struct Add<'a, 'p, T> {
    p: &'a Product<'p, T>,
    sums: &'a Sums<T>,
    rows: Range<usize>,
    columns: Range<usize>,
}

impl<T: Float> Kernel<T> for Add<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        let Self { p, sums, rows, columns } = self;
        let (bias, relu) = p.bias();
        // The sums lie as C does, or turned over.
        let (rs, cs) = if p.c.rows >= p.c.cols { (sums.columns, 1) } else { (1, sums.columns) };
        for i in rows {
            for j in columns.clone().step_by(V::LANES) {
                let lanes = V::LANES.min(columns.end - j);
                for chunk in 0..sums.chunks {
                    let last = chunk + 1 == sums.chunks;
                    let store = Store {
                        alpha: p.alpha,
                        beta: if chunk == 0 { p.beta } else { T::ONE },
                        bias: if last && !bias.is_null() {
                            bias.wrapping_add(j)
                        } else {
                            ptr::null()
                        },
                        relu: last && relu,
                    };
                    // SAFETY: the sums are written; the elements of C are within it and ours.
                    unsafe {
                        let from = sums.at(chunk, 0, 0).wrapping_add(i * rs + j * cs);
                        let sum = load_strided::<V>(from, cs as isize, lanes);
                        finish_vector(sum, p.c.at(i, j), p.c.cs, lanes, store);
                    }
                }
            }
        }
    }
}
