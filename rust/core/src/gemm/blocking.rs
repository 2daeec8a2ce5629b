//! The sizes of everything: tiles for the registers, panels and blocks for the caches.
//!
//! A product is cut at four places, from the outside in:
//!
//! | size | what it fits | value |
//! | --- | --- | --- |
//! | `NC` columns of B | packed, they fill three quarters of the second level | from the caches |
//! | `KC` of k | a slice of all sums: long enough to pay for reading and writing C again | fixed |
//! | `MR` rows, `NR` columns | the tile of C that stays in registers | from the registers |
//!
//! `KC` alone decides in which order a sum is taken, so it depends on the element type and on
//! nothing else; the others may follow the machine.

use std::ops::Range;

use crate::caches::Caches;
use crate::simd::Vector;

/// Vectors in a row of a tile.
pub(super) const NRV: usize = 2;

/// Bytes of a slice of one row: 512 `f32` or 256 `f64`.
const KC_BYTES: usize = 2048;

/// Columns of a strip, in panels: an epilogue is called with a tile's rows and a strip's columns,
/// which should still be in the first-level cache.
const STRIP_PANELS: usize = 4;

/// Bytes of a chunk of one row where sums are taken along k (`dot.rs`): 2048 `f32` or 1024 `f64`.
const CHUNK_BYTES: usize = 8192;

/// Bytes of a slice of a chunk: 25 rows of it are about the first-level cache.
const SLICE_BYTES: usize = 2048;

/// The most products that are added up along k before the next tile has its turn.
pub(super) const fn dot_slice<T>() -> usize {
    SLICE_BYTES / size_of::<T>()
}

/// The most products that are added up in one go along k.
pub(super) fn chunk<T>() -> usize {
    CHUNK_BYTES / size_of::<T>()
}

/// The most rows of the one operand and of the other whose products along k are taken at once:
/// all their sums and the rows of the second must fit in the registers, and one to spare.
pub(super) const fn dot_tile<V: Vector>() -> (usize, usize) {
    match V::REGISTERS {
        32.. => (5, 5),
        16.. => (3, 3),
        _ => (2, 2),
    }
}

/// The most products that are added up in one go.
pub(super) fn kc<T>() -> usize {
    KC_BYTES / size_of::<T>()
}

/// The most rows of a tile: its sums, one row of B and two spare must fit in the registers.
pub(super) const fn mr<V: Vector>() -> usize {
    (V::REGISTERS - 4) / NRV
}

/// Whether so many rows fit in one tile if it is one vector wide: then each element of B is read once. Of such heights
/// there are kernels for the even ones, and for rows of A that are close.
pub(super) const fn is_tall<V: Vector>(rows: usize) -> bool {
    rows > mr::<V>() && rows <= NRV * mr::<V>() && rows.is_multiple_of(2)
}

/// Elements of the largest tile of any instruction set.
pub(super) const TILE_ROOM: usize = 14 * NRV * 16;

/// Elements of a row of tiles as wide as a strip.
pub(super) const STRIP_ROOM: usize = STRIP_PANELS * TILE_ROOM;

/// Panels in a strip, for a product with so many of them: four, fewer where there are few (but a
/// number that divides four, so that a packed block is whole strips).
pub(super) fn strip_panels(panels: usize) -> usize {
    match panels {
        0..8 => 1,
        8..16 => 2,
        _ => STRIP_PANELS,
    }
}

/// Columns of B that are packed at a time, for panels of `nr` and so many products: whole strips that fill three
/// quarters of the second level.
pub(super) fn nc<T>(nr: usize, products: usize) -> usize {
    let strip = STRIP_PANELS * nr;
    let column = products.clamp(1, kc::<T>()) * size_of::<T>();
    (Caches::get().l2 / 4 * 3 / column / strip).max(1) * strip
}

/// `len` things in pieces of at most `max`, as even as can be: no piece is much smaller than the
/// others, because a thin tile keeps few registers busy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pieces {
    len: usize,
    pub(super) count: usize,
}

impl Pieces {
    pub(super) fn at_most(len: usize, max: usize) -> Self {
        Self { len, count: len.div_ceil(max).max(1) }
    }

    /// `count` pieces, or `len` if that is fewer.
    pub(super) fn exactly(len: usize, count: usize) -> Self {
        Self { len, count: count.min(len).max(1) }
    }

    /// Where piece `i` starts; the end, for `i == count`. Longer pieces alternate with shorter ones, the first is one
    /// of the longest: so halves of the pieces are halves of the work.
    #[inline]
    pub(super) fn start(&self, i: usize) -> usize {
        (i * self.len).div_ceil(self.count)
    }

    /// The length of the longest.
    pub(super) fn longest(&self) -> usize {
        self.len.div_ceil(self.count)
    }

    /// Piece `i`.
    #[inline]
    pub(super) fn get(&self, i: usize) -> Range<usize> {
        self.start(i)..self.start(i + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{P32x8, P64x4};

    #[test]
    fn pieces_cover_everything_once_and_differ_by_one_at_most() {
        for len in 0..200 {
            for max in 1..20 {
                let pieces = Pieces::at_most(len, max);
                let mut end = 0;
                for i in 0..pieces.count {
                    let piece = pieces.get(i);
                    assert_eq!(piece.start, end);
                    assert!(piece.len() <= max && piece.len() + 1 >= len.div_ceil(pieces.count));
                    end = piece.end;
                }
                assert_eq!(end, len);
            }
        }
    }

    #[test]
    fn a_tile_fits_in_the_registers() {
        fn check<V: Vector>() {
            assert!(mr::<V>() >= 2);
            assert!(mr::<V>() * NRV + NRV < V::REGISTERS);
            assert!(mr::<V>() * NRV * V::LANES <= TILE_ROOM);
            assert_eq!(nc::<V::Elem>(V::LANES, 1000) % (STRIP_PANELS * V::LANES), 0);
        }
        check::<P32x8>();
        check::<P64x4>();
        #[cfg(target_arch = "x86_64")]
        {
            check::<crate::simd::F32x8>();
            check::<crate::simd::F64x4>();
            check::<crate::simd::F32x16>();
            check::<crate::simd::F64x8>();
        }
    }
}
