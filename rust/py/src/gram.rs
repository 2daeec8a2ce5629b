//! The state of a run in the space of examples, as arrays and from arrays.

use ndarray::ArrayView1;
use numpy::{Element, PyArray1};
use purrceptron::gram::GramState;
use purrceptron::{Error, Float};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::arrays::{copied, read};
use crate::error::CoreError;

/// A `GramState` as Python keeps it: starts, `([s, q], D)` of each set of coefficients, products.
pub(crate) type GramArrays<'py> =
    (Vec<Bound<'py, PyAny>>, Vec<([f64; 2], Bound<'py, PyAny>)>, Vec<Bound<'py, PyAny>>);

/// The state's arrays.
pub(crate) fn gram_arrays<'py, T: Element + Copy>(
    py: Python<'py>,
    state: &GramState<T>,
) -> PyResult<GramArrays<'py>> {
    fn array<'py, E: Element + Copy>(py: Python<'py>, v: &[E]) -> PyResult<Bound<'py, PyAny>> {
        Ok(copied(py, ArrayView1::from(v).into_dyn())?.into_any())
    }
    let arrays = |all: &[Vec<T>]| all.iter().map(|v| array(py, v)).collect::<PyResult<_>>();
    let coefficients = state.coefficients.iter();
    let coefficients = coefficients.map(|(starts, rows)| Ok((*starts, array(py, rows)?)));
    Ok((arrays(&state.starts)?, coefficients.collect::<PyResult<_>>()?, arrays(&state.products)?))
}

/// The state that those arrays are.
pub(crate) fn gram_state<T: Element + Float>(arrays: &GramArrays<'_>) -> PyResult<GramState<T>> {
    fn vec<T: Element + Copy>(array: &Bound<'_, PyAny>) -> PyResult<Vec<T>> {
        let wrong = |_| PyTypeError::new_err("resume holds arrays of another type");
        let array = read(array.cast::<PyArray1<T>>().map_err(wrong)?)?;
        let mut numbers = Vec::new();
        let (bytes, what) = (size_of::<T>() * array.len()?, "the state to resume from");
        let refused = |_| CoreError::from(Error::OutOfMemory { bytes, what });
        numbers.try_reserve_exact(array.len()?).map_err(refused)?;
        numbers.extend(array.as_array());
        Ok(numbers)
    }
    let (starts, coefficients, products) = arrays;
    Ok(GramState {
        starts: starts.iter().map(vec).collect::<PyResult<_>>()?,
        coefficients: coefficients
            .iter()
            .map(|(starts, rows)| Ok((*starts, vec(rows)?)))
            .collect::<PyResult<_>>()?,
        products: products.iter().map(vec).collect::<PyResult<_>>()?,
    })
}
