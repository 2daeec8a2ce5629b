//! What the machine can do at most: the bounds that benchmarks are held against.
//!
//! The peak counts fused multiply-adds on registers alone, two operations for each lane of each.
//! No product of matrices can be faster, for it also has to fetch its operands.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::buffer::Buffer;
use crate::context::Context;
use crate::disjoint::Disjoint;
use crate::error::Result;
use crate::float::Float;
use crate::simd::{Kernel, Vector, dispatch};

/// Multiply-adds that do not wait for one another: more than latency times units on any core
/// (4 cycles, 2 units), and few enough for 16 registers.
const CHAINS: usize = 12;

/// How long each attempt takes, about, and how many there are. The best one counts: others may
/// have been disturbed.
const ATTEMPT: Duration = Duration::from_millis(20);
const ATTEMPTS: usize = 8;

/// The floating-point operations a second that the context's instruction set and threads reach.
///
/// ```
/// use purrceptron::{Context, peak};
/// assert!(peak::multiply_adds::<f32>(&Context::current()?) > 1e8);
/// # Ok::<(), purrceptron::Error>(())
/// ```
pub fn multiply_adds<T: Float>(ctx: &Context) -> f64 {
    let tasks = 4 * ctx.threads();
    let seconds = |attempts, turns| {
        shortest(attempts, || {
            ctx.parallel(tasks, |_| {
                black_box(dispatch::<T, _>(ctx.isa(), Chains { turns }));
            });
        })
    };
    let mut turns = 1 << 12;
    while seconds(1, turns) < ATTEMPT.as_secs_f64() {
        turns *= 2;
    }
    let best = seconds(ATTEMPTS, turns);
    dispatch::<T, _>(ctx.isa(), Chains { turns }) * tasks as f64 / best
}

/// The bytes a second, read and written together, that copies by all threads at once move through memory.
///
/// # Errors
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory) if there is no room for 256 MiB, more than any cache.
pub fn memory_bandwidth(ctx: &Context) -> Result<f64> {
    const LEN: usize = 128 << 20 >> 3;
    const PIECE: usize = 1 << 16;
    let mut from = Buffer::<f64>::zeros(LEN, "a copy's source")?;
    from.fill(1.0); // until it is written, all of it may be one page of zeros
    let mut to = Buffer::<f64>::zeros(LEN, "a copy's target")?;
    let to = Disjoint::new(&mut to);
    let best = shortest(ATTEMPTS, || {
        ctx.parallel(LEN / PIECE, |piece| {
            let range = piece * PIECE..(piece + 1) * PIECE;
            // SAFETY: the pieces do not overlap.
            unsafe { to.part(range.clone()) }.copy_from_slice(&from[range]);
        });
    });
    Ok((2 * LEN * size_of::<f64>()) as f64 / best)
}

/// The shortest of so many runs, in seconds.
fn shortest(attempts: usize, mut run: impl FnMut()) -> f64 {
    let seconds = (0..attempts).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}

/// Goes through all chains so many times; returns the operations done.
struct Chains {
    turns: usize,
}

impl<T: Float> Kernel<T> for Chains {
    type Output = f64;

    #[inline(always)]
    fn run<V: Vector<Elem = T>>(self) -> f64 {
        // Numbers that neither grow nor shrink: x ← x/2 + 1/2 stays at 1.
        let half = V::splat(black_box(T::from_f64(0.5)));
        let mut chains = [V::splat(black_box(T::ONE)); CHAINS];
        for _ in 0..self.turns {
            for x in &mut chains {
                *x = x.mul_add(half, half);
            }
        }
        black_box(chains.map(V::sum));
        (2 * self.turns * CHAINS * V::LANES) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Isa;

    #[test]
    fn every_figure_is_plausible() {
        let one = |isa| multiply_adds::<f32>(&Context::new(isa, 1));
        for &isa in Isa::available() {
            assert!((1e8..1e13).contains(&one(isa)), "{isa}: {}", one(isa));
        }
        let copied = memory_bandwidth(&Context::current().unwrap()).unwrap();
        assert!((1e8..1e13).contains(&copied), "{copied}");
    }
}
