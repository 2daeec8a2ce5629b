//! How a product is cut: which tile, what is packed, and who does which rectangle of C.

use std::ops::Range;

use super::blocking::{NRV, Pieces, is_tall, kc, mr, nc, strip_panels};
use super::{Epilogue, Product};
use crate::float::Float;
use crate::simd::{Kernel, Vector};

/// Operations that are worth a thread of their own: some microseconds. Where the two cores are far apart, it takes that
/// long until both have their operands, and each its lines of C.
const WORTH_A_RECTANGLE: usize = 1 << 18;

/// Operations of a long product: a millisecond and more.
const LONG: usize = 1 << 28;

/// Bytes of operands that stay in the second level of any core, if not in the first.
const NEAR: usize = 128 << 10;

/// A product with fewer terms than this writes about as much as it reads.
const SHALLOW: usize = 64;

/// The sizes that follow from the vector and from C, and how C is shared out: so many groups of
/// tile rows by so many groups of panels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// The rows of C, a tile row each.
    pub(super) rows: Pieces,
    /// Columns of a tile: of a panel of B.
    pub(super) nr: usize,
    /// Columns of a block of B.
    pub(super) nc: usize,
    /// Columns that an epilogue is called with.
    pub(super) strip: usize,
    /// C is symmetric: nothing is computed beyond the panel that a row's diagonal is in.
    pub(super) gram: bool,
    /// All operands are small: nothing has to be fetched ahead.
    pub(super) near: bool,
    /// Tiles are tall: the rows of A must be close.
    tall: bool,
    columns: usize,
    row_groups: Pieces,
    column_groups: Pieces,
}

/// Makes the plan for a product; a kernel only because the sizes follow the vector.
pub(super) struct Planning<'p, T> {
    pub(super) p: Product<'p, T>,
    pub(super) threads: usize,
}

impl<'p, T: Float> Kernel<T> for Planning<'p, T> {
    type Output = (Product<'p, T>, Plan);

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) -> (Product<'p, T>, Plan) {
        let p = turned(self.p, V::LANES);
        let (m, n) = (p.c.rows, p.c.cols);
        let (height, vectors) = if is_tall::<V>(m) { (m, 1) } else { (mr::<V>(), NRV) };
        let rows = Pieces::at_most(m, height);
        let nr = vectors * V::LANES;
        let panels = n.div_ceil(nr);
        // A gradient of weights: the same thread should have the same rows, whatever the batch, for it has the
        // weights and what the optimiser knows of them in its caches.
        let consumed = matches!(p.epilogue, Epilogue::Consume(_));
        let (down, across) = match (p.work() / WORTH_A_RECTANGLE).min(self.threads) {
            0 | 1 => (1, 1),
            threads if consumed => {
                // The fewer rows a group has, the more it matters if another has one more.
                let groups = if rows.count < 16 * threads { threads } else { 2 * threads };
                shares(groups, rows.count, panels, usize::MAX, 1)
            }
            // One rectangle a thread packs the least; two are there for whoever is quicker, where it takes so long that
            // the system may take a core away meanwhile.
            threads if p.work() >= LONG => shares(2 * threads, rows.count, panels, m, n),
            threads => {
                // Two cores that write to the same rows get in each other's way: where the one's columns end, both
                // write to a line of each row. The less is read for each number written, the more that counts.
                let height = if p.a.cols < SHALLOW { usize::MAX } else { 2 * m };
                shares(threads, rows.count, panels, height, n)
            }
        };
        // As many tiles for each group.
        let rows = Pieces::exactly(m, rows.count.next_multiple_of(down));
        let plan = Plan {
            gram: p.is_gram(),
            near: (m * n).saturating_add(p.a.cols.saturating_mul(m + n)) <= NEAR / size_of::<T>(),
            tall: vectors == 1,
            rows,
            nr,
            nc: nc::<T>(nr, p.a.cols),
            strip: strip_panels(panels) * nr,
            columns: n,
            row_groups: Pieces::exactly(rows.count, down),
            column_groups: Pieces::exactly(panels, across),
        };
        (p, plan)
    }
}

/// The product, or its transpose, whichever takes less time with vectors of so many lanes. (The
/// sums are the same, bit for bit.) Vectors lie along the rows of C, and it is about
/// * whether they fill up,
/// * whether B's columns have to be turned over, if it is they that are contiguous,
/// * whether C's have to be, in the store.
pub(super) fn turned<'p, T: Float>(p: Product<'p, T>, lanes: usize) -> Product<'p, T> {
    // In tenths of a multiply-add of vectors.
    let cost = |p: &Product<'_, T>| {
        let (m, k, n) = (p.c.rows, p.a.cols, p.c.cols);
        let sums = 10 * n.div_ceil(lanes) * m * k;
        let packing = if p.b.cs == 1 { 0 } else { 4 * k * n };
        let storing = if p.c.cs == 1 { 0 } else { 6 * m * n * k.div_ceil(kc::<T>()).max(1) };
        sums + packing + storing
    };
    let t = p.t();
    if 10 * cost(&t) < 9 * cost(&p) { t } else { p }
}

/// Into how many groups to cut the tile rows and the panels, so that there are `wanted` rectangles that are not far from
/// square (a rectangle packs as many elements as half its circumference, times k).
fn shares(wanted: usize, tiles: usize, panels: usize, m: usize, n: usize) -> (usize, usize) {
    let (mut down, mut across) = (1, 1);
    while down * across < wanted && (down < tiles || across < panels) {
        let cut_rows = down < tiles && (across >= panels || m / down >= n / across);
        *(if cut_rows { &mut down } else { &mut across }) *= 2;
    }
    (down.min(tiles), across.min(panels))
}

impl Plan {
    /// The columns that are computed of a row of tiles that ends before row `end`.
    #[inline(always)]
    pub(super) fn end_of_row(&self, end: usize) -> usize {
        if self.gram { end.next_multiple_of(self.nr).min(self.columns) } else { self.columns }
    }

    /// Columns of a block of B, where so many are to be shared out: as even as can be, because a panel of A is packed
    /// anew for each block.
    #[inline(always)]
    fn block(&self, columns: usize) -> usize {
        let even = Pieces::at_most(columns, self.nc).longest();
        even.next_multiple_of(self.strip).min(self.nc).min(columns)
    }

    pub(super) fn tasks(&self) -> usize {
        self.row_groups.count * self.column_groups.count
    }

    /// The rectangle of task `i`.
    pub(super) fn rectangle<T: Float>(&self, i: usize, p: &Product<'_, T>) -> Rectangle {
        let (row, column) = (i / self.column_groups.count, i % self.column_groups.count);
        let panels = self.column_groups.get(column);
        let columns = panels.start * self.nr..(panels.end * self.nr).min(self.columns);
        let tiles = self.row_groups.get(row);

        let depth = p.a.cols.clamp(1, kc::<T>());
        let highest = self.rows.longest();
        let apart = aliases::<T>(p.a.rs) && highest > 4 || reach::<T>(p.a.cs, depth) > MANY_PAGES;
        // The microkernel likes rows of A that are close. Turning them over costs a quarter of a panel's multiply-adds.
        let pack_a = apart && columns.len() > 2 * self.nr
            || p.a.rs != 1 && (self.tall || columns.len() >= 8 * self.nr);
        let few = tiles.len() <= FEW
            && !aliases::<T>(p.b.rs)
            && reach::<T>(p.b.rs, depth) <= 8 * MANY_PAGES;
        let pack_b = p.b.cs != 1 || !few;
        let a_room = if pack_a { highest * depth } else { 0 };
        let width = self.block(columns.len());
        let b_width = if pack_b { width } else { self.nr.min(columns.len()) };
        let b_room = b_width.next_multiple_of(self.nr) * depth;
        Rectangle { tiles, columns, width, a_room, b_room, pack_b }
    }
}

/// A piece of C that one thread computes, and which operands are packed for it.
#[derive(Clone, Debug)]
pub(super) struct Rectangle {
    /// Tile rows.
    pub(super) tiles: Range<usize>,
    pub(super) columns: Range<usize>,
    /// Columns of a block of B.
    pub(super) width: usize,
    /// Elements of a packed panel of A; 0 if A is read in place.
    pub(super) a_room: usize,
    /// Elements of what is packed of B.
    pub(super) b_room: usize,
    /// Whether all of B is packed, and not only a panel that ends within a vector.
    pub(super) pack_b: bool,
}

/// So few rows of tiles do not want B often enough to pay for packing it.
const FEW: usize = 5;

/// Bytes that are spread over more pages than the first-level translation buffer holds at ease.
const MANY_PAGES: usize = 32 * 4096;

/// The bytes from the first of `count` elements to the last.
fn reach<T>(stride: isize, count: usize) -> usize {
    stride.unsigned_abs().saturating_mul(count * size_of::<T>())
}

/// Whether elements so far apart fall on the same few lines of the first-level cache, whose sets
/// repeat every 4096 bytes.
fn aliases<T>(stride: isize) -> bool {
    stride != 0 && (stride.unsigned_abs() * size_of::<T>()).is_multiple_of(4096)
}
