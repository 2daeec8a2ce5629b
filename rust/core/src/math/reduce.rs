//! Reductions of a slice: a sum of squares, and a search for what is not finite.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::context::Context;
use crate::float::Float;
use crate::isa::Isa;
use crate::simd::{Kernel, Vector, VectorMath, dispatch};

/// Vectors that are taken side by side, so that one sum need not wait for another.
pub(super) const SIDE: usize = 4;

/// `Σ x[i]²` in double precision, in an order that depends on the length and the instruction set
/// alone.
///
/// ```
/// use purrceptron::{Isa, math::sum_of_squares};
/// assert_eq!(sum_of_squares(Isa::best(), &[3.0_f32, 4.0]), 25.0);
/// ```
pub fn sum_of_squares<T: Float>(isa: Isa, x: &[T]) -> f64 {
    dispatch(isa, SumOfSquares(x))
}

struct SumOfSquares<'a, T>(&'a [T]);

impl<T: Float> Kernel<T> for SumOfSquares<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) -> f64 {
        let mut sums = [V::Double::splat(0.0); SIDE];
        let mut blocks = self.0.chunks_exact(V::LANES * SIDE);
        for block in &mut blocks {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the block holds SIDE vectors.
                let x = unsafe { V::load(block.as_ptr().add(i * V::LANES)) };
                *sum = add_squares(*sum, x);
            }
        }
        for (sum, rest) in sums.iter_mut().zip(blocks.remainder().chunks(V::LANES)) {
            // SAFETY: `rest` holds that many elements; the zeros beside them add nothing.
            *sum = add_squares(*sum, unsafe { V::load_head(rest.as_ptr(), rest.len()) });
        }
        sums[0].add(sums[2]).add(sums[1].add(sums[3])).sum()
    }
}

/// `sum + x²`, the parts of a widened `x` one after the other.
#[inline(always)]
fn add_squares<V: VectorMath>(mut sum: V::Double, x: V) -> V::Double {
    for part in 0..V::PARTS {
        let wide = x.widen(part);
        sum = wide.mul_add(wide, sum);
    }
    sum
}

/// `Σ x[i]`, in an order that depends on the length and the instruction set alone.
///
/// ```
/// use purrceptron::{Isa, math::sum};
/// assert_eq!(sum(Isa::best(), &[3.0_f32, 4.0]), 7.0);
/// ```
pub fn sum<T: Float>(isa: Isa, x: &[T]) -> T {
    dispatch(isa, Sum(x))
}

struct Sum<'a, T>(&'a [T]);

impl<T: Float> Kernel<T> for Sum<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) -> T {
        let mut sums = [V::splat(T::ZERO); SIDE];
        let mut blocks = self.0.chunks_exact(V::LANES * SIDE);
        for block in &mut blocks {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the block holds SIDE vectors.
                *sum = sum.add(unsafe { V::load(block.as_ptr().add(i * V::LANES)) });
            }
        }
        for (sum, rest) in sums.iter_mut().zip(blocks.remainder().chunks(V::LANES)) {
            // SAFETY: `rest` holds that many elements; the zeros beside them add nothing.
            *sum = sum.add(unsafe { V::load_head(rest.as_ptr(), rest.len()) });
        }
        sums[0].add(sums[2]).add(sums[1].add(sums[3])).sum()
    }
}

/// `Σ x[i] y[i]`, in an order that is the same on every machine.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    /// Sums side by side, which need not wait for each other.
    const SUMS: usize = 8;
    let mut sums = [0.0; SUMS];
    for (x, y) in x.chunks(SUMS).zip(y.chunks(SUMS)) {
        sums.iter_mut().zip(x.iter().zip(y)).for_each(|(sum, (x, y))| *sum += x * y);
    }
    sums.iter().sum()
}

/// `to[i] = keep · to[i] + factor · from[i]`, in double precision. With `keep = 0`, `to` is not read.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn add_widened<T: Float>(isa: Isa, factor: f64, from: &[T], keep: f64, to: &mut [f64]) {
    assert_eq!(from.len(), to.len(), "the slices differ in length");
    dispatch(isa, AddWidened { factor, from, keep, to });
}

struct AddWidened<'a, T> {
    factor: f64,
    from: &'a [T],
    keep: f64,
    to: &'a mut [f64],
}

impl<T: Float> Kernel<T> for AddWidened<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) {
        let wide = V::Double::LANES;
        let (factor, keep) = (V::Double::splat(self.factor), V::Double::splat(self.keep));
        let new = |x: V, part: usize, old: V::Double| match self.keep {
            0.0 => factor.mul(x.widen(part)),
            _ => factor.mul_add(x.widen(part), keep.mul(old)),
        };
        let mut from = self.from.chunks_exact(V::LANES);
        let mut to = self.to.chunks_exact_mut(V::LANES);
        for (from, to) in (&mut from).zip(&mut to) {
            // SAFETY: both hold as many elements as a vector.
            unsafe {
                let x = V::load(from.as_ptr());
                for part in 0..V::LANES / wide {
                    let to = to.as_mut_ptr().add(part * wide);
                    new(x, part, V::Double::load(to)).store(to);
                }
            }
        }
        let (from, to) = (from.remainder(), to.into_remainder());
        // SAFETY: `from` holds that many elements.
        let x = unsafe { V::load_head(from.as_ptr(), from.len()) };
        for (part, to) in to.chunks_mut(wide).enumerate() {
            // SAFETY: `to` holds that many elements.
            unsafe {
                let old = V::Double::load_head(to.as_ptr(), to.len());
                new(x, part, old).store_head(to.as_mut_ptr(), to.len());
            }
        }
    }
}

/// The index of the first element that is NaN or infinite.
///
/// ```
/// use purrceptron::{Isa, math::first_non_finite};
/// assert_eq!(first_non_finite(Isa::best(), &[1.0, f64::MAX]), None);
/// assert_eq!(first_non_finite(Isa::best(), &[1.0, f64::INFINITY, f64::NAN]), Some(1));
/// ```
pub fn first_non_finite<T: Float>(isa: Isa, x: &[T]) -> Option<usize> {
    // A block that fits the first-level cache is searched element by element at most once.
    const BLOCK: usize = 2048;
    x.chunks(BLOCK).enumerate().find_map(|(i, block)| {
        if dispatch(isa, AllFinite(block)) {
            return None;
        }
        block.iter().position(|x| !x.is_finite()).map(|j| i * BLOCK + j)
    })
}

/// Whether no element is NaN or infinite, on several threads where that pays.
///
/// ```
/// use purrceptron::{Context, math::all_finite};
/// let ctx = Context::current()?;
/// assert!(all_finite(&ctx, &[1.0, f64::MAX]));
/// assert!(!all_finite(&ctx, &[1.0, f64::NAN]));
/// # Ok::<(), purrceptron::Error>(())
/// ```
pub fn all_finite<T: Float>(ctx: &Context, x: &[T]) -> bool {
    // Bytes of a task: a few microseconds from the caches, more from memory.
    const TASK: usize = 1 << 18;
    let elements = TASK / size_of::<T>();
    let finite = AtomicBool::new(true);
    ctx.parallel(x.len().div_ceil(elements), |task| {
        let part = &x[task * elements..x.len().min((task + 1) * elements)];
        if !dispatch(ctx.isa(), AllFinite(part)) {
            finite.store(false, Ordering::Relaxed);
        }
    });
    finite.into_inner()
}

struct AllFinite<'a, T>(&'a [T]);

impl<T: Float> Kernel<T> for AllFinite<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) -> bool {
        let mut seen = Seen::<V>::nothing();
        let mut blocks = self.0.chunks_exact(V::LANES * SIDE);
        for block in &mut blocks {
            for side in 0..SIDE {
                // SAFETY: the block holds SIDE vectors.
                seen.see(side, unsafe { V::load(block.as_ptr().add(side * V::LANES)) });
            }
        }
        for rest in blocks.remainder().chunks(V::LANES) {
            // SAFETY: `rest` holds that many elements.
            seen.see(0, unsafe { V::load_head(rest.as_ptr(), rest.len()) });
        }
        seen.finite()
    }
}

/// Whether numbers are finite: `x - x` is 0 for every finite `x`, and NaN for every other; NaN stays
/// in a sum. (Not `0 x`: what is done with `x` beside it mostly keeps the multipliers busy.)
#[derive(Clone, Copy)]
pub(super) struct Seen<V>([V; SIDE]);

impl<V: VectorMath> Seen<V> {
    #[inline(always)]
    pub(super) fn nothing() -> Self {
        Self([V::splat(V::Elem::ZERO); SIDE])
    }

    #[inline(always)]
    pub(super) fn see(&mut self, side: usize, x: V) {
        self.0[side] = self.0[side].add(x.sub(x));
    }

    #[inline(always)]
    pub(super) fn finite(self) -> bool {
        let [a, b, c, d] = self.0;
        a.add(b).add(c.add(d)).sum() == V::Elem::ZERO
    }
}
