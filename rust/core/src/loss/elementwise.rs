//! The loop for losses that are a sum over outputs of a function of `z_ij` and `y_ij`.
//!
//! It goes over the elements in blocks. What is not there as a contiguous array of `T` (classes,
//! strided targets, one weight for a whole row) is laid out beside the block on the stack.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

use super::Targets;
use crate::float::Float;
use crate::isa::Isa;
use crate::simd::{Kernel, Vector, VectorMath, dispatch};

/// A loss of one output, written for a register of them.
pub(super) trait ElementLoss: Copy {
    /// `J` and `∂J/∂z`. Implementations are `#[inline(always)]`.
    fn value_and_gradient<V: VectorMath>(self, z: V, y: V) -> (V, V);
}

/// Elements in a block.
const BLOCK: usize = 256;

/// `Σ w J`; `dz` over `z`. The shapes agree.
pub(super) fn value_and_gradient<T: Float>(
    isa: Isa,
    loss: impl ElementLoss,
    mut z: ArrayViewMut2<'_, T>,
    y: Targets<'_, T>,
    weights: Option<&[T]>,
) -> f64 {
    let k = z.ncols();
    if let Some(z) = z.as_slice_mut() {
        let blocks = Blocks { len: z.len(), k, y, weights };
        return blocks
            .sum(&mut |elements, y, w| dispatch(isa, Block { loss, z: &mut z[elements], y, w }));
    }
    let mut room = [T::ZERO; BLOCK];
    let blocks = Blocks { len: z.len(), k, y, weights };
    blocks.sum(&mut |elements, y, w| {
        let block = &mut room[..elements.len()];
        gather(&z.view(), elements.start, block);
        let sum = dispatch(isa, Block { loss, z: block, y, w });
        for (i, &dz) in elements.zip(&*block) {
            z[(i / k, i % k)] = dz;
        }
        sum
    })
}

/// `Σ w J` alone. The shapes agree.
pub(super) fn value<T: Float>(
    isa: Isa,
    loss: impl ElementLoss,
    z: ArrayView2<'_, T>,
    y: Targets<'_, T>,
    weights: Option<&[T]>,
) -> f64 {
    // The gradient goes to the block's copy and is forgotten: an evaluation is rare beside training.
    let mut room = [T::ZERO; BLOCK];
    let blocks = Blocks { len: z.len(), k: z.ncols(), y, weights };
    blocks.sum(&mut |elements, y, w| {
        let block = &mut room[..elements.len()];
        gather(&z, elements.start, block);
        dispatch(isa, Block { loss, z: block, y, w })
    })
}

/// Copies elements of a matrix, counted row by row from `start` on.
fn gather<T: Float>(from: &ArrayView2<'_, T>, start: usize, to: &mut [T]) {
    if let Some(from) = from.as_slice() {
        to.copy_from_slice(&from[start..start + to.len()]);
    } else {
        let k = from.ncols();
        for (i, to) in to.iter_mut().enumerate() {
            *to = from[((start + i) / k, (start + i) % k)];
        }
    }
}

/// What belongs to a matrix of logits, (m, k), `len` elements in all, a block of elements at a time.
struct Blocks<'y, 'w, T> {
    len: usize,
    k: usize,
    y: Targets<'y, T>,
    weights: Option<&'w [T]>,
}

/// The sum over a block, from its elements, their targets and their weights.
type OfBlock<'a, T> = dyn FnMut(Range<usize>, &[T], Option<&[T]>) -> f64 + 'a;

impl<T: Float> Blocks<'_, '_, T> {
    /// The sum over all blocks. There are many kinds of `of`, and one loop for them all.
    fn sum(&self, of: &mut OfBlock<'_, T>) -> f64 {
        let mut y_room = [T::ZERO; BLOCK];
        let mut w_room = [T::ZERO; BLOCK];
        let mut sum = 0.0;
        for start in (0..self.len).step_by(BLOCK) {
            let elements = start..self.len.min(start + BLOCK);
            let room = &mut y_room[..elements.len()];
            let y: &[T] = match &self.y {
                Targets::Values(y) => match y.to_slice() {
                    Some(y) => &y[elements.clone()],
                    None => {
                        gather(y, start, room);
                        room
                    }
                },
                Targets::Classes(y) => {
                    for (to, &class) in room.iter_mut().zip(&y[elements.clone()]) {
                        *to = T::from_f64(f64::from(class));
                    }
                    room
                }
            };
            let room = &mut w_room[..elements.len()];
            let w: Option<&[T]> = match self.weights {
                None => None,
                Some(w) if self.k == 1 => Some(&w[elements.clone()]),
                Some(w) => {
                    for (to, i) in room.iter_mut().zip(elements.clone()) {
                        *to = w[i / self.k];
                    }
                    Some(room)
                }
            };
            sum += of(elements, y, w);
        }
        sum
    }
}

/// `y`, and `w` if there is one, are as long as `z`.
struct Block<'a, T, L> {
    loss: L,
    z: &'a mut [T],
    y: &'a [T],
    w: Option<&'a [T]>,
}

impl<T: Float, L: ElementLoss> Kernel<T> for Block<'_, T, L> {
    type Output = f64;

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) -> f64 {
        let mut sums = [V::Double::splat(0.0); 2];
        let (len, z, y) = (self.z.len(), self.z.as_mut_ptr(), self.y.as_ptr());
        let mut i = 0;
        while i < len {
            let n = V::LANES.min(len - i);
            // SAFETY: i + n <= len, n <= LANES, and every slice is `len` long.
            unsafe {
                let zero = V::splat(T::ZERO);
                let w = match self.w {
                    Some(w) => V::load_part(w.as_ptr().add(i), n),
                    None => V::splat(T::ONE),
                };
                let (zi, yi) = (V::load_part(z.add(i), n), V::load_part(y.add(i), n));
                let (value, gradient) = self.loss.value_and_gradient(zi, yi);
                gradient.mul(w).store_part(z.add(i), n);
                let value = V::select(V::head(n), value.mul(w), zero);
                for (part, sum) in sums.iter_mut().enumerate().take(V::PARTS) {
                    *sum = sum.add(value.widen(part));
                }
            }
            i += n;
        }
        sums[0].add(sums[1]).sum()
    }
}
