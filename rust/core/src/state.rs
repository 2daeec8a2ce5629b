//! What a run is continued from: asked for, set, and gone back to.

use crate::context::Context;
use crate::data::Data;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::gram::{GramLayer, GramState};
use crate::parameters::Parameters;
use crate::train::Trainer;

/// What a run is continued from, beside its parameters and settings.
#[derive(Debug)]
pub struct State<T: Float> {
    /// Epochs done.
    pub epoch: u64,
    /// Steps done.
    pub step: u64,
    /// The optimiser's memory: [`Optimizer::slots`](crate::Optimizer::slots) sets of numbers in the form of the parameters.
    pub slots: Vec<Parameters<T>>,
    /// The first layer's, if it is trained in the space of examples.
    pub gram: Option<GramState<T>>,
}

impl<T: Float> Trainer<T> {
    /// Forms the first layer's weights, and its velocity in the state, where they are trained in the space of
    /// examples; nothing to do elsewhere. The run goes on as if it had not been called.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn form(&mut self, ctx: &Context, data: &Data<'_, T>) -> Result<()> {
        let Some(gram) = &self.gram else { return Ok(()) };
        let scale = self.uint8_scale;
        gram.form(ctx, &data.x, scale, 0, self.parameters.slices_mut(0).0)?;
        for (i, slot) in self.state.slots.iter_mut().enumerate() {
            gram.form(ctx, &data.x, scale, i + 1, slot.slices_mut(0).0)?;
        }
        Ok(())
    }

    /// Continues from other parameters, of the same architecture, with the optimiser's memory as it was
    /// [formed](Self::form) last.
    pub fn set_parameters(&mut self, parameters: &Parameters<T>) {
        self.parameters.copy_from(parameters);
        self.gram = None;
        self.state.gram = None;
    }

    /// The state to continue from.
    pub fn state(&mut self) -> &State<T> {
        self.state.gram = self.gram.as_ref().map(GramLayer::state);
        &self.state
    }

    /// Continues from a state, which must have as many slots as the optimiser.
    ///
    /// # Errors
    /// [`Error::Value`] if it has not.
    pub fn set_state(&mut self, state: State<T>) -> Result<()> {
        let wrong = |came: String, expected: String| {
            Err(Error::Value { argument: "resume", came, expected })
        };
        let slots = self.state.slots.len();
        if state.slots.len() != slots {
            let came = format!("the state of an optimiser with {} slots", state.slots.len());
            return wrong(came, format!("one with {slots}"));
        }
        if let Some(gram) = &state.gram {
            let [n, h, ..] = self.architecture.sizes() else { unreachable!("there are two sizes") };
            if !gram.fits(self.samples, *n, *h, slots) {
                return wrong(
                    "the state of other samples or layers".to_owned(),
                    "that of these".to_owned(),
                );
            }
        }
        self.gram = None;
        self.state = state;
        Ok(())
    }

    /// Remembers what a run in the space of examples has to go back to if it fails: its weights are nowhere else.
    pub(crate) fn save(&mut self) {
        if let Some(gram) = &mut self.gram {
            gram.save();
            self.saved.clear();
            self.saved.extend_from_slice(self.parameters.values_after_first());
        }
    }

    /// Goes back there.
    pub(crate) fn roll_back(&mut self) {
        if let Some(gram) = &mut self.gram {
            gram.roll_back();
            self.parameters.values_after_first_mut().copy_from_slice(&self.saved);
        }
    }
}
