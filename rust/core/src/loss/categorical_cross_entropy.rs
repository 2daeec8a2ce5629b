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
    check_classes(&y, k);
    if let Some(z) = z.as_slice_mut() {
        return dispatch(isa, CrossEntropy { z, k, examples: Examples { y, weights } });
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
    let (_, k) = z.dim();
    if z.is_empty() {
        return 0.0;
    }
    check_classes(&y, k);
    let z = z.as_standard_layout();
    let z = z.as_slice().expect("it has just been laid out so");
    dispatch(isa, Value { z, k, examples: Examples { y, weights } })
}

fn check_classes<T>(y: &Targets<'_, T>, k: usize) {
    if let Targets::Classes(classes) = y {
        let highest = classes.iter().copied().max().unwrap_or(0);
        assert!((highest as usize) < k, "class {highest}, but there are {k} outputs");
    }
}

/// What belongs to the logits: targets, classes among them below k, and weights.
struct Examples<'y, 'w, T> {
    y: Targets<'y, T>,
    weights: Option<&'w [T]>,
}

/// Of each row of a group its largest logit c, `Σ y (c - z)`, `Σ y`, and its weight; the weight of rows that are not
/// there is 0.
struct Group<T> {
    c: PerRow<T>,
    linear: PerRow<T>,
    mass: PerRow<T>,
    weight: PerRow<T>,
}

impl<T: Float> Examples<'_, '_, T> {
    /// Of a group of rows of `k` logits, of which the first is example `first`.
    #[inline(always)]
    fn group<V: VectorMath<Elem = T>>(&self, rows: &[T], k: usize, first: usize) -> Group<T> {
        let (mut c, mut linear): (PerRow<T>, PerRow<T>) = ([T::ZERO; _], [T::ZERO; _]);
        let (mut mass, mut weight): (PerRow<T>, PerRow<T>) = ([T::ONE; _], [T::ZERO; _]);
        for (i, row) in rows.chunks_exact(k).enumerate() {
            c[i] = rows::largest::<V>(row);
            match &self.y {
                Targets::Classes(y) => linear[i] = c[i] - row[y[first + i] as usize],
                Targets::Values(y) => {
                    mass[i] = T::ZERO;
                    for (&z, &y) in row.iter().zip(y.row(first + i)) {
                        linear[i] += y * (c[i] - z);
                        mass[i] += y;
                    }
                }
            }
            weight[i] = self.weights.map_or(T::ONE, |w| w[first + i]);
        }
        Group { c, linear, mass, weight }
    }
}

impl<T: Float> Group<T> {
    /// `w J` of each row added to `total`, from the rows' `Σ exp(z - c)`.
    #[inline(always)]
    fn add<V: VectorMath<Elem = T>>(&self, sum: &PerRow<T>, mut total: V::Double) -> V::Double {
        // SAFETY: each array has room for any register.
        let value = unsafe {
            let log_sum = log(V::load(sum.as_ptr()));
            let value = V::load(self.mass.as_ptr()).mul_add(log_sum, V::load(self.linear.as_ptr()));
            value.mul(V::load(self.weight.as_ptr()))
        };
        for part in 0..V::PARTS {
            total = total.add(value.widen(part));
        }
        total
    }
}

/// `z` has rows of `k` elements.
struct Value<'z, 'y, 'w, T> {
    z: &'z [T],
    k: usize,
    examples: Examples<'y, 'w, T>,
}

impl<T: Float> Kernel<T> for Value<'_, '_, '_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) -> f64 {
        let Self { z, k, examples } = self;
        let mut total = V::Double::splat(0.0);
        let at_once = rows::group::<V>(k);
        for (b, group) in z.chunks(k * at_once).enumerate() {
            let of = examples.group::<V>(group, k, b * at_once);
            let mut sum: PerRow<T> = [T::ONE; _];
            for (i, row) in group.chunks_exact(k).enumerate() {
                sum[i] = rows::sum_exp::<V>(row, of.c[i]);
            }
            total = of.add::<V>(&sum, total);
        }
        total.sum()
    }
}

/// The same, and the gradient over `z`.
struct CrossEntropy<'z, 'y, 'w, T> {
    z: &'z mut [T],
    k: usize,
    examples: Examples<'y, 'w, T>,
}

impl<T: Float> Kernel<T> for CrossEntropy<'_, '_, '_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) -> f64 {
        let Self { z, k, examples } = self;
        let mut total = V::Double::splat(0.0);
        let mut scratch: Scratch<T> = [T::ZERO; _];
        let at_once = rows::group::<V>(k);
        for (b, group) in z.chunks_mut(k * at_once).enumerate() {
            let (first, count) = (b * at_once, group.len() / k);
            let of = examples.group::<V>(group, k, first);
            let mut sum: PerRow<T> = [T::ONE; _];
            let z = group.as_mut_ptr();
            let (e, apart) = rows::place::<V>(z, k, &mut scratch);
            // SAFETY: `z` and `e` hold that many rows, k and `apart` elements one from the next.
            unsafe {
                for (i, sum) in sum.iter_mut().enumerate().take(count) {
                    *sum = rows::write_exp::<V>(z.add(i * k), e.add(i * apart), k, of.c[i]);
                }
                total = of.add::<V>(&sum, total);
                for (i, sum) in sum.iter().enumerate().take(count) {
                    let factor = of.weight[i] * of.mass[i] / *sum;
                    let (from, to) = (e.add(i * apart), z.add(i * k));
                    rows::write_scaled::<V>(from, to, k, factor, without_specks);
                }
            }
            for (i, row) in group.chunks_exact_mut(k).enumerate() {
                match &examples.y {
                    Targets::Classes(y) => row[y[first + i] as usize] -= of.weight[i],
                    Targets::Values(y) => {
                        for (dz, &y) in row.iter_mut().zip(y.row(first + i)) {
                            *dz -= of.weight[i] * y;
                        }
                    }
                }
            }
        }
        total.sum()
    }
}
