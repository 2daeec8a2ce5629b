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
use crate::math::exp::exp_below;
use crate::math::log::log;
use crate::math::speck::without_specks;
use crate::simd::{Kernel, Vector, VectorMath, dispatch};

/// A row is short if a register holds so many of them.
const SHORT: usize = 4;

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
    /// Of a group of rows of `k` logits with those largest ones, of which the first is example `first`.
    #[inline(always)]
    fn group(&self, rows: &[T], k: usize, first: usize, c: PerRow<T>) -> Group<T> {
        let mut linear: PerRow<T> = [T::ZERO; _];
        let (mut mass, mut weight): (PerRow<T>, PerRow<T>) = ([T::ONE; _], [T::ZERO; _]);
        for (i, row) in rows.chunks_exact(k).enumerate() {
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

    /// The targets of the same rows, times their weight, subtracted from `rows`.
    #[inline(always)]
    fn subtract(&self, rows: &mut [T], k: usize, first: usize, weight: &PerRow<T>) {
        for (i, row) in rows.chunks_exact_mut(k).enumerate() {
            match &self.y {
                Targets::Classes(y) => row[y[first + i] as usize] -= weight[i],
                Targets::Values(y) => {
                    for (dz, &y) in row.iter_mut().zip(y.row(first + i)) {
                        *dz -= weight[i] * y;
                    }
                }
            }
        }
    }
}

impl<T: Float> Group<T> {
    /// `w J` of each row added to `total`, from the rows' `Σ exp(z - c)`.
    #[inline(always)]
    fn add<V: VectorMath<Elem = T>>(&self, sum: &PerRow<T>, mut total: V::Double) -> V::Double {
        let (mass, linear) = (rows::load::<V>(&self.mass), rows::load(&self.linear));
        let value = mass.mul_add(log(rows::load(sum)), linear).mul(rows::load(&self.weight));
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
            let of = examples.group(group, k, b * at_once, rows::largest_of_each::<V>(group, k));
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
        if SHORT * self.k <= V::LANES {
            return self.by_columns::<V>();
        }
        let Self { z, k, examples } = self;
        let mut total = V::Double::splat(0.0);
        let mut scratch: Scratch<T> = [T::ZERO; _];
        let at_once = rows::group::<V>(k);
        for (b, group) in z.chunks_mut(k * at_once).enumerate() {
            let (first, count) = (b * at_once, group.len() / k);
            let of = examples.group(group, k, first, rows::largest_of_each::<V>(group, k));
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
            examples.subtract(group, k, first, &of.weight);
        }
        total.sum()
    }
}

impl<T: Float> CrossEntropy<'_, '_, '_, T> {
    /// The same for short rows: they are turned over, and a register holds a class of many rows.
    #[inline(always)]
    fn by_columns<V: VectorMath<Elem = T>>(self) -> f64 {
        let Self { z, k, examples } = self;
        let mut total = V::Double::splat(0.0);
        // What is left of the group before in the lanes of rows that are not there has no weight.
        let mut columns: [PerRow<T>; rows::LANES / SHORT] = [[T::ZERO; _]; _];
        let columns = &mut columns[..k];
        for (b, group) in z.chunks_mut(k * V::LANES).enumerate() {
            for (i, row) in group.chunks_exact(k).enumerate() {
                for (column, &z) in columns.iter_mut().zip(row) {
                    column[i] = z;
                }
            }
            let mut c = rows::load::<V>(&columns[0]);
            for column in &*columns {
                c = rows::load::<V>(column).max(c);
            }
            // In the order in which a register's lanes are added: by halves.
            let mut halves = [V::splat(T::ZERO); 2];
            for (j, column) in columns.iter_mut().enumerate() {
                let e = exp_below(rows::load::<V>(column).sub(c));
                halves[j % 2] = halves[j % 2].add(e);
                rows::store(e, column);
            }
            let sum = halves[0].add(halves[1]);
            let (mut largest, mut sums): (PerRow<T>, PerRow<T>) = ([T::ZERO; _], [T::ZERO; _]);
            rows::store(c, &mut largest);
            rows::store(sum, &mut sums);
            let first = b * V::LANES;
            let of = examples.group(group, k, first, largest);
            total = of.add::<V>(&sums, total);
            let factor = rows::load::<V>(&of.weight).mul(rows::load(&of.mass)).div(sum);
            for column in &mut *columns {
                rows::store(without_specks(rows::load::<V>(column).mul(factor)), column);
            }
            for (i, row) in group.chunks_exact_mut(k).enumerate() {
                for (dz, column) in row.iter_mut().zip(&*columns) {
                    *dz = column[i];
                }
            }
            examples.subtract(group, k, first, &of.weight);
        }
        total.sum()
    }
}
