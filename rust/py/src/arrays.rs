//! NumPy arrays in, views of them out; anything unusual is first made usual by `_validation.py`.

use numpy::ndarray::{ArrayViewD, Dimension};
use numpy::npyffi::{PY_ARRAY_API, npy_intp};
use numpy::prelude::*;
use numpy::{
    Element, PyArray1, PyArray2, PyArrayDyn, PyReadonlyArray, PyReadonlyArray1, PyReadonlyArray2,
    PyUntypedArray,
};
use purrceptron::sparse::{Sparse, SparseValues};
use purrceptron::{Float, Samples, Targets};
use pyo3::PyTypeInfo;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::CoreError;

/// Borrows an array for reading. Another Python thread may still write to it meanwhile, as to any NumPy array:
/// the values read are then unspecified, and nothing worse happens.
pub(crate) fn read<'py, T: Element, D: Dimension>(
    array: &Bound<'py, numpy::PyArray<T, D>>,
) -> PyResult<PyReadonlyArray<'py, T, D>> {
    Ok(array.try_readonly()?)
}

/// What an object is, in few words: the type of an array's elements, or its own type.
pub(crate) fn kind(object: &Bound<'_, PyAny>) -> String {
    match object.cast::<PyUntypedArray>() {
        Ok(array) => array.dtype().to_string(),
        Err(_) => object.get_type().name().map_or_else(|_| "that".into(), |name| name.to_string()),
    }
}

/// Whether views of the array can be made: its elements lie where elements of their type may.
pub(crate) fn is_aligned<T: Element, D: Dimension>(
    array: &Bound<'_, numpy::PyArray<T, D>>,
) -> bool {
    array.data().is_aligned()
        && array.strides().iter().all(|s| s.unsigned_abs() % size_of::<T>() == 0)
}

/// A new array whose elements are still to be written, or `MemoryError`.
pub(crate) fn empty<'py, T: Element>(
    py: Python<'py>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let mut dims: Vec<npy_intp> = shape.iter().map(|&n| n as npy_intp).collect();
    // SAFETY: the call takes `dims.len()` dimensions from `dims`, takes over the reference to the type, and
    // returns a new array of that type, or null with an exception set.
    unsafe {
        let array = PY_ARRAY_API.PyArray_Empty(
            py,
            dims.len() as i32,
            dims.as_mut_ptr(),
            T::get_dtype(py).into_dtype_ptr(),
            0,
        );
        Ok(Bound::from_owned_ptr_or_err(py, array)?.cast_into_unchecked())
    }
}

/// A new array with the numbers of a view, or `MemoryError`.
pub(crate) fn copied<'py, T: Element + Copy>(
    py: Python<'py>,
    view: ArrayViewD<'_, T>,
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let array = empty::<T>(py, view.shape())?;
    array.try_readwrite()?.as_array_mut().assign(&view);
    Ok(array)
}

/// Samples of any type that the core reads, borrowed.
macro_rules! samples {
    ($($variant:ident: $element:ty),*) => {
        pub(crate) enum SampleArray<'py> {
            $($variant(PyReadonlyArray2<'py, $element>),)*
            Sparse(SparseArray<'py>),
        }

        impl<'py> SampleArray<'py> {
            /// Borrows a matrix that `_validation.as_samples` has passed, or a sparse one as `SparseArray` wants it.
            pub(crate) fn borrow(x: &Bound<'py, PyAny>) -> PyResult<Self> {
                $(
                    if let Ok(x) = x.cast::<PyArray2<$element>>() && is_aligned(x) {
                        return Ok(Self::$variant(read(x)?));
                    }
                )*
                if let Ok(x) = x.cast::<PyTuple>() {
                    return SparseArray::borrow(x).map(Self::Sparse);
                }
                Err(PyTypeError::new_err("X must be an aligned matrix of native numbers"))
            }

            pub(crate) fn view(&self) -> PyResult<Samples<'_>> {
                Ok(match self {
                    $(Self::$variant(x) => Samples::$variant(x.as_array()),)*
                    Self::Sparse(x) => Samples::Sparse(x.view()?),
                })
            }
        }
    };
}

impl<'py> SampleArray<'py> {
    /// Floats that need no conversion: an ndarray itself, and not of a subclass, of one or more aligned rows of so many
    /// numbers.
    pub(crate) fn floats(x: &Bound<'py, PyAny>, columns: usize) -> PyResult<Option<Self>> {
        fn fits<T: Element>(x: &Bound<'_, PyArray2<T>>, columns: usize) -> bool {
            matches!(*x.shape(), [m, n] if m > 0 && n == columns) && is_aligned(x)
        }
        if !x.get_type().is(PyUntypedArray::type_object(x.py())) {
            return Ok(None);
        }
        Ok(match (x.cast::<PyArray2<f32>>(), x.cast::<PyArray2<f64>>()) {
            (Ok(x), _) if fits(x, columns) => Some(Self::F32(read(x)?)),
            (_, Ok(x)) if fits(x, columns) => Some(Self::F64(read(x)?)),
            _ => None,
        })
    }
}

samples!(F32: f32, F64: f64, U8: u8, I64: i64, I32: i32, Bool: bool, I8: i8, I16: i16, U16: u16, U32: u32, U64: u64);

/// Compressed sparse rows, borrowed: `(indptr, indices, values, columns)` of int64, int32 and a float type.
pub(crate) struct SparseArray<'py> {
    indptr: PyReadonlyArray1<'py, i64>,
    indices: PyReadonlyArray1<'py, i32>,
    values: SparseValueArray<'py>,
    columns: usize,
}

enum SparseValueArray<'py> {
    F32(PyReadonlyArray1<'py, f32>),
    F64(PyReadonlyArray1<'py, f64>),
}

type SparseParts<'py> =
    (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i32>>, Bound<'py, PyAny>, usize);

impl<'py> SparseArray<'py> {
    fn borrow(x: &Bound<'py, PyTuple>) -> PyResult<Self> {
        let wrong = || PyTypeError::new_err("sparse rows are (indptr, indices, values, columns)");
        let (indptr, indices, values, columns): SparseParts<'py> =
            x.extract().map_err(|_| wrong())?;
        let values = match (values.cast::<PyArray1<f32>>(), values.cast::<PyArray1<f64>>()) {
            (Ok(values), _) => SparseValueArray::F32(read(values)?),
            (_, Ok(values)) => SparseValueArray::F64(read(values)?),
            _ => return Err(wrong()),
        };
        Ok(Self { indptr: read(&indptr)?, indices: read(&indices)?, values, columns })
    }

    fn view(&self) -> PyResult<Sparse<'_>> {
        let values = match &self.values {
            SparseValueArray::F32(values) => SparseValues::F32(values.as_slice()?),
            SparseValueArray::F64(values) => SparseValues::F64(values.as_slice()?),
        };
        let (indptr, indices) = (self.indptr.as_slice()?, self.indices.as_slice()?);
        Ok(Sparse::new(indptr, indices, values, self.columns).map_err(CoreError::from)?)
    }
}

/// Targets as `_validation.as_targets` makes them.
pub(crate) enum TargetArray<'py, T: Element> {
    Values(PyReadonlyArray2<'py, T>),
    Classes(PyReadonlyArray1<'py, u32>),
}

impl<'py, T: Element + Float> TargetArray<'py, T> {
    pub(crate) fn borrow(y: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(y) = y.cast::<PyArray2<T>>() {
            return Ok(Self::Values(read(y)?));
        }
        match y.cast::<PyArray1<u32>>() {
            Ok(y) => Ok(Self::Classes(read(y)?)),
            Err(_) => Err(PyTypeError::new_err("y must be targets of the network's type")),
        }
    }

    pub(crate) fn view(&self) -> PyResult<Targets<'_, T>> {
        Ok(match self {
            Self::Values(y) => Targets::Values(y.as_array()),
            Self::Classes(y) => Targets::Classes(y.as_slice()?),
        })
    }
}

/// Sample weights as `_validation.as_weights` makes them.
pub(crate) fn weights<'py, T: Element + Float>(
    weights: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<PyReadonlyArray1<'py, T>>> {
    let Some(weights) = weights else { return Ok(None) };
    match weights.cast::<PyArray1<T>>() {
        Ok(weights) => Ok(Some(read(weights)?)),
        Err(_) => Err(PyTypeError::new_err("sample_weight must be of the network's type")),
    }
}

/// The arguments of a kernel: arrays of one float type.
pub(crate) enum Floats<'py, const N: usize> {
    F32([Bound<'py, PyArrayDyn<f32>>; N]),
    F64([Bound<'py, PyArrayDyn<f64>>; N]),
}

impl<'py, const N: usize> Floats<'py, N> {
    /// The arguments as they are, if they are arrays of one float type, as they mostly are; else what
    /// `_validation.as_floats` makes of them.
    pub(crate) fn new(names: [&str; N], arguments: [&Bound<'py, PyAny>; N]) -> PyResult<Self> {
        if let Some(floats) = Self::as_they_are(arguments) {
            return Ok(floats);
        }
        let py = arguments[0].py();
        let convert = py.import("purrceptron._validation")?.getattr("as_floats")?;
        let names = PyTuple::new(py, names)?;
        let arguments = PyTuple::new(py, arguments)?;
        let converted: Vec<Bound<'py, PyAny>> = convert.call1((names, arguments))?.extract()?;
        Self::as_they_are(std::array::from_fn(|i| &converted[i]))
            .ok_or_else(|| PyTypeError::new_err("arrays of one float type are wanted"))
    }

    fn as_they_are(arguments: [&Bound<'py, PyAny>; N]) -> Option<Self> {
        fn all<'py, T: Element, const N: usize>(
            arguments: [&Bound<'py, PyAny>; N],
        ) -> Option<[Bound<'py, PyArrayDyn<T>>; N]> {
            let mut arrays = [const { None }; N];
            for (array, argument) in arrays.iter_mut().zip(arguments) {
                let exact = argument.cast_exact::<PyArrayDyn<T>>().ok()?;
                *array = Some(exact.clone()).filter(is_aligned);
                array.as_ref()?;
            }
            Some(arrays.map(|array| array.expect("set above")))
        }
        all(arguments).map(Self::F32).or_else(|| all(arguments).map(Self::F64))
    }
}
