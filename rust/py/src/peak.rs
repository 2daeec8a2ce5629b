//! What the machine can do at most, for the benchmarks.

use purrceptron::{Context, peak};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::CoreError;

/// Return the most floating-point operations a second, counted in fused multiply-adds on registers.
///
/// It is that of the instruction set and the number of threads in use, and takes about a second.
///
/// Parameters
/// ----------
/// dtype : {"float32", "float64"}
///
/// Raises
/// ------
/// ValueError
///     If `dtype` is another.
#[pyfunction]
pub(crate) fn fma_peak(py: Python<'_>, dtype: &str) -> PyResult<f64> {
    let ctx = Context::current().map_err(CoreError::from)?;
    match dtype {
        "float32" => Ok(py.detach(|| peak::multiply_adds::<f32>(&ctx))),
        "float64" => Ok(py.detach(|| peak::multiply_adds::<f64>(&ctx))),
        _ => {
            let message = format!("dtype is {dtype:?}, expected one of: float32, float64");
            Err(PyValueError::new_err(message))
        }
    }
}

/// Return the bytes a second, read and written together, that copies by all threads move through memory.
///
/// Raises
/// ------
/// MemoryError
///     If there is no room for 256 MiB.
#[pyfunction]
pub(crate) fn memory_bandwidth(py: Python<'_>) -> PyResult<f64> {
    let ctx = Context::current().map_err(CoreError::from)?;
    Ok(py.detach(|| peak::memory_bandwidth(&ctx)).map_err(CoreError::from)?)
}
