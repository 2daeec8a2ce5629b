//! The loop nest: five loops around the microkernel, as in BLIS.
//!
//! ```text
//! for ic in rows, MC at a time            rows of A whose slice is packed in the third level
//!   for pc in products, KC at a time      pack A's slice
//!     for jc in columns, NC at a time     pack B's block: it stays in the second level
//!       for ir in the block's tile rows   a panel of A stays in the first level
//!         for jr in the block's panels    a panel of B streams through
//!           microkernel                   a tile of C stays in registers
//! ```
//!
//! BLIS streams A past a resident B; here, where rows are contiguous and vectors lie along them,
//! the two have changed places. Nothing is packed that is used too seldom to pay for it: the
//! microkernel reads A in place if few columns want it, and B if few rows do.
//!
//! Threads each take a rectangle of C and run the whole nest on it. A sum is taken in the same
//! order, KC products at a time, wherever its element lies in whichever rectangle: so the
//! rectangles may follow the number of threads, and the bits do not.

use std::ops::Range;
use std::ptr;
use std::sync::OnceLock;

use super::blocking::{Pieces, WORTH_A_TASK, kc, mc, mr, nc, nr, strip};
use super::matrix::MatrixMut;
use super::micro::{self, Panels, Store};
use super::pack::{pack_a, pack_b};
use super::scratch::with_scratch;
use super::{Epilogue, Product};
use crate::context::Context;
use crate::error::Result;
use crate::float::Float;
use crate::simd::{Kernel, Vector, dispatch};

/// `p`, by the loop nest, on the context's threads.
pub(super) fn blocked<T: Float>(ctx: &Context, p: &Product<'_, T>) -> Result<()> {
    let plan = dispatch(ctx.isa(), Planning { p, threads: ctx.threads() });
    let failed = OnceLock::new();
    ctx.parallel(plan.tasks(), |task| {
        let (tiles, columns) = plan.task(task);
        let rectangle = Rectangle::new(p, &plan, tiles, columns);
        let done = with_scratch(rectangle.room(), |scratch| {
            dispatch(ctx.isa(), Nest { rectangle, scratch });
        });
        if let Err(error) = done {
            failed.get_or_init(|| error);
        }
    });
    failed.into_inner().map_or(Ok(()), Err)
}

/// The sizes that go with the vector, and how C is shared out: so many groups of tile rows by so
/// many groups of strips.
struct Plan {
    tiles: Pieces,
    /// The highest tile.
    mr: usize,
    /// The columns of a panel.
    nr: usize,
    /// The columns of a block.
    nc: usize,
    row_groups: Pieces,
    strip: usize,
    columns: usize,
    column_groups: Pieces,
}

impl Plan {
    fn tasks(&self) -> usize {
        self.row_groups.count * self.column_groups.count
    }

    /// The tile rows and the columns of a task.
    fn task(&self, i: usize) -> (Range<usize>, Range<usize>) {
        let (row, column) = (i / self.column_groups.count, i % self.column_groups.count);
        let strips = self.column_groups.get(column);
        let columns = strips.start * self.strip..(strips.end * self.strip).min(self.columns);
        (self.row_groups.get(row), columns)
    }
}

/// Makes the plan; a kernel only because the sizes follow the vector.
struct Planning<'a, 'p, T> {
    p: &'a Product<'p, T>,
    threads: usize,
}

impl<T: Float> Kernel<T> for Planning<'_, '_, T> {
    type Output = Plan;

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) -> Plan {
        let (m, k, n) = (self.p.c.rows, self.p.a.cols, self.p.c.cols);
        let tiles = Pieces::at_most(m, mr::<V>());
        let strip = strip::<V>(n);
        let strips = n.div_ceil(strip);
        let work = m.saturating_mul(n).saturating_mul(2 * k.max(1));
        let (rows, columns) = match (work / WORTH_A_TASK).min(self.threads) {
            0 | 1 => (1, 1),
            threads => shares(threads, tiles.count, strips, m, n),
        };
        Plan {
            tiles,
            mr: mr::<V>(),
            nr: nr::<V>(),
            nc: nc::<V>(),
            row_groups: Pieces::exactly(tiles.count, rows),
            strip,
            columns: n,
            column_groups: Pieces::exactly(strips, columns),
        }
    }
}

/// Into how many groups to cut the tile rows and the strips, so that each thread has several
/// rectangles (whoever is quicker takes more) that are not far from square (a rectangle packs as
/// many elements as half its circumference, times k).
fn shares(threads: usize, tiles: usize, strips: usize, m: usize, n: usize) -> (usize, usize) {
    let wanted = 2 * threads;
    let (mut rows, mut columns) = (1, 1);
    while rows * columns < wanted && (rows < tiles || columns < strips) {
        let cut_rows = rows < tiles && (columns >= strips || m / rows > n / columns);
        *(if cut_rows { &mut rows } else { &mut columns }) *= 2;
    }
    (rows.min(tiles), columns.min(strips))
}

/// A rectangle of C, and which operands are packed for it.
#[derive(Clone)]
struct Rectangle<'a, 'p, T> {
    p: &'a Product<'p, T>,
    /// The tile rows of all of C.
    rows: Pieces,
    /// Those that are the rectangle's.
    tiles: Range<usize>,
    columns: Range<usize>,
    /// Elements of packed A; 0 if it is read in place.
    a_room: usize,
    b_room: usize,
    pack_b: bool,
}

impl<'a, 'p, T: Float> Rectangle<'a, 'p, T> {
    fn new(p: &'a Product<'p, T>, plan: &Plan, tiles: Range<usize>, columns: Range<usize>) -> Self {
        let rows = plan.tiles;
        let height = rows.start(tiles.end) - rows.start(tiles.start);
        let depth = p.a.cols.min(kc::<T>());
        let pack_a = columns.len() > 8 * plan.nr;
        let pack_b = p.b.cs != 1 || height > 4 * plan.mr;
        let a_room = if pack_a { height.min(mc()) * depth } else { 0 };
        let b_width = columns.len().min(if pack_b { plan.nc } else { plan.nr });
        let b_room = b_width.next_multiple_of(plan.nr) * depth;
        Self { p, rows, tiles, columns, a_room, b_room, pack_b }
    }

    fn room(&self) -> usize {
        self.a_room + self.b_room
    }
}

/// The nest on one rectangle.
struct Nest<'a, 'p, T> {
    rectangle: Rectangle<'a, 'p, T>,
    /// Room for the rectangle's panels.
    scratch: *mut T,
}

/// Room for any tile.
const TILE_ROOM: usize = 14 * 32;

impl<T: Float> Kernel<T> for Nest<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        let Rectangle { p, rows, tiles, columns, a_room, pack_b, .. } = self.rectangle;
        let a_packed = if a_room > 0 { self.scratch } else { ptr::null_mut() };
        let b_packed = self.scratch.wrapping_add(a_room);
        let slices = Pieces::at_most(p.a.cols, kc::<T>());
        let mut first = tiles.start;
        while first < tiles.end {
            let mut last = first + 1;
            while last < tiles.end && rows.start(last + 1) - rows.start(first) <= mc() {
                last += 1;
            }
            for s in 0..slices.count {
                let slice = Slice {
                    p,
                    rows,
                    products: slices.get(s),
                    first: s == 0,
                    last: s + 1 == slices.count,
                    a_packed,
                    b_packed,
                    pack_b,
                };
                // SAFETY: the tiles and the columns are within C, and no other thread has
                // them; the scratch has room for the panels.
                unsafe { slice.run::<V>(first..last, columns.clone()) };
            }
            first = last;
        }
    }
}

/// One slice of all sums: what the three inner loops and the packing need to know.
struct Slice<'a, 'p, T> {
    p: &'a Product<'p, T>,
    /// The tile rows of all of C.
    rows: Pieces,
    products: Range<usize>,
    first: bool,
    last: bool,
    /// Null if A is read in place.
    a_packed: *mut T,
    b_packed: *mut T,
    pack_b: bool,
}

impl<T: Float> Slice<'_, '_, T> {
    /// # Safety
    /// The tiles and columns are within C and nobody else's; the scratch has room.
    #[inline(always)]
    unsafe fn run<V: Vector<Elem = T>>(&self, tiles: Range<usize>, columns: Range<usize>) {
        let top = self.rows.start(tiles.start);
        if !self.a_packed.is_null() {
            for t in tiles.clone() {
                let rows = self.rows.get(t);
                let a = self.p.a.sub(rows.clone(), self.products.clone());
                // SAFETY: the panel of each tile follows that of the tiles before.
                unsafe {
                    pack_a::<V>(a, self.a_packed.add((rows.start - top) * self.products.len()));
                }
            }
        }
        let mut left = columns.start;
        while left < columns.end {
            let right = (left + nc::<V>()).min(columns.end);
            if self.pack_b {
                for j in (left..right).step_by(nr::<V>()) {
                    // SAFETY: as the caller promises.
                    unsafe { self.pack_panel::<V>(j..(j + nr::<V>()).min(right), left) };
                }
            } else if !(right - left).is_multiple_of(V::LANES) {
                let j = left + (right - left) / nr::<V>() * nr::<V>();
                // SAFETY: as above; this only panel is the first of the scratch.
                unsafe { self.pack_panel::<V>(j..right, j) };
            }
            for t in tiles.clone() {
                // SAFETY: as above, and the panels are packed.
                unsafe { self.tile_row::<V>(t, top, left..right) };
            }
            left = right;
        }
    }

    /// Packs the panel of B with those columns, where the block starts at column `left`.
    /// # Safety
    /// As [`run`](Self::run).
    #[inline(always)]
    unsafe fn pack_panel<V: Vector<Elem = T>>(&self, columns: Range<usize>, left: usize) {
        let whole = columns.len().next_multiple_of(V::LANES);
        // SAFETY: the panels before it are whole, so it starts where they end.
        unsafe {
            let to = self.b_packed.add((columns.start - left) * self.products.len());
            pack_b::<V>(self.p.b.sub(self.products.clone(), columns), whole, to);
        }
    }

    /// A row of tiles, and the epilogue, strip by strip, while they are in the first-level cache.
    /// # Safety
    /// As [`run`](Self::run); what is to be packed, is.
    #[inline(always)]
    unsafe fn tile_row<V: Vector<Elem = T>>(&self, t: usize, top: usize, columns: Range<usize>) {
        let Product { alpha, a, b, beta, c, epilogue, .. } = *self.p;
        let (rows, kc) = (self.rows.get(t), self.products.len());
        // SAFETY: the first element of the tile row's slice, packed or in place. (With no
        // products there is none, and none is read.)
        let (a, a_row, a_k) = unsafe {
            if self.a_packed.is_null() {
                (
                    a.ptr.wrapping_offset(
                        rows.start as isize * a.rs + self.products.start as isize * a.cs,
                    ),
                    a.rs,
                    a.cs,
                )
            } else {
                let packed = self.a_packed.add((rows.start - top) * kc);
                (packed.cast_const(), 1, rows.len() as isize)
            }
        };
        let (bias, relu) = if self.last { self.p.bias() } else { (ptr::null(), false) };
        let beta = if self.first { beta } else { T::ONE };
        let strip = strip::<V>(c.cols);
        for left in columns.clone().step_by(strip) {
            let right = (left + strip).min(columns.end);
            for j in (left..right).step_by(nr::<V>()) {
                let width = nr::<V>().min(columns.end - j);
                let vectors = width.div_ceil(V::LANES);
                let whole = vectors * V::LANES;
                let (b, b_k) = if self.pack_b {
                    (
                        self.b_packed.wrapping_add((j - columns.start) * kc).cast_const(),
                        whole as isize,
                    )
                } else if width < whole {
                    (self.b_packed.cast_const(), whole as isize)
                } else {
                    (b.ptr.wrapping_offset(self.products.start as isize * b.rs + j as isize), b.rs)
                };
                let panels = Panels { kc, a, a_row, a_k, b, b_k };
                let bias = if bias.is_null() { bias } else { bias.wrapping_add(j) };
                let store = Store { alpha, beta, bias, relu };
                // SAFETY: the tile is within C and nobody else's.
                unsafe {
                    let c_tile = c.at(rows.start, j);
                    if width == whole && c.cs == 1 {
                        micro::tile::<V>(rows.len(), vectors, panels, c_tile, c.rs, store);
                    } else {
                        let mut sums = [T::ZERO; TILE_ROOM];
                        let raw =
                            Store { alpha: T::ONE, beta: T::ZERO, bias: ptr::null(), relu: false };
                        let rs = nr::<V>() as isize;
                        micro::tile::<V>(rows.len(), vectors, panels, sums.as_mut_ptr(), rs, raw);
                        let tile = MatrixMut { ptr: c_tile, rows: rows.len(), cols: width, ..c };
                        micro::finish_edge::<V>(sums.as_ptr(), tile, store);
                    }
                }
            }
            if let (Epilogue::Then(f), true) = (epilogue, self.last) {
                // SAFETY: the elements are within C, written, and nobody else's.
                unsafe { self.p.hand_over(f, rows.clone(), left..right) };
            }
        }
    }
}
