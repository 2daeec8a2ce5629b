//! Which way a run takes its steps: layer by layer, or one of those that suit certain sizes better.

use crate::architecture::Architecture;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::halves::Halves;
use crate::lanes::Problem;
use crate::parameters::Parameters;
use crate::samples::{Rows, Samples};
use crate::settings::Settings;
use crate::update::UpdateAtOnce;
use crate::wide::Wide;

/// The ways that do a whole step themselves, the update included. Where each pays follows from the sizes alone, for it
/// sums in an order of its own.
pub(crate) enum Way<T: Float> {
    /// None of them: layer by layer (`batch.rs`).
    Layers,
    /// A small network, cut in two.
    Halves(Box<Halves<T>>),
    /// A wide first layer that reads the samples once an epoch.
    Wide(Box<Wide<T>>),
}

impl<T: Float> Way<T> {
    /// The way for batches of so many of so many samples, and an optimiser with so many slots. The settings do not ask
    /// for anything but a plain step.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn of(
        architecture: &Architecture,
        settings: &Settings,
        uint8_scale: f64,
        batch: usize,
        samples: usize,
        slots: usize,
    ) -> Result<Self> {
        if settings.batch_size.is_none()
            && let Some(wide) = Wide::of(architecture, uint8_scale, samples, slots)?
        {
            return Ok(Self::Wide(Box::new(wide)));
        }
        let halves = Halves::of(architecture, uint8_scale, batch, slots)?;
        Ok(halves.map_or(Self::Layers, |halves| Self::Halves(Box::new(halves))))
    }

    /// Takes over what the steps need until the run, of so many epochs, [ends](Self::end_run).
    pub(crate) fn begin_run(
        &mut self,
        ctx: &Context,
        x: &Samples<'_>,
        parameters: &Parameters<T>,
        slots: &[Parameters<T>],
        epochs: usize,
    ) -> Result<()> {
        match self {
            Self::Layers => Ok(()),
            Self::Halves(halves) => {
                halves.begin_run(parameters, slots);
                Ok(())
            }
            Self::Wide(wide) => wide.begin_run(ctx, x, parameters, slots, epochs),
        }
    }

    /// Gives it back.
    pub(crate) fn end_run(&self, parameters: &mut Parameters<T>, slots: &mut [Parameters<T>]) {
        match self {
            Self::Layers => {}
            Self::Halves(halves) => halves.end_run(parameters, slots),
            Self::Wide(wide) => wide.end_run(parameters, slots),
        }
    }

    /// Whether this is one of the ways that do a whole step.
    pub(crate) fn is_its_own(&self) -> bool {
        !matches!(self, Self::Layers)
    }

    /// Takes those rows through the network and back, makes the step that `update` says, and returns Σ w_i J_i and, if
    /// the step has a penalty, Σ W² before it; none if the step is to be made layer by layer. Where the cost is not
    /// finite, no parameter has been changed.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when `stop` says so; as the products.
    pub(crate) fn step(
        &mut self,
        ctx: &Context,
        problem: &Problem<'_, '_, T>,
        rows: &Rows<'_>,
        update: &mut UpdateAtOnce<'_, T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Option<(f64, f64)>> {
        match self {
            Self::Layers => Ok(None),
            Self::Halves(_) if stop() => Err(Error::Interrupted),
            Self::Halves(halves) => halves.step(ctx, problem, rows, update).map(Some),
            Self::Wide(wide) => wide.step(ctx, problem, update, stop).map(Some),
        }
    }
}
