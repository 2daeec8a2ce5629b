//! What every kernel does with arrays: shapes that fit or a sentence, new arrays or `MemoryError`.

use std::mem::MaybeUninit;
use std::ops::Range;

use numpy::ndarray::{ArrayView1, ArrayViewD, Dimension, Ix1};
use numpy::npyffi::{NPY_ORDER, PY_ARRAY_API};
use numpy::prelude::*;
use numpy::{
    BorrowError, Element, PyArray, PyArray2, PyArrayDyn, PyReadonlyArrayDyn, PyReadwriteArray,
};
use purrceptron::math::all_finite;
use purrceptron::{Context, Float};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::calls::detached;

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

/// Fails, with an error that names it, unless that is the shape of a matrix with elements.
pub(super) fn check_matrix(name: &str, shape: &[usize]) -> PyResult<()> {
    match shape {
        [0, _] | [_, 0] => Err(refuse(name, shape, "at least one row and one column")),
        [_, _] => Ok(()),
        _ => Err(refuse(name, shape, "a matrix")),
    }
}

/// The array as a matrix, or an error that names it.
pub(super) fn matrix<'a, 'py, T: Element>(
    name: &str,
    array: &'a Bound<'py, PyArrayDyn<T>>,
) -> PyResult<&'a Bound<'py, PyArray2<T>>> {
    check_matrix(name, array.shape())?;
    // Views of two dimensions are made in a third of the time of those of any number.
    Ok(array.as_any().cast().expect("it has two dimensions"))
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
    let shape = spoken(shape);
    PyValueError::new_err(format!("{name} has shape {shape}, expected {expected}"))
}

/// A shape, or an index, as Python writes a tuple.
pub(super) fn spoken(numbers: &[usize]) -> String {
    let comma = if numbers.len() == 1 { "," } else { "" };
    let numbers = numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    format!("({numbers}{comma})")
}

/// Does `work` without the GIL, which says whether all that it read was finite; fails at the first number that was not.
pub(super) fn finite<T: Element + Float>(
    py: Python<'_>,
    inputs: &[(&str, &PyReadonlyArrayDyn<'_, T>)],
    work: impl FnOnce(&Context) -> bool + Send,
) -> PyResult<()> {
    if detached(py, || Context::current().map(|ctx| work(&ctx)))? {
        return Ok(());
    }
    for (name, input) in inputs {
        let view = input.as_array();
        let found = detached(py, || Context::current().map(|ctx| non_finite(&ctx, name, &view)))?;
        if let Some(found) = found {
            return Err(PyValueError::new_err(found));
        }
    }
    Ok(())
}

/// A sentence about the first number that is NaN or infinite, if there is one.
pub(super) fn non_finite<T: Float>(
    ctx: &Context,
    name: &str,
    view: &ArrayViewD<'_, T>,
) -> Option<String> {
    // Most arrays are one piece of memory, and most are finite: that is quickly seen.
    if view.as_slice_memory_order().is_some_and(|all| all_finite(ctx, all)) {
        return None;
    }
    let (place, value) = view.indexed_iter().find(|(_, value)| !value.is_finite())?;
    let place = match *place.slice() {
        [] => String::new(),
        [row] => format!(" at row {row}"),
        [row, column] => format!(" at row {row}, column {column}"),
        ref place => format!(" at index {}", spoken(place)),
    };
    Some(format!("{name} holds {value}{place}; only finite numbers can be used"))
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
pub(super) fn write<'py, T: Element, D: Dimension>(
    name: &str,
    array: &Bound<'py, PyArray<T, D>>,
) -> PyResult<PyReadwriteArray<'py, T, D>> {
    array.try_readwrite().map_err(|error| match error {
        BorrowError::NotWriteable => PyValueError::new_err(format!("{name} is read-only")),
        _ => PyValueError::new_err(format!("{name} shares memory with another argument")),
    })
}

/// Fails unless each element of `out` is its own, and none of those of the arguments that are being read. Borrowing sees
/// that only of views of one array; two arrays may have been made from one piece of memory in other ways.
pub(super) fn check_apart<T: Element>(
    out: &Bound<'_, PyArrayDyn<T>>,
    inputs: &[(&str, &Bound<'_, PyArrayDyn<T>>)],
) -> PyResult<()> {
    if !has_own_elements(out) {
        let message = "out has elements that share memory with each other";
        return Err(PyValueError::new_err(message));
    }
    let own = bytes(out);
    for (name, input) in inputs {
        let other = bytes(*input);
        let meet = own.start < other.end && other.start < own.end;
        if meet && shares_memory(out, input)? {
            return Err(PyValueError::new_err(format!("out shares memory with {name}")));
        }
    }
    Ok(())
}

/// The addresses from an array's first byte to its last.
fn bytes<T: Element>(array: &Bound<'_, PyArrayDyn<T>>) -> Range<isize> {
    let start = array.data() as isize;
    let mut range = start..start + size_of::<T>() as isize;
    for (&stride, &len) in array.strides().iter().zip(array.shape()) {
        let reach = stride * (len as isize - 1).max(0);
        *(if reach < 0 { &mut range.start } else { &mut range.end }) += reach;
    }
    range
}

/// Whether no two elements lie at one place: from the closest axis on, each step leads past all that came before. (Some
/// arrays of which it is true do not pass.)
fn has_own_elements<T: Element>(array: &Bound<'_, PyArrayDyn<T>>) -> bool {
    let axes = array.strides().iter().map(|stride| stride.unsigned_abs()).zip(array.shape());
    let mut axes: Vec<_> = axes.filter(|(_, len)| **len > 1).collect();
    axes.sort_unstable();
    let mut reach = size_of::<T>();
    axes.into_iter().all(|(stride, &len)| {
        let past = stride >= reach;
        reach = reach.saturating_add(stride.saturating_mul(len - 1));
        past
    })
}

/// NumPy's answer, which is exact, and seldom asked for.
fn shares_memory(one: &Bound<'_, PyAny>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
    one.py().import("numpy")?.call_method1("shares_memory", (one, other))?.extract()
}
