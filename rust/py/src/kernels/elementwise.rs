//! Functions of one number, on arrays of any shape and order.

use numpy::prelude::*;
use numpy::{Element, PyArrayDyn};
use purrceptron::Float;
use purrceptron::math::{Function, Gradient};
use pyo3::prelude::*;

use super::arguments::{
    Out, dense, elements, empty_like, finite, in_rows, not_empty, refuse, spoken, with_floats,
};
use crate::arrays::read;

/// `f(z)`, for an array of any shape.
fn apply<'py>(f: Function, z: &Bound<'py, PyAny>) -> Out<'py> {
    fn run<'py, T: Element + Float>(f: Function, [z]: [Bound<'py, PyArrayDyn<T>>; 1]) -> Out<'py> {
        not_empty("z", z.shape())?;
        let z = dense(&z)?;
        let out = empty_like(&z)?;
        let z = read(&z)?;
        let from = z.as_slice()?;
        // SAFETY: an array like a dense one is dense, and it is not handed out before it is written.
        let to = unsafe { elements(&out) };
        finite(z.py(), &[("z", &z)], |ctx| f.apply(ctx, from, to))?;
        Ok(out.into_any())
    }
    with_floats!(["z"], [z], |arrays| run(f, arrays))
}

/// `da ∘ f'(z)`, for arrays of any shape.
fn backward<'py>(f: Gradient, da: &Bound<'py, PyAny>, z: &Bound<'py, PyAny>) -> Out<'py> {
    fn run<'py, T: Element + Float>(
        f: Gradient,
        [da, z]: [Bound<'py, PyArrayDyn<T>>; 2],
    ) -> Out<'py> {
        if da.shape() != z.shape() {
            let expected = format!("{}, the shape of da", spoken(da.shape()));
            return Err(refuse("z", z.shape(), &expected));
        }
        not_empty("z", z.shape())?;
        // Elements that belong together lie at the same place if both arrays have the same order.
        let (da, z) = if da.is_fortran_contiguous() && z.is_fortran_contiguous() {
            (da, z)
        } else {
            (in_rows(&da)?, in_rows(&z)?)
        };
        let out = empty_like(&z)?;
        let (da, z) = (read(&da)?, read(&z)?);
        let (das, zs) = (da.as_slice()?, z.as_slice()?);
        // SAFETY: an array like a dense one is dense, and it is not handed out before it is written.
        let to = unsafe { elements(&out) };
        let inputs = [("da", &da), ("z", &z)];
        finite(z.py(), &inputs, |ctx| f.apply(ctx, zs, das, to))?;
        Ok(out.into_any())
    }
    with_floats!(["da", "z"], [da, z], |arrays| run(f, arrays))
}

/// The exponential ``exp(z)``, element by element, within 1.1 units in the last place.
///
/// Beyond the largest float it is infinite, as in NumPy.
///
/// Parameters
/// ----------
/// z : array of any shape
///     float32 or float64; other numbers are converted.
///
/// Returns
/// -------
/// array of the same shape and dtype
///     A new one.
///
/// Raises
/// ------
/// ValueError
///     If a number is NaN or infinite, or there is none.
///
/// Examples
/// --------
/// >>> from purrceptron import kernels
/// >>> kernels.exp([0.0, 1.0, -1000.0])
/// array([1.        , 2.71828183, 0.        ])
#[pyfunction]
pub(crate) fn exp<'py>(z: &Bound<'py, PyAny>) -> Out<'py> {
    apply(Function::Exp, z)
}

/// The logarithm ``log(1 + z)``, element by element, within 1.4 units in the last place, near 0 too.
///
/// It is -inf at -1 and NaN below, as in NumPy.
///
/// Parameters
/// ----------
/// z : array of any shape
///     float32 or float64; other numbers are converted.
///
/// Returns
/// -------
/// array of the same shape and dtype
///     A new one.
///
/// Raises
/// ------
/// ValueError
///     If a number is NaN or infinite, or there is none.
///
/// Examples
/// --------
/// >>> from purrceptron import kernels
/// >>> kernels.log1p([0.0, 1e-20, 1.0])
/// array([0.00000000e+00, 1.00000000e-20, 6.93147181e-01])
#[pyfunction]
pub(crate) fn log1p<'py>(z: &Bound<'py, PyAny>) -> Out<'py> {
    apply(Function::Log1p, z)
}

/// The hyperbolic tangent ``tanh(z)``, element by element, within 2 units in the last place.
///
/// Parameters
/// ----------
/// z : array of any shape
///     float32 or float64; other numbers are converted.
///
/// Returns
/// -------
/// array of the same shape and dtype
///     A new one.
///
/// Raises
/// ------
/// ValueError
///     If a number is NaN or infinite, or there is none.
///
/// Examples
/// --------
/// >>> from purrceptron import kernels
/// >>> kernels.tanh([0.0, 0.5, 1000.0])
/// array([0.        , 0.46211716, 1.        ])
#[pyfunction]
pub(crate) fn tanh<'py>(z: &Bound<'py, PyAny>) -> Out<'py> {
    apply(Function::Tanh, z)
}

/// The smooth rectifier ``log(1 + exp(z))``, element by element, within 2.2 units in the last place.
///
/// It does not overflow.
///
/// Parameters
/// ----------
/// z : array of any shape
///     float32 or float64; other numbers are converted.
///
/// Returns
/// -------
/// array of the same shape and dtype
///     A new one.
///
/// Raises
/// ------
/// ValueError
///     If a number is NaN or infinite, or there is none.
///
/// Examples
/// --------
/// >>> from purrceptron import kernels
/// >>> kernels.softplus([-1000.0, 0.0, 1000.0])
/// array([0.00000000e+00, 6.93147181e-01, 1.00000000e+03])
#[pyfunction]
pub(crate) fn softplus<'py>(z: &Bound<'py, PyAny>) -> Out<'py> {
    apply(Function::Softplus, z)
}

/// The rectifier ``max(0, z)``, element by element.
///
/// Parameters
/// ----------
/// z : array of any shape
///     float32 or float64; other numbers are converted.
///
/// Returns
/// -------
/// array of the same shape and dtype
///     A new one.
///
/// Raises
/// ------
/// ValueError
///     If a number is NaN or infinite, or there is none.
///
/// Examples
/// --------
/// >>> from purrceptron import kernels
/// >>> kernels.relu([-1.0, 2.0])
/// array([0., 2.])
#[pyfunction]
pub(crate) fn relu<'py>(z: &Bound<'py, PyAny>) -> Out<'py> {
    apply(Function::Relu, z)
}

/// The gradient through the rectifier: ``da`` where ``z > 0``, else 0 (also at 0).
///
/// Parameters
/// ----------
/// da : array of any shape
///     The gradient by the rectifier's output.
/// z : array of the same shape
///     The rectifier's input.
///
/// Returns
/// -------
/// array of the same shape and dtype
///
/// Raises
/// ------
/// ValueError
///     If the shapes differ, or a number is NaN or infinite.
/// TypeError
///     If float32 meets float64.
#[pyfunction]
pub(crate) fn relu_backward<'py>(da: &Bound<'py, PyAny>, z: &Bound<'py, PyAny>) -> Out<'py> {
    backward(Gradient::Relu, da, z)
}

/// The logistic function ``1 / (1 + exp(-z))``, element by element, within 3.5 units in the last place.
///
/// It neither overflows nor loses digits.
///
/// Parameters
/// ----------
/// z : array of any shape
///     float32 or float64; other numbers are converted.
///
/// Returns
/// -------
/// array of the same shape and dtype
///     A new one.
///
/// Raises
/// ------
/// ValueError
///     If a number is NaN or infinite, or there is none.
///
/// Examples
/// --------
/// >>> from purrceptron import kernels
/// >>> kernels.sigmoid([0.0, -1000.0])
/// array([0.5, 0. ])
#[pyfunction]
pub(crate) fn sigmoid<'py>(z: &Bound<'py, PyAny>) -> Out<'py> {
    apply(Function::Sigmoid, z)
}

/// The gradient through the logistic function: ``da * a * (1 - a)`` with ``a = sigmoid(z)``.
///
/// Parameters
/// ----------
/// da : array of any shape
///     The gradient by the function's output.
/// z : array of the same shape
///     The function's input.
///
/// Returns
/// -------
/// array of the same shape and dtype
///
/// Raises
/// ------
/// ValueError
///     If the shapes differ, or a number is NaN or infinite.
/// TypeError
///     If float32 meets float64.
#[pyfunction]
pub(crate) fn sigmoid_backward<'py>(da: &Bound<'py, PyAny>, z: &Bound<'py, PyAny>) -> Out<'py> {
    backward(Gradient::Sigmoid, da, z)
}
