//! Reductions of a slice: a sum of squares, and a search for what is not finite.

use crate::float::Float;
use crate::isa::Isa;
use crate::simd::{Kernel, Vector, VectorMath, dispatch};

/// Vectors that are summed side by side, so that one sum need not wait for another.
const SUMS: usize = 4;

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
        let mut sums = [V::Double::splat(0.0); SUMS];
        let mut blocks = self.0.chunks_exact(V::LANES * SUMS);
        for block in &mut blocks {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the block holds SUMS vectors.
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
        let mut sums = [V::splat(T::ZERO); SUMS];
        let mut blocks = self.0.chunks_exact(V::LANES * SUMS);
        for block in &mut blocks {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the block holds SUMS vectors.
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
        for (from, to) in self.from.chunks(V::LANES).zip(self.to.chunks_mut(V::LANES)) {
            // SAFETY: `from` holds that many elements.
            let x = unsafe { V::load_head(from.as_ptr(), from.len()) };
            for (part, to) in to.chunks_mut(wide).enumerate() {
                // SAFETY: `to` holds that many elements.
                unsafe {
                    let old = match self.keep {
                        0.0 => V::Double::splat(0.0),
                        _ => keep.mul(V::Double::load_head(to.as_ptr(), to.len())),
                    };
                    let new = factor.mul_add(x.widen(part), old);
                    new.store_head(to.as_mut_ptr(), to.len());
                }
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

struct AllFinite<'a, T>(&'a [T]);

impl<T: Float> Kernel<T> for AllFinite<'_, T> {
    type Output = bool;

    /// `0 x` is 0 for every finite `x`, and NaN for every other; NaN stays in a sum.
    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) -> bool {
        let zero = V::splat(T::ZERO);
        let mut sums = [zero; SUMS];
        let mut blocks = self.0.chunks_exact(V::LANES * SUMS);
        for block in &mut blocks {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the block holds SUMS vectors.
                *sum = unsafe { V::load(block.as_ptr().add(i * V::LANES)) }.mul_add(zero, *sum);
            }
        }
        for rest in blocks.remainder().chunks(V::LANES) {
            // SAFETY: `rest` holds that many elements.
            sums[0] = unsafe { V::load_head(rest.as_ptr(), rest.len()) }.mul_add(zero, sums[0]);
        }
        sums[0].add(sums[1]).add(sums[2].add(sums[3])).sum() == T::ZERO
    }
}
