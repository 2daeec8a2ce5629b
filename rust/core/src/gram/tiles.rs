//! Products of rows with rows, `A Bᵀ`, four rows by four at a time.
//!
//! Rows lie along what is summed, so nothing needs to be turned over or packed: eight rows are read for sixteen sums.
//! A task takes 64 rows by 64 others, a run of both of which stays in the second-level cache.

use std::ops::Range;

use crate::context::Context;
use crate::disjoint::Disjoint;
use crate::error::{Error, Result};
use crate::simd::{Kernel, VectorMath, dispatch, each};

/// Rows and columns of a tile.
pub(super) const TILE: usize = 4;

/// Rows and columns of a task: whole tiles.
const PANEL: usize = 64;

/// Tasks between two looks whether to stop: some hundredths of a second's work.
const LOOK: usize = 64;

/// The products of four rows with four.
pub(super) type Tile<S> = [[S; TILE]; TILE];

/// `out ← out + A Bᵀ` with `A` and `B` given as rows, all equally long: `out` is (rows of A, rows of B) in rows of
/// `stride` elements. With `triangle`, only what is on and below the diagonal. `product` multiplies four rows by four.
///
/// # Errors
/// [`Error::Interrupted`] when `stop` says so.
#[allow(clippy::too_many_arguments, reason = "a matrix is given by its parts")]
pub(super) fn add_products<E: Sync, S: Into<f64> + Copy>(
    ctx: &Context,
    product: impl Fn([&[E]; TILE], [&[E]; TILE]) -> Tile<S> + Sync,
    a: &[&[E]],
    b: &[&[E]],
    triangle: bool,
    out: &mut [f64],
    stride: usize,
    stop: &mut dyn FnMut() -> bool,
) -> Result<()> {
    let out = Disjoint::new(out);
    let across = b.len().div_ceil(PANEL);
    let pairs: Vec<_> = (0..a.len().div_ceil(PANEL))
        .flat_map(|i| (0..if triangle { i + 1 } else { across }).map(move |j| (i, j)))
        .collect();
    for pairs in pairs.chunks(LOOK) {
        if stop() {
            return Err(Error::Interrupted);
        }
        ctx.parallel(pairs.len(), |task| {
            let (i, j) = pairs[task];
            for top in panel(i, a.len()).step_by(TILE) {
                for left in panel(j, b.len()).step_by(TILE) {
                    if triangle && left > top {
                        break;
                    }
                    let sums = product(pick(a, top), pick(b, left));
                    for (i, sums) in sums.iter().enumerate().take(a.len() - top) {
                        let end = b.len().min(left + TILE);
                        let end = if triangle { end.min(top + i + 1) } else { end };
                        let at = (top + i) * stride;
                        // SAFETY: the tiles do not overlap.
                        let out = unsafe { out.part(at + left..at + end) };
                        out.iter_mut().zip(sums).for_each(|(out, &sum)| *out += sum.into());
                    }
                }
            }
        });
    }
    Ok(())
}

fn panel(i: usize, len: usize) -> Range<usize> {
    i * PANEL..len.min((i + 1) * PANEL)
}

/// Four rows from there on; where rows are missing, the last one stands in, and its sums are not used.
fn pick<'a, E>(rows: &[&'a [E]], from: usize) -> [&'a [E]; TILE] {
    each(|i| rows[(from + i).min(rows.len() - 1)])
}

/// [`add_products`] of rows of `f64`.
///
/// # Errors
/// [`Error::Interrupted`] when `stop` says so.
pub(super) fn add_dots(
    ctx: &Context,
    a: &[&[f64]],
    b: &[&[f64]],
    triangle: bool,
    out: &mut [f64],
    stride: usize,
    stop: &mut dyn FnMut() -> bool,
) -> Result<()> {
    let dots = |a: [&[f64]; TILE], b: [&[f64]; TILE]| dispatch(ctx.isa(), Dots(a, b));
    add_products(ctx, dots, a, b, triangle, out, stride, stop)
}

struct Dots<'a>([&'a [f64]; TILE], [&'a [f64]; TILE]);

impl Kernel<f64> for Dots<'_> {
    type Output = Tile<f64>;

    #[inline(always)]
    fn run<V: VectorMath<Elem = f64>>(self) -> Tile<f64> {
        let Self(a, b) = self;
        if V::REGISTERS >= 32 {
            sums::<V, TILE>(a, b)
        } else {
            // Half of the sums at a time, so that they stay in registers.
            let [first, second] = [sums::<V, 2>([a[0], a[1]], b), sums::<V, 2>([a[2], a[3]], b)];
            [first[0], first[1], second[0], second[1]]
        }
    }
}

#[inline(always)]
fn sums<V: VectorMath<Elem = f64>, const R: usize>(
    a: [&[f64]; R],
    b: [&[f64]; TILE],
) -> [[f64; TILE]; R] {
    let mut sums = [[V::splat(0.0); TILE]; R];
    let len = a[0].len();
    let whole = len - len % V::LANES;
    for k in (0..whole).step_by(V::LANES) {
        // SAFETY: the rows are equally long, so a register's worth is left in each.
        let load = |row: &[f64]| unsafe { V::load(row.as_ptr().add(k)) };
        add(&mut sums, each(|i| load(a[i])), each(|i| load(b[i])));
    }
    if whole < len {
        // SAFETY: as above, with fewer.
        let load = |row: &[f64]| unsafe { V::load_head(row.as_ptr().add(whole), len - whole) };
        add(&mut sums, each(|i| load(a[i])), each(|i| load(b[i])));
    }
    let mut out = [[0.0; TILE]; R];
    for (out, sums) in out.iter_mut().zip(sums) {
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = sum.sum();
        }
    }
    out
}

#[inline(always)]
fn add<V: VectorMath<Elem = f64>, const R: usize>(
    sums: &mut [[V; TILE]; R],
    a: [V; R],
    b: [V; TILE],
) {
    for (sums, a) in sums.iter_mut().zip(a) {
        for (sum, b) in sums.iter_mut().zip(b) {
            *sum = a.mul_add(b, *sum);
        }
    }
}
