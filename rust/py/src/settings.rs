//! How the process computes: threads and instruction set.

use purrceptron::{Isa, threads};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;

use crate::arrays::kind;
use crate::calls::pass_on_warnings;
use crate::error::CoreError;

/// Set how many threads every later computation of the process may use.
///
/// The results do not depend on it, bit for bit.
///
/// Parameters
/// ----------
/// n : int
///     From 1 to 1024.
///
/// Raises
/// ------
/// ValueError
///     If `n` is out of range.
/// TypeError
///     If `n` is no integer.
///
/// Examples
/// --------
/// >>> import purrceptron as pc
/// >>> before = pc.get_num_threads()
/// >>> pc.set_num_threads(1)
/// >>> pc.get_num_threads()
/// 1
/// >>> pc.set_num_threads(before)
#[pyfunction]
pub(crate) fn set_num_threads(n: &Bound<'_, PyAny>) -> PyResult<()> {
    let number = n.extract::<usize>().map_err(|error| {
        if error.is_instance_of::<PyOverflowError>(n.py()) {
            CoreError::from(threads::out_of_range("n", n.to_string())).into()
        } else {
            PyTypeError::new_err(format!("n must be an integer, not {}", kind(n)))
        }
    })?;
    Ok(threads::set_num_threads(number).map_err(CoreError::from)?)
}

/// Return how many threads a computation may use.
///
/// It is what `set_num_threads` set, else the environment variable ``PURRCEPTRON_NUM_THREADS``, else
/// ``OMP_NUM_THREADS``, else the number of processors that the process may run on. A `RuntimeWarning` says
/// where the first holds no number from 1 to 1024; it is then passed over.
#[pyfunction]
pub(crate) fn get_num_threads(py: Python<'_>) -> PyResult<usize> {
    let threads = threads::get_num_threads();
    pass_on_warnings(py)?;
    Ok(threads)
}

/// Return the instruction set in use: the one in ``PURRCEPTRON_ISA``, else the best of the machine.
///
/// Raises
/// ------
/// RuntimeError
///     If ``PURRCEPTRON_ISA`` names one that the machine lacks.
#[pyfunction]
pub(crate) fn isa() -> PyResult<String> {
    Ok(Isa::current().map_err(CoreError::from)?.to_string())
}

/// Return the instruction sets of this machine, slowest first.
#[pyfunction]
pub(crate) fn available_isas() -> Vec<String> {
    Isa::available().iter().map(Isa::to_string).collect()
}
