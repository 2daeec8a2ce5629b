//! Categorical cross-entropy after a softmax: `J = -Σ_j y_j log a_j`, `a = softmax(z)`;
//! `dz = a - y`, and a speck of `a` is none (`math/speck.rs`).
//!
//! With `c` the row's largest logit and `s = Σ_j exp(z_j - c)`, `log a_j = (z_j - c) - log s`. So
//! `J = Σ_j y_j (c - z_j) + (Σ_j y_j) log s`, and `dz_j = (Σ_i y_i) exp(z_j - c) / s - y_j`.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::Targets;
use super::rows::{self, PerRow, Scratch};
use crate::float::Float;
use crate::isa::Isa;
use crate::math::log::log;
use crate::math::speck::without_specks;
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
        let mut scratch: Scratch<T> = [T::ZERO; _];
        let at_once = rows::group::<V>(k);
        for (b, group) in z.chunks_mut(k * at_once).enumerate() {
            let (first, count) = (b * at_once, group.len() / k);
            // For each row c, Σ y (c - z), Σ y, s and w; the w of rows that are not there is 0.
            let (mut c, mut linear): (PerRow<T>, PerRow<T>) = ([T::ZERO; _], [T::ZERO; _]);
            let (mut mass, mut sum): (PerRow<T>, PerRow<T>) = ([T::ONE; _], [T::ONE; _]);
            let mut weight: PerRow<T> = [T::ZERO; _];
            for (i, row) in group.chunks_exact(k).enumerate() {
                c[i] = rows::largest::<V>(row);
                match &y {
                    Targets::Classes(y) => linear[i] = c[i] - row[y[first + i] as usize],
                    Targets::Values(y) => {
                        mass[i] = T::ZERO;
                        for (&z, &y) in row.iter().zip(y.row(first + i)) {
                            linear[i] += y * (c[i] - z);
                            mass[i] += y;
                        }
                    }
                }
                weight[i] = weights.map_or(T::ONE, |w| w[first + i]);
            }
            let z = group.as_mut_ptr();
            let (e, apart) = rows::place::<V>(z, k, &mut scratch);
            // SAFETY: `z` and `e` hold that many rows, k and `apart` elements one from the next;
            // and each array at least LANES elements.
            unsafe {
                for i in 0..count {
                    sum[i] = rows::write_exp::<V>(z.add(i * k), e.add(i * apart), k, c[i]);
                }
                let log_sum = log(V::load(sum.as_ptr()));
                let value = V::load(mass.as_ptr()).mul_add(log_sum, V::load(linear.as_ptr()));
                let value = value.mul(V::load(weight.as_ptr()));
                for part in 0..V::PARTS {
                    total = total.add(value.widen(part));
                }
                for i in 0..count {
                    let factor = weight[i] * mass[i] / sum[i];
                    let (from, to) = (e.add(i * apart), z.add(i * k));
                    rows::write_scaled::<V>(from, to, k, factor, without_specks);
                }
            }
            for (i, row) in group.chunks_exact_mut(k).enumerate() {
                match &y {
                    Targets::Classes(y) => row[y[first + i] as usize] -= weight[i],
                    Targets::Values(y) => {
                        for (dz, &y) in row.iter_mut().zip(y.row(first + i)) {
                            *dz -= weight[i] * y;
                        }
                    }
                }
            }
        }
        total.sum()
    }
}
