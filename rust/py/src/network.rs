//! `_core.Network`: a frozen object that holds shared, immutable parameters of one of two types.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use numpy::{Element, PyArray2};
use purrceptron::{
    Activation, Architecture, Context, Data, Float, Init, Model, Normalization, Output, Parameters,
    Penalty,
};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::arrays::{SampleArray, TargetArray, weights};
use crate::calls::interruptible;
use crate::error::CoreError;
use crate::names::{LossArgument, loss_asked, named};
use crate::parameters::{
    Normalized, arrays_of, check_layers, normalization_of, set_layers, set_normalization,
};
use crate::trainer::Trainer;

/// A network of one element type, for many threads: whoever predicts takes the parameters of the moment, and whoever
/// trains replaces them as a whole. So predicting during a fit sees old weights or new ones, never both.
pub(crate) struct Shared<T: Float> {
    pub(crate) architecture: Architecture,
    pub(crate) uint8_scale: f64,
    published: Mutex<Arc<Parameters<T>>>,
}

impl<T: Float> Shared<T> {
    fn new(
        architecture: Architecture,
        uint8_scale: f64,
        init: Init,
        seed: u64,
    ) -> Result<Self, CoreError> {
        let parameters = Parameters::init(&architecture, init, seed)?;
        Ok(Self { architecture, uint8_scale, published: Mutex::new(Arc::new(parameters)) })
    }

    /// The parameters of the moment.
    pub(crate) fn parameters(&self) -> Arc<Parameters<T>> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the parameters and returns the old ones.
    pub(crate) fn publish(&self, parameters: Arc<Parameters<T>>) -> Arc<Parameters<T>> {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut published, parameters)
    }

    pub(crate) fn model<'a>(&'a self, parameters: &'a Parameters<T>) -> Model<'a, T> {
        Model { architecture: &self.architecture, parameters, uint8_scale: self.uint8_scale }
    }
}

pub(crate) enum AnyNetwork {
    F32(Shared<f32>),
    F64(Shared<f64>),
}

/// Calls a generic function with the network, whichever its type.
macro_rules! with_network {
    ($network:expr, |$shared:ident| $body:expr) => {
        match &$network.inner {
            $crate::network::AnyNetwork::F32($shared) => $body,
            $crate::network::AnyNetwork::F64($shared) => $body,
        }
    };
}

pub(crate) use with_network;

/// Parameters as they were at some moment, to be restored later; they cost nothing until they are replaced.
#[pyclass(frozen, module = "purrceptron._core")]
pub(crate) struct Snapshot(AnyParameters);

enum AnyParameters {
    F32(Arc<Parameters<f32>>),
    F64(Arc<Parameters<f64>>),
}

/// The network that `purrceptron.Network` wraps.
#[pyclass(frozen, module = "purrceptron._core")]
pub(crate) struct Network {
    pub(crate) inner: AnyNetwork,
    /// Whether a fit is under way.
    pub(crate) fitting: AtomicBool,
    /// Whether the fit under way has been asked to stop.
    pub(crate) stop: AtomicBool,
    /// The run that has newer parameters than the network, to be formed when somebody asks for them.
    ahead: Mutex<Option<Py<Trainer>>>,
}

impl Network {
    /// Says whose parameters are newer from now on, if anybody's; whether somebody's were.
    pub(crate) fn follow(&self, trainer: Option<Py<Trainer>>) -> bool {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *ahead, trainer).is_some()
    }

    /// The output activations, (m, n_out).
    fn outputs<'py>(&self, py: Python<'py>, x: &SampleArray<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.catch_up(py)?;
        with_network!(self, |net| {
            let samples = x.view()?;
            let a = interruptible(py, |stop| {
                let parameters = net.parameters();
                net.model(&parameters).forward_until(&Context::current()?, &samples, stop)
            })?;
            Ok(PyArray2::from_owned_array(py, a).into_any())
        })
    }

    /// Makes sure that the parameters are those of the last epoch that was finished.
    fn catch_up(&self, py: Python<'_>) -> PyResult<()> {
        let ahead = {
            let ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
            ahead.as_ref().map(|trainer| trainer.clone_ref(py))
        };
        ahead.map_or(Ok(()), |trainer| trainer.get().publish(py))
    }
}

#[pymethods]
impl Network {
    #[new]
    #[pyo3(signature = (
        sizes, hidden, output, dtype, init, seed, uint8_scale, normalization=Vec::new()
    ))]
    #[allow(clippy::too_many_arguments, reason = "each is a setting that Python passes")]
    fn new(
        py: Python<'_>,
        sizes: Vec<usize>,
        hidden: Vec<String>,
        output: &str,
        dtype: &str,
        init: &str,
        seed: u64,
        uint8_scale: f64,
        normalization: Vec<Option<String>>,
    ) -> PyResult<Self> {
        let names = Activation::ALL.map(Activation::name);
        let hidden = hidden
            .iter()
            .map(|name| named("hidden", name, Activation::named(name), &names))
            .collect::<PyResult<_>>()?;
        let output =
            named("output", output, Output::named(output), &Output::ALL.map(Output::name))?;
        let init = named("init", init, Init::named(init), &Init::ALL.map(Init::name))?;
        let mut architecture =
            Architecture::with_activations(&sizes, hidden, output).map_err(CoreError::from)?;
        if !normalization.is_empty() {
            let names = Normalization::ALL.map(Normalization::name);
            let kind =
                |name: String| named("normalization", &name, Normalization::named(&name), &names);
            let kinds = normalization.into_iter().map(|name| name.map(kind).transpose());
            let kinds = kinds.collect::<PyResult<_>>()?;
            architecture = architecture.normalized(kinds).map_err(CoreError::from)?;
        }
        let inner = py.detach(|| match dtype {
            "float32" => {
                Shared::new(architecture, uint8_scale, init, seed).map(AnyNetwork::F32).map(Some)
            }
            "float64" => {
                Shared::new(architecture, uint8_scale, init, seed).map(AnyNetwork::F64).map(Some)
            }
            _ => Ok(None),
        })?;
        let inner = inner.ok_or_else(|| {
            PyValueError::new_err(format!("dtype is {dtype:?}, expected one of: float32, float64"))
        })?;
        Ok(Self {
            inner,
            fitting: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            ahead: Mutex::new(None),
        })
    }

    /// `[(W, b), ...]`, copies.
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.catch_up(py)?;
        with_network!(self, |net| arrays_of(py, &net.parameters()))
    }

    /// For each layer `(γ, β, μ, σ²)`, copies, or None where it is not normalised.
    fn normalization<'py>(&self, py: Python<'py>) -> PyResult<Vec<Option<Normalized<'py>>>> {
        self.catch_up(py)?;
        with_network!(self, |net| Ok(normalization_of(py, &net.parameters())))
    }

    /// Replaces `(γ, β, μ, σ²)` of the layers that are normalised.
    fn set_normalization(
        &self,
        py: Python<'_>,
        layers: Vec<Option<Normalized<'_>>>,
    ) -> PyResult<()> {
        self.catch_up(py)?;
        with_network!(self, |net| {
            let mut new = net.parameters().try_clone().map_err(CoreError::from)?;
            set_normalization(&mut new, &layers)?;
            net.publish(Arc::new(new));
            Ok(())
        })
    }

    /// Replaces all weights and biases by `[(W, b), ...]` of the network's type, or none.
    fn set_parameters(
        &self,
        py: Python<'_>,
        layers: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>,
    ) -> PyResult<()> {
        self.catch_up(py)?;
        with_network!(self, |net| set_parameters(net, &layers))
    }

    /// The output activations, (m, n_out).
    fn forward<'py>(&self, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.outputs(x.py(), &SampleArray::borrow(x)?)
    }

    /// The same for a plain matrix of floats that fits, as it mostly is; None for anything else.
    fn forward_as_is<'py>(&self, x: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let columns = with_network!(self, |net| net.architecture.inputs());
        match SampleArray::floats(x, columns)? {
            Some(samples) => self.outputs(x.py(), &samples).map(Some),
            None => Ok(None),
        }
    }

    /// `[A_1, ..., A_{L-1}]`, (m, n_l) each.
    fn activations<'py>(&self, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let py = x.py();
        self.catch_up(py)?;
        let x = SampleArray::borrow(x)?;
        with_network!(self, |net| {
            let samples = x.view()?;
            let all = interruptible(py, |stop| {
                let parameters = net.parameters();
                net.model(&parameters).activations(&Context::current()?, &samples, stop)
            })?;
            PyList::new(py, all.into_iter().map(|a| PyArray2::from_owned_array(py, a)))
        })
    }

    /// `J`.
    #[pyo3(signature = (x, y, loss, l2, sample_weight, l1=0.0))]
    #[allow(clippy::too_many_arguments, reason = "each is an argument that Python passes")]
    fn loss(
        &self,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        loss: Option<LossArgument>,
        l2: f64,
        sample_weight: Option<&Bound<'_, PyAny>>,
        l1: f64,
    ) -> PyResult<f64> {
        self.catch_up(x.py())?;
        let penalty = Penalty { l2, l1 };
        with_network!(self, |net| {
            let (py, loss) = (x.py(), loss_asked(&net.architecture, loss.as_ref())?);
            let (x, y, w) =
                (SampleArray::borrow(x)?, TargetArray::borrow(y)?, weights(sample_weight)?);
            let (x, y) = (x.view()?, y.view()?);
            let w = w.as_ref().map(|w| w.as_slice()).transpose()?;
            interruptible(py, |stop| {
                let data = Data::new(&net.architecture, loss, x, y, w)?;
                let parameters = net.parameters();
                let model = net.model(&parameters);
                model.loss_until(&Context::current()?, &data, loss, penalty, stop)
            })
        })
    }

    /// `J` and its derivatives as training has them: `(J, [(dW, db), ...], [(dγ, dβ, 0, 0) or None, ...])`.
    #[pyo3(signature = (x, y, loss, l2, sample_weight, l1=0.0))]
    #[allow(clippy::too_many_arguments, reason = "each is an argument that Python passes")]
    fn gradients<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        loss: Option<LossArgument>,
        l2: f64,
        sample_weight: Option<&Bound<'py, PyAny>>,
        l1: f64,
    ) -> PyResult<(f64, Bound<'py, PyList>, Vec<Option<Normalized<'py>>>)> {
        self.catch_up(x.py())?;
        let penalty = Penalty { l2, l1 };
        with_network!(self, |net| {
            let (py, loss) = (x.py(), loss_asked(&net.architecture, loss.as_ref())?);
            let (x, y, w) =
                (SampleArray::borrow(x)?, TargetArray::borrow(y)?, weights(sample_weight)?);
            let (x, y) = (x.view()?, y.view()?);
            let w = w.as_ref().map(|w| w.as_slice()).transpose()?;
            let (cost, gradients) = interruptible(py, |stop| {
                let data = Data::new(&net.architecture, loss, x, y, w)?;
                let parameters = net.parameters();
                let model = net.model(&parameters);
                model.gradients_until(&Context::current()?, &data, loss, penalty, stop)
            })?;
            Ok((cost, arrays_of(py, &gradients)?, normalization_of(py, &gradients)))
        })
    }

    /// The parameters of the moment, to `restore`.
    fn snapshot(&self, py: Python<'_>) -> PyResult<Snapshot> {
        self.catch_up(py)?;
        Ok(Snapshot(match &self.inner {
            AnyNetwork::F32(net) => AnyParameters::F32(net.parameters()),
            AnyNetwork::F64(net) => AnyParameters::F64(net.parameters()),
        }))
    }

    /// Goes back to the parameters of a snapshot of this network.
    fn restore(&self, py: Python<'_>, snapshot: &Snapshot) -> PyResult<()> {
        self.catch_up(py)?;
        match (&self.inner, &snapshot.0) {
            (AnyNetwork::F32(net), AnyParameters::F32(old)) => drop(net.publish(old.clone())),
            (AnyNetwork::F64(net), AnyParameters::F64(old)) => drop(net.publish(old.clone())),
            _ => return Err(PyTypeError::new_err("the snapshot is of a network of another dtype")),
        }
        Ok(())
    }

    /// Marks the beginning of a fit. There can be one at a time.
    fn begin_fit(&self) -> PyResult<()> {
        if self.fitting.swap(true, Ordering::AcqRel) {
            return Err(PyRuntimeError::new_err(
                "this network is being trained already: a second fit has to wait for the first",
            ));
        }
        self.stop.store(false, Ordering::Release);
        Ok(())
    }

    /// Marks the end of a fit.
    fn end_fit(&self, py: Python<'_>) -> PyResult<()> {
        let caught_up = self.catch_up(py);
        self.follow(None);
        self.fitting.store(false, Ordering::Release);
        caught_up
    }

    /// Asks the fit under way to stop.
    fn stop_fit(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Whether the fit under way has been asked to stop.
    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

fn set_parameters<T: Element + Float>(
    net: &Shared<T>,
    layers: &[(Bound<'_, PyAny>, Bound<'_, PyAny>)],
) -> PyResult<()> {
    let mut new = net.parameters().try_clone().map_err(CoreError::from)?;
    check_layers(&net.architecture, layers)?;
    set_layers(&mut new, layers)?;
    net.publish(Arc::new(new));
    Ok(())
}
