//! The loop for losses that are a sum over outputs of a function of `z_ij` and `y_ij`.
//!
//! It goes over the elements in blocks. What is not there as a contiguous array of `T` (classes,
//! strided targets, one weight for a whole row) is laid out beside the block on the stack.

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
    if let Some(z) = z.as_slice_mut() {
        return flat(isa, loss, z, y, weights);
    }
    let mut copy = z.as_standard_layout().into_owned();
    let sum = value_and_gradient(isa, loss, copy.view_mut(), y, weights);
    z.assign(&copy);
    sum
}

/// `Σ w J` alone. The shapes agree.
pub(super) fn value<T: Float>(
    isa: Isa,
    loss: impl ElementLoss,
    z: ArrayView2<'_, T>,
    y: Targets<'_, T>,
    weights: Option<&[T]>,
) -> f64 {
    // An evaluation is rare beside training: a copy costs less than code for it alone.
    value_and_gradient(isa, loss, z.to_owned().view_mut(), y, weights)
}

fn flat<T: Float>(
    isa: Isa,
    loss: impl ElementLoss,
    z: &mut [T],
    y: Targets<'_, T>,
    weights: Option<&[T]>,
) -> f64 {
    let mut y_block = [T::ZERO; BLOCK];
    let mut w_block = [T::ZERO; BLOCK];
    let k = match (&y, weights) {
        (Targets::Values(y), _) => y.ncols(),
        (Targets::Classes(_), _) => 1,
    };
    let mut sum = 0.0;
    for (b, z) in z.chunks_mut(BLOCK).enumerate() {
        let (start, len) = (b * BLOCK, z.len());
        let elements = start..start + len;
        let y: &[T] = match y {
            Targets::Values(y) => match y.to_slice() {
                Some(y) => &y[elements.clone()],
                None => {
                    for (to, i) in y_block.iter_mut().zip(elements.clone()) {
                        *to = y[(i / k, i % k)];
                    }
                    &y_block[..len]
                }
            },
            Targets::Classes(y) => {
                for (to, &class) in y_block.iter_mut().zip(&y[elements.clone()]) {
                    *to = T::from_f64(f64::from(class));
                }
                &y_block[..len]
            }
        };
        let w: Option<&[T]> = match weights {
            None => None,
            Some(w) if k == 1 => Some(&w[elements]),
            Some(w) => {
                for (to, i) in w_block.iter_mut().zip(elements) {
                    *to = w[i / k];
                }
                Some(&w_block[..len])
            }
        };
        sum += dispatch(isa, Block { loss, z, y, w });
    }
    sum
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
