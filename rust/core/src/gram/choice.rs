//! Whether the first layer is trained in the space of examples: where that holds, and where it pays.

use crate::architecture::Architecture;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::optim::Optimizer;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstLayer {
    /// Products with the weights, as in every other layer.
    Direct,
    /// Products with the Gram matrix.
    Gram,
    /// The quicker of the two, where both hold.
    #[default]
    Auto,
}

impl FirstLayer {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Direct, Self::Gram];

    /// The name that Python uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Gram => "gram",
            Self::Auto => "auto",
        }
    }

    /// The value of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|first| first.name() == name)
    }
}

/// What is chosen, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Whether the layer is trained in the space of examples.
    pub gram: bool,
    /// A clause that says why.
    pub why: String,
}

/// The most bytes that `Auto` gives to the Gram matrix: a fit keeps within 64 MB beside its data, its parameters and the
/// optimiser's memory, whoever chose nothing.
const BUDGET: usize = 32 << 20;

/// The most bytes for the products with rows held out, unless the Gram matrix itself takes more.
const BUDGET_HELD_OUT: usize = 12 << 20;

/// Whether the products of so many rows with so many others may be kept beside the Gram matrix.
pub(crate) fn fits_budget(rows: usize, others: usize) -> bool {
    others <= rows || rows.saturating_mul(others).saturating_mul(8) <= BUDGET_HELD_OUT
}

/// Decides for so many samples, epochs and rows a batch. It is a pure function of sizes, type and settings, never of the
/// machine, so that the same call runs the same arithmetic everywhere.
///
/// # Errors
/// [`Error::Value`] if the Gram form is asked for where it does not hold.
pub fn choose<T: Float>(
    asked: FirstLayer,
    architecture: &Architecture,
    samples: usize,
    epochs: usize,
    batch: usize,
    optimizer: &Optimizer,
) -> Result<Choice> {
    let direct = |why: String| Ok(Choice { gram: false, why });
    let linear = matches!(optimizer, Optimizer::Sgd { .. });
    match asked {
        FirstLayer::Direct => return direct("asked for".to_owned()),
        FirstLayer::Gram if linear => {
            return Ok(Choice { gram: true, why: "asked for".to_owned() });
        }
        FirstLayer::Gram => {
            return Err(Error::Value {
                argument: "first_layer",
                came: "gram".to_owned(),
                expected: "direct or auto: the Gram form holds for gradient descent with or without momentum, \
                           whose steps are combinations of the examples, and not for optimisers that scale each \
                           weight by itself"
                    .to_owned(),
            });
        }
        FirstLayer::Auto => {}
    }
    if !linear {
        return direct("the optimiser scales each weight by itself".to_owned());
    }
    // G in f64 and, where that is another type, in the network's.
    let numbers = if T::NAME == f64::NAME { 8 } else { 8 + size_of::<T>() };
    let bytes = samples.saturating_mul(samples).saturating_mul(numbers);
    if bytes > BUDGET {
        let why = format!("the Gram matrix of {samples} examples would take more than 32 MiB");
        return direct(why);
    }
    let (m, n) = (samples as f64, architecture.inputs() as f64);
    let (h, epochs) = (architecture.sizes()[1] as f64, epochs as f64);
    // Operations of the whole run; those in f64 count by their time in units of the network's type. That operations are
    // a fair measure of time here is read off `benchmarks/first_layer.py`.
    let wide = 8.0 / size_of::<T>() as f64;
    let steps = (m / batch as f64).ceil();
    let direct_work = epochs * 4.0 * h * n * m;
    let gram_work = wide * (m * m * n + 4.0 * h * n * m)
        + epochs * (2.0 * h * m * m + steps * wide * 6.0 * h * m);
    if direct_work < gram_work {
        return direct(format!(
            "{samples} examples of {n} features, {epochs} epochs: products with the Gram matrix would not pay"
        ));
    }
    let ratio = direct_work / gram_work;
    let why =
        format!("{samples} examples of {n} features: about {ratio:.0} times fewer operations");
    Ok(Choice { gram: true, why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::loss::Output;

    fn auto(
        sizes: &[usize],
        samples: usize,
        epochs: usize,
        batch: usize,
        optimizer: Optimizer,
    ) -> Choice {
        let architecture = Architecture::new(sizes, Activation::Relu, Output::Sigmoid).unwrap();
        choose::<f32>(FirstLayer::Auto, &architecture, samples, epochs, batch, &optimizer).unwrap()
    }

    #[test]
    fn auto_takes_the_gram_form_where_it_holds_and_pays() {
        let sgd = Optimizer::Sgd { momentum: 0.9, nesterov: false };
        let adam = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        let cats = &[12288, 20, 7, 5, 1];
        assert!(auto(cats, 209, 2500, 209, sgd).gram);
        assert!(auto(cats, 209, 2500, 32, sgd).gram);
        assert!(!auto(cats, 209, 1, 209, sgd).gram, "one epoch does not pay for the matrix");
        assert!(!auto(cats, 209, 2500, 209, adam).gram);
        assert!(!auto(&[784, 128, 1], 60_000, 10, 128, sgd).gram);
        assert!(auto(cats, 1_672, 2500, 1_672, sgd).gram);
        assert!(!auto(cats, 1_673, 2500, 1_673, sgd).gram);
        assert!(auto(cats, 1_673, 2500, 1_673, sgd).why.contains("32 MiB"));
    }

    #[test]
    fn where_it_does_not_hold_it_says_why() {
        let architecture = Architecture::new(&[9, 1], Activation::Relu, Output::Sigmoid).unwrap();
        let rms = Optimizer::RmsProp { rho: 0.9, epsilon: 1e-8, momentum: 0.0 };
        let refused = choose::<f32>(FirstLayer::Gram, &architecture, 5, 5, 5, &rms).unwrap_err();
        assert!(refused.to_string().contains("scale each weight by itself"), "{refused}");
    }
}
