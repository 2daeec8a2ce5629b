//! Mathematical functions on slices, vectorised for every instruction set.
//!
//! Each is written once, for a register of numbers, and is good to a unit or two in the last
//! place; NaN, infinities, subnormal numbers and the signs of zeros come out as IEEE 754 and
//! NumPy have it. An element's result does not depend on its place in the slice.

pub(crate) mod constants;
pub(crate) mod exp;
pub(crate) mod log;
pub(crate) mod map;
pub(crate) mod normal;
mod reduce;

use crate::activation::{sigmoid::Sigmoid, softplus::Softplus, tanh::Tanh};
use crate::float::Float;
use crate::isa::Isa;

#[doc(hidden)]
pub use constants::Constants;
pub use reduce::{first_non_finite, sum_of_squares};

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
