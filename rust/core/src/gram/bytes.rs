//! The Gram matrix of bytes, in exact integers.
//!
//! The sum of `RUN` products of two pixels stays below 2³¹, so it is taken in 32 bits; the runs' sums are added in
//! f64, exactly, since they stay below 2⁵³. The instructions are made for it: one multiplies four pairs of bytes and
//! adds them to a sum (VNNI), or two pairs of 16-bit numbers where that is missing.

use ndarray::{ArrayView2, Axis};

use super::tiles::{TILE, Tile, add_products};
use crate::context::Context;
use crate::error::Result;
use crate::isa::Isa;

/// Features a run: 255² · RUN < 2³¹, and 64 rows of so many bytes fit in the second-level cache twice.
const RUN: usize = 4096;

/// Fills the lower triangle of `gram`, (m, m) in rows of `stride` elements that are zero, with `scale² x xᵀ`.
pub(super) fn gram(
    ctx: &Context,
    x: &ArrayView2<'_, u8>,
    scale: f64,
    gram: &mut [f64],
    stride: usize,
    stop: &mut dyn FnMut() -> bool,
) -> Result<()> {
    let n = x.ncols();
    let x = x.as_standard_layout();
    let product = Product::of(ctx.isa());
    for from in (0..n).step_by(RUN) {
        let run = from..n.min(from + RUN);
        let rows: Vec<&[u8]> = x
            .axis_iter(Axis(0))
            .map(|row| &row.to_slice().expect("the layout is the standard one")[run.clone()])
            .collect();
        add_products(ctx, |a, b| product.of_rows(a, b), &rows, &rows, true, gram, stride, stop)?;
    }
    for (i, row) in gram.chunks_exact_mut(stride).enumerate() {
        row[..=i].iter_mut().for_each(|sum| *sum *= scale * scale);
    }
    Ok(())
}

/// How four rows are multiplied by four.
#[derive(Clone, Copy)]
enum Product {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Vnni,
}

impl Product {
    /// The quickest that goes with the instruction set. All have the same result.
    fn of(isa: Isa) -> Self {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 if is_x86_feature_detected!("avx512vnni") => Self::Vnni,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Self::Avx512,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Self::Avx2,
            Isa::Portable => Self::Portable,
        }
    }

    /// The products of four rows with four others, all equally long, at most `RUN`.
    fn of_rows(self, a: [&[u8]; TILE], b: [&[u8]; TILE]) -> Tile<i32> {
        match self {
            Self::Portable => portable(a, b),
            // SAFETY: `of` has seen that the machine has the instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86::avx2(a, b) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { x86::avx512(a, b) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Vnni => unsafe { x86::vnni(a, b) },
        }
    }
}

/// In plain Rust; also the ends of rows that do not fill a register.
fn portable(a: [&[u8]; TILE], b: [&[u8]; TILE]) -> Tile<i32> {
    a.map(|a| b.map(|b| a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()))
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{TILE, Tile, portable};
    use crate::simd::each;

    /// Sixteen registers of sums, eight of rows. The instruction wants its second factor signed: `b - 128`, so that
    /// `Σ a b = Σ a (b - 128) + 128 Σ a`, with one more sum a row.
    ///
    /// # Safety
    /// The machine has AVX-512 F, BW and VNNI.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx2")]
    pub(super) unsafe fn vnni(a: [&[u8]; TILE], b: [&[u8]; TILE]) -> Tile<i32> {
        const STEP: usize = 64;
        let mut sums = [[_mm512_setzero_si512(); TILE]; TILE];
        let mut row_sums = [_mm512_setzero_si512(); TILE];
        let (offset, ones) = (_mm512_set1_epi8(-128), _mm512_set1_epi8(1));
        let end = a[0].len() / STEP * STEP;
        for k in (0..end).step_by(STEP) {
            // SAFETY: `k + STEP` does not exceed the rows' common length.
            let load = |row: &[u8]| unsafe { _mm512_loadu_si512(row.as_ptr().add(k).cast()) };
            let a: [_; TILE] = each(|i| load(a[i]));
            let b: [_; TILE] = each(|j| _mm512_xor_si512(load(b[j]), offset));
            for i in 0..TILE {
                row_sums[i] = _mm512_dpbusd_epi32(row_sums[i], a[i], ones);
                for j in 0..TILE {
                    sums[i][j] = _mm512_dpbusd_epi32(sums[i][j], a[i], b[j]);
                }
            }
        }
        let mut total = portable(a.map(|row| &row[end..]), b.map(|row| &row[end..]));
        for i in 0..TILE {
            let row_sum = _mm512_slli_epi32::<7>(row_sums[i]);
            for j in 0..TILE {
                total[i][j] += _mm512_reduce_add_epi32(_mm512_add_epi32(sums[i][j], row_sum));
            }
        }
        total
    }

    /// Sixteen registers of sums, eight of rows: 24 of the 32 that there are.
    ///
    /// # Safety
    /// The machine has AVX-512 F and BW.
    #[target_feature(enable = "avx512f,avx512bw,avx2")]
    pub(super) unsafe fn avx512(a: [&[u8]; TILE], b: [&[u8]; TILE]) -> Tile<i32> {
        const STEP: usize = 32;
        let mut sums = [[_mm512_setzero_si512(); TILE]; TILE];
        let end = a[0].len() / STEP * STEP;
        for k in (0..end).step_by(STEP) {
            // SAFETY: `k + STEP` does not exceed the rows' common length.
            let widen = |row: &[u8]| unsafe {
                _mm512_cvtepu8_epi16(_mm256_loadu_si256(row.as_ptr().add(k).cast()))
            };
            let a: [_; TILE] = each(|i| widen(a[i]));
            let b: [_; TILE] = each(|j| widen(b[j]));
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
    pub(super) unsafe fn avx2(a: [&[u8]; TILE], b: [&[u8]; TILE]) -> Tile<i32> {
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
                let a: [_; 2] = each(|i| widen(a[half + i]));
                let b: [_; TILE] = each(|j| widen(b[j]));
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
        for (m, n) in [(1, 1), (5, 31), (9, 100), (6, RUN + 77), (67, 2 * RUN + 130)] {
            let mut x = Array2::from_shape_fn((m, n), |(i, j)| ((i * 31 + j * 17) % 256) as u8);
            x.row_mut(0).fill(255); // The largest sums that there can be.
            let exact = |i: usize, j: usize| {
                let pairs = x.row(i).to_vec().into_iter().zip(x.row(j).to_vec());
                pairs.map(|(a, b)| u64::from(a) * u64::from(b)).sum::<u64>() as f64
            };
            for &isa in Isa::available() {
                for threads in [1, 3] {
                    let mut ours = vec![0.0; m * m];
                    let ctx = Context::new(isa, threads);
                    gram(&ctx, &x.view(), 1.0, &mut ours, m, &mut || false).unwrap();
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
