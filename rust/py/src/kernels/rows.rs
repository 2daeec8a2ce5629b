//! Functions of the rows of an array, whatever lies before its last axis.

use numpy::prelude::*;
use numpy::{Element, PyArrayDyn};
use purrceptron::{Float, loss};
use pyo3::prelude::*;

use super::arguments::{Out, elements, finite, in_rows, not_empty, refuse, with_floats};
use crate::arrays::{empty, read};

/// The array in rows, and how long they are.
fn rows<'py, T: Element>(
    z: &Bound<'py, PyArrayDyn<T>>,
) -> PyResult<(Bound<'py, PyArrayDyn<T>>, usize)> {
    not_empty("z", z.shape())?;
    let Some(&k) = z.shape().last() else {
        return Err(refuse("z", &[], "at least one dimension"));
    };
    Ok((in_rows(z)?, k))
}

/// Softmax ``exp(z) / Σ exp(z)`` over the last axis: the probabilities of classes.
///
/// It is taken from ``z - max(z)``, so that it does not overflow.
///
/// Parameters
/// ----------
/// z : array of shape (..., k)
///     float32 or float64; other numbers are converted.
///
/// Returns
/// -------
/// array of the same shape and dtype
///     Not negative; each row adds up to 1.
///
/// Raises
/// ------
/// ValueError
///     If a number is NaN or infinite, or there is none.
///
/// Examples
/// --------
/// >>> from purrceptron import kernels
/// >>> kernels.softmax([[5.0, 5.0], [-1000.0, 1000.0]])
/// array([[0.5, 0.5],
///        [0. , 1. ]])
#[pyfunction]
pub(crate) fn softmax<'py>(z: &Bound<'py, PyAny>) -> Out<'py> {
    fn run<'py, T: Element + Float>([z]: [Bound<'py, PyArrayDyn<T>>; 1]) -> Out<'py> {
        let (z, k) = rows(&z)?;
        let out = empty::<T>(z.py(), z.shape())?;
        let z = read(&z)?;
        let from = z.as_slice()?;
        // SAFETY: a new array is dense, and it is not handed out before it is written.
        let to = unsafe { elements(&out) };
        finite(z.py(), &[("z", &z)], |ctx| loss::softmax(ctx, from, k, to))?;
        Ok(out.into_any())
    }
    with_floats!(["z"], [z], |arrays| run(arrays))
}

/// The logarithm of a sum of exponentials, ``log Σ exp(z)``, over the last axis.
///
/// It is taken from ``z - max(z)``, so that it does not overflow.
///
/// Parameters
/// ----------
/// z : array of shape (..., k)
///     float32 or float64; other numbers are converted.
///
/// Returns
/// -------
/// array of shape (...)
///     Of the same dtype.
///
/// Raises
/// ------
/// ValueError
///     If a number is NaN or infinite, or there is none.
///
/// Examples
/// --------
/// >>> from purrceptron import kernels
/// >>> kernels.logsumexp([[0.0, 0.0], [-1000.0, 1000.0]])
/// array([6.93147181e-01, 1.00000000e+03])
#[pyfunction]
pub(crate) fn logsumexp<'py>(z: &Bound<'py, PyAny>) -> Out<'py> {
    fn run<'py, T: Element + Float>([z]: [Bound<'py, PyArrayDyn<T>>; 1]) -> Out<'py> {
        let (z, k) = rows(&z)?;
        let before = &z.shape()[..z.ndim() - 1];
        let out = empty::<T>(z.py(), before)?;
        let z = read(&z)?;
        let from = z.as_slice()?;
        // SAFETY: a new array is dense, and it is not handed out before it is written.
        let to = unsafe { elements(&out) };
        finite(z.py(), &[("z", &z)], |ctx| loss::log_sum_exp(ctx, from, k, to))?;
        Ok(out.into_any())
    }
    with_floats!(["z"], [z], |arrays| run(arrays))
}
