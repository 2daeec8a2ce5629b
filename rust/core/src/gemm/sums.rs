//! The sums of the chunks of a long k, and how they become C (`dot.rs` takes them).

use std::ops::Range;
use std::ptr;

use super::Product;
use super::blocking::Pieces;
use super::edge::{finish_vector, load_strided};
use super::micro::Store;
use crate::context::Context;
use crate::float::Float;
use crate::simd::{Kernel, Vector, dispatch};

/// Elements of C that make a task when the chunks are added up.
const SUMS_A_TASK: usize = 1 << 14;

/// The sums of each chunk: its own (large, small) matrix, row by row.
#[derive(Clone, Copy)]
pub(super) struct Sums<T> {
    pub(super) buffer: *mut T,
    pub(super) chunks: usize,
    /// Of one chunk.
    pub(super) elements: usize,
    pub(super) columns: usize,
}

// SAFETY: an exclusive borrow of the buffer for the time of one product; the tasks write disjoint
// pieces of it, and later read it.
unsafe impl<T: Send> Sync for Sums<T> {}

impl<T> Sums<T> {
    pub(super) fn at(&self, chunk: usize, row: usize, column: usize) -> *mut T {
        self.buffer.wrapping_add(chunk * self.elements + row * self.columns + column)
    }
}

/// `C ← α (the chunks' sums) + β C`, and the epilogue: a piece of C a task.
pub(super) fn add_up<T: Float>(ctx: &Context, p: &Product<'_, T>, sums: &Sums<T>) {
    let (m, n) = (p.c.rows, p.c.cols);
    let long = Pieces::at_most(m.max(n), (SUMS_A_TASK / m.min(n)).max(64));
    ctx.parallel_work(long.count, p.work(), |task| {
        let (rows, columns) = if m >= n { (long.get(task), 0..n) } else { (0..m, long.get(task)) };
        dispatch(ctx.isa(), Add { p, sums, rows: rows.clone(), columns: columns.clone() });
        // SAFETY: the piece is within C, finished, and this task's own.
        unsafe { p.hand_over(rows.start, columns.start, p.c.sub(rows, columns)) };
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
        let Self { p, sums, ref rows, ref columns } = self;
        let bias = p.bias().0;
        if p.c.cols == 1 {
            // Vectors lie along the one column, and all of it has one bias.
            // SAFETY: a bias that is not null has an element for the column.
            let bias = (!bias.is_null()).then(|| V::splat(unsafe { *bias }));
            for i in rows.clone().step_by(V::LANES) {
                let lanes = V::LANES.min(rows.end - i);
                // SAFETY: the elements are within C and ours.
                unsafe { self.vector::<V>(sums.at(0, i, 0), 1, p.c.at(i, 0), p.c.rs, lanes, bias) };
            }
            return;
        }
        // The sums lie as C does, or turned over.
        let (rs, cs) = if p.c.rows >= p.c.cols { (sums.columns, 1) } else { (1, sums.columns) };
        for i in rows.clone() {
            for j in columns.clone().step_by(V::LANES) {
                let lanes = V::LANES.min(columns.end - j);
                // SAFETY: a bias that is not null has an element for each column.
                let bias = (!bias.is_null()).then(|| unsafe { V::load_head(bias.add(j), lanes) });
                let from = sums.at(0, 0, 0).wrapping_add(i * rs + j * cs);
                // SAFETY: the elements are within C and ours.
                unsafe { self.vector::<V>(from, cs, p.c.at(i, j), p.c.cs, lanes, bias) };
            }
        }
    }
}

impl<T: Float> Add<'_, '_, T> {
    /// Adds up `lanes` elements, `stride` apart in C and `step` apart in the sums of each chunk, of which `from` are
    /// the first's.
    ///
    /// # Safety
    /// The sums are written; the elements of C are within it, and nobody else's.
    #[inline(always)]
    unsafe fn vector<V: Vector<Elem = T>>(
        &self,
        from: *const T,
        step: usize,
        to: *mut T,
        stride: isize,
        lanes: usize,
        bias: Option<V>,
    ) {
        let (p, relu) = (self.p, self.p.bias().1);
        for chunk in 0..self.sums.chunks {
            let last = chunk + 1 == self.sums.chunks;
            let store = Store {
                alpha: p.alpha,
                beta: if chunk == 0 { p.beta } else { T::ONE },
                bias: ptr::null(),
                row_bias: ptr::null(),
                relu: last && relu,
            };
            let from = from.wrapping_add(chunk * self.sums.elements);
            // SAFETY: as the caller promises.
            unsafe {
                let sum = load_strided::<V>(from, step as isize, lanes);
                finish_vector(sum, to, stride, lanes, store, bias.filter(|_| last));
            }
        }
    }
}
