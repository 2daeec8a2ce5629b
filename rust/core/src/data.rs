//! What a network is held against: samples, targets, weights of the samples, all checked.

use ndarray::ArrayView2;

use crate::architecture::Architecture;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::loss::{Loss, Targets};
use crate::samples::{Rows, Samples, check_finite};

/// Samples (m, n_0), their targets, and how much each counts. A value has been checked: the shapes
/// agree with each other and with the network, every number is finite, the targets are ones that
/// the loss knows, and the weights are not negative and not all zero.
#[derive(Clone, Debug)]
pub struct Data<'a, T> {
    pub(crate) x: Samples<'a>,
    pub(crate) y: Targets<'a, T>,
    pub(crate) weights: Option<&'a [T]>,
}

impl<'a, T: Float> Data<'a, T> {
    /// Checks and bundles. The targets are (m, n_L) values for sigmoid and linear outputs; for a softmax m
    /// class numbers, or (m, n_L) probabilities of the classes.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Value`] or [`Error::NotFinite`], naming `X`, `y` or `sample_weight`.
    pub fn new(
        architecture: &Architecture,
        loss: Loss,
        x: Samples<'a>,
        y: Targets<'a, T>,
        weights: Option<&'a [T]>,
    ) -> Result<Self> {
        check_loss(architecture, loss)?;
        check_samples(architecture, &x)?;
        let m = x.dim().0;
        check_targets(architecture, loss, m, &y)?;
        if let Some(weights) = weights {
            check_weights(m, weights)?;
        }
        Ok(Self { x, y, weights })
    }

    /// Bundles what `new` has checked before, and nobody has changed since.
    pub fn checked_before(x: Samples<'a>, y: Targets<'a, T>, weights: Option<&'a [T]>) -> Self {
        Self { x, y, weights }
    }

    /// The number of samples, m.
    pub fn len(&self) -> usize {
        self.x.dim().0
    }

    /// Never true: no samples are refused.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Σ w over those rows: their number, unless they have weights.
    pub(crate) fn total_weight(&self, rows: &Rows<'_>) -> f64 {
        match self.weights {
            None => rows.len() as f64,
            Some(weights) => (0..rows.len()).map(|i| weights[rows.at(i)].to_f64()).sum(),
        }
    }
}

fn check_loss(architecture: &Architecture, loss: Loss) -> Result<()> {
    if let Loss::Huber(delta) = loss
        && !(delta > 0.0 && delta.is_finite())
    {
        let (came, expected) = (delta.to_string(), "a finite number above 0".to_owned());
        return Err(Error::Value { argument: "delta", came, expected });
    }
    if loss.output() == architecture.output() {
        return Ok(());
    }
    Err(Error::Value {
        argument: "loss",
        came: loss.name().to_owned(),
        expected: format!(
            "one that goes with the output {}; {} goes with the output {}",
            architecture.output().name(),
            loss.name(),
            loss.output().name()
        ),
    })
}

/// Fails unless `x` has rows, as many columns as the network has inputs, and finite numbers.
pub(crate) fn check_samples(architecture: &Architecture, x: &Samples<'_>) -> Result<()> {
    let (m, n) = x.dim();
    if m == 0 || n != architecture.inputs() {
        return Err(Error::Shape {
            argument: "X",
            came: format!("({m}, {n})"),
            expected: format!("(m, {}) with m at least 1", architecture.inputs()),
        });
    }
    x.check_finite("X")
}

fn check_targets<T: Float>(
    architecture: &Architecture,
    loss: Loss,
    m: usize,
    y: &Targets<'_, T>,
) -> Result<()> {
    let shape =
        |came: String, expected: String| Err(Error::Shape { argument: "y", came, expected });
    let k = architecture.outputs();
    match y {
        Targets::Classes(classes) => {
            if classes.len() != m {
                return shape(
                    format!("({},)", classes.len()),
                    format!("({m},), a class for each row of X"),
                );
            }
            let wrong = classes.iter().position(|&c| c as usize >= k);
            wrong.map_or(Ok(()), |row| {
                Err(Error::Value {
                    argument: "y",
                    came: format!("{} at row {row}", classes[row]),
                    expected: format!("class numbers from 0 to {}", k - 1),
                })
            })
        }
        Targets::Values(values) => {
            if values.dim() != (m, k) {
                let (rows, columns) = values.dim();
                return shape(format!("({rows}, {columns})"), format!("({m}, {k})"));
            }
            check_finite("y", values)?;
            check_range(loss, values)
        }
    }
}

/// Fails at the first target that the loss cannot mean: a label, or the probability of one, is from 0 to 1; a
/// count is not negative.
fn check_range<T: Float>(loss: Loss, values: &ArrayView2<'_, T>) -> Result<()> {
    let (least, most, expected) = match loss {
        Loss::BinaryCrossEntropy => (T::ZERO, T::ONE, "0 or 1, or a probability between them"),
        Loss::CategoricalCrossEntropy => (T::ZERO, T::ONE, "a probability from 0 to 1"),
        Loss::Poisson => (T::ZERO, T::from_f64(f64::MAX), "a count: a number from 0 on"),
        Loss::SquaredError | Loss::AbsoluteError | Loss::Huber(_) => return Ok(()),
    };
    let wrong = values.indexed_iter().find(|&(_, &y)| y < least || y > most);
    wrong.map_or(Ok(()), |((row, column), y)| {
        Err(Error::Value {
            argument: "y",
            came: format!("{y} at row {row}, column {column}"),
            expected: expected.to_owned(),
        })
    })
}

fn check_weights<T: Float>(m: usize, weights: &[T]) -> Result<()> {
    let argument = "sample_weight";
    if weights.len() != m {
        let (came, expected) = (format!("({},)", weights.len()), format!("({m},)"));
        return Err(Error::Shape { argument, came, expected });
    }
    check_finite(argument, &ArrayView2::from_shape((m, 1), weights).expect("one column"))?;
    if let Some(row) = weights.iter().position(|&w| w < T::ZERO) {
        let came = format!("{} at row {row}", weights[row]);
        return Err(Error::Value { argument, came, expected: "no negative number".to_owned() });
    }
    if weights.iter().all(|&w| w == T::ZERO) {
        let (came, expected) = ("zero everywhere".to_owned(), "a positive number".to_owned());
        return Err(Error::Value { argument, came, expected });
    }
    Ok(())
}
