//! `_core.Trainer`: runs epochs with the GIL released and publishes what they end with.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ndarray::ArrayView2;
use numpy::{Element, IntoPyArray, PyReadonlyArray2};
use purrceptron::gram::{Choice, FirstLayer};
use purrceptron::train::{Settings, State};
use purrceptron::{Context, Data, Error, Float, Parameters, Trainer as CoreTrainer};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyList;

use crate::arrays::{SampleArray, TargetArray, weights};
use crate::calls::{Watch, detached, interruptible, pass_on_warnings};
use crate::error::CoreError;
use crate::gram::{GramArrays, gram_arrays, gram_state};
use crate::names::{LossArgument, loss_asked, named, optimizer_named, schedule_of};
use crate::network::{AnyNetwork, Network, Shared, with_network};
use crate::parameters::{
    Normalized, arrays_over, normalization_of, parameters_from, set_normalization,
};

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

/// A training run of a network on its data.
#[pyclass(frozen, module = "purrceptron._core")]
pub(crate) struct Trainer {
    network: Py<Network>,
    x: Py<PyAny>,
    y: Py<PyAny>,
    sample_weight: Option<Py<PyAny>>,
    choice: Choice,
    run: Mutex<AnyRun>,
}

/// An array for each layer's weights and biases.
type Layers<'py> = Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>;

/// Of each slot, what belongs to the normalisation of each layer, or None.
type Normalizations<'py> = Vec<Vec<Option<Normalized<'py>>>>;

type TakenState<'py> = (u64, u64, Bound<'py, PyList>, Option<GramArrays<'py>>, Normalizations<'py>);

/// Calls a generic function with the network and the locked run, whichever their type.
macro_rules! with_run {
    ($trainer:expr, $run:expr, |$shared:ident, $inner:ident| $body:expr) => {
        match (&$trainer.network.get().inner, &mut *$run) {
            (AnyNetwork::F32($shared), AnyRun::F32($inner)) => $body,
            (AnyNetwork::F64($shared), AnyRun::F64($inner)) => $body,
            _ => unreachable!("the run was made for the network's type"),
        }
    };
}

#[pymethods]
impl Trainer {
    #[new]
    #[pyo3(signature = (
        network, x, y, sample_weight, epochs, optimizer, settings, learning_rate, loss, l2, batch_size, seed,
        first_layer, schedule=Vec::new(), l1=0.0, clip_norm=None, dropout=Vec::new()
    ))]
    #[allow(clippy::too_many_arguments, reason = "each is a setting that Python passes by name")]
    fn new(
        network: Py<Network>,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        epochs: usize,
        optimizer: &str,
        settings: HashMap<String, f64>,
        learning_rate: f64,
        loss: Option<LossArgument>,
        l2: f64,
        batch_size: Option<usize>,
        seed: u64,
        first_layer: &str,
        schedule: Vec<(String, HashMap<String, f64>)>,
        l1: f64,
        clip_norm: Option<f64>,
        dropout: Vec<f64>,
    ) -> PyResult<Self> {
        let optimizer = optimizer_named(optimizer, &settings)?;
        let schedule = schedule_of(&schedule)?;
        let names = FirstLayer::ALL.map(FirstLayer::name);
        let first_layer =
            named("first_layer", first_layer, FirstLayer::named(first_layer), &names)?;
        let (run, choice) = with_network!(network.get(), |net| {
            let loss = loss_asked(&net.architecture, loss.as_ref())?;
            let settings = Settings {
                optimizer,
                learning_rate,
                schedule: schedule.clone(),
                loss,
                l2,
                l1,
                clip_norm,
                dropout: dropout.clone(),
                batch_size,
                seed,
                // Decided below, when the data have been looked at.
                gram: false,
            };
            let (run, choice) = Run::new(net, x, y, sample_weight, epochs, settings, first_layer)?;
            (AnyRun::from(run), choice)
        });
        Ok(Self {
            network,
            x: x.clone().unbind(),
            y: y.clone().unbind(),
            sample_weight: sample_weight.map(|w| w.clone().unbind()),
            choice,
            run: Mutex::new(run),
        })
    }

    /// `"gram"` or `"direct"`, and a clause that says why.
    fn first_layer(&self) -> (&str, &str) {
        (if self.choice.gram { "gram" } else { "direct" }, &self.choice.why)
    }

    /// Trains for so many epochs and returns the cost of each; None, if it was asked to stop before they were done, and it
    /// is then where it was before.
    ///
    /// The network gets the new parameters: at once, or, where the first layer's weights have to be formed first, when
    /// somebody asks for them. `orders`, (epochs, m) row numbers, gives the order of the rows in each epoch.
    #[pyo3(signature = (epochs, orders=None))]
    fn run(
        slf: &Bound<'_, Self>,
        epochs: usize,
        orders: Option<PyReadonlyArray2<'_, u32>>,
    ) -> PyResult<Option<Vec<f64>>> {
        let (py, this) = (slf.py(), slf.get());
        let net = this.network.get();
        let go = || {
            let mut run = this.lock(py);
            with_run!(this, run, |shared, run| {
                let (x, y) =
                    (SampleArray::borrow(this.x.bind(py))?, TargetArray::borrow(this.y.bind(py))?);
                let w = weights(this.sample_weight.as_ref().map(|w| w.bind(py)))?;
                let w = w.as_ref().map(|w| w.as_slice()).transpose()?;
                let data = Data::checked_before(x.view()?, y.view()?, w);
                let orders = orders.as_ref().map(|orders| orders.as_array());
                run.go(py, net, shared, &data, epochs, orders, !this.choice.gram)
            })
        };
        let result = go();
        if this.choice.gram {
            // Also where it failed: what earlier calls have learnt is still to be formed.
            net.follow(Some(slf.clone().unbind()));
        }
        result
    }

    /// The loss of rows held out, without its penalty, and the outputs for them, (v, n_L), with the parameters as they are
    /// now. The rows were looked at before, and are the same in every call.
    fn judge<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<(f64, Bound<'py, PyAny>)> {
        let py = x.py();
        let mut run = self.lock(py);
        with_run!(self, run, |_shared, run| {
            let held_out = (SampleArray::borrow(x)?, TargetArray::borrow(y)?);
            let held_out = Data::checked_before(held_out.0.view()?, held_out.1.view()?, None);
            let (x, y) =
                (SampleArray::borrow(self.x.bind(py))?, TargetArray::borrow(self.y.bind(py))?);
            let data = Data::checked_before(x.view()?, y.view()?, None);
            let (loss, outputs) = interruptible(py, |stop| {
                let ctx = Context::current()?;
                run.trainer.judge(&ctx, &data, &held_out, stop)
            })?;
            Ok((loss, outputs.into_pyarray(py).into_any()))
        })
    }

    fn set_learning_rate(&self, py: Python<'_>, learning_rate: f64) -> PyResult<()> {
        let mut run = self.lock(py);
        with_run!(self, run, |_shared, run| {
            Ok(run.trainer.set_learning_rate(learning_rate).map_err(CoreError::from)?)
        })
    }

    /// Multiplies the velocity of momentum: see the core.
    fn scale_velocity(&self, py: Python<'_>, factor: f64) {
        let mut run = self.lock(py);
        with_run!(self, run, |_shared, run| run.trainer.scale_velocity(factor));
    }

    /// How much of each loss of the last `run` was the penalty.
    fn penalties(&self, py: Python<'_>) -> Vec<f64> {
        let mut run = self.lock(py);
        with_run!(self, run, |_shared, run| run.trainer.penalties().to_vec())
    }

    /// `(epochs done, steps done, slots, gram, normalization)`: what `set_state` continues from. A slot has the form of the
    /// parameters, and its arrays are the optimiser's memory itself: here it begins anew.
    fn take_state<'py>(&self, py: Python<'py>) -> PyResult<TakenState<'py>> {
        self.publish(py)?;
        let mut run = self.lock(py);
        with_run!(self, run, |_shared, run| {
            let state = run.trainer.take_state().map_err(CoreError::from)?;
            let gram = state.gram.as_ref().map(|gram| gram_arrays(py, gram)).transpose()?;
            let normalization = state.slots.iter().map(|slot| normalization_of(py, slot)).collect();
            let slots = PyList::empty(py);
            for slot in state.slots {
                slots.append(arrays_over(py, slot)?)?;
            }
            Ok((state.epoch, state.step, slots, gram, normalization))
        })
    }

    /// Continues from a state.
    #[pyo3(signature = (epoch, step, slots, gram, normalization=Vec::new()))]
    fn set_state(
        &self,
        py: Python<'_>,
        epoch: u64,
        step: u64,
        slots: Vec<Layers<'_>>,
        gram: Option<GramArrays<'_>>,
        normalization: Normalizations<'_>,
    ) -> PyResult<()> {
        let mut run = self.lock(py);
        with_run!(self, run, |shared, run| {
            let slots = slots.iter().map(|slot| parameters_from(&shared.architecture, slot));
            let mut slots = slots.collect::<PyResult<Vec<_>>>()?;
            for (slot, normalization) in slots.iter_mut().zip(&normalization) {
                set_normalization(slot, normalization)?;
            }
            let gram = gram.as_ref().map(gram_state).transpose()?;
            Ok(run
                .trainer
                .set_state(State { epoch, step, slots, gram })
                .map_err(CoreError::from)?)
        })
    }
}

impl Trainer {
    /// Forms the first layer's weights, if that is still to be done, and gives them to the network.
    pub(crate) fn publish(&self, py: Python<'_>) -> PyResult<()> {
        let net = self.network.get();
        let mut run = self.lock(py);
        if !net.follow(None) {
            return Ok(());
        }
        with_run!(self, run, |shared, run| {
            let (x, y) =
                (SampleArray::borrow(self.x.bind(py))?, TargetArray::borrow(self.y.bind(py))?);
            let data = Data::checked_before(x.view()?, y.view()?, None);
            detached(py, || run.publish(shared, &data))
        })
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, AnyRun> {
        self.run.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Element + Float> Run<T> {
    fn new(
        net: &Shared<T>,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        epochs: usize,
        settings: Settings,
        first_layer: FirstLayer,
    ) -> PyResult<(Self, Choice)> {
        let py = x.py();
        let (x, y) = (SampleArray::borrow(x)?, TargetArray::<T>::borrow(y)?);
        let w = weights(sample_weight)?;
        let (x, y) = (x.view()?, y.view()?);
        let w = w.as_ref().map(|w| w.as_slice()).transpose()?;
        detached(py, || {
            let samples = Data::new(&net.architecture, settings.loss, x, y, w)?.len();
            let choice = settings.choose::<T>(first_layer, &net.architecture, samples, epochs)?;
            let settings = Settings { gram: choice.gram, ..settings };
            let published = net.parameters();
            let trainer = CoreTrainer::new(net.model(&published), samples, settings)?;
            Ok::<_, CoreError>((Self { trainer, published, spare: None }, choice))
        })
    }

    #[allow(clippy::too_many_arguments, reason = "a call of epochs stands between all of them")]
    fn go(
        &mut self,
        py: Python<'_>,
        net: &Network,
        shared: &Shared<T>,
        data: &Data<'_, T>,
        epochs: usize,
        orders: Option<ArrayView2<'_, u32>>,
        publish: bool,
    ) -> PyResult<Option<Vec<f64>>> {
        // A callback may have set the parameters: go on from there.
        let current = shared.parameters();
        if !Arc::ptr_eq(&current, &self.published) {
            self.trainer.set_parameters(&current);
            self.published = current;
        }
        let mut raised = None;
        let result = py.detach(|| {
            let ctx = Context::current()?;
            let mut watch = Watch::new();
            let mut stop = || net.stop.load(Ordering::Acquire) || watch.signalled(&mut raised);
            let losses = match orders {
                None => self.trainer.run(&ctx, data, epochs, &mut stop)?,
                Some(orders) => self.trainer.run_in_order(&ctx, data, orders, &mut stop)?,
            };
            if publish {
                self.publish(shared, data)?;
            }
            Ok::<_, Error>(losses)
        });
        if publish && result.is_err() {
            // The state is back where the call began, and the parameters of then are here.
            self.trainer.set_parameters(&self.published);
        }
        pass_on_warnings(py)?;
        match (raised, result) {
            (Some(raised), _) => Err(raised),
            (None, Err(Error::Interrupted)) => Ok(None),
            (None, result) => Ok(Some(result.map_err(CoreError::from)?)),
        }
    }

    /// Hands the trainer's parameters to the network.
    fn publish(&mut self, shared: &Shared<T>, data: &Data<'_, T>) -> Result<(), Error> {
        self.trainer.form(&Context::current()?, data)?;
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

impl From<Run<f32>> for AnyRun {
    fn from(run: Run<f32>) -> Self {
        Self::F32(run)
    }
}

impl From<Run<f64>> for AnyRun {
    fn from(run: Run<f64>) -> Self {
        Self::F64(run)
    }
}
