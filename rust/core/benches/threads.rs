//! `cargo bench --bench threads`: what it costs to share out work of a few microseconds, by the pool of this crate and
//! by rayon, on two threads.
//!
//! A job is four tasks, as a product is cut for two threads. Its time is printed for jobs one behind the other, as in
//! a fit, and for jobs with a pause before each, as when a notebook predicts now and then: medians, in microseconds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use purrceptron::{Context, Isa};
use rayon::prelude::*;

const THREADS: usize = 2;
const TASKS: usize = 4;
const JOBS: usize = 2000;

/// Keeps a core busy for about so long, without memory: `turns` dependent multiplications.
fn spin(turns: u64) {
    let mut x = 1u64;
    for k in 0..turns {
        x = black_box(x.wrapping_mul(k | 1));
    }
}

/// The median time of a job in microseconds, with a pause before each.
fn job(pause: Duration, mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..if pause.is_zero() { JOBS } else { JOBS / 10 })
        .map(|_| {
            if !pause.is_zero() {
                std::thread::sleep(pause);
            }
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let ctx = Context::new(Isa::best(), THREADS);
    let rayon = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build().expect("two threads");
    println!("{:>10} {:>8} {:>8} {:>8} {:>8}", "pause", "serial", "pool", "rayon", "half");
    for pause in [Duration::ZERO, Duration::from_millis(1)] {
        for turns in [0, 1000, 4000, 16_000, 64_000] {
            let serial = job(pause, || (0..TASKS).for_each(|_| spin(turns)));
            let pool = job(pause, || ctx.parallel(TASKS, |_| spin(turns)));
            // Within rayon's pool, where its fork-join is at its best: the caller is one of its threads.
            let rayon = rayon.install(|| {
                job(pause, || (0..TASKS).into_par_iter().with_max_len(1).for_each(|_| spin(turns)))
            });
            let half = serial / THREADS as f64;
            println!("{pause:>10?} {serial:>8.2} {pool:>8.2} {rayon:>8.2} {half:>8.2}");
        }
    }
}
