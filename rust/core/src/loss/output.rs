//! The activation of the output layer, `a = g(z)`, for predictions.
//!
//! Softmax: `a_j = exp(z_j - c) / Σ_i exp(z_i - c)`, where `c`, the row's largest `z`, changes
//! nothing but keeps `exp` from overflowing.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::rows::{self, PerRow, Scratch};
use crate::activation::Activation;
use crate::float::Float;
use crate::isa::Isa;
use crate::math::exp::Exp;
use crate::math::log::log;
use crate::math::map::map_in_place;
use crate::simd::{Kernel, VectorMath, dispatch};

/// What turns logits into outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// `a = z`: regression.
    Identity,
    /// `a = 1 / (1 + exp(-z))`: the probability of each label by itself.
    Sigmoid,
    /// `a_j = exp(z_j) / Σ_i exp(z_i)`: the probabilities of classes.
    Softmax,
    /// `a = exp(z)`: expected counts.
    Exp,
}

impl Output {
    /// Every output activation.
    pub const ALL: [Output; 4] = [Output::Identity, Output::Sigmoid, Output::Softmax, Output::Exp];

    /// Its name: `identity`, `sigmoid`, `softmax` or `exp`.
    pub fn name(self) -> &'static str {
        match self {
            Output::Identity => "identity",
            Output::Sigmoid => "sigmoid",
            Output::Softmax => "softmax",
            Output::Exp => "exp",
        }
    }

    /// The output activation of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|output| output.name() == name)
    }

    /// `z ← g(z)`, where `z` is (m, k): m examples, k outputs.
    ///
    /// ```
    /// use ndarray::array;
    /// use purrceptron::{Isa, loss::Output};
    ///
    /// let mut z = array![[5.0, 5.0], [-1e4, 1e4]];
    /// Output::Softmax.forward(Isa::best(), z.view_mut());
    /// assert_eq!(z, array![[0.5, 0.5], [0.0, 1.0]]);
    /// ```
    pub fn forward<T: Float>(self, isa: Isa, mut z: ArrayViewMut2<'_, T>) {
        let k = z.ncols();
        match (self, z.as_slice_mut()) {
            (Output::Identity, _) => {}
            (_, None) => {
                let mut copy = z.as_standard_layout().into_owned();
                self.forward(isa, copy.view_mut());
                z.assign(&copy);
            }
            (_, Some([])) => {}
            (Output::Sigmoid, Some(z)) => Activation::Sigmoid.forward(isa, z),
            (Output::Exp, Some(z)) => map_in_place(isa, Exp, z),
            (Output::Softmax, Some(z)) => dispatch(isa, Softmax { z, k }),
        }
    }
}

/// `out[i] = log Σ_j exp(z[i, j])`; `z` is (m, k), `out` (m,).
///
/// # Panics
/// If `out` has not as many elements as `z` has rows, or `z` has no columns.
///
/// ```
/// use ndarray::array;
/// use purrceptron::{Isa, loss::log_sum_exp};
///
/// let mut out = [0.0];
/// log_sum_exp(Isa::best(), array![[1000.0, 1000.0]].view(), &mut out);
/// assert_eq!(out, [1000.0 + 2.0_f64.ln()]);
/// ```
pub fn log_sum_exp<T: Float>(isa: Isa, z: ArrayView2<'_, T>, out: &mut [T]) {
    assert_eq!(z.nrows(), out.len(), "z and out differ in length");
    assert!(z.ncols() > 0, "z has no columns");
    let z = z.as_standard_layout();
    let rows = z.as_slice().expect("a standard layout is one slice");
    dispatch(isa, LogSumExp { z: rows, k: z.ncols(), out });
}

/// `z` has rows of `k >= 1` elements.
struct Softmax<'a, T> {
    z: &'a mut [T],
    k: usize,
}

impl<T: Float> Kernel<T> for Softmax<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) {
        let k = self.k;
        let (mut scratch, mut sum): (Scratch<T>, PerRow<T>) = ([T::ZERO; _], [T::ONE; _]);
        for group in self.z.chunks_mut(k * rows::group::<V>(k)) {
            let rows = group.len() / k;
            let mut c: PerRow<T> = [T::ZERO; _];
            for (row, c) in group.chunks_exact(k).zip(&mut c) {
                *c = rows::largest::<V>(row);
            }
            let z = group.as_mut_ptr();
            let (e, apart) = rows::place::<V>(z, k, &mut scratch);
            // SAFETY: `z` and `e` hold that many rows, k and `apart` elements one from the next.
            unsafe {
                for i in 0..rows {
                    sum[i] = rows::write_exp::<V>(z.add(i * k), e.add(i * apart), k, c[i]);
                }
                for (i, sum) in sum.iter().enumerate().take(rows) {
                    let factor = T::ONE / *sum;
                    rows::write_scaled::<V>(e.add(i * apart), z.add(i * k), k, factor);
                }
            }
        }
    }
}

/// `z` has rows of `k >= 1` elements, as many as `out` has.
struct LogSumExp<'a, T> {
    z: &'a [T],
    k: usize,
    out: &'a mut [T],
}

impl<T: Float> Kernel<T> for LogSumExp<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) {
        let k = self.k;
        let (mut c, mut sum): (PerRow<T>, PerRow<T>) = ([T::ZERO; _], [T::ONE; _]);
        for (group, out) in self.z.chunks(k * V::LANES).zip(self.out.chunks_mut(V::LANES)) {
            for ((row, c), sum) in group.chunks_exact(k).zip(&mut c).zip(&mut sum) {
                *c = rows::largest::<V>(row);
                *sum = rows::sum_exp::<V>(row, *c);
            }
            // SAFETY: both arrays hold at least LANES elements, `out` its own length.
            unsafe {
                let y = V::load(c.as_ptr()).add(log(V::load(sum.as_ptr())));
                y.store_head(out.as_mut_ptr(), out.len());
            }
        }
    }
}
