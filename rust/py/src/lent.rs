//! `_core.forward`: predictions with weights that Python keeps.

use ndarray::ArrayView2;
use numpy::{Element, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use purrceptron::{Activation, Architecture, Context, Float, Output, lent};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::arrays::{SampleArray, read};
use crate::calls::detached;
use crate::error::CoreError;
use crate::names::named;

/// `[(W, b), ...]`, W (n_out, n_in).
type Layers<'py> = Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>;

/// The output activations, (m, n_out), of a network with those weights, all float32 or all float64; they are read where
/// they lie. uint8 samples are taken as they are.
#[pyfunction]
pub(crate) fn forward<'py>(
    x: &Bound<'py, PyAny>,
    layers: Layers<'py>,
    hidden: Vec<String>,
    output: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let wrong = || PyTypeError::new_err("layers are pairs (W, b) of one float type");
    let (first, _) = layers.first().ok_or_else(wrong)?;
    if first.cast::<PyArray2<f32>>().is_ok() {
        forward_as::<f32>(x, &layers, &hidden, output)
    } else {
        forward_as::<f64>(x, &layers, &hidden, output)
    }
}

fn forward_as<'py, T: Element + Float>(
    x: &Bound<'py, PyAny>,
    layers: &Layers<'py>,
    hidden: &[String],
    output: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let wrong = || PyTypeError::new_err("layers are pairs (W, b) of one float type");
    let mut lent: Vec<(PyReadonlyArray2<'py, T>, PyReadonlyArray1<'py, T>)> = Vec::new();
    for (weight, bias) in layers {
        let weight = weight.cast::<PyArray2<T>>().map_err(|_| wrong())?;
        let bias = bias.cast::<PyArray1<T>>().map_err(|_| wrong())?;
        lent.push((read(weight)?, read(bias)?));
    }
    let layers: Vec<(ArrayView2<'_, T>, &[T])> = lent
        .iter()
        .map(|(weight, bias)| Ok((weight.as_array(), bias.as_slice()?)))
        .collect::<PyResult<_>>()?;
    let inputs = layers.first().map(|(weight, _)| weight.ncols());
    let sizes: Vec<_> = inputs.into_iter().chain(layers.iter().map(|(w, _)| w.nrows())).collect();
    let names = Activation::ALL.map(Activation::name);
    let hidden = hidden
        .iter()
        .map(|name| named("hidden", name, Activation::named(name), &names))
        .collect::<PyResult<_>>()?;
    let output = named("output", output, Output::named(output), &Output::ALL.map(Output::name))?;
    let form = Architecture::with_activations(&sizes, hidden, output).map_err(CoreError::from)?;
    let (py, x) = (x.py(), SampleArray::borrow(x)?);
    let samples = x.view()?;
    let a = detached(py, || lent::forward(&Context::current()?, &form, &layers, &samples))?;
    Ok(PyArray2::from_owned_array(py, a).into_any())
}
