//! `_core.Trainer`: runs epochs with the GIL released and publishes what they end with.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use numpy::Element;
use purrceptron::train::{Settings, State};
use purrceptron::{
    Context, Data, Error, Float, Loss, Optimizer, Parameters, Trainer as CoreTrainer,
};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::arrays::{SampleArray, TargetArray, weights};
use crate::error::CoreError;
use crate::network::{AnyNetwork, Network, Shared, arrays_of, loss_named, parameters_from};

/// How often a long call looks whether Ctrl-C has been pressed.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// A run, and the parameters that it and the network shared last.
struct Run<T: Float> {
    trainer: CoreTrainer<T>,
    published: Arc<Parameters<T>>,
    /// Parameters that nobody looks at any more: room for the next to be published.
    spare: Option<Arc<Parameters<T>>>,
}

enum AnyRun {
    F32(Run<f32>),
    F64(Run<f64>),
}

/// A training run of a network.
#[pyclass(frozen, module = "purrceptron._core")]
pub(crate) struct Trainer {
    network: Py<Network>,
    loss: Loss,
    run: Mutex<AnyRun>,
}

/// An array for each layer's weights and biases.
type Layers<'py> = Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>;

#[pymethods]
impl Trainer {
    #[new]
    #[pyo3(signature = (network, samples, optimizer, settings, learning_rate, loss, l2, batch_size, seed))]
    #[allow(clippy::too_many_arguments, reason = "each is a setting that Python passes by name")]
    fn new(
        py: Python<'_>,
        network: Py<Network>,
        samples: usize,
        optimizer: &str,
        settings: HashMap<String, f64>,
        learning_rate: f64,
        loss: Option<&str>,
        l2: f64,
        batch_size: Option<usize>,
        seed: u64,
    ) -> PyResult<Self> {
        let optimizer = optimizer_named(optimizer, &settings)?;
        let net = network.get();
        let architecture = match &net.inner {
            AnyNetwork::F32(net) => &net.architecture,
            AnyNetwork::F64(net) => &net.architecture,
        };
        let loss = loss_named(architecture, loss)?;
        let settings = Settings { optimizer, learning_rate, loss, l2, batch_size, seed };
        let run = py.detach(|| {
            Ok::<_, CoreError>(match &net.inner {
                AnyNetwork::F32(net) => AnyRun::F32(Run::new(net, samples, settings)?),
                AnyNetwork::F64(net) => AnyRun::F64(Run::new(net, samples, settings)?),
            })
        })?;
        Ok(Self { network, loss, run: Mutex::new(run) })
    }

    /// Trains for so many epochs, publishes the parameters, and returns the cost of each epoch; None, with nothing
    /// published, if it was asked to stop before they were done.
    #[pyo3(signature = (x, y, sample_weight, epochs))]
    fn run(
        &self,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        epochs: usize,
    ) -> PyResult<Option<Vec<f64>>> {
        let mut run = self
            .run
            .try_lock()
            .map_err(|_| PyRuntimeError::new_err("the trainer is at work already"))?;
        let net = self.network.get();
        match (&net.inner, &mut *run) {
            (AnyNetwork::F32(shared), AnyRun::F32(run)) => {
                run.go(net, shared, self.loss, x, y, sample_weight, epochs)
            }
            (AnyNetwork::F64(shared), AnyRun::F64(run)) => {
                run.go(net, shared, self.loss, x, y, sample_weight, epochs)
            }
            _ => unreachable!("the run was made for the network's type"),
        }
    }

    fn set_learning_rate(&self, learning_rate: f64) -> PyResult<()> {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        let result = match &mut *run {
            AnyRun::F32(run) => run.trainer.set_learning_rate(learning_rate),
            AnyRun::F64(run) => run.trainer.set_learning_rate(learning_rate),
        };
        Ok(result.map_err(CoreError::from)?)
    }

    /// `(epochs done, steps done, slots)`: what `set_state` continues from; a slot has the form of the parameters.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<(u64, u64, Bound<'py, PyList>)> {
        fn of<'py, T: Element + Float>(
            py: Python<'py>,
            state: &State<T>,
        ) -> PyResult<(u64, u64, Bound<'py, PyList>)> {
            let slots = PyList::empty(py);
            for slot in &state.slots {
                slots.append(arrays_of(py, slot)?)?;
            }
            Ok((state.epoch, state.step, slots))
        }
        match &*self.run.lock().unwrap_or_else(PoisonError::into_inner) {
            AnyRun::F32(run) => of(py, run.trainer.state()),
            AnyRun::F64(run) => of(py, run.trainer.state()),
        }
    }

    /// Continues from a state.
    fn set_state(&self, epoch: u64, step: u64, slots: Vec<Layers<'_>>) -> PyResult<()> {
        fn set<T: Element + Float>(
            net: &Shared<T>,
            run: &mut Run<T>,
            epoch: u64,
            step: u64,
            slots: &[Layers<'_>],
        ) -> PyResult<()> {
            let slots = slots.iter().map(|slot| parameters_from(&net.architecture, slot));
            let state = State { epoch, step, slots: slots.collect::<PyResult<_>>()? };
            Ok(run.trainer.set_state(state).map_err(CoreError::from)?)
        }
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        match (&self.network.get().inner, &mut *run) {
            (AnyNetwork::F32(net), AnyRun::F32(run)) => set(net, run, epoch, step, &slots),
            (AnyNetwork::F64(net), AnyRun::F64(run)) => set(net, run, epoch, step, &slots),
            _ => unreachable!("the run was made for the network's type"),
        }
    }
}

impl<T: Element + Float> Run<T> {
    fn new(net: &Shared<T>, samples: usize, settings: Settings) -> Result<Self, CoreError> {
        let published = net.parameters();
        let trainer = CoreTrainer::new(net.model(&published), samples, settings)?;
        Ok(Self { trainer, published, spare: None })
    }

    #[allow(clippy::too_many_arguments, reason = "a run stands between network, data and Python")]
    fn go(
        &mut self,
        net: &Network,
        shared: &Shared<T>,
        loss: Loss,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        epochs: usize,
    ) -> PyResult<Option<Vec<f64>>> {
        let py = x.py();
        let (x, y, w) = (SampleArray::borrow(x)?, TargetArray::borrow(y)?, weights(sample_weight)?);
        let (x, y) = (x.view(), y.view()?);
        let w = w.as_ref().map(|w| w.as_slice()).transpose()?;
        // A callback may have set the parameters: go on from there.
        let current = shared.parameters();
        if !Arc::ptr_eq(&current, &self.published) {
            self.trainer.set_parameters(&current);
        }
        drop(current);

        let mut raised = None;
        let result = py.detach(|| {
            let ctx = Context::current()?;
            let data = Data::new(&shared.architecture, loss, x, y, w)?;
            let mut looked = Instant::now();
            let mut stop = || {
                if net.stop.load(Ordering::Acquire) {
                    return true;
                }
                if looked.elapsed() >= SIGNAL_INTERVAL {
                    raised = Python::attach(|py| py.check_signals()).err();
                    looked = Instant::now();
                }
                raised.is_some()
            };
            let losses = self.trainer.run(&ctx, &data, epochs, &mut stop)?;
            self.publish(shared)?;
            Ok::<_, Error>(losses)
        });
        match (raised, result) {
            (Some(raised), _) => Err(raised),
            (None, Err(Error::Interrupted)) => Ok(None),
            (None, result) => Ok(Some(result.map_err(CoreError::from)?)),
        }
    }

    /// Hands the trainer's parameters to the network.
    fn publish(&mut self, shared: &Shared<T>) -> Result<(), Error> {
        let mut spare = self.spare.take();
        let new = match spare.as_mut().and_then(Arc::get_mut) {
            Some(room) => {
                room.copy_from(self.trainer.parameters());
                spare.expect("it has just been written")
            }
            None => Arc::new(self.trainer.parameters().try_clone()?),
        };
        self.spare = Some(shared.publish(new.clone()));
        self.published = new;
        Ok(())
    }
}

/// The optimiser of that name with those settings.
fn optimizer_named(name: &str, settings: &HashMap<String, f64>) -> PyResult<Optimizer> {
    let get = |key: &str| {
        settings
            .get(key)
            .copied()
            .ok_or_else(|| PyTypeError::new_err(format!("{name} wants {key}")))
    };
    Ok(match name {
        "sgd" => Optimizer::Sgd { momentum: get("momentum")?, nesterov: get("nesterov")? != 0.0 },
        "rmsprop" => Optimizer::RmsProp {
            rho: get("rho")?,
            epsilon: get("epsilon")?,
            momentum: get("momentum")?,
        },
        "adam" => {
            Optimizer::Adam { beta1: get("beta1")?, beta2: get("beta2")?, epsilon: get("epsilon")? }
        }
        "adamw" => Optimizer::AdamW {
            beta1: get("beta1")?,
            beta2: get("beta2")?,
            epsilon: get("epsilon")?,
            weight_decay: get("weight_decay")?,
        },
        _ => return Err(PyValueError::new_err(format!("there is no optimizer {name:?}"))),
    })
}
