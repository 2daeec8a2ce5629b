//! The Gram matrix of bytes, in exact integers.
//!
//! Two pixels' product is below 2¹⁶, and the sum over `RUN` features stays below 2³¹: it is taken in 32 bits, by
//! the instruction that multiplies pairs of 16-bit numbers and adds each pair. Longer rows are cut into runs whose
//! sums are added in f64, exactly, since they stay below 2⁵³.

use ndarray::{ArrayView2, Axis};

use crate::context::Context;
use crate::disjoint::Disjoint;
use crate::error::{Error, Result};
use crate::isa::Isa;

/// Features a run: 255² · RUN < 2³¹.
const RUN: usize = 32 * 1024;

/// Rows and columns of a tile: eight rows are read for sixteen sums.
const TILE: usize = 4;

/// Products of pixels between two looks whether to stop: some hundredths of a second's.
const LOOK: usize = 1 << 30;

/// Fills the lower triangle of `gram`, (m, m), with `scale² x xᵀ`; what is above stays or is overwritten.
pub(super) fn gram(
    ctx: &Context,
    x: &ArrayView2<'_, u8>,
    scale: f64,
    gram: &mut [f64],
    stop: &mut dyn FnMut() -> bool,
) -> Result<()> {
    let m = x.nrows();
    let contiguous = x.as_standard_layout();
    let rows: Vec<&[u8]> = contiguous
        .axis_iter(Axis(0))
        .map(|row| row.to_slice().expect("the layout is the standard one"))
        .collect();
    let out = Disjoint::new(gram);
    // A task is a row of tiles; the long ones come first, so that the short ones fill the end.
    let tasks = m.div_ceil(TILE);
    let tile_row = |task: usize| {
        let top = (tasks - 1 - task) * TILE;
        let height = TILE.min(m - top);
        // SAFETY: these rows of the matrix are this task's alone.
        let out = unsafe { out.part(top * m..(top + height) * m) };
        for left in (0..=top).step_by(TILE) {
            let width = TILE.min(m - left);
            // Where rows are missing at the edge, the last one stands in; its sums are not used.
            let pick = |from: usize, i: usize| rows[(from + i).min(m - 1)];
            let a: [&[u8]; TILE] = std::array::from_fn(|i| pick(top, i));
            let b: [&[u8]; TILE] = std::array::from_fn(|j| pick(left, j));
            let sums = products(ctx.isa(), a, b);
            for (i, sums) in sums.iter().enumerate().take(height) {
                for (j, &sum) in sums.iter().enumerate().take(width) {
                    out[i * m + left + j] = scale * scale * sum;
                }
            }
        }
    };
    let at_once = (LOOK / (TILE * m * x.ncols()).max(1)).max(ctx.threads());
    for from in (0..tasks).step_by(at_once) {
        if stop() {
            return Err(Error::Interrupted);
        }
        ctx.parallel(at_once.min(tasks - from), |task| tile_row(from + task));
    }
    Ok(())
}

type Sums = [[f64; TILE]; TILE];

/// The products of four rows with four others, all equally long.
fn products(isa: Isa, a: [&[u8]; TILE], b: [&[u8]; TILE]) -> Sums {
    let mut sums = Sums::default();
    let n = a[0].len();
    for from in (0..n).step_by(RUN) {
        let run = from..n.min(from + RUN);
        let (a, b) = (a.map(|row| &row[run.clone()]), b.map(|row| &row[run.clone()]));
        let part = match isa {
            // SAFETY: an `Isa` value exists only for a set that this machine has.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => unsafe { x86::avx512(a, b) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { x86::avx2(a, b) },
            Isa::Portable => portable(a, b),
        };
        for (sums, part) in sums.iter_mut().zip(part) {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += f64::from(part));
        }
    }
    sums
}

/// In plain Rust; also the ends of rows that do not fill a register.
fn portable(a: [&[u8]; TILE], b: [&[u8]; TILE]) -> [[i32; TILE]; TILE] {
    a.map(|a| b.map(|b| a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()))
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{TILE, portable};

    /// Sixteen registers of sums, eight of rows: 24 of the 32 that there are.
    ///
    /// # Safety
    /// The machine has AVX-512 F and BW.
    #[target_feature(enable = "avx512f,avx512bw,avx2")]
    pub(super) unsafe fn avx512(a: [&[u8]; TILE], b: [&[u8]; TILE]) -> [[i32; TILE]; TILE] {
        const STEP: usize = 32;
        let mut sums = [[_mm512_setzero_si512(); TILE]; TILE];
        let end = a[0].len() / STEP * STEP;
        for k in (0..end).step_by(STEP) {
            // SAFETY: `k + STEP` does not exceed the rows' common length.
            let widen = |row: &[u8]| unsafe {
                _mm512_cvtepu8_epi16(_mm256_loadu_si256(row.as_ptr().add(k).cast()))
            };
            let (a, b) = (a.map(widen), b.map(widen));
            for i in 0..TILE {
                for j in 0..TILE {
                    sums[i][j] = _mm512_add_epi32(sums[i][j], _mm512_madd_epi16(a[i], b[j]));
                }
            }
        }
        let mut total = portable(a.map(|row| &row[end..]), b.map(|row| &row[end..]));
        for i in 0..TILE {
            for j in 0..TILE {
                total[i][j] += _mm512_reduce_add_epi32(sums[i][j]);
            }
        }
        total
    }

    /// Two rows by four at a time: eight registers of sums, six of rows, of the 16 that there are.
    ///
    /// # Safety
    /// The machine has AVX2.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn avx2(a: [&[u8]; TILE], b: [&[u8]; TILE]) -> [[i32; TILE]; TILE] {
        const STEP: usize = 16;
        let end = a[0].len() / STEP * STEP;
        let mut total = portable(a.map(|row| &row[end..]), b.map(|row| &row[end..]));
        for half in [0, 2] {
            let mut sums = [[_mm256_setzero_si256(); TILE]; 2];
            for k in (0..end).step_by(STEP) {
                // SAFETY: `k + STEP` does not exceed the rows' common length.
                let widen = |row: &[u8]| unsafe {
                    _mm256_cvtepu8_epi16(_mm_loadu_si128(row.as_ptr().add(k).cast()))
                };
                let (a, b) = ([widen(a[half]), widen(a[half + 1])], b.map(widen));
                for i in 0..2 {
                    for j in 0..TILE {
                        sums[i][j] = _mm256_add_epi32(sums[i][j], _mm256_madd_epi16(a[i], b[j]));
                    }
                }
            }
            for i in 0..2 {
                for j in 0..TILE {
                    let mut lanes = [0i32; 8];
                    // SAFETY: the array holds a register.
                    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sums[i][j]) };
                    total[half + i][j] += lanes.iter().sum::<i32>();
                }
            }
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn exact_on_every_instruction_set_and_at_the_extremes() {
        for (m, n) in [(1, 1), (5, 31), (9, 100), (6, RUN + 77)] {
            let mut x = Array2::from_shape_fn((m, n), |(i, j)| ((i * 31 + j * 17) % 256) as u8);
            x.row_mut(0).fill(255); // The largest sums that there can be.
            let exact = |i: usize, j: usize| {
                let pairs = x.row(i).to_vec().into_iter().zip(x.row(j).to_vec());
                pairs.map(|(a, b)| u64::from(a) * u64::from(b)).sum::<u64>() as f64
            };
            for &isa in Isa::available() {
                for threads in [1, 3] {
                    let mut ours = vec![f64::NAN; m * m];
                    gram(&Context::new(isa, threads), &x.view(), 1.0, &mut ours, &mut || false)
                        .unwrap();
                    for i in 0..m {
                        for j in 0..=i {
                            assert_eq!(ours[i * m + j], exact(i, j), "{isa} ({m}, {n}) [{i}, {j}]");
                        }
                    }
                }
            }
        }
    }
}
