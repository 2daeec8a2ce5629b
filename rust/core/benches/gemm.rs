//! `cargo bench --bench gemm`: the speed of the product on the shapes of a dense network, in
//! GFLOP/s and as a fraction of the fused multiply-add peak measured in the same run.
//!
//! Arguments after `--`: a number of threads (default 2), and words that a line must contain
//! (`float32`, `cats`, ...). `PURRCEPTRON_ISA` picks the instruction set.

mod common;

use std::time::Duration;

use common::zeros;
use ndarray::{Array2, ArrayView2};
use purrceptron::gemm::{Epilogue, gemm};
use purrceptron::peak::multiply_adds;
use purrceptron::{Context, Float, Isa};

/// Name, layout of A and B (`n`: row by row, `t`: a transposed view), m, k, n.
const SHAPES: [(&str, &str, [usize; 3]); 24] = [
    ("cats forward", "nt", [209, 12288, 20]),
    ("cats dW", "tn", [20, 209, 12288]),
    ("cats Gram", "nt", [209, 12288, 209]),
    ("batch 128 forward", "nt", [128, 784, 512]),
    ("batch 128 dW", "tn", [512, 128, 784]),
    ("batch 128 dA", "nn", [128, 512, 784]),
    ("batch 32 forward", "nt", [32, 784, 128]),
    ("small", "nt", [32, 30, 64]),
    ("small", "nn", [64, 64, 64]),
    ("medium", "nn", [256, 256, 256]),
    ("large", "nn", [1024, 1024, 1024]),
    ("wide batch", "nt", [256, 2048, 2048]),
    ("one row", "nt", [1, 784, 128]),
    ("one row", "nn", [1, 784, 128]),
    ("one column", "nn", [784, 128, 1]),
    ("large square", "nn", [2048, 2048, 2048]),
    ("wide dW", "tn", [2048, 256, 2048]),
    ("batch 32 dW", "tn", [128, 32, 784]),
    ("last layer", "nt", [128, 512, 10]),
    ("last layer dA", "nn", [128, 10, 512]),
    // Each height of a tile is a kernel of its own, which the compiler may do well or not.
    ("one row of tiles", "nn", [5, 128, 128]),
    ("one row of tiles", "nn", [9, 128, 128]),
    ("one row of tiles", "nn", [12, 128, 128]),
    ("one row of tiles", "nn", [13, 128, 128]),
];

fn matrix<T: Float>(layout: u8, rows: usize, cols: usize) -> Array2<T> {
    let value = |(i, j): (usize, usize)| T::from_f64(((i * 7 + j * 13) % 31) as f64 / 31.0 - 0.5);
    let mut matrix = match layout {
        b't' => zeros(cols, rows).reversed_axes(),
        _ => zeros(rows, cols),
    };
    matrix.indexed_iter_mut().for_each(|(at, x)| *x = value(at));
    matrix
}

/// Time as it matters: what the calling thread itself worked, if it works alone, so that others on
/// the machine disturb little; else the time that passed.
fn now(alone: bool) -> Duration {
    #[cfg(unix)]
    {
        let clock = if alone { libc::CLOCK_THREAD_CPUTIME_ID } else { libc::CLOCK_MONOTONIC };
        let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `t` can be written.
        unsafe { libc::clock_gettime(clock, &raw mut t) };
        Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
    }
    #[cfg(not(unix))]
    {
        use std::{sync::OnceLock, time::Instant};
        static START: OnceLock<Instant> = OnceLock::new();
        let _ = alone;
        START.get_or_init(Instant::now).elapsed()
    }
}

/// The shortest and the median time of a call, from samples of at least 20 µs.
fn time(alone: bool, mut work: impl FnMut()) -> (Duration, Duration) {
    let mut sample = |calls: u32| {
        let start = now(alone);
        (0..calls).for_each(|_| work());
        (now(alone) - start) / calls
    };
    sample(1);
    let calls = (20_000 / sample(1).as_nanos().max(1) as u32).max(1);
    let mut times = Vec::new();
    let start = now(false);
    while times.len() < 5 || now(false) - start < Duration::from_millis(300) {
        times.push(sample(calls));
    }
    times.sort();
    (times[0], times[times.len() / 2])
}

fn table<T: Float>(ctx: &Context, words: &[String]) {
    let peak = multiply_adds::<T>(ctx);
    println!("{} {} threads, peak {:.1} GFLOP/s", T::NAME, ctx.threads(), peak / 1e9);
    for (name, layout, [m, k, n]) in SHAPES {
        let line = format!("{name:18} {layout} {:20} {}", format!("({m}, {k}, {n})"), T::NAME);
        if !words.iter().all(|word| line.contains(word.as_str())) {
            continue;
        }
        let (a, b): (Array2<T>, Array2<T>) =
            (matrix(layout.as_bytes()[0], m, k), matrix(layout.as_bytes()[1], k, n));
        let mut c = zeros(m, n);
        let call = |a: ArrayView2<'_, T>, b: ArrayView2<'_, T>, c: &mut Array2<T>| {
            gemm(ctx, T::ONE, a, b, T::ZERO, c.view_mut(), Epilogue::None)
                .expect("the shapes agree");
        };
        let (best, median) = time(ctx.threads() == 1, || call(a.view(), b.view(), &mut c));
        let speed = |t: Duration| (2 * m * k * n) as f64 / t.as_secs_f64();
        println!(
            "{line} {:9.2} us  best {:6.1} GFLOP/s = {:4.1} %  median {:6.1}",
            best.as_secs_f64() * 1e6,
            speed(best) / 1e9,
            100.0 * speed(best) / peak,
            speed(median) / 1e9,
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let threads = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(2);
    let words: Vec<String> =
        arguments.into_iter().filter(|a| a.parse::<usize>().is_err()).collect();
    let isa = Isa::current().expect("PURRCEPTRON_ISA");
    let ctx = Context::new(isa, threads);
    println!("{isa}");
    table::<f32>(&ctx, &words);
    table::<f64>(&ctx, &words);
}
