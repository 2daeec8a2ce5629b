//! The linear half of a dense layer, forward and backward, and the product of matrices behind both.

use numpy::ndarray::{ArrayView2, Axis};
use numpy::prelude::*;
use numpy::{Element, PyArrayDyn};
use purrceptron::dense::{linear_backward_bias, linear_backward_input, linear_backward_weight};
use purrceptron::gemm::Epilogue;
use purrceptron::{Context, Float, dense, gemm, samples};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use super::arguments::{Out, check_apart, in_rows, matrix, refuse, vector, with_floats, write};
use crate::arrays::{empty, is_aligned, kind, read};
use crate::calls::detached;

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
///     Where to write the product; of the same dtype, sharing no memory with `a` or `b`. NaN and infinity are found in
///     the product, which saves small ones a second reading of `a` and `b`: after that error, and no other, what
///     `out` holds is not specified.
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
        arrays: [Bound<'py, PyArrayDyn<T>>; 2],
        out: Option<&Bound<'py, PyAny>>,
    ) -> Out<'py> {
        let py = arrays[0].py();
        let (a, b) = (read(matrix("a", &arrays[0])?)?, read(matrix("b", &arrays[1])?)?);
        let (av, bv) = (a.as_array(), b.as_array());
        let shape = [av.nrows(), bv.ncols()];
        if av.ncols() != bv.nrows() {
            let expected = format!("({}, n), because a has shape {:?}", av.ncols(), av.dim());
            return Err(refuse("b", b.shape(), &expected));
        }
        let out = match out {
            None => empty::<T>(py, &shape)?,
            Some(out) => {
                let wrong = |came: &str| {
                    let name = T::NAME;
                    PyTypeError::new_err(format!(
                        "out must be an aligned array of {name}, not {came}"
                    ))
                };
                let out = out.cast::<PyArrayDyn<T>>().map_err(|_| wrong(&kind(out)))?;
                if !is_aligned(out) {
                    return Err(wrong("one whose elements lie at odd addresses"));
                }
                if out.shape() != shape {
                    return Err(refuse("out", out.shape(), &format!("{:?}", (shape[0], shape[1]))));
                }
                check_apart(out, &[("a", &arrays[0]), ("b", &arrays[1])])?;
                out.clone()
            }
        };
        let mut c = write("out", matrix("out", &out)?)?;
        let mut cv = c.as_array_mut();
        detached(py, || {
            let ctx = Context::current()?;
            gemm::gemm(&ctx, T::ONE, av, bv, T::ZERO, cv.view_mut(), Epilogue::None)?;
            finite_operands(&cv.view(), &[("a", av), ("b", bv)])
        })?;
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
    fn run<'py, T: Element + Float>([a, w, bias]: [Bound<'py, PyArrayDyn<T>>; 3]) -> Out<'py> {
        let py = a.py();
        let (a, w, b) = (read(matrix("a", &a)?)?, read(matrix("w", &w)?)?, read(&bias)?);
        let (av, wv) = (a.as_array(), w.as_array());
        let bv = vector("b", b.as_array())?;
        if wv.ncols() != av.ncols() {
            let expected = format!("(n_out, {}), because a has shape {:?}", av.ncols(), av.dim());
            return Err(refuse("w", w.shape(), &expected));
        }
        if bv.len() != wv.nrows() {
            let expected = format!("({},), because w has shape {:?}", wv.nrows(), wv.dim());
            return Err(refuse("b", b.shape(), &expected));
        }
        let out = empty::<T>(py, &[av.nrows(), wv.nrows()])?;
        let bias = read(&in_rows(&bias)?)?;
        let bias = bias.as_slice()?;
        let mut z = write("z", matrix("z", &out)?)?;
        let mut zv = z.as_array_mut();
        detached(py, || {
            let ctx = Context::current()?;
            dense::linear_forward(&ctx, av, wv, bias, zv.view_mut())?;
            finite_operands(&zv.view(), &[("a", av), ("w", wv), ("b", bv.insert_axis(Axis(1)))])
        })?;
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
        let dz = read(matrix("dz", &dz)?)?;
        let (a, w) = (read(matrix("a", &a)?)?, read(matrix("w", &w)?)?);
        let (dzv, av, wv) = (dz.as_array(), a.as_array(), w.as_array());
        let (m, n_out) = dzv.dim();
        if av.nrows() != m {
            let expected = format!("({m}, n_in), because dz has shape {:?}", dzv.dim());
            return Err(refuse("a", a.shape(), &expected));
        }
        let n_in = av.ncols();
        if wv.dim() != (n_out, n_in) {
            return Err(refuse("w", w.shape(), &format!("({n_out}, {n_in})")));
        }
        let (da, dw) = (empty::<T>(py, &[m, n_in])?, empty::<T>(py, &[n_out, n_in])?);
        let db = empty::<T>(py, &[n_out])?;
        let (mut dab, mut dwb) =
            (write("da", matrix("da", &da)?)?, write("dw", matrix("dw", &dw)?)?);
        let mut dbb = write("db", &db)?;
        let (mut dav, mut dwv) = (dab.as_array_mut(), dwb.as_array_mut());
        let dbs = dbb.as_slice_mut()?;
        detached(py, || {
            let ctx = Context::current()?;
            let scale = T::from_f64(1.0 / m as f64);
            linear_backward_input(&ctx, dzv, wv, dav.view_mut())?;
            finite_operands(&dav.view(), &[("dz", dzv), ("a", av), ("w", wv)])?;
            linear_backward_bias(&ctx, scale, dzv, T::ZERO, dbs)?;
            linear_backward_weight(&ctx, scale, dzv, av, T::ZERO, dwv.view_mut(), Epilogue::None)?;
            finite_operands(&dwv.view(), &[("a", av)])
        })?;
        drop((dab, dwb, dbb));
        Ok((da, dw, db).into_pyobject(py)?.into_any())
    }
    with_floats!(["dz", "a", "w"], [dz, a, w], |arrays| run(arrays))
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
