//! How far softmax and log-sum-exp are off.
//!
//! What their error is made of: `z - c` is rounded, which `exp` magnifies by `z - c` itself; the sum of `k` terms
//! is rounded `k / LANES` times in each lane.

use std::mem::MaybeUninit;

use purrceptron::loss::{log_sum_exp, softmax};
use purrceptron::{Context, Float, Isa};

use crate::twofold::Twofold;

/// Rows of so many columns, and how wide their numbers are spread.
const ROWS: [usize; 10] = [1, 2, 3, 7, 10, 16, 33, 100, 1000, 3001];
const SPREADS: [f64; 4] = [0.01, 1.0, 10.0, 40.0];

fn written<T: Float>(len: usize, write: impl FnOnce(&mut [MaybeUninit<T>]) -> bool) -> Vec<T> {
    let mut out = vec![MaybeUninit::uninit(); len];
    assert!(write(&mut out));
    // SAFETY: the function has written all of them.
    out.into_iter().map(|a| unsafe { a.assume_init() }).collect()
}

fn numbers<T: Float>(count: usize, spread: f64) -> Vec<T> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 * 2f64.powi(-53)
    };
    // A sum of two uniforms: most near 0, some at both ends.
    (0..count).map(|_| T::from_f64(spread * (uniform() + uniform() - 1.0))).collect()
}

/// Half a unit in the last place of 1: what a rounding may change.
fn rounding<T: Float>() -> f64 {
    if T::NAME == "float32" { 2f64.powi(-24) } else { 2f64.powi(-53) }
}

/// The bounds that the documentation of both functions states, in roundings.
fn softmax_bound(k: usize, below: f64) -> f64 {
    10.0 + below + k as f64 / 4.0
}

fn log_sum_exp_bound(k: usize) -> f64 {
    6.0 + k as f64 / 4.0
}

fn check<T: Float>() {
    for k in ROWS {
        for spread in SPREADS {
            let m = (4000 / k).max(2);
            let z = numbers::<T>(m * k, spread);
            for &isa in Isa::available() {
                let ctx = Context::new(isa, 1);
                let a = written(m * k, |out| softmax(&ctx, &z, k, out));
                let y = written(m, |out| log_sum_exp(&ctx, &z, k, out));
                for (i, row) in z.chunks_exact(k).enumerate() {
                    check_row(isa, row, &a[i * k..(i + 1) * k], y[i]);
                }
            }
        }
    }
}

fn check_row<T: Float>(isa: Isa, z: &[T], a: &[T], y: T) {
    let z: Vec<f64> = z.iter().map(|z| z.to_f64()).collect();
    let (k, c) = (z.len(), z.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let terms: Vec<Twofold> = z.iter().map(|&z| Twofold::sum(z, -c).exp()).collect();
    let sum = terms.iter().fold(Twofold::ZERO, |sum, &t| sum.add(t));
    for ((&a, &z), &term) in a.iter().zip(&z).zip(&terms) {
        let exact = term.div(sum);
        let error = ((a.to_f64() - exact.high) - exact.low).abs() / exact.high / rounding::<T>();
        let bound = softmax_bound(k, c - z);
        assert!(error <= bound, "softmax of {k} on {isa}, {} below: {error}", c - z);
    }
    let exact = sum.log().add(Twofold::from(c));
    let unit = rounding::<T>() * exact.high.abs().max(1.0);
    let error = ((y.to_f64() - exact.high) - exact.low).abs() / unit;
    assert!(error <= log_sum_exp_bound(k), "log_sum_exp of {k} on {isa}: {error}");
}

#[test]
fn softmax_and_log_sum_exp_in_single_precision() {
    check::<f32>();
}

#[test]
fn softmax_and_log_sum_exp_in_double_precision() {
    check::<f64>();
}

#[test]
fn whatever_is_not_finite_is_seen() {
    for &isa in Isa::available() {
        for threads in [1, 2] {
            let ctx = Context::new(isa, threads);
            for (k, at) in [(1, 0), (3, 5), (100, 4321), (2500, 70_001)] {
                for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let mut z = vec![f32::MAX; 200_000 / k * k];
                    let mut out = vec![MaybeUninit::uninit(); z.len()];
                    assert!(softmax(&ctx, &z, k, &mut out));
                    assert!(log_sum_exp(&ctx, &z, k, &mut out[..z.len() / k]));
                    z[at] = value;
                    assert!(!softmax(&ctx, &z, k, &mut out));
                    assert!(!log_sum_exp(&ctx, &z, k, &mut out[..z.len() / k]));
                }
            }
        }
    }
}
