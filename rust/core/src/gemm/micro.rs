//! The microkernel: one tile of C, `MR` rows by `NRV` vectors, in registers from the first
//! product of a slice to the last.
//!
//! For each of the slice's products it loads one row of B's panel (`NRV` vectors), broadcasts
//! `MR` elements of A one after the other, and does `MR x NRV` fused multiply-adds. Why these
//! tiles: a core of today starts one or two such operations a cycle, each takes about four, so at
//! least eight sums must be under way to keep it busy; and it loads one or two vectors a cycle, so
//! there should be fewer loads than multiply-adds:
//!
//! | registers | tile | sums | loads | multiply-adds |
//! | --- | --- | --- | --- | --- |
//! | AVX-512, 32 | 14 x 2 vectors | 28 | 16 | 28 |
//! | AVX2, 16 | 6 x 2 vectors | 12 | 8 | 12 |
//!
//! Every height up to the highest has a kernel of its own, so that 20 rows are two tiles of 10 and
//! no register works for nothing.
//!
//! Whatever else stands in the loop costs as much as a multiply-add where a core is shared by two hardware threads, as in
//! most clouds: they take turns at handing it instructions, so each gets three a cycle instead of six. So the loop holds
//! little else: 33 instructions for the 28 multiply-adds of the largest tile, or 49.
//! * If the rows of A are close (packed, or a transposed view), they are at fixed distances from one pointer. With AVX-512
//!   each multiply-add then reads its element from memory, and there are no broadcasts.
//! * Else a row is a multiple of the stride away, which is part of its address ([`Strides`]). There one broadcast serves
//!   both vectors: a multiply-add with such an address is taken apart again.
//! * What the next tile will want is asked for once in several products.
#![allow(
    clippy::needless_range_loop,
    reason = "loops of constant length over indices are what unrolls into registers; iterators \
              left the sums in memory, at a third of the speed"
)]

use super::blocking::{is_tall, mr};
use crate::float::Float;
use crate::simd::{Kernel, Strides, Vector, dispatch, each, prefetch, prefetch_far};

/// The operands of a tile in one slice: where they are, and how far it is to the next row (of A)
/// and to the next product.
#[derive(Clone, Copy)]
pub(super) struct Panels<T> {
    /// Products in the slice.
    pub(super) kc: usize,
    pub(super) a: *const T,
    pub(super) a_row: isize,
    pub(super) a_k: isize,
    pub(super) b: *const T,
    pub(super) b_k: isize,
    pub(super) next: Next<T>,
}

/// What will be wanted after this tile, to be fetched meanwhile: once in `every` products, `lines` times, one element
/// (that is, its line of the cache) for each vector of the tile, `apart` from one another, and then `step` further on.
/// They need not exist.
#[derive(Clone, Copy)]
pub(super) struct Next<T> {
    pub(super) at: *const T,
    pub(super) apart: isize,
    pub(super) every: usize,
    pub(super) lines: usize,
    pub(super) step: isize,
}

impl<T> Next<T> {
    /// For operands that are in the cache anyhow.
    pub(super) const NOTHING: Self =
        Self { at: std::ptr::null(), apart: 0, every: usize::MAX, lines: 0, step: 0 };

    /// What lies as B does, `b_k` elements from row to row, and is used up as fast.
    pub(super) fn rows(at: *const T, apart: usize, b_k: isize) -> Self {
        /// Fetched in runs: asked in each step, the question would cost as much as the answer.
        const RUN: usize = 8;
        Self { at, apart: apart as isize, every: RUN, lines: RUN, step: b_k }
    }
}

/// What becomes of a tile's sums: `C ← α sums + β C`, and in the last slice the bias and ReLU.
#[derive(Clone, Copy)]
pub(super) struct Store<T> {
    pub(super) alpha: T,
    pub(super) beta: T,
    /// One element a column; null for none.
    pub(super) bias: *const T,
    /// One element a row; null for none. [`tile`] does not look at it: it is left to [`edge::finish`](super::edge::finish).
    pub(super) row_bias: *const T,
    pub(super) relu: bool,
}

impl<T: Float> Store<T> {
    /// The sums as they are.
    pub(super) const PLAIN: Self = Self {
        alpha: T::ONE,
        beta: T::ZERO,
        bias: std::ptr::null(),
        row_bias: std::ptr::null(),
        relu: false,
    };
}

/// A slice of so many products takes longer than it takes to fetch the tile of C from memory; for less, asking for it
/// would be a good part of the work.
const LONG: usize = 64;

/// Groups of rows of A: those of one are reached from its first.
const GROUPS: usize = 4;

/// One whole tile of `rows` rows and `vectors` vectors, at `c`, with `rs` from row to row.
pub(super) struct Whole<T> {
    pub(super) rows: usize,
    pub(super) vectors: usize,
    pub(super) panels: Panels<T>,
    pub(super) c: *mut T,
    pub(super) rs: isize,
    pub(super) store: Store<T>,
}

/// Computes it, in a function of its own: there are dozens of kernels, and several who call them.
///
/// # Safety
/// `1 <= rows <= mr::<V>()`, and `vectors` is 1 or 2, or `rows` [is tall](is_tall), `vectors` is 1 and the rows of A are one
/// element apart; the operands can be read and the tile written (and, unless `beta` is zero, read); a bias that is not
/// null has an element for each column.
#[inline(always)]
pub(super) unsafe fn tile<V: Vector>(tile: Whole<V::Elem>) {
    dispatch(V::ISA, tile);
}

impl<T: Float> Kernel<T> for Whole<T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) {
        // SAFETY: as the caller of `tile` promised.
        unsafe { of_height::<V>(self) };
    }
}

/// # Safety
/// As [`tile`].
#[inline(always)]
unsafe fn of_height<V: Vector>(tile: Whole<V::Elem>) {
    let Whole { rows, vectors, panels, c, rs, store } = tile;
    macro_rules! heights {
        ($vectors:literal, $close:literal, $fits:expr; $($mr:literal)*) => {
            match rows {
                // SAFETY: as the caller promises; the arms say which size it is and whether A's rows are close.
                $($mr if $fits($mr) => unsafe {
                    fixed::<V, $mr, $vectors, $close>(panels, c, rs, store)
                },)*
                _ => unreachable!("a tile of {rows} rows and {vectors} vectors"),
            }
        };
    }
    let fits = |rows| rows <= mr::<V>();
    match (vectors, panels.a_row) {
        (2, 1) => heights!(2, true, fits; 14 13 12 11 10 9 8 7 6 5 4 3 2 1),
        (2, _) => heights!(2, false, fits; 14 13 12 11 10 9 8 7 6 5 4 3 2 1),
        (_, 1) => heights!(1, true, |rows| fits(rows) || is_tall::<V>(rows);
            28 26 24 22 20 18 16 14 13 12 11 10 9 8 7 6 5 4 3 2 1),
        _ => heights!(1, false, fits; 14 13 12 11 10 9 8 7 6 5 4 3 2 1),
    }
}

/// # Safety
/// As [`tile`].
#[inline(always)]
unsafe fn fixed<V: Vector, const MR: usize, const NV: usize, const CLOSE: bool>(
    panels: Panels<V::Elem>,
    c: *mut V::Elem,
    rs: isize,
    store: Store<V::Elem>,
) {
    let Panels { kc, a, a_row, a_k, mut b, b_k, mut next } = panels;
    // As even as can be: with seven rows in one group and one to five in the other the compiler moved sums about, and
    // those of twelve rows to memory.
    let group = const { MR.div_ceil(MR.div_ceil(Strides::ROWS)) };
    let mut heads: [_; GROUPS] = each(|i| a.wrapping_offset((i * group) as isize * a_row));
    let mut strides = Strides::new::<V::Elem>(a_row);
    let mut sums = [[V::splat(V::Elem::ZERO); NV]; MR];
    let mut to = c.cast_const();
    let mut asked = if kc >= LONG { 0 } else { MR };
    let mut rest = kc;
    while rest > 0 {
        let now = next.every.min(rest);
        rest -= now;
        for _ in 0..next.lines {
            for j in 0..NV {
                prefetch_far(next.at.wrapping_offset(j as isize * next.apart));
            }
            next.at = next.at.wrapping_offset(next.step);
        }
        // The tile of C is asked for row by row on the way: all at once, its lines would keep those of B waiting.
        if asked < MR {
            asked += 1;
            for j in 0..NV {
                prefetch(to.wrapping_add(j * V::LANES));
            }
            to = to.wrapping_offset(rs);
        }
        for _ in 0..now {
            let mut b_row = [V::splat(V::Elem::ZERO); NV];
            for j in 0..NV {
                // SAFETY: the panel of B holds NV vectors for each product.
                b_row[j] = unsafe { V::load(b.add(j * V::LANES)) };
            }
            strides = strides.opaque();
            macro_rules! group {
                ($($group:literal)*) => {$(
                    let head = if CLOSE { 0 } else { $group };
                    let mut from = heads[head];
                    for i in $group * group..MR.min(($group + 1) * group) {
                        for j in 0..NV {
                            let row = match CLOSE {
                                true => from.wrapping_add(i),
                                false => strides.row(from, i % group),
                            };
                            // SAFETY: the panel of A holds MR rows for each product.
                            let x = V::splat(unsafe { *row });
                            sums[i][j] = x.mul_add(b_row[j], sums[i][j]);
                            // Where it costs nothing the element is read anew for each vector.
                            if j + 1 == NV || CLOSE && V::FROM_MEMORY {
                                from = V::after(from, sums[i][0], sums[i][j]);
                            }
                        }
                    }
                    heads[head] = from;
                )*};
            }
            group!(0 1 2 3); // Loops of loops were not always unrolled.
            heads.iter_mut().for_each(|head| *head = head.wrapping_offset(a_k));
            b = b.wrapping_offset(b_k);
        }
    }
    // SAFETY: as the caller promises.
    unsafe { finish(sums, c, rs, store) }
}

/// # Safety
/// As [`tile`].
#[inline(always)]
unsafe fn finish<V: Vector, const MR: usize, const NV: usize>(
    mut sums: [[V; NV]; MR],
    c: *mut V::Elem,
    rs: isize,
    store: Store<V::Elem>,
) {
    let zero = V::splat(V::Elem::ZERO);
    let alpha = V::splat(store.alpha);
    if store.beta == V::Elem::ZERO {
        if store.alpha != V::Elem::ONE {
            for i in 0..MR {
                for j in 0..NV {
                    sums[i][j] = alpha.mul(sums[i][j]);
                }
            }
        }
    } else {
        let beta = V::splat(store.beta);
        for i in 0..MR {
            for j in 0..NV {
                // SAFETY: the tile can be read, as the caller promises for this β.
                let old = unsafe { V::load(c.offset(i as isize * rs).add(j * V::LANES)) };
                sums[i][j] = alpha.mul_add(sums[i][j], beta.mul(old));
            }
        }
    }
    if !store.bias.is_null() {
        for j in 0..NV {
            // SAFETY: one element a column.
            let bias = unsafe { V::load(store.bias.add(j * V::LANES)) };
            for i in 0..MR {
                sums[i][j] = sums[i][j].add(bias);
            }
        }
    }
    if store.relu {
        for i in 0..MR {
            for j in 0..NV {
                sums[i][j] = zero.max(sums[i][j]); // In this order NaN stays NaN.
            }
        }
    }
    for i in 0..MR {
        for j in 0..NV {
            // SAFETY: the tile can be written, as the caller promises.
            unsafe { sums[i][j].store(c.offset(i as isize * rs).add(j * V::LANES)) };
        }
    }
}
