//! `_core.Objective`: the cost and its gradient as a function of one long vector, for L-BFGS.

use std::sync::{Mutex, PoisonError};

use numpy::prelude::*;
use numpy::{Element, PyArrayDyn, PyReadonlyArray1};
use purrceptron::objective::Objective as CoreObjective;
use purrceptron::{Context, Data, Float};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use crate::arrays::{SampleArray, TargetArray, empty, weights};
use crate::calls::interruptible;
use crate::error::CoreError;
use crate::names::{LossArgument, loss_asked};
use crate::network::{Network, Shared, with_network};

enum AnyObjective {
    F32(CoreObjective<f32>),
    F64(CoreObjective<f64>),
}

macro_rules! with_objective {
    ($objective:expr, |$inner:ident| $body:expr) => {
        match $objective {
            AnyObjective::F32($inner) => $body,
            AnyObjective::F64($inner) => $body,
        }
    };
}

/// `objective(theta) -> (J, gradient)` on the data it was made with. The network only lends its form and the start.
#[pyclass(frozen, module = "purrceptron._core")]
pub(crate) struct Objective {
    x: Py<PyAny>,
    y: Py<PyAny>,
    sample_weight: Option<Py<PyAny>>,
    inner: Mutex<AnyObjective>,
}

#[pymethods]
impl Objective {
    #[new]
    #[pyo3(signature = (network, x, y, sample_weight, loss, l2))]
    fn new(
        network: &Network,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        loss: Option<LossArgument>,
        l2: f64,
    ) -> PyResult<Self> {
        let inner = with_network!(network, |net| {
            checked(net, x, y, sample_weight, loss.as_ref(), l2).map(AnyObjective::from)?
        });
        Ok(Self {
            x: x.clone().unbind(),
            y: y.clone().unbind(),
            sample_weight: sample_weight.map(|w| w.clone().unbind()),
            inner: Mutex::new(inner),
        })
    }

    /// The parameters that it was last called with, or began at, as one vector.
    fn theta<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let inner = self.inner.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        with_objective!(&*inner, |objective| {
            let theta = empty::<f64>(py, &[objective.len()])?;
            objective.write(theta.try_readwrite()?.as_slice_mut()?);
            Ok(theta)
        })
    }

    fn __call__<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<(f64, Bound<'py, PyArrayDyn<f64>>)> {
        let mut inner = self.inner.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        let x = SampleArray::borrow(self.x.bind(py))?;
        with_objective!(&mut *inner, |objective| {
            let y = TargetArray::borrow(self.y.bind(py))?;
            let w = weights(self.sample_weight.as_ref().map(|w| w.bind(py)))?;
            let w = w.as_ref().map(|w| w.as_slice()).transpose()?;
            let data = Data::checked_before(x.view()?, y.view()?, w);
            let theta = theta.as_slice()?;
            objective.check_len("theta", theta.len()).map_err(CoreError::from)?;
            let gradient = empty::<f64>(py, &[theta.len()])?;
            let mut room = gradient.try_readwrite()?;
            let into = room.as_slice_mut()?;
            into.fill(0.0);
            let cost = interruptible(py, |stop| {
                objective.evaluate(&Context::current()?, &data, theta, into, stop)
            })?;
            drop(room);
            Ok((cost, gradient))
        })
    }
}

/// The objective of a network on data that have been looked at.
fn checked<T: Element + Float>(
    net: &Shared<T>,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    sample_weight: Option<&Bound<'_, PyAny>>,
    loss: Option<&LossArgument>,
    l2: f64,
) -> PyResult<CoreObjective<T>> {
    let loss = loss_asked(&net.architecture, loss)?;
    let (x, y, w) =
        (SampleArray::borrow(x)?, TargetArray::<T>::borrow(y)?, weights(sample_weight)?);
    let w = w.as_ref().map(|w| w.as_slice()).transpose()?;
    let data =
        Data::new(&net.architecture, loss, x.view()?, y.view()?, w).map_err(CoreError::from)?;
    let parameters = net.parameters();
    let model = net.model(&parameters);
    Ok(CoreObjective::new(model, data.len(), loss, l2).map_err(CoreError::from)?)
}

impl From<CoreObjective<f32>> for AnyObjective {
    fn from(objective: CoreObjective<f32>) -> Self {
        Self::F32(objective)
    }
}

impl From<CoreObjective<f64>> for AnyObjective {
    fn from(objective: CoreObjective<f64>) -> Self {
        Self::F64(objective)
    }
}
