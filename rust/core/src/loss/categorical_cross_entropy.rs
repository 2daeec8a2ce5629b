//! Categorical cross-entropy after a softmax: `J = -Σ_j y_j log a_j`, `a = softmax(z)`;
//! `dz = a - y`.
//!
//! With `c` the row's largest logit and `s = Σ_j exp(z_j - c)`, `log a_j = (z_j - c) - log s`. So
//! `J = Σ_j y_j (c - z_j) + (Σ_j y_j) log s`, and `dz_j = (Σ_i y_i) exp(z_j - c) / s - y_j`.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::Targets;
use super::output::{row_exp, row_largest};
use crate::float::Float;
use crate::isa::Isa;
use crate::math::log::log;
use crate::simd::{Kernel, Vector, VectorMath, dispatch};

/// `Σ w J`; `dz` over `z`. The shapes agree.
pub(super) fn value_and_gradient<T: Float>(
    isa: Isa,
    mut z: ArrayViewMut2<'_, T>,
    y: Targets<'_, T>,
    weights: Option<&[T]>,
) -> f64 {
    let (_, k) = z.dim();
    if z.is_empty() {
        return 0.0;
    }
    if let Targets::Classes(classes) = y {
        let highest = classes.iter().copied().max().unwrap_or(0);
        assert!((highest as usize) < k, "class {highest}, but there are {k} outputs");
    }
    if let Some(z) = z.as_slice_mut() {
        return dispatch(isa, CrossEntropy { z, k, y, weights });
    }
    let mut copy = z.as_standard_layout().into_owned();
    let sum = value_and_gradient(isa, copy.view_mut(), y, weights);
    z.assign(&copy);
    sum
}

/// `Σ w J` alone. The shapes agree.
pub(super) fn value<T: Float>(
    isa: Isa,
    z: ArrayView2<'_, T>,
    y: Targets<'_, T>,
    weights: Option<&[T]>,
) -> f64 {
    // An evaluation is rare beside training: a copy costs less than code for it alone.
    value_and_gradient(isa, z.to_owned().view_mut(), y, weights)
}

/// `z` has rows of `k` elements; classes are below `k`.
struct CrossEntropy<'z, 'y, T> {
    z: &'z mut [T],
    k: usize,
    y: Targets<'y, T>,
    weights: Option<&'z [T]>,
}

impl<T: Float> Kernel<T> for CrossEntropy<'_, '_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) -> f64 {
        let Self { z, k, y, weights } = self;
        let mut total = V::Double::splat(0.0);
        // As many rows at a time as a register has lanes: their logarithms are one.
        for (b, rows) in z.chunks_mut(k * V::LANES).enumerate() {
            // For each row Σ y (c - z), Σ y, s and w.
            let (mut linear, mut mass) = ([T::ZERO; 16], [T::ZERO; 16]);
            let (mut sum, mut weight) = ([T::ONE; 16], [T::ZERO; 16]);
            for (i, row) in rows.chunks_exact_mut(k).enumerate() {
                let example = b * V::LANES + i;
                let w = weights.map_or(T::ONE, |w| w[example]);
                // SAFETY: the row holds k >= 1 elements.
                let c = unsafe { row_largest::<V>(row.as_ptr(), k) };
                match &y {
                    Targets::Classes(classes) => {
                        linear[i] = c - row[classes[example] as usize];
                        mass[i] = T::ONE;
                    }
                    Targets::Values(values) => {
                        for (&z, &y) in row.iter().zip(values.row(example)) {
                            linear[i] += y * (c - z);
                            mass[i] += y;
                        }
                    }
                }
                // SAFETY: as above.
                sum[i] = unsafe {
                    let row = row.as_mut_ptr();
                    row_exp::<V>(row, k, c, Some(row))
                };
                weight[i] = w;
                let scale = w * mass[i] / sum[i];
                scale_row::<V>(row, scale);
                match &y {
                    Targets::Classes(classes) => row[classes[example] as usize] -= w,
                    Targets::Values(values) => {
                        for (dz, &y) in row.iter_mut().zip(values.row(example)) {
                            *dz -= w * y;
                        }
                    }
                }
            }
            // SAFETY: each array holds at least LANES elements; the weights of missing rows are 0.
            let value = unsafe {
                let log_sum = log(V::load(sum.as_ptr()));
                let value = V::load(mass.as_ptr()).mul_add(log_sum, V::load(linear.as_ptr()));
                value.mul(V::load(weight.as_ptr()))
            };
            for part in 0..V::PARTS {
                total = total.add(value.widen(part));
            }
        }
        total.sum()
    }
}

#[inline(always)]
fn scale_row<V: VectorMath>(row: &mut [V::Elem], scale: V::Elem) {
    for part in row.chunks_mut(V::LANES) {
        // SAFETY: `part` holds that many elements.
        unsafe {
            let scaled = V::load_head(part.as_ptr(), part.len()).mul(V::splat(scale));
            scaled.store_head(part.as_mut_ptr(), part.len());
        }
    }
}
