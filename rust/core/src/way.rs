//! Which way a run takes its steps: layer by layer, or one of those that suit certain sizes better.

use crate::architecture::Architecture;
use crate::context::Context;
use crate::epoch::{Batch, Epoch, MeanCost};
use crate::error::Result;
use crate::float::Float;
use crate::halves::Halves;
use crate::lanes::Problem;
use crate::parameters::Parameters;
use crate::samples::Samples;
use crate::settings::Settings;
use crate::update::Changed;
use crate::wide::Wide;

/// What leads from an epoch's first step to its last.
pub(crate) struct Course<'a, 'd, T> {
    pub(crate) architecture: &'a Architecture,
    pub(crate) settings: &'a Settings,
    pub(crate) epoch: Epoch<'a, 'd, T>,
}

impl<'a, 'd, T: Float> Course<'a, 'd, T> {
    /// What those rows are taken through.
    pub(crate) fn problem(&self, batch: &Batch<'a>) -> Problem<'a, 'd, T> {
        let Self { architecture, settings, epoch } = *self;
        Problem { architecture, loss: settings.loss, data: epoch.data, next: batch.next }
    }
}

/// The ways that do whole steps themselves, the update included. Where each pays follows from the sizes alone, for it
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

    /// Makes the steps of an epoch, and returns what they cost; none if they are to be made layer by layer. Where a cost
    /// is not finite, nothing has been changed since.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when `stop` says so; as the products.
    pub(crate) fn epoch(
        &mut self,
        ctx: &Context,
        course: &Course<'_, '_, T>,
        changed: &mut Changed<'_, T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Option<MeanCost>> {
        match self {
            Self::Layers => Ok(None),
            Self::Halves(halves) => halves.epoch(ctx, course, changed, stop).map(Some),
            Self::Wide(wide) => wide.epoch(ctx, course, changed, stop).map(Some),
        }
    }
}
