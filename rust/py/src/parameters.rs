//! Parameters as arrays, and from arrays.

use numpy::{Element, PyArray1, PyArray2};
use purrceptron::{Architecture, Float, Parameters};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::arrays::{copied, read};
use crate::error::CoreError;

/// Copies of the weights and biases, as arrays.
pub(crate) fn arrays_of<'py, T: Element + Float>(
    py: Python<'py>,
    parameters: &Parameters<T>,
) -> PyResult<Bound<'py, PyList>> {
    let layers = PyList::empty(py);
    for l in 0..parameters.layers() {
        let weight = copied(py, parameters.weight(l).into_dyn())?;
        let bias = copied(py, parameters.bias(l).into_dyn())?;
        layers.append((weight, bias))?;
    }
    Ok(layers)
}

/// Keeps numbers of the core for as long as arrays show them.
#[pyclass(frozen, module = "purrceptron._core")]
struct Kept {
    _numbers: Box<dyn Send + Sync>,
}

/// The weights and biases themselves, as arrays: nothing is copied.
pub(crate) fn arrays_over<T: Element + Float>(
    py: Python<'_>,
    mut parameters: Parameters<T>,
) -> PyResult<Bound<'_, PyList>> {
    let views: Vec<_> = (0..parameters.layers())
        .map(|l| {
            let (mut weight, mut bias) = parameters.layer_mut(l);
            (weight.raw_view_mut(), bias.raw_view_mut())
        })
        .collect();
    let kept = Bound::new(py, Kept { _numbers: Box::new(parameters) })?;
    let layers = PyList::empty(py);
    for (weight, bias) in views {
        // SAFETY: the numbers lie where they lay before their owner was moved, and are there until the arrays, which hold
        // on to it, have gone; nobody else looks at them.
        let (weight, bias) = unsafe {
            let (weight, bias) = (weight.deref_into_view_mut(), bias.deref_into_view_mut());
            let owner = || kept.clone().into_any();
            (
                PyArray2::borrow_from_array(&weight, owner()),
                PyArray1::borrow_from_array(&bias, owner()),
            )
        };
        layers.append((weight, bias))?;
    }
    Ok(layers)
}

/// γ, β, μ and σ² of a layer.
pub(crate) type Normalized<'py> =
    (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);

/// Copies of the numbers of the normalisations, as arrays; None for layers that are not normalised.
pub(crate) fn normalization_of<'py, T: Element + Float>(
    py: Python<'py>,
    parameters: &Parameters<T>,
) -> Vec<Option<Normalized<'py>>> {
    let array = |numbers: &[T]| PyArray1::from_slice(py, numbers).into_any();
    let layer = |l| {
        let numbers = parameters.normalization(l)?;
        Some((
            array(numbers.gain),
            array(numbers.shift),
            array(numbers.mean),
            array(numbers.variance),
        ))
    };
    (0..parameters.layers()).map(layer).collect()
}

/// Sets the numbers of the normalisations of the layers that have one.
pub(crate) fn set_normalization<T: Element + Float>(
    parameters: &mut Parameters<T>,
    layers: &[Option<Normalized<'_>>],
) -> PyResult<()> {
    for (l, layer) in layers.iter().enumerate() {
        let (Some((gain, shift, mean, variance)), Some(to)) =
            (layer, parameters.normalization_mut(l))
        else {
            continue;
        };
        for (from, to) in
            [(gain, to.gain), (shift, to.shift), (mean, to.mean), (variance, to.variance)]
        {
            let wrong = |_| PyTypeError::new_err(format!("arrays of {} are wanted", T::NAME));
            let from = read(from.cast::<PyArray1<T>>().map_err(wrong)?)?;
            let (came, expected) = (from.as_slice()?.len(), to.len());
            if came != expected {
                return Err(PyValueError::new_err(format!(
                    "normalization has {came} numbers in layer {l}, expected {expected}"
                )));
            }
            to.copy_from_slice(from.as_slice()?);
        }
    }
    Ok(())
}

/// Parameters of that form, from arrays of that type.
pub(crate) fn parameters_from<T: Element + Float>(
    architecture: &Architecture,
    layers: &[(Bound<'_, PyAny>, Bound<'_, PyAny>)],
) -> PyResult<Parameters<T>> {
    check_layers(architecture, layers)?;
    let mut new = Parameters::zeros(architecture).map_err(CoreError::from)?;
    set_layers(&mut new, layers)?;
    Ok(new)
}

/// Fails unless there are as many layers.
pub(crate) fn check_layers(
    architecture: &Architecture,
    layers: &[(Bound<'_, PyAny>, Bound<'_, PyAny>)],
) -> PyResult<()> {
    let (came, expected) = (layers.len(), architecture.layers());
    if came == expected {
        return Ok(());
    }
    Err(PyValueError::new_err(format!(
        "parameters has {came} layers, expected {expected} pairs (W, b)"
    )))
}

/// Sets the layers from arrays of the parameters' type.
pub(crate) fn set_layers<T: Element + Float>(
    new: &mut Parameters<T>,
    layers: &[(Bound<'_, PyAny>, Bound<'_, PyAny>)],
) -> PyResult<()> {
    for (l, (weight, bias)) in layers.iter().enumerate() {
        let wrong = |_| PyTypeError::new_err(format!("parameters must be arrays of {}", T::NAME));
        let weight = read(weight.cast::<PyArray2<T>>().map_err(wrong)?)?;
        let bias = read(bias.cast::<PyArray1<T>>().map_err(wrong)?)?;
        new.set_layer(l, weight.as_array(), bias.as_array()).map_err(CoreError::from)?;
    }
    Ok(())
}
