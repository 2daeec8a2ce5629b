//! The loop nest around the microkernel, as in BLIS.
//!
//! ```text
//! for jc in columns, NC at a time
//!   for pc in products, KC at a time      pack a block of B: it stays in the second level
//!     for ir in tile rows                 pack a panel of A: it stays in the first level
//!       for jr in the block's panels      a panel of B streams through
//!         microkernel                     a tile of C stays in registers
//! ```
//!
//! BLIS streams A past a resident B; here, where rows are contiguous and vectors lie along them,
//! the two have changed places, and since a panel of A is packed in the cache just before it is
//! used, BLIS's loop over blocks of A falls away. Nothing is packed that need not be: the
//! microkernel reads A in place if its rows are close or C is narrow, and B if few rows want it.
//!
//! Threads each take a rectangle of C and run the whole nest on it. A sum is taken in the same
//! order, KC products at a time, wherever its element lies in whichever rectangle: so the
//! rectangles may follow the number of threads, and the bits do not.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;
use std::sync::OnceLock;

use super::blocking::{Pieces, STRIP_ROOM, TILE_ROOM, kc};
use super::edge;
use super::matrix::MatrixMut;
use super::micro::{self, Next, Panels, Store, Whole};
use super::pack::{pack_a, pack_b, pack_rows};
use super::plan::{Plan, Planning, Rectangle};
use super::scratch::with_scratch;
use super::{Epilogue, Product};
use crate::caches::LINE;
use crate::context::Context;
use crate::error::Result;
use crate::float::Float;
use crate::simd::{Kernel, Vector, dispatch};

/// `p`, by the loop nest, on the context's threads.
pub(super) fn blocked<T: Float>(ctx: &Context, p: &Product<'_, T>) -> Result<()> {
    let (p, plan) = dispatch(ctx.isa(), Planning { p: *p, threads: ctx.threads() });
    let failed = OnceLock::new();
    ctx.parallel_work(plan.tasks(), p.work(), |task| {
        let rectangle = plan.rectangle(task, &p);
        let done = with_scratch(rectangle.a_room + rectangle.b_room, |scratch| {
            dispatch(ctx.isa(), Nest { p: &p, plan: &plan, rectangle, scratch });
        });
        if let Err(error) = done {
            failed.get_or_init(|| error);
        }
    });
    if plan.gram && failed.get().is_none() {
        let pieces = Pieces::at_most(plan.rows.count, 8);
        ctx.parallel(pieces.count, |i| {
            dispatch(ctx.isa(), Mirror { c: p.c, plan: &plan, tiles: pieces.get(i) });
        });
    }
    failed.into_inner().map_or(Ok(()), Err)
}

/// Copies what the nest computed left of the diagonal of a symmetric C to where it left it out.
struct Mirror<'a, T> {
    c: MatrixMut<T>,
    plan: &'a Plan,
    tiles: Range<usize>,
}

impl<T: Float> Kernel<T> for Mirror<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        let Self { c, plan, tiles } = self;
        for t in tiles {
            let rows = plan.rows.get(t);
            let columns = plan.end_of_row(rows.end)..c.cols;
            let from = c.as_ref().sub(columns.clone(), rows.clone()).t();
            // SAFETY: all of these elements are C's; those that are read have been written and are
            // not among those that are written, here or by others.
            unsafe {
                let to = c.at(rows.start, columns.start);
                if c.cs == 1 && c.rs > 0 {
                    pack_rows::<V>(from, to, c.rs as usize);
                } else {
                    for i in 0..from.rows {
                        for j in 0..from.cols {
                            let (di, dj) = (i as isize * c.rs, j as isize * c.cs);
                            *to.offset(di + dj) = *from.at(i, j);
                        }
                    }
                }
            }
        }
    }
}

/// The two outer loops, on one rectangle.
struct Nest<'a, 'p, T> {
    p: &'a Product<'p, T>,
    plan: &'a Plan,
    rectangle: Rectangle,
    /// Room for the rectangle's panels.
    scratch: *mut T,
}

impl<T: Float> Kernel<T> for Nest<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        let Self { p, plan, rectangle, scratch } = self;
        let slices = Pieces::at_most(p.a.cols, kc::<T>());
        let mut left = rectangle.columns.start;
        let end = rectangle.columns.end.min(plan.end_of_row(plan.rows.start(rectangle.tiles.end)));
        while left < end {
            let right = (left + rectangle.width).min(end);
            for s in 0..slices.count {
                let block = Block {
                    p,
                    plan,
                    products: slices.get(s),
                    columns: left..right,
                    first: s == 0,
                    last: s + 1 == slices.count,
                    a_packed: if rectangle.a_room > 0 { scratch } else { ptr::null_mut() },
                    b_packed: scratch.wrapping_add(rectangle.a_room),
                    pack_b: rectangle.pack_b,
                };
                // SAFETY: the tile rows and the columns are within C, and no other thread has
                // them; the scratch has room for the panels.
                unsafe { block.run::<V>(rectangle.tiles.clone()) };
            }
            left = right;
        }
    }
}

/// After so many products the next lines of A are asked for: one line, or two, of each row.
const PRODUCTS: usize = 16;

/// Room for a row of tiles that never gets to C.
#[repr(align(64))]
struct Room<T>([MaybeUninit<T>; STRIP_ROOM]);

/// One slice of the sums of some columns: what the inner loops and the packing need to know.
struct Block<'a, 'p, T> {
    p: &'a Product<'p, T>,
    plan: &'a Plan,
    products: Range<usize>,
    columns: Range<usize>,
    first: bool,
    last: bool,
    /// Null if A is read in place.
    a_packed: *mut T,
    b_packed: *mut T,
    pack_b: bool,
}

impl<T: Float> Block<'_, '_, T> {
    /// # Safety
    /// The tile rows and columns are within C and nobody else's; the scratch has room.
    #[inline(always)]
    unsafe fn run<V: Vector<Elem = T>>(&self, tiles: Range<usize>) {
        let Range { start: left, end: right } = self.columns;
        let nr = self.plan.nr;
        let in_place = if self.pack_b { 0 } else { (right - left) / nr * nr };
        let rest = (left + in_place..right).len();
        if self.pack_b || !rest.is_multiple_of(V::LANES) {
            let b = self.p.b.sub(self.products.clone(), left + in_place..right);
            // SAFETY: the scratch has room for it.
            unsafe { pack_b::<V>(b, nr, self.b_packed) };
        }
        for t in tiles {
            let rows = self.plan.rows.get(t);
            let a = self.p.a.sub(rows.clone(), self.products.clone());
            let panel = if self.a_packed.is_null() {
                (a.ptr, a.rs, a.cs)
            } else {
                // SAFETY: the scratch has room for the highest tile.
                unsafe { pack_a::<V>(a, self.a_packed) };
                (self.a_packed.cast_const(), 1, rows.len() as isize)
            };
            // SAFETY: as the caller promises, and the panels are packed.
            unsafe { self.tile_row::<V>(rows, panel) };
        }
    }

    /// What tile `t` of a row of tiles fetches, a line of the cache at a time: of the rows of A that come next two; or,
    /// where columns are contiguous, of as many columns as a line has elements two.
    #[inline(always)]
    fn next_rows(&self, rows: Range<usize>, t: usize) -> Next<T> {
        let a = self.p.a.sub(rows.end..rows.end, self.products.clone());
        let line = LINE / size_of::<T>();
        let (first, apart) =
            if a.rs == 1 { (2 * t % line, a.cs) } else { (2 * t % rows.len(), a.rs) };
        let at = a.ptr.wrapping_offset(first as isize * apart);
        Next { at, apart, every: PRODUCTS, lines: PRODUCTS / line, step: line as isize * a.cs }
    }

    /// A row of tiles, and the epilogue, strip by strip, while they are in the first-level cache.
    /// `a` is where the panel of A is, and how far it is to the next row and to the next product.
    ///
    /// # Safety
    /// As [`run`](Self::run); what is to be packed, is.
    #[inline(always)]
    unsafe fn tile_row<V: Vector<Elem = T>>(
        &self,
        rows: Range<usize>,
        (a, a_row, a_k): (*const T, isize, isize),
    ) {
        let Product { alpha, b, beta, .. } = *self.p;
        // A tile row of a product that is used up, and whose sums have one slice, never gets to C.
        let apart = self.first
            && self.last
            && beta == T::ZERO
            && matches!(self.p.epilogue, Epilogue::Consume(_));
        let mut room = Room([const { MaybeUninit::<T>::uninit() }; STRIP_ROOM]);
        let room: *mut T = room.0.as_mut_ptr().cast();
        let (kc, nr) = (self.products.len(), self.plan.nr);
        let Range { start, end } = self.columns;
        let end = end.min(self.plan.end_of_row(rows.end));
        let (bias, relu) = if self.last { self.p.bias() } else { (ptr::null(), false) };
        let beta = if self.first { beta } else { T::ONE };
        let row_bias = match self.p.row_bias() {
            bias if self.last && !bias.is_null() => bias.wrapping_add(rows.start),
            _ => ptr::null(),
        };
        for left in (start..end.max(start)).step_by(self.plan.strip) {
            let right = (left + self.plan.strip).min(end);
            let c = if apart {
                let (rows, cols) = (rows.len(), right - left);
                let (rs, cs) = if self.p.transposed { (1, rows) } else { (cols, 1) };
                MatrixMut { ptr: room, rows, cols, rs: rs as isize, cs: cs as isize }
            } else {
                self.p.c.sub(rows.clone(), left..right)
            };
            for j in (left..right).step_by(nr) {
                let width = nr.min(end - j);
                let vectors = width.div_ceil(V::LANES);
                let whole = vectors * V::LANES;
                let (b, b_k) = if self.pack_b {
                    (self.b_packed.wrapping_add((j - start) * kc).cast_const(), whole as isize)
                } else if width < whole {
                    (self.b_packed.cast_const(), whole as isize)
                } else {
                    (b.sub(self.products.clone(), j..end).ptr, b.rs)
                };
                let next = if self.plan.near {
                    Next::NOTHING
                } else if self.pack_b {
                    self.next_rows(rows.clone(), (j - start) / nr)
                } else {
                    // The same rows of B, two tiles further on.
                    Next::rows(b.wrapping_add(2 * whole), V::LANES, b_k)
                };
                if self.last {
                    self.p.announce(rows.clone(), j..j + width);
                }
                let panels = Panels { kc, a, a_row, a_k, b, b_k, next };
                let bias = if bias.is_null() { bias } else { bias.wrapping_add(j) };
                let store = Store { alpha, beta, bias, row_bias, relu };
                // SAFETY: the tile is within C and nobody else's.
                unsafe {
                    let c_tile = c.at(0, j - left);
                    let at_edge = width < whole || c.cs != 1 || !row_bias.is_null();
                    let mut sums = [const { MaybeUninit::<T>::uninit() }; TILE_ROOM];
                    let sums: *mut T = sums.as_mut_ptr().cast();
                    let (to, rs, as_store) = match at_edge {
                        false => (c_tile, c.rs, store),
                        true => (sums, whole as isize, Store::PLAIN),
                    };
                    micro::tile::<V>(Whole {
                        rows: rows.len(),
                        vectors,
                        panels,
                        c: to,
                        rs,
                        store: as_store,
                    });
                    if at_edge {
                        let tile = MatrixMut { ptr: c_tile, rows: rows.len(), cols: width, ..c };
                        edge::finish::<V>(sums, whole, tile, store);
                    }
                }
            }
            if self.last {
                // SAFETY: the elements are written, and nobody else's.
                unsafe { self.p.hand_over(rows.start, left, c) };
            }
        }
    }
}
