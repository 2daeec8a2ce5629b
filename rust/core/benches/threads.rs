//! `cargo bench --bench threads`: what it costs to share out work of a few microseconds, by the pool of this crate and
//! by rayon, on two threads.
//!
//! A job is four tasks, as a product is cut for two threads. Its time is printed for jobs one behind the other, as in
//! a fit, and for jobs with a pause before each, as when a notebook predicts now and then: medians, in microseconds.
//!
//! First comes how far apart the two cores are: how long a word takes to the other one and back. The cores of a virtual
//! machine wander, and a small step of training on distant ones takes longer (`docs/performance.md`).

use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU32, Ordering};
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

/// The best of some mean times, in nanoseconds, that a word takes to another thread and back.
fn round_trip() -> f64 {
    const TRIPS: u32 = 1000;
    const REPEATS: u32 = 20;
    let word = AtomicU32::new(0);
    let wait = |for_it: u32| {
        while word.load(Ordering::Acquire) != for_it {
            spin_loop();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for trip in 0..TRIPS * REPEATS {
                wait(2 * trip + 1);
                word.store(2 * trip + 2, Ordering::Release);
            }
        });
        let means = (0..REPEATS).map(|repeat| {
            let start = Instant::now();
            for trip in repeat * TRIPS..(repeat + 1) * TRIPS {
                word.store(2 * trip + 1, Ordering::Release);
                wait(2 * trip + 2);
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(TRIPS)
        });
        means.fold(f64::INFINITY, f64::min)
    })
}

fn main() {
    println!("a word to the other core and back: {:.0} ns", round_trip());
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
