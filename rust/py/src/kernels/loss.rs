//! The series' cost and its gradient, from the logits.

use numpy::ndarray::{ArrayView2, ArrayViewD, Axis, Ix2};
use numpy::prelude::*;
use numpy::{Element, PyArrayDyn};
use purrceptron::{Context, Error, Float, Loss, Targets};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::arguments::{Out, check_matrix, non_finite, refuse, spoken, with_floats, write};
use crate::arrays::{empty, read};
use crate::calls::detached;

/// Logits and labels as matrices with an example a row: a vector is one column.
fn rows_of<'a, T>(name: &str, view: ArrayViewD<'a, T>) -> PyResult<ArrayView2<'a, T>> {
    let view = if view.ndim() == 1 { view.insert_axis(Axis(1)) } else { view };
    check_matrix(name, view.shape())?;
    Ok(view.into_dimensionality::<Ix2>().expect("it has two dimensions"))
}

/// Fails unless logits and labels have one shape.
fn check_shapes<T>(z: &ArrayView2<'_, T>, y: &ArrayView2<'_, T>) -> PyResult<()> {
    if z.dim() == y.dim() {
        return Ok(());
    }
    Err(refuse("y", y.shape(), &format!("{}, the shape of logits", spoken(z.shape()))))
}

/// A sentence about the first label that does not lie between 0 and 1, or the first logit that is not finite.
fn unfit<T: Float>(
    ctx: &Context,
    logits: &ArrayViewD<'_, T>,
    y: &ArrayView2<'_, T>,
) -> Option<String> {
    match y.indexed_iter().find(|&(_, &y)| !(y >= T::ZERO && y <= T::ONE)) {
        None => non_finite(ctx, "logits", logits),
        Some(((row, column), label)) => {
            let column = if y.ncols() > 1 { format!(", column {column}") } else { String::new() };
            Some(format!("y holds {label} at row {row}{column}, expected labels from 0 to 1"))
        }
    }
}

/// The mean cost ``-(1/m) Σ [y log a + (1-y) log(1-a)]`` with ``a = sigmoid(logits)``.
///
/// It is taken from the logits, as ``max(z, 0) - z y + log1p(exp(-|z|))``, so that it stays finite and exact
/// where the sigmoid is 0 or 1 to the last digit.
///
/// Parameters
/// ----------
/// logits : array of shape (m,) or (m, k)
/// y : array of the same shape
///     Labels, from 0 to 1.
///
/// Returns
/// -------
/// float
///     Summed over the k outputs, averaged over the m examples.
///
/// Raises
/// ------
/// ValueError
///     If the shapes differ, a label is outside 0 to 1, or a number is NaN or infinite.
/// TypeError
///     If float32 meets float64.
///
/// Examples
/// --------
/// >>> from purrceptron import kernels
/// >>> kernels.binary_cross_entropy([0.0, 1e4], [1.0, 1.0])
/// 0.34657359027997264
#[pyfunction]
pub(crate) fn binary_cross_entropy<'py>(
    logits: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
) -> PyResult<f64> {
    fn run<'py, T: Element + Float>([z, y]: [Bound<'py, PyArrayDyn<T>>; 2]) -> PyResult<f64> {
        let py = z.py();
        let (z, y) = (read(&z)?, read(&y)?);
        let (zv, yv) = (rows_of("logits", z.as_array())?, rows_of("y", y.as_array())?);
        check_shapes(&zv, &yv)?;
        let all = z.as_array();
        let sum = detached(py, || {
            let ctx = Context::current()?;
            let loss = Loss::BinaryCrossEntropy;
            Ok::<_, Error>(match unfit(&ctx, &all, &yv) {
                None => Ok(loss.value(ctx.isa(), zv, Targets::Values(yv), None)),
                Some(why) => Err(why),
            })
        })?;
        Ok(sum.map_err(PyValueError::new_err)? / zv.nrows() as f64)
    }
    with_floats!(["logits", "y"], [logits, y], |arrays| run(arrays))
}

/// The gradient of each example's cost by its logit, ``sigmoid(logits) - y``.
///
/// It is that of the sum: the 1/m of the mean is in `linear_backward`, as in the series.
///
/// Parameters
/// ----------
/// logits : array of shape (m,) or (m, k)
/// y : array of the same shape
///     Labels, from 0 to 1.
///
/// Returns
/// -------
/// array of the same shape and dtype
///
/// Raises
/// ------
/// ValueError
///     If the shapes differ, a label is outside 0 to 1, or a number is NaN or infinite.
/// TypeError
///     If float32 meets float64.
#[pyfunction]
pub(crate) fn binary_cross_entropy_backward<'py>(
    logits: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
) -> Out<'py> {
    fn run<'py, T: Element + Float>([z, y]: [Bound<'py, PyArrayDyn<T>>; 2]) -> Out<'py> {
        let py = z.py();
        let out = empty::<T>(py, z.shape())?;
        let (z, y) = (read(&z)?, read(&y)?);
        let (zv, yv) = (rows_of("logits", z.as_array())?, rows_of("y", y.as_array())?);
        check_shapes(&zv, &yv)?;
        let mut dz = write("dz", &out)?;
        let (mut dzv, all) = (dz.as_array_mut(), z.as_array());
        let why = detached(py, || {
            let ctx = Context::current()?;
            if let Some(why) = unfit(&ctx, &all, &yv) {
                return Ok(Some(why));
            }
            let mut dz =
                dzv.view_mut().into_shape_with_order(zv.dim()).expect("a new array is contiguous");
            dz.assign(&zv);
            Loss::BinaryCrossEntropy.value_and_gradient(ctx.isa(), dz, Targets::Values(yv), None);
            Ok::<_, Error>(None)
        })?;
        drop(dz);
        why.map_or_else(|| Ok(out.into_any()), |why| Err(PyValueError::new_err(why)))
    }
    with_floats!(["logits", "y"], [logits, y], |arrays| run(arrays))
}
