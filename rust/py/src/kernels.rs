//! The series' functions on NumPy arrays: each checks shapes, releases the GIL, and makes one call.

use numpy::ndarray::{ArrayView1, ArrayView2, ArrayViewD, Axis, Ix1, Ix2};
use numpy::npyffi::{PY_ARRAY_API, npy_intp};
use numpy::prelude::*;
use numpy::{BorrowError, Element, PyArrayDyn, PyReadwriteArrayDyn};
use purrceptron::dense::{linear_backward_bias, linear_backward_input, linear_backward_weight};
use purrceptron::gemm::Epilogue;
use purrceptron::{Activation, Context, Float, Loss, Targets, dense, gemm, samples};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::arrays::{Floats, is_aligned, read};
use crate::error::CoreError;

type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// Calls a generic function with the arrays, whichever their type.
macro_rules! with_floats {
    ($names:expr, $arguments:expr, |$arrays:ident| $body:expr) => {
        match Floats::new($names, $arguments)? {
            Floats::F32($arrays) => $body,
            Floats::F64($arrays) => $body,
        }
    };
}

/// The array as a matrix, or an error that names it.
fn matrix<'a, T>(name: &str, view: ArrayViewD<'a, T>) -> PyResult<ArrayView2<'a, T>> {
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
fn vector<'a, T>(name: &str, view: ArrayViewD<'a, T>) -> PyResult<ArrayView1<'a, T>> {
    let shape = view.shape().to_vec();
    view.into_dimensionality::<Ix1>().map_err(|_| refuse(name, &shape, "a vector"))
}

fn not_empty(name: &str, shape: &[usize]) -> PyResult<()> {
    if shape.contains(&0) { Err(refuse(name, shape, "at least one element")) } else { Ok(()) }
}

fn refuse(name: &str, shape: &[usize], expected: &str) -> PyErr {
    let comma = if shape.len() == 1 { "," } else { "" };
    let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ") + comma;
    PyValueError::new_err(format!("{name} has shape ({shape}), expected {expected}"))
}

/// Fails at the first NaN or infinity; of an array with other than two dimensions the first is the row.
fn finite<T: Float>(name: &'static str, view: &ArrayViewD<'_, T>) -> Result<(), CoreError> {
    let rows = view.shape().first().copied().unwrap_or(1);
    let columns = view.len() / rows.max(1);
    let flat = view.to_shape((rows, columns)).expect("the number of elements is the same");
    Ok(samples::check_finite(name, &flat.view())?)
}

/// Fails at the first NaN or infinity of a product's operands, which is looked for where the product shows one.
///
/// Whatever is multiplied with them, NaN and infinity make NaN or infinity, and sums keep them: an element of A
/// spoils its whole row of `A B`, one of B its column. So the first row and column of the product tell, and
/// the operands need not be read once more.
fn finite_operands<T: Float>(
    product: &ArrayView2<'_, T>,
    operands: &[(&'static str, ArrayView2<'_, T>)],
) -> purrceptron::Result<()> {
    let mut border = product.row(0).into_iter().chain(product.column(0));
    if border.all(|x| x.is_finite()) {
        return Ok(());
    }
    operands.iter().try_for_each(|(name, values)| samples::check_finite(name, values))
}

/// A new array of zeros, or `MemoryError`.
fn zeros<'py, T: Element>(py: Python<'py>, shape: &[usize]) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let mut dims: Vec<npy_intp> = shape.iter().map(|&n| n as npy_intp).collect();
    // SAFETY: the call takes `dims.len()` dimensions from `dims`, takes over the reference to the type, and
    // returns a new array of that type, or null with an exception set.
    unsafe {
        let array = PY_ARRAY_API.PyArray_Zeros(
            py,
            dims.len() as i32,
            dims.as_mut_ptr(),
            T::get_dtype(py).into_dtype_ptr(),
            0,
        );
        Ok(Bound::from_owned_ptr_or_err(py, array)?.cast_into_unchecked())
    }
}

/// Borrows an array for writing. It fails where the array is read-only, or shares memory with one of the
/// arguments that are being read.
fn write<'py, T: Element>(
    name: &str,
    array: &Bound<'py, PyArrayDyn<T>>,
) -> PyResult<PyReadwriteArrayDyn<'py, T>> {
    array.try_readwrite().map_err(|error| match error {
        BorrowError::NotWriteable => PyValueError::new_err(format!("{name} is read-only")),
        _ => PyValueError::new_err(format!("{name} shares memory with another argument")),
    })
}

/// The matrix product ``a @ b``.
///
/// Transposed, strided and reversed views are read as they are, without a copy.
///
/// Parameters
/// ----------
/// a : array of shape (m, k)
/// b : array of shape (k, n)
///     float32 or float64, the same as `a`; integers are converted.
/// out : array of shape (m, n), optional
///     Where to write the product; of the same dtype, sharing no memory with `a` or `b`. Products with NaN or
///     infinity are written before they are refused.
///
/// Returns
/// -------
/// array of shape (m, n)
///     `out` if given, else a new array.
///
/// Raises
/// ------
/// ValueError
///     If the shapes do not agree, an array is empty, or a number is NaN or infinite.
/// TypeError
///     If float32 meets float64.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> from purrceptron import kernels
/// >>> kernels.matmul(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
/// array([[11.]])
#[pyfunction]
#[pyo3(signature = (a, b, out=None))]
pub(crate) fn matmul<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
) -> Out<'py> {
    fn run<'py, T: Element + Float>(
        [a, b]: [Bound<'py, PyArrayDyn<T>>; 2],
        out: Option<&Bound<'py, PyAny>>,
    ) -> Out<'py> {
        let py = a.py();
        let (a, b) = (read(&a)?, read(&b)?);
        let (av, bv) = (matrix("a", a.as_array())?, matrix("b", b.as_array())?);
        let shape = [av.nrows(), bv.ncols()];
        if av.ncols() != bv.nrows() {
            let expected = format!("({}, n), because a has shape {:?}", av.ncols(), av.dim());
            return Err(refuse("b", b.shape(), &expected));
        }
        let out = match out {
            None => zeros::<T>(py, &shape)?,
            Some(out) => {
                let wrong =
                    || PyTypeError::new_err(format!("out must be an aligned array of {}", T::NAME));
                let out = out.cast::<PyArrayDyn<T>>().map_err(|_| wrong())?;
                if !is_aligned(out) {
                    return Err(wrong());
                }
                if out.shape() != shape {
                    return Err(refuse("out", out.shape(), &format!("{:?}", (shape[0], shape[1]))));
                }
                out.clone()
            }
        };
        let mut c = write("out", &out)?;
        let mut cv = c.as_array_mut().into_dimensionality::<Ix2>().expect("the shape was checked");
        py.detach(|| {
            let ctx = Context::current()?;
            gemm::gemm(&ctx, T::ONE, av, bv, T::ZERO, cv.view_mut(), Epilogue::None)?;
            finite_operands(&cv.view(), &[("a", av), ("b", bv)])
        })
        .map_err(CoreError::from)?;
        drop(c);
        Ok(out.into_any())
    }
    with_floats!(["a", "b"], [a, b], |arrays| run(arrays, out))
}

/// The linear half of a dense layer, ``z = a @ w.T + b``.
///
/// Parameters
/// ----------
/// a : array of shape (m, n_in)
///     One example a row.
/// w : array of shape (n_out, n_in)
/// b : array of shape (n_out,)
///
/// Returns
/// -------
/// array of shape (m, n_out)
///
/// Raises
/// ------
/// ValueError
///     If the shapes do not agree, an array is empty, or a number is NaN or infinite.
/// TypeError
///     If float32 meets float64.
#[pyfunction]
pub(crate) fn linear_forward<'py>(
    a: &Bound<'py, PyAny>,
    w: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> Out<'py> {
    fn run<'py, T: Element + Float>([a, w, b]: [Bound<'py, PyArrayDyn<T>>; 3]) -> Out<'py> {
        let py = a.py();
        let (a, w, b) = (read(&a)?, read(&w)?, read(&b)?);
        let (av, wv) = (matrix("a", a.as_array())?, matrix("w", w.as_array())?);
        let bv = vector("b", b.as_array())?;
        if wv.ncols() != av.ncols() {
            let expected = format!("(n_out, {}), because a has shape {:?}", av.ncols(), av.dim());
            return Err(refuse("w", w.shape(), &expected));
        }
        if bv.len() != wv.nrows() {
            let expected = format!("({},), because w has shape {:?}", wv.nrows(), wv.dim());
            return Err(refuse("b", b.shape(), &expected));
        }
        let out = zeros::<T>(py, &[av.nrows(), wv.nrows()])?;
        let mut z = write("z", &out)?;
        let mut zv =
            z.as_array_mut().into_dimensionality::<Ix2>().expect("two dimensions were made");
        py.detach(|| {
            let ctx = Context::current()?;
            dense::linear_forward(&ctx, av, wv, &bv.to_vec(), zv.view_mut())?;
            finite_operands(&zv.view(), &[("a", av), ("w", wv), ("b", bv.insert_axis(Axis(1)))])
        })
        .map_err(CoreError::from)?;
        drop(z);
        Ok(out.into_any())
    }
    with_floats!(["a", "w", "b"], [a, w, b], |arrays| run(arrays))
}

/// The gradients of a dense layer's linear half.
///
/// ``da = dz @ w``, ``dw = dz.T @ a / m`` and ``db = dz.sum(axis=0) / m``.
///
/// Parameters
/// ----------
/// dz : array of shape (m, n_out)
/// a : array of shape (m, n_in)
///     The layer's input.
/// w : array of shape (n_out, n_in)
///
/// Returns
/// -------
/// da : array of shape (m, n_in)
/// dw : array of shape (n_out, n_in)
/// db : array of shape (n_out,)
///
/// Raises
/// ------
/// ValueError
///     If the shapes do not agree, an array is empty, or a number is NaN or infinite.
/// TypeError
///     If float32 meets float64.
#[pyfunction]
pub(crate) fn linear_backward<'py>(
    dz: &Bound<'py, PyAny>,
    a: &Bound<'py, PyAny>,
    w: &Bound<'py, PyAny>,
) -> Out<'py> {
    fn run<'py, T: Element + Float>([dz, a, w]: [Bound<'py, PyArrayDyn<T>>; 3]) -> Out<'py> {
        let py = dz.py();
        let (dz, a, w) = (read(&dz)?, read(&a)?, read(&w)?);
        let dzv = matrix("dz", dz.as_array())?;
        let (av, wv) = (matrix("a", a.as_array())?, matrix("w", w.as_array())?);
        let (m, n_out) = dzv.dim();
        if av.nrows() != m {
            let expected = format!("({m}, n_in), because dz has shape {:?}", dzv.dim());
            return Err(refuse("a", a.shape(), &expected));
        }
        let n_in = av.ncols();
        if wv.dim() != (n_out, n_in) {
            return Err(refuse("w", w.shape(), &format!("({n_out}, {n_in})")));
        }
        let (da, dw) = (zeros::<T>(py, &[m, n_in])?, zeros::<T>(py, &[n_out, n_in])?);
        let db = zeros::<T>(py, &[n_out])?;
        let (mut dab, mut dwb, mut dbb) = (write("da", &da)?, write("dw", &dw)?, write("db", &db)?);
        let mut dav = dab.as_array_mut().into_dimensionality::<Ix2>().expect("made so");
        let mut dwv = dwb.as_array_mut().into_dimensionality::<Ix2>().expect("made so");
        let dbs = dbb.as_slice_mut()?;
        py.detach(|| {
            let ctx = Context::current()?;
            let scale = T::from_f64(1.0 / m as f64);
            linear_backward_input(&ctx, dzv, wv, dav.view_mut())?;
            finite_operands(&dav.view(), &[("dz", dzv), ("a", av), ("w", wv)])?;
            linear_backward_bias(&ctx, scale, dzv, T::ZERO, dbs)?;
            linear_backward_weight(&ctx, scale, dzv, av, T::ZERO, dwv.view_mut(), Epilogue::None)?;
            finite_operands(&dwv.view(), &[("a", av)])
        })
        .map_err(CoreError::from)?;
        drop((dab, dwb, dbb));
        Ok((da, dw, db).into_pyobject(py)?.into_any())
    }
    with_floats!(["dz", "a", "w"], [dz, a, w], |arrays| run(arrays))
}

/// `g(z)`, for an array of any shape.
fn activate<'py>(g: Activation, z: &Bound<'py, PyAny>) -> Out<'py> {
    fn run<'py, T: Element + Float>(
        g: Activation,
        [z]: [Bound<'py, PyArrayDyn<T>>; 1],
    ) -> Out<'py> {
        let py = z.py();
        not_empty("z", z.shape())?;
        let out = zeros::<T>(py, z.shape())?;
        let z = read(&z)?;
        let zv = z.as_array();
        let mut a = write("a", &out)?;
        let mut av = a.as_array_mut();
        py.detach(|| {
            finite("z", &zv)?;
            let ctx = Context::current()?;
            av.assign(&zv);
            let a = av.as_slice_mut().expect("a new array is contiguous");
            ctx.in_pieces(a, |_, piece| g.forward(ctx.isa(), piece));
            Ok::<_, CoreError>(())
        })?;
        drop(a);
        Ok(out.into_any())
    }
    with_floats!(["z"], [z], |arrays| run(g, arrays))
}

/// `da ∘ g'(z)`, for arrays of any shape.
fn activate_backward<'py>(
    g: Activation,
    da: &Bound<'py, PyAny>,
    z: &Bound<'py, PyAny>,
) -> Out<'py> {
    fn run<'py, T: Element + Float>(
        g: Activation,
        [da, z]: [Bound<'py, PyArrayDyn<T>>; 2],
    ) -> Out<'py> {
        let py = da.py();
        if da.shape() != z.shape() {
            return Err(refuse("z", z.shape(), "the shape of da"));
        }
        not_empty("z", z.shape())?;
        let out = zeros::<T>(py, z.shape())?;
        let (da, z) = (read(&da)?, read(&z)?);
        let (dav, zv) = (da.as_array(), z.as_array());
        let mut dz = write("dz", &out)?;
        let mut dzv = dz.as_array_mut();
        py.detach(|| {
            finite("da", &dav)?;
            finite("z", &zv)?;
            let ctx = Context::current()?;
            dzv.assign(&dav);
            let dz = dzv.as_slice_mut().expect("a new array is contiguous");
            let mut saved = zv.as_standard_layout().into_owned().into_raw_vec_and_offset().0;
            if !g.saves_input() {
                ctx.in_pieces(&mut saved, |_, piece| g.forward(ctx.isa(), piece));
            }
            ctx.in_pieces(dz, |from, piece| {
                g.backward(ctx.isa(), &saved[from..from + piece.len()], piece);
            });
            Ok::<_, CoreError>(())
        })?;
        drop(dz);
        Ok(out.into_any())
    }
    with_floats!(["da", "z"], [da, z], |arrays| run(g, arrays))
}

/// The rectifier ``max(0, z)``, element by element.
///
/// Parameters
/// ----------
/// z : array of any shape
///
/// Returns
/// -------
/// array of the same shape and dtype
///
/// Raises
/// ------
/// ValueError
///     If a number is NaN or infinite.
///
/// Examples
/// --------
/// >>> from purrceptron import kernels
/// >>> kernels.relu([-1.0, 2.0])
/// array([0., 2.])
#[pyfunction]
pub(crate) fn relu<'py>(z: &Bound<'py, PyAny>) -> Out<'py> {
    activate(Activation::Relu, z)
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
    activate_backward(Activation::Relu, da, z)
}

/// The logistic function ``1 / (1 + exp(-z))``, element by element; it neither overflows nor loses digits.
///
/// Parameters
/// ----------
/// z : array of any shape
///
/// Returns
/// -------
/// array of the same shape and dtype
///
/// Raises
/// ------
/// ValueError
///     If a number is NaN or infinite.
///
/// Examples
/// --------
/// >>> from purrceptron import kernels
/// >>> kernels.sigmoid([0.0, -1000.0])
/// array([0.5, 0. ])
#[pyfunction]
pub(crate) fn sigmoid<'py>(z: &Bound<'py, PyAny>) -> Out<'py> {
    activate(Activation::Sigmoid, z)
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
    activate_backward(Activation::Sigmoid, da, z)
}

/// Logits and labels as matrices with an example a row: a vector is one column.
fn rows_of<'a, T>(name: &str, view: ArrayViewD<'a, T>) -> PyResult<ArrayView2<'a, T>> {
    match view.ndim() {
        1 => matrix(name, view.insert_axis(Axis(1))),
        _ => matrix(name, view),
    }
}

/// Fails unless logits and labels have one shape and the labels lie between 0 and 1.
fn check_labels<T: Float>(z: &ArrayView2<'_, T>, y: &ArrayView2<'_, T>) -> PyResult<()> {
    if z.dim() != y.dim() {
        return Err(refuse("y", y.shape(), "the shape of logits"));
    }
    match y.indexed_iter().find(|&(_, &y)| !(y >= T::ZERO && y <= T::ONE)) {
        None => Ok(()),
        Some(((row, _), y)) => Err(PyValueError::new_err(format!(
            "y holds {y} at row {row}, expected labels from 0 to 1"
        ))),
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
        check_labels(&zv, &yv)?;
        let sum = py.detach(|| {
            samples::check_finite("logits", &zv)?;
            let isa = Context::current()?.isa();
            Ok::<_, CoreError>(Loss::BinaryCrossEntropy.value(isa, zv, Targets::Values(yv), None))
        })?;
        Ok(sum / zv.nrows() as f64)
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
        let out = zeros::<T>(py, z.shape())?;
        let (z, y) = (read(&z)?, read(&y)?);
        let (zv, yv) = (rows_of("logits", z.as_array())?, rows_of("y", y.as_array())?);
        check_labels(&zv, &yv)?;
        let mut dz = write("dz", &out)?;
        let mut dzv = dz.as_array_mut();
        py.detach(|| {
            samples::check_finite("logits", &zv)?;
            let isa = Context::current()?.isa();
            let mut dz =
                dzv.view_mut().into_shape_with_order(zv.dim()).expect("a new array is contiguous");
            dz.assign(&zv);
            Loss::BinaryCrossEntropy.value_and_gradient(isa, dz, Targets::Values(yv), None);
            Ok::<_, CoreError>(())
        })?;
        drop(dz);
        Ok(out.into_any())
    }
    with_floats!(["logits", "y"], [logits, y], |arrays| run(arrays))
}
