//! What Python gives by name: losses, optimisers and schedules with their settings.

use std::collections::HashMap;

use purrceptron::{Architecture, Loss, Optimizer, Schedule};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::error::CoreError;

/// The value of that name, or an error that lists the names.
pub(crate) fn named<V: Copy>(
    argument: &str,
    name: &str,
    value: Option<V>,
    all: &[&'static str],
) -> PyResult<V> {
    value.ok_or_else(|| {
        PyValueError::new_err(format!(
            "{argument} is {name:?}, expected one of: {}",
            all.join(", ")
        ))
    })
}

/// A loss as Python gives it: a name, or Huber's with its δ.
#[derive(FromPyObject)]
pub(crate) enum LossArgument {
    Name(String),
    WithDelta(String, f64),
}

/// The loss asked for, or the one that fits the output.
pub(crate) fn loss_asked(
    architecture: &Architecture,
    asked: Option<&LossArgument>,
) -> PyResult<Loss> {
    let (name, delta) = match asked {
        None => return Ok(architecture.default_loss()),
        Some(LossArgument::Name(name)) => (name, None),
        Some(LossArgument::WithDelta(name, delta)) => (name, Some(*delta)),
    };
    let loss = named("loss", name, Loss::named(name), &Loss::NAMES)?;
    Ok(match (loss, delta) {
        (Loss::Huber(_), Some(delta)) => Loss::Huber(delta),
        _ => loss,
    })
}

/// That setting of whatever has that name.
fn setting(name: &str, settings: &HashMap<String, f64>, key: &str) -> PyResult<f64> {
    let value = settings.get(key).copied();
    value.ok_or_else(|| PyTypeError::new_err(format!("{name} wants {key}")))
}

/// What a schedule multiplies the learning rate by, `t` epochs after the beginning.
#[pyfunction]
pub(crate) fn schedule_factor(
    stages: Vec<(String, HashMap<String, f64>)>,
    t: f64,
) -> PyResult<f64> {
    let schedule = schedule_of(&stages)?;
    schedule.validate().map_err(CoreError::from)?;
    Ok(schedule.factor(t))
}

/// The schedule whose warm-ups come first, in their order.
pub(crate) fn schedule_of(parts: &[(String, HashMap<String, f64>)]) -> PyResult<Schedule> {
    let Some(((name, settings), rest)) = parts.split_first() else { return Ok(Schedule::Constant) };
    let get = |key| setting(name, settings, key);
    Ok(match &name[..] {
        "inverse_scaling" => Schedule::InverseScaling { rate: get("rate")?, power: get("power")? },
        "step" => Schedule::Step { every: get("every")?, factor: get("factor")? },
        "exponential" => Schedule::Exponential { factor: get("factor")? },
        "cosine" => Schedule::Cosine { epochs: get("epochs")?, last: get("last")? },
        "one_cycle" => Schedule::OneCycle {
            epochs: get("epochs")?,
            rise: get("rise")?,
            start: get("start")?,
            last: get("last")?,
        },
        "warm_up" => Schedule::WarmUp {
            epochs: get("epochs")?,
            start: get("start")?,
            then: Box::new(schedule_of(rest)?),
        },
        _ => return Err(PyValueError::new_err(format!("there is no schedule {name:?}"))),
    })
}

/// The optimiser of that name with those settings.
pub(crate) fn optimizer_named(name: &str, settings: &HashMap<String, f64>) -> PyResult<Optimizer> {
    let get = |key| setting(name, settings, key);
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
        "adam_hat" => Optimizer::AdamHat {
            beta1: get("beta1")?,
            beta2: get("beta2")?,
            epsilon: get("epsilon")?,
        },
        "adamw" => Optimizer::AdamW {
            beta1: get("beta1")?,
            beta2: get("beta2")?,
            epsilon: get("epsilon")?,
            weight_decay: get("weight_decay")?,
        },
        _ => return Err(PyValueError::new_err(format!("there is no optimizer {name:?}"))),
    })
}
