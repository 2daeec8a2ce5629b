//! Learning-rate schedules: what the learning rate is multiplied by as training goes on.
//!
//! ```text
//! η(t) = η · factor(t)        t: epochs done, with fractions, when a step begins
//! ```
//!
//! A batch in the middle of the third epoch has `t = 2.5`. A schedule is a function of `t` alone, so a run can be
//! continued anywhere; it is worked out with `libm`, so that it has the same bits on every machine.

use crate::error::{Error, Result};

/// How the learning rate changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Schedule {
    /// `1`
    #[default]
    Constant,
    /// `1 / (1 + rate ⌊t⌋)^power`
    InverseScaling {
        /// How fast the denominator grows, above 0.
        rate: f64,
        /// Its power, from 0 on.
        power: f64,
    },
    /// `factor^⌊t / every⌋`
    Step {
        /// Epochs between two steps, above 0.
        every: f64,
        /// What a step multiplies by, above 0.
        factor: f64,
    },
    /// `factor^t`
    Exponential {
        /// What an epoch multiplies by, above 0.
        factor: f64,
    },
    /// From 1 down to `last` along half a cosine, and `last` from then on.
    Cosine {
        /// Epochs it takes, above 0.
        epochs: f64,
        /// The share that remains, in [0, 1].
        last: f64,
    },
    /// From `start` up to 1 and then down to `last`, each along half a cosine (Smith and Topin 2017).
    OneCycle {
        /// Epochs it takes, above 0.
        epochs: f64,
        /// The share of them that goes up, in (0, 1).
        rise: f64,
        /// The share of the learning rate to start from, in (0, 1].
        start: f64,
        /// The share that remains, in [0, 1].
        last: f64,
    },
    /// In a straight line from `start` times where `then` begins, to where it begins.
    WarmUp {
        /// Epochs it takes, above 0.
        epochs: f64,
        /// The share to start from, in (0, 1].
        start: f64,
        /// What comes afterwards, with its `t` counted from there.
        then: Box<Schedule>,
    },
}

impl Schedule {
    /// What the learning rate is multiplied by `t` epochs after the beginning.
    ///
    /// ```
    /// use purrceptron::Schedule;
    ///
    /// let cosine = Schedule::Cosine { epochs: 10.0, last: 0.0 };
    /// assert_eq!((cosine.factor(0.0), cosine.factor(10.0), cosine.factor(11.0)), (1.0, 0.0, 0.0));
    /// ```
    pub fn factor(&self, t: f64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::InverseScaling { rate, power } => 1.0 / libm::pow(1.0 + rate * t.floor(), *power),
            Self::Step { every, factor } => libm::pow(*factor, (t / every).floor()),
            Self::Exponential { factor } => libm::pow(*factor, t),
            Self::Cosine { epochs, last } => half_cosine(1.0, *last, t / epochs),
            Self::OneCycle { epochs, rise, start, last } => {
                let top = rise * epochs;
                match t < top {
                    true => half_cosine(*start, 1.0, t / top),
                    false => half_cosine(1.0, *last, (t - top) / (epochs - top)),
                }
            }
            Self::WarmUp { epochs, start, then } => match t < *epochs {
                true => (start + (1.0 - start) * (t / epochs)) * then.factor(0.0),
                false => then.factor(t - epochs),
            },
        }
    }

    /// Checks that every setting is within its range.
    ///
    /// # Errors
    /// [`Error::Value`] for the first that is not.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::Constant => Ok(()),
            Self::InverseScaling { rate, power } => {
                positive("rate", *rate)?;
                check(
                    "power",
                    *power,
                    *power >= 0.0 && power.is_finite(),
                    "a finite number from 0 on",
                )
            }
            Self::Step { every, factor } => {
                positive("every", *every)?;
                positive("factor", *factor)
            }
            Self::Exponential { factor } => positive("factor", *factor),
            Self::Cosine { epochs, last } => {
                positive("epochs", *epochs)?;
                share("last", *last, true)
            }
            Self::OneCycle { epochs, rise, start, last } => {
                positive("epochs", *epochs)?;
                let between = *rise > 0.0 && *rise < 1.0;
                check("rise", *rise, between, "a number above 0 and below 1")?;
                share("start", *start, false)?;
                share("last", *last, true)
            }
            Self::WarmUp { epochs, start, then } => {
                positive("epochs", *epochs)?;
                share("start", *start, false)?;
                then.validate()
            }
        }
    }
}

/// Half a cosine from `a` (`x = 0`) to `b` (`x = 1`), and `b` from there on.
fn half_cosine(a: f64, b: f64, x: f64) -> f64 {
    if x >= 1.0 {
        return b;
    }
    b + (a - b) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * x))
}

fn check(argument: &'static str, value: f64, right: bool, expected: &str) -> Result<()> {
    if right {
        return Ok(());
    }
    Err(Error::Value { argument, came: value.to_string(), expected: expected.to_owned() })
}

fn positive(argument: &'static str, value: f64) -> Result<()> {
    check(argument, value, value > 0.0 && value.is_finite(), "a finite number above 0")
}

fn share(argument: &'static str, value: f64, zero: bool) -> Result<()> {
    let right = value <= 1.0 && (value > 0.0 || zero && value == 0.0);
    let expected = if zero { "a number from 0 to 1" } else { "a number above 0, up to 1" };
    check(argument, value, right, expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_by_hand() {
        let close = |schedule: Schedule, t: f64, factor: f64| {
            schedule.validate().unwrap();
            let came = schedule.factor(t);
            assert!((came - factor).abs() < 1e-15, "{schedule:?} at {t}: {came}, not {factor}");
        };
        close(Schedule::Constant, 7.5, 1.0);
        close(Schedule::InverseScaling { rate: 3.0, power: 0.5 }, 1.9, 0.5);
        close(Schedule::Step { every: 2.0, factor: 0.1 }, 3.99, 0.1);
        close(Schedule::Step { every: 2.0, factor: 0.1 }, 4.0, 0.01);
        close(Schedule::Exponential { factor: 0.25 }, 1.5, 0.125);
        let cosine = Schedule::Cosine { epochs: 8.0, last: 0.2 };
        close(cosine.clone(), 0.0, 1.0);
        close(cosine.clone(), 4.0, 0.6);
        close(cosine.clone(), 100.0, 0.2);
        let cycle = Schedule::OneCycle { epochs: 10.0, rise: 0.4, start: 0.5, last: 0.1 };
        for (t, factor) in [(0.0, 0.5), (2.0, 0.75), (4.0, 1.0), (7.0, 0.55), (10.0, 0.1)] {
            close(cycle.clone(), t, factor);
        }
        let warm = Schedule::WarmUp { epochs: 4.0, start: 0.2, then: Box::new(cosine) };
        for (t, factor) in [(0.0, 0.2), (2.0, 0.6), (4.0, 1.0), (8.0, 0.6)] {
            close(warm.clone(), t, factor);
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let cosine = Box::new(Schedule::Cosine { epochs: 0.0, last: 0.0 });
        for (schedule, name) in [
            (Schedule::InverseScaling { rate: -1.0, power: 1.0 }, "rate"),
            (Schedule::InverseScaling { rate: 1.0, power: f64::NAN }, "power"),
            (Schedule::Step { every: 0.0, factor: 1.0 }, "every"),
            (Schedule::Exponential { factor: 0.0 }, "factor"),
            (Schedule::Cosine { epochs: 1.0, last: 1.5 }, "last"),
            (Schedule::OneCycle { epochs: 1.0, rise: 1.0, start: 0.5, last: 0.0 }, "rise"),
            (Schedule::OneCycle { epochs: 1.0, rise: 0.5, start: 0.0, last: 0.0 }, "start"),
            (Schedule::WarmUp { epochs: 1.0, start: 0.5, then: cosine }, "epochs"),
        ] {
            let message = schedule.validate().unwrap_err().to_string();
            assert!(message.starts_with(&format!("{name} is ")), "{message}");
        }
    }
}
