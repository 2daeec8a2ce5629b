//! How the process computes: threads and instruction set.

use purrceptron::{Isa, threads};
use pyo3::prelude::*;

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
pub(crate) fn set_num_threads(n: usize) -> PyResult<()> {
    Ok(threads::set_num_threads(n).map_err(CoreError::from)?)
}

/// Return how many threads a computation may use.
///
/// It is what `set_num_threads` set, else the environment variable ``PURRCEPTRON_NUM_THREADS``, else
/// ``OMP_NUM_THREADS``, else the number of processors that the process may run on.
#[pyfunction]
pub(crate) fn get_num_threads() -> usize {
    threads::get_num_threads()
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

/// Return a warning that the core has for the user, once, or None.
#[pyfunction]
pub(crate) fn take_warning() -> Option<&'static str> {
    threads::take_warning()
}
