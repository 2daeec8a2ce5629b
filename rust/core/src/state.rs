//! What a run is continued from: asked for, set, and gone back to.

use crate::architecture::Architecture;
use crate::buffer::Buffer;
use crate::context::Context;
use crate::data::Data;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::gram::{GramLayer, GramState};
use crate::optim::Optimizer;
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

impl<T: Float> State<T> {
    /// That of the beginning: an optimiser with so many slots remembers nothing yet.
    pub(crate) fn beginning(architecture: &Architecture, slots: usize) -> Result<Self> {
        let slots = (0..slots).map(|_| Parameters::zeros(architecture)).collect::<Result<_>>()?;
        Ok(Self { epoch: 0, step: 0, slots, gram: None })
    }
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
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn state(&mut self) -> Result<&State<T>> {
        self.begin_anew_if_taken()?;
        self.state.gram = self.gram.as_ref().map(GramLayer::state).transpose()?;
        Ok(&self.state)
    }

    /// The state to continue from, for good: nothing is copied. Here the optimiser begins anew.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], and the state is still here.
    pub fn take_state(&mut self) -> Result<State<T>> {
        self.state()?;
        self.gram = None;
        let none = State { epoch: 0, step: 0, slots: Vec::new(), gram: None };
        Ok(std::mem::replace(&mut self.state, none))
    }

    /// Most who take the state are done: new memory is made for those who are not.
    pub(crate) fn begin_anew_if_taken(&mut self) -> Result<()> {
        let slots = self.settings.optimizer.slots();
        if self.state.slots.len() != slots {
            self.state = State::beginning(&self.architecture, slots)?;
        }
        Ok(())
    }

    /// Continues from a state, which must have as many slots as the optimiser.
    ///
    /// # Errors
    /// [`Error::Value`] if it has not.
    pub fn set_state(&mut self, state: State<T>) -> Result<()> {
        let wrong = |came: String, expected: String| {
            Err(Error::Value { argument: "resume", came, expected })
        };
        let slots = self.settings.optimizer.slots();
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
        self.saved.given = true;
        Ok(())
    }

    /// Multiplies the velocity of momentum. Here the learning rate stands outside the velocity; where it stands inside,
    /// as in scikit-learn, a rate that goes from `η` to `η'` is a velocity that goes from `v` to `v η / η'`. Not for
    /// runs with `gram`.
    pub fn scale_velocity(&mut self, factor: f64) {
        if let (Optimizer::Sgd { .. }, Some(v)) =
            (&self.settings.optimizer, self.state.slots.first_mut())
        {
            let factor = T::from_f64(factor);
            for l in 0..v.layers() {
                let (weight, bias) = v.slices_mut(l);
                weight.iter_mut().chain(bias).for_each(|v| *v *= factor);
            }
        }
    }

    /// Remembers where the run is, to go back there if what follows does not end well.
    pub(crate) fn save(&mut self) -> Result<()> {
        let saved = &mut self.saved;
        (saved.epoch, saved.step) = (self.state.epoch, self.state.step);
        if let Some(gram) = &mut self.gram {
            gram.save();
            keep(self.parameters.values_after_first(), &mut saved.parameters)?;
        }
        saved.memory = saved.given || saved.step > 0;
        if saved.memory {
            let in_gram = self.gram.is_some();
            saved.slots.resize_with(self.state.slots.len(), || None);
            for (slot, to) in self.state.slots.iter().zip(&mut saved.slots) {
                keep(if in_gram { slot.values_after_first() } else { slot.values() }, to)?;
            }
        }
        Ok(())
    }

    /// Goes back there, but for the parameters of a direct run.
    pub(crate) fn roll_back(&mut self) {
        let saved = &self.saved;
        (self.state.epoch, self.state.step) = (saved.epoch, saved.step);
        let in_gram = self.gram.is_some();
        if let Some(gram) = &mut self.gram {
            gram.roll_back();
            go_back(self.parameters.values_after_first_mut(), &saved.parameters);
        }
        for (i, slot) in self.state.slots.iter_mut().enumerate() {
            let slot = if in_gram { slot.values_after_first_mut() } else { slot.values_mut() };
            match saved.memory {
                true => go_back(slot, &saved.slots[i]),
                false => slot.fill(T::ZERO),
            }
        }
    }
}

/// Where a run was when a call began. The parameters of a direct run are not here: whoever runs it has those that were
/// published last.
#[derive(Debug)]
pub(crate) struct Saved<T: Float> {
    epoch: u64,
    step: u64,
    /// Of a run in the space of examples, all parameters but the first layer's weights, which are nowhere else.
    parameters: Option<Buffer<T>>,
    /// The optimiser's memory; in the space of examples without the first layer's.
    slots: Vec<Option<Buffer<T>>>,
    /// Whether there was anything in it: at the beginning of a run all of it is zero.
    memory: bool,
    /// Whether the run goes on from a state that it was given.
    given: bool,
}

impl<T: Float> Default for Saved<T> {
    fn default() -> Self {
        let (parameters, slots) = (None, Vec::new());
        Self { epoch: 0, step: 0, parameters, slots, memory: false, given: false }
    }
}

/// Copies numbers to where there may be no room for them yet.
fn keep<T: Float>(from: &[T], to: &mut Option<Buffer<T>>) -> Result<()> {
    match to {
        Some(to) if to.len() == from.len() => to.copy_from_slice(from),
        _ => *to = Some(Buffer::copy_of(from, "the optimiser's memory")?),
    }
    Ok(())
}

fn go_back<T: Float>(to: &mut [T], kept: &Option<Buffer<T>>) {
    to.copy_from_slice(kept.as_ref().expect("kept when the call began"));
}
