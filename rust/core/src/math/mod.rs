//! Mathematical functions on slices, vectorised for every instruction set.
//!
//! Each is written once, for a register of numbers. An element's result does not depend on its
//! place in the slice. NaN, infinities, subnormal numbers and the signs of zeros come out as
//! IEEE 754 has it. How far a result may be off, in units in the last place, tested for every
//! `f32` there is and for `f64` on dense samples in 32 digits and some in 60 (`tests/math/`):
//!
//! | | `f32` | `f64` |
//! | --- | --- | --- |
//! | [`exp`] | 1.0 | 1.1 |
//! | [`expm1`] | 1.6 (1.7 where products and sums are not fused) | 2.0 (2.2 where they are not) |
//! | [`log`] | 0.8 | 0.8 |
//! | [`log1p`] | 1.4 | 1.4 |
//! | [`tanh`] | 2.0 (1.3 with AVX-512) | 1.9 |
//! | [`sigmoid`] | 2.3 | 2.5 (3.5 with AVX-512) |
//! | [`softplus`] | 1.7 | 1.7 (2.2 with AVX-512) |
//!
//! Softmax and log-sum-exp of rows are in [`loss`](crate::loss), with their error.

mod checked;
pub(crate) mod constants;
pub(crate) mod exp;
mod function;
pub(crate) mod log;
pub(crate) mod map;
pub(crate) mod normal;
mod reduce;
pub(crate) mod speck;
pub(crate) mod tanh;

use crate::activation::{sigmoid::Sigmoid, softplus::Softplus, tanh::Tanh};
use crate::float::Float;
use crate::isa::Isa;

#[doc(hidden)]
pub use constants::Constants;
pub use function::{Function, Gradient};
pub(crate) use reduce::{add_widened, dot};
pub use reduce::{all_finite, first_non_finite, sum, sum_of_squares};

/// `out[i] = exp(x[i])`.
///
/// # Panics
/// If the lengths differ; so for every function here that has an `out`.
///
/// ```
/// use purrceptron::{Isa, math};
///
/// let mut out = [0.0_f32; 3];
/// math::exp(Isa::best(), &[0.0, 1.0, -1000.0], &mut out);
/// assert_eq!(out, [1.0, std::f32::consts::E, 0.0]);
/// ```
pub fn exp<T: Float>(isa: Isa, x: &[T], out: &mut [T]) {
    map::map(isa, exp::Exp, x, out);
}

/// `out[i] = exp(x[i]) - 1`, accurate near 0.
pub fn expm1<T: Float>(isa: Isa, x: &[T], out: &mut [T]) {
    map::map(isa, exp::Expm1, x, out);
}

/// `out[i] = log(x[i])`, the natural logarithm.
pub fn log<T: Float>(isa: Isa, x: &[T], out: &mut [T]) {
    map::map(isa, log::Log, x, out);
}

/// `out[i] = log(1 + x[i])`, accurate near 0.
pub fn log1p<T: Float>(isa: Isa, x: &[T], out: &mut [T]) {
    map::map(isa, log::Log1p, x, out);
}

/// `out[i] = tanh(x[i])`.
pub fn tanh<T: Float>(isa: Isa, x: &[T], out: &mut [T]) {
    map::map(isa, Tanh, x, out);
}

/// `out[i] = 1 / (1 + exp(-x[i]))`.
pub fn sigmoid<T: Float>(isa: Isa, x: &[T], out: &mut [T]) {
    map::map(isa, Sigmoid, x, out);
}

/// `out[i] = log(1 + exp(x[i]))`.
pub fn softplus<T: Float>(isa: Isa, x: &[T], out: &mut [T]) {
    map::map(isa, Softplus, x, out);
}
