//! The activation of the output layer, `a = g(z)`, for predictions.
//!
//! Softmax: `a_j = exp(z_j - c) / Σ_i exp(z_i - c)`, where `c`, the row's largest `z`, changes
//! nothing but keeps `exp` from overflowing.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::activation::Activation;
use crate::float::Float;
use crate::isa::Isa;
use crate::math::Constants;
use crate::math::exp::{Exp, exp};
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

/// The largest element of a row.
/// # Safety
/// `k >= 1` elements can be read at `row`.
#[inline(always)]
pub(super) unsafe fn row_largest<V: VectorMath>(row: *const V::Elem, k: usize) -> V::Elem {
    let lowest = V::splat(-<V::Elem as Constants>::INFINITY);
    let mut largest = lowest;
    let mut j = 0;
    while j < k {
        let n = V::LANES.min(k - j);
        // SAFETY: j + n <= k.
        let z = unsafe { V::load_head(row.add(j), n) };
        largest = V::select(V::head(n), z, lowest).max(largest);
        j += n;
    }
    largest.largest()
}

/// `Σ_j exp(z_j - c)`, each term of which is written to `out` if there is one.
/// # Safety
/// `k` elements can be read at `row` and written at `out`, which may be `row` itself.
#[inline(always)]
pub(super) unsafe fn row_exp<V: VectorMath>(
    row: *const V::Elem,
    k: usize,
    c: V::Elem,
    out: Option<*mut V::Elem>,
) -> V::Elem {
    let zero = V::splat(V::Elem::ZERO);
    let mut sum = zero;
    let mut j = 0;
    while j < k {
        let n = V::LANES.min(k - j);
        // SAFETY: j + n <= k.
        unsafe {
            let e = exp(V::load_head(row.add(j), n).sub(V::splat(c)));
            if let Some(out) = out {
                e.store_head(out.add(j), n);
            }
            sum = sum.add(V::select(V::head(n), e, zero));
        }
        j += n;
    }
    sum.sum()
}

struct Softmax<'a, T> {
    z: &'a mut [T],
    k: usize,
}

impl<T: Float> Kernel<T> for Softmax<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) {
        let k = self.k;
        for row in self.z.chunks_exact_mut(k) {
            let row = row.as_mut_ptr();
            // SAFETY: the row holds k >= 1 elements.
            unsafe {
                let c = row_largest::<V>(row, k);
                let sum = row_exp::<V>(row, k, c, Some(row));
                let scale = V::splat(T::ONE / sum);
                let mut j = 0;
                while j < k {
                    let n = V::LANES.min(k - j);
                    V::load_head(row.add(j), n).mul(scale).store_head(row.add(j), n);
                    j += n;
                }
            }
        }
    }
}

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
        let mut c = [T::ZERO; 16];
        let mut sum = [T::ONE; 16];
        for (rows, out) in self.z.chunks(k * V::LANES).zip(self.out.chunks_mut(V::LANES)) {
            for (i, row) in rows.chunks_exact(k).enumerate() {
                // SAFETY: the row holds k >= 1 elements.
                unsafe {
                    c[i] = row_largest::<V>(row.as_ptr(), k);
                    sum[i] = row_exp::<V>(row.as_ptr(), k, c[i], None);
                }
            }
            // SAFETY: both arrays hold at least LANES elements, `out` its own length.
            unsafe {
                let y = V::load(c.as_ptr()).add(log(V::load(sum.as_ptr())));
                y.store_head(out.as_mut_ptr(), out.len());
            }
        }
    }
}
