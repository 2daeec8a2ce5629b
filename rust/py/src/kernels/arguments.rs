//! What every kernel does with arrays: shapes that fit or a sentence, new arrays or `MemoryError`.

use std::mem::MaybeUninit;

use numpy::ndarray::{ArrayView1, ArrayView2, ArrayViewD, Ix1, Ix2};
use numpy::npyffi::{NPY_ORDER, PY_ARRAY_API};
use numpy::prelude::*;
use numpy::{BorrowError, Element, PyArrayDyn, PyReadwriteArrayDyn};
use purrceptron::math::all_finite;
use purrceptron::{Context, Float, samples};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::CoreError;

/// What a kernel returns.
pub(super) type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// Calls a generic function with the arrays, whichever their type.
macro_rules! with_floats {
    ($names:expr, $arguments:expr, |$arrays:ident| $body:expr) => {
        match $crate::arrays::Floats::new($names, $arguments)? {
            $crate::arrays::Floats::F32($arrays) => $body,
            $crate::arrays::Floats::F64($arrays) => $body,
        }
    };
}
pub(super) use with_floats;

/// The array as a matrix, or an error that names it.
pub(super) fn matrix<'a, T>(name: &str, view: ArrayViewD<'a, T>) -> PyResult<ArrayView2<'a, T>> {
    let shape = view.shape().to_vec();
    let matrix = view.into_dimensionality::<Ix2>();
    let matrix = matrix.map_err(|_| refuse(name, &shape, "a matrix"))?;
    if matrix.is_empty() {
        Err(refuse(name, &shape, "at least one row and one column"))
    } else {
        Ok(matrix)
    }
}

/// The array as a vector, or an error that names it.
pub(super) fn vector<'a, T>(name: &str, view: ArrayViewD<'a, T>) -> PyResult<ArrayView1<'a, T>> {
    let shape = view.shape().to_vec();
    view.into_dimensionality::<Ix1>().map_err(|_| refuse(name, &shape, "a vector"))
}

pub(super) fn not_empty(name: &str, shape: &[usize]) -> PyResult<()> {
    if shape.contains(&0) { Err(refuse(name, shape, "at least one element")) } else { Ok(()) }
}

pub(super) fn refuse(name: &str, shape: &[usize], expected: &str) -> PyErr {
    let comma = if shape.len() == 1 { "," } else { "" };
    let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ") + comma;
    PyValueError::new_err(format!("{name} has shape ({shape}), expected {expected}"))
}

/// Fails at the first NaN or infinity; of an array with other than two dimensions the first is the row.
pub(super) fn check_finite<T: Float>(
    ctx: &Context,
    name: &'static str,
    view: &ArrayViewD<'_, T>,
) -> Result<(), CoreError> {
    // Most arrays are one piece of memory, and most are finite: that is quickly seen.
    if view.as_slice_memory_order().is_some_and(|all| all_finite(ctx, all)) {
        return Ok(());
    }
    let rows = view.shape().first().copied().unwrap_or(1);
    let columns = view.len() / rows.max(1);
    let flat = view.to_shape((rows, columns)).expect("the number of elements is the same");
    Ok(samples::check_finite(name, &flat.view())?)
}

/// A new array of the same shape, in the same order if the other is dense, whose elements are still to be written.
pub(super) fn empty_like<'py, T: Element>(
    array: &Bound<'py, PyArrayDyn<T>>,
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let py = array.py();
    // SAFETY: the call reads the array and returns a new one, or null with an exception set.
    unsafe {
        let array = PY_ARRAY_API.PyArray_NewLikeArray(
            py,
            array.as_array_ptr(),
            NPY_ORDER::NPY_KEEPORDER,
            std::ptr::null_mut(),
            0,
        );
        Ok(Bound::from_owned_ptr_or_err(py, array)?.cast_into_unchecked())
    }
}

/// The array itself if its elements lie one behind the other, row after row; else a copy in which they do.
pub(super) fn in_rows<'py, T: Element>(
    array: &Bound<'py, PyArrayDyn<T>>,
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    if array.is_c_contiguous() { Ok(array.clone()) } else { copy(array, NPY_ORDER::NPY_CORDER) }
}

/// The array itself if its elements fill a piece of memory, in whichever order; else a copy of which that is true.
pub(super) fn dense<'py, T: Element>(
    array: &Bound<'py, PyArrayDyn<T>>,
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    if array.is_contiguous() { Ok(array.clone()) } else { copy(array, NPY_ORDER::NPY_CORDER) }
}

fn copy<'py, T: Element>(
    array: &Bound<'py, PyArrayDyn<T>>,
    order: NPY_ORDER,
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let py = array.py();
    // SAFETY: the call reads the array and returns a new one, or null with an exception set.
    unsafe {
        let array = PY_ARRAY_API.PyArray_NewCopy(py, array.as_array_ptr(), order);
        Ok(Bound::from_owned_ptr_or_err(py, array)?.cast_into_unchecked())
    }
}

/// The elements of a new array, which nobody else has yet.
///
/// # Safety
/// The array is dense, and nobody uses it in another way while the slice lives.
#[allow(clippy::mut_from_ref, reason = "the caller promises that nobody else uses them")]
pub(super) unsafe fn elements<'a, T: Element>(
    array: &'a Bound<'_, PyArrayDyn<T>>,
) -> &'a mut [MaybeUninit<T>] {
    // SAFETY: so many elements lie there; they need not be initialised; the rest is the caller's promise.
    unsafe { std::slice::from_raw_parts_mut(array.data().cast(), array.len()) }
}

/// Borrows an array for writing. It fails where the array is read-only, or shares memory with one of the
/// arguments that are being read.
pub(super) fn write<'py, T: Element>(
    name: &str,
    array: &Bound<'py, PyArrayDyn<T>>,
) -> PyResult<PyReadwriteArrayDyn<'py, T>> {
    array.try_readwrite().map_err(|error| match error {
        BorrowError::NotWriteable => PyValueError::new_err(format!("{name} is read-only")),
        _ => PyValueError::new_err(format!("{name} shares memory with another argument")),
    })
}
