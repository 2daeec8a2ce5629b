//! How a matrix product is made fast, a step at a time: `docs/performance.md` tells the story, this is its code.
//!
//! ```text
//! cargo run --release --example ladder
//! ```
//!
//! Every rung computes the same `C = A B` of square, row-major f32 matrices, and each adds one idea to the one
//! before it. The library's own product, the last rung, is the sum of these ideas for every shape, layout, element
//! type and instruction set.

use std::time::{Duration, Instant};

use purrceptron::gemm::{Epilogue, gemm};
use purrceptron::peak::multiply_adds;
use purrceptron::{Context, Isa};

/// `c = a b`, all n x n; c holds zeros.
type Product = fn(n: usize, a: &[f32], b: &[f32], c: &mut [f32]);

/// Name and code, from the bottom up.
fn rungs() -> Vec<(&'static str, Product)> {
    let mut rungs: Vec<(&'static str, Product)> =
        vec![("three loops", three_loops), ("the same, in another order", in_order)];
    #[cfg(target_arch = "x86_64")]
    if Isa::available().iter().any(|isa| isa.to_string() == "avx2") {
        rungs.extend([
            ("fused multiply-adds of 8 numbers", wide::in_order as Product),
            ("a tile of C in registers", wide::tiles),
            ("a slice of k at a time, in blocks", wide::blocks),
            ("B packed in the order of use", wide::packed),
            ("two threads", wide::threads),
        ]);
    }
    rungs.push(("purrceptron, one thread", |n, a, b, c| library(1, n, a, b, c)));
    rungs.push(("purrceptron, two threads", |n, a, b, c| library(2, n, a, b, c)));
    rungs
}

/// The definition. Each step of the inner loop reads another row of B: another line of the cache, for one number.
fn three_loops(n: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    for i in 0..n {
        for j in 0..n {
            c[i * n + j] = (0..n).map(|p| a[i * n + p] * b[p * n + j]).sum();
        }
    }
}

/// Rows of B, times a number, are added to rows of C: memory is read straight on, and the compiler sees vectors.
fn in_order(n: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    for i in 0..n {
        let row = &mut c[i * n..(i + 1) * n];
        for p in 0..n {
            let x = a[i * n + p];
            row.iter_mut().zip(&b[p * n..(p + 1) * n]).for_each(|(c, b)| *c += x * b);
        }
    }
}

/// The rungs that name the machine's vectors: AVX2, which every x86-64 processor of the last ten years has.
#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::*;

    /// A tile: 6 rows by 2 vectors of 8 are 12 sums under way, which hide the 4 cycles that each step takes, and 12
    /// of the 16 registers.
    const MR: usize = 6;
    const NR: usize = 16;
    /// A slice of k: a panel of B, KC x NR numbers, stays in the first-level cache.
    const KC: usize = 256;
    /// A block of B, KC x NC numbers, stays in the second level.
    const NC: usize = 512;

    /// [`in_order`](super::in_order) with vectors of 8, and one rounding for `a b + c`, which the compiler may not do
    /// by itself.
    pub(crate) fn in_order(n: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
        #[target_feature(enable = "avx2,fma")]
        fn run(n: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
            for i in 0..n {
                let row = &mut c[i * n..(i + 1) * n];
                for p in 0..n {
                    let x = a[i * n + p];
                    let b = &b[p * n..(p + 1) * n];
                    row.iter_mut().zip(b).for_each(|(c, b)| *c = x.mul_add(*b, *c));
                }
            }
        }
        // SAFETY: `rungs` has looked for AVX2 (and with it FMA).
        unsafe { run(n, a, b, c) }
    }

    /// A tile of C stays in registers for all of k: C is read and written once, and a row of B is used six times when
    /// it has been read.
    pub(crate) fn tiles(n: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
        for i in (0..n).step_by(MR) {
            for j in (0..n).step_by(NR) {
                let (rows, columns) = (MR.min(n - i), NR.min(n - j));
                tile((rows, columns, n), &a[i * n..], n, &b[j..], n, &mut c[i * n + j..], n);
            }
        }
    }

    /// The rows of a tile use the same piece of B as the tiles before, which is still in the cache, because the
    /// piece is no larger than that.
    pub(crate) fn blocks(n: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
        for p in (0..n).step_by(KC) {
            let kc = KC.min(n - p);
            for left in (0..n).step_by(NC) {
                for i in (0..n).step_by(MR) {
                    for j in (left..n.min(left + NC)).step_by(NR) {
                        let (rows, columns) = (MR.min(n - i), NR.min(n - j));
                        let (a, b) = (&a[i * n + p..], &b[p * n + j..]);
                        tile((rows, columns, kc), a, n, b, n, &mut c[i * n + j..], n);
                    }
                }
            }
        }
    }

    /// A block of B is copied panel by panel, each row behind the other. In place they are n numbers apart, a page
    /// or more: each in another page to be translated, and, for a power of two, all in the same lines of the cache.
    pub(crate) fn packed(n: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
        rows(n, a, b, c);
    }

    /// Some rows of C each.
    pub(crate) fn threads(n: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
        let half = n.div_ceil(2).next_multiple_of(MR).min(n);
        let (above, below) = c.split_at_mut(half * n);
        std::thread::scope(|scope| {
            scope.spawn(|| rows(n, &a[half * n..], b, below));
            rows(n, &a[..half * n], b, above);
        });
    }

    /// The rows of C that there are, with B packed.
    fn rows(n: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
        let m = c.len() / n.max(1);
        let mut block = vec![0.0f32; KC * (NC + NR)];
        for p in (0..n).step_by(KC) {
            let kc = KC.min(n - p);
            for left in (0..n).step_by(NC) {
                let right = n.min(left + NC);
                for (panel, j) in (left..right).step_by(NR).enumerate() {
                    let to = &mut block[panel * KC * NR..];
                    for q in 0..kc {
                        let width = NR.min(right - j);
                        let from = &b[(p + q) * n + j..];
                        to[q * NR..q * NR + width].copy_from_slice(&from[..width]);
                    }
                }
                for i in (0..m).step_by(MR) {
                    for (panel, j) in (left..right).step_by(NR).enumerate() {
                        let (rows, columns) = (MR.min(m - i), NR.min(right - j));
                        let b = &block[panel * KC * NR..];
                        let (a, c) = (&a[i * n + p..], &mut c[i * n + j..]);
                        tile((rows, columns, kc), a, n, b, NR, c, n);
                    }
                }
            }
        }
    }

    /// `c += a b` for a tile of at most MR x NR; the strides go from row to row.
    fn tile(
        (rows, columns, k): (usize, usize, usize),
        a: &[f32],
        a_stride: usize,
        b: &[f32],
        b_stride: usize,
        c: &mut [f32],
        c_stride: usize,
    ) {
        #[target_feature(enable = "avx2,fma")]
        fn whole(
            k: usize,
            a: &[f32],
            a_stride: usize,
            b: &[f32],
            b_stride: usize,
            c: &mut [f32],
            c_stride: usize,
        ) {
            assert!(a.len() >= (MR - 1) * a_stride + k && c.len() >= (MR - 1) * c_stride + NR);
            assert!(k == 0 || b.len() >= (k - 1) * b_stride + NR);
            let mut sums = [[_mm256_setzero_ps(); NR / 8]; MR];
            for p in 0..k {
                // SAFETY: within the slices, as asserted.
                unsafe {
                    let b = b.as_ptr().add(p * b_stride);
                    let b = [_mm256_loadu_ps(b), _mm256_loadu_ps(b.add(8))];
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let x = _mm256_broadcast_ss(a.get_unchecked(i * a_stride + p));
                        sums[0] = _mm256_fmadd_ps(x, b[0], sums[0]);
                        sums[1] = _mm256_fmadd_ps(x, b[1], sums[1]);
                    }
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                // SAFETY: as above.
                unsafe {
                    let c = c.as_mut_ptr().add(i * c_stride);
                    _mm256_storeu_ps(c, _mm256_add_ps(_mm256_loadu_ps(c), sums[0]));
                    let c = c.add(8);
                    _mm256_storeu_ps(c, _mm256_add_ps(_mm256_loadu_ps(c), sums[1]));
                }
            }
        }
        if (rows, columns) == (MR, NR) {
            // SAFETY: as in `in_order`.
            return unsafe { whole(k, a, a_stride, b, b_stride, c, c_stride) };
        }
        for i in 0..rows {
            for p in 0..k {
                for j in 0..columns {
                    c[i * c_stride + j] += a[i * a_stride + p] * b[p * b_stride + j];
                }
            }
        }
    }
}

/// The library's product.
fn library(threads: usize, n: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    let view = |x| ndarray::ArrayView2::from_shape((n, n), x).expect("n x n numbers");
    let c = ndarray::ArrayViewMut2::from_shape((n, n), c).expect("n x n numbers");
    let ctx = Context::new(Isa::best(), threads);
    gemm(&ctx, 1.0, view(a), view(b), 0.0, c, Epilogue::None).expect("the shapes agree");
}

fn matrix(n: usize, seed: usize) -> Vec<f32> {
    (0..n * n).map(|i| ((i * 7 + seed * 13) % 31) as f32 / 31.0 - 0.5).collect()
}

fn main() {
    let n: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1024);
    let peak = multiply_adds::<f32>(&Context::new(Isa::best(), 1));
    println!("{n} x {n} x {n}, f32; one core can do {:.1} GFLOP/s", peak / 1e9);
    let (a, b) = (matrix(n, 1), matrix(n, 2));
    for (name, product) in rungs() {
        let mut best = Duration::MAX;
        let start = Instant::now();
        while best == Duration::MAX || start.elapsed() < Duration::from_millis(1000) {
            let mut c = vec![0.0; n * n];
            let begin = Instant::now();
            product(n, &a, &b, &mut c);
            best = best.min(begin.elapsed());
        }
        let speed = 2.0 * (n as f64).powi(3) / best.as_secs_f64();
        println!("{name:36} {:10.2} ms {:8.1} GFLOP/s", best.as_secs_f64() * 1e3, speed / 1e9);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Multiples of 1/31, with the sums of each rung in its own order: against double precision.
    #[test]
    fn every_rung_computes_the_product() {
        for n in [0, 1, 5, 16, 48, 97, 300] {
            let (a, b) = (matrix(n, 1), matrix(n, 2));
            for (name, product) in rungs() {
                let mut c = vec![0.0; n * n];
                product(n, &a, &b, &mut c);
                for (at, &came) in c.iter().enumerate() {
                    let (i, j) = (at / n, at % n);
                    let sum: f64 =
                        (0..n).map(|p| f64::from(a[i * n + p]) * f64::from(b[p * n + j])).sum();
                    assert!((f64::from(came) - sum).abs() < 1e-4, "{name}, n = {n}: {came}, {sum}");
                }
            }
        }
    }
}
