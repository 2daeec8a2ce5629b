//! Training: epochs of batches, each a pass through the network and a step of the optimiser.
//!
//! ```text
//! J   = (1/m) Σ_i w_i J_i + (λ/2m) Σ_l ‖W_l‖²        m = Σ w_i over the rows of the batch
//! W_l ← W_l - step(dW_l + (λ/m) W_l)                 b_l ← b_l - step(db_l)
//! step(g) = η(t) times what the optimiser makes of g, with the schedule's η
//! ```
//!
//! A [`Trainer`] owns its parameters, the optimiser's state and every buffer; nothing is allocated in a
//! step. The network it started from is not touched: whoever runs the trainer publishes its
//! parameters when an epoch has ended well.

use ndarray::ArrayView2;

use crate::architecture::Architecture;
use crate::batch::Passes;
use crate::clip::clip;
use crate::context::Context;
use crate::data::Data;
use crate::epoch::{Batch, Cost, Epoch, MeanCost};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::gram::GramLayer;
use crate::math::first_non_finite;
use crate::network::Model;
use crate::order;
use crate::parameters::Parameters;
use crate::penalty::sum_of_squared_weights;
use crate::samples::Rows;
use crate::state::Saved;
use crate::step::Step;
use crate::update::{Changed, UpdateAtOnce};
use crate::way::{Course, Way};

pub use crate::settings::Settings;
pub use crate::state::State;

/// A training run. See `examples/xor.rs` for one from beginning to end.
pub struct Trainer<T: Float> {
    pub(crate) architecture: Architecture,
    pub(crate) settings: Settings,
    pub(crate) samples: usize,
    pub(crate) parameters: Parameters<T>,
    /// The gradient of the step at work.
    gradients: Parameters<T>,
    pub(crate) state: State<T>,
    passes: Passes<T>,
    way: Way<T>,
    order: Vec<u32>,
    pub(crate) uint8_scale: f64,
    /// The first layer in the space of examples, from the first epoch on.
    pub(crate) gram: Option<GramLayer<T>>,
    /// Where the run was when a call began.
    pub(crate) saved: Saved<T>,
    /// The part of each epoch's cost that is the penalty, in the last call.
    penalties: Vec<f64>,
}

impl<T: Float> Trainer<T> {
    /// A run that begins at the model's parameters, for data of so many samples.
    ///
    /// # Errors
    /// [`Error::Value`] for settings outside their range; [`Error::OutOfMemory`].
    pub fn new(model: Model<'_, T>, samples: usize, settings: Settings) -> Result<Self> {
        let architecture = model.architecture.clone();
        settings.check(&architecture, samples)?;
        let batch = settings.batch_size.unwrap_or(samples).min(samples);
        let state = State::beginning(&architecture, settings.optimizer.slots())?;
        let passes = if settings.gram { Passes::without_samples } else { Passes::in_blocks };
        let order = match settings.batch_size {
            None => Vec::new(),
            Some(_) => order::of_rows(samples)?,
        };
        let mut passes = passes(&architecture, model.uint8_scale, batch)?;
        let drops = settings.dropout.iter().any(|&rate| rate > 0.0);
        if drops {
            passes.drop_out(&architecture, &settings.dropout, settings.seed)?;
        }
        let plain = !settings.gram && !drops && !settings.wants_whole_gradient();
        let way = match plain && passes.is_one_block(batch) {
            true => {
                let (form, scale) = (&architecture, model.uint8_scale);
                Way::of(form, &settings, scale, batch, samples, state.slots.len())?
            }
            false => Way::Layers,
        };
        Ok(Self {
            passes,
            way,
            parameters: model.parameters.try_clone()?,
            gradients: Parameters::zeros(&architecture)?,
            state,
            architecture,
            settings,
            samples,
            order,
            uint8_scale: model.uint8_scale,
            gram: None,
            saved: Saved::default(),
            penalties: Vec::new(),
        })
    }

    /// The parameters as they are after the last epoch; with `gram`, the first layer's as they were last
    /// [formed](Self::form).
    pub fn parameters(&self) -> &Parameters<T> {
        &self.parameters
    }

    /// Makes the first layer ready, if it is trained in the space of examples and is not.
    fn prepare_gram(
        &mut self,
        ctx: &Context,
        data: &Data<'_, T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<()> {
        if !self.settings.gram || self.gram.is_some() {
            return Ok(());
        }
        let (optimizer, scale) = (&self.settings.optimizer, self.uint8_scale);
        let batch = self.settings.batch_size.map_or(0, |batch| batch.min(self.samples));
        self.gram = Some(match &self.state.gram {
            Some(state) => {
                let (h, state) = (self.architecture.sizes()[1], state.try_clone()?);
                GramLayer::restore(ctx, &data.x, scale, h, state, batch, stop)?
            }
            None => {
                let w = self.parameters.weight(0);
                let v = self.state.slots.first().map(|slot| slot.weight(0));
                GramLayer::new(ctx, &data.x, scale, optimizer, w, v, batch, stop)?
            }
        });
        self.state.gram = None;
        Ok(())
    }

    /// Changes the step's size from here on.
    ///
    /// # Errors
    /// [`Error::Value`] unless it is a finite number above 0.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        let settings = Settings { learning_rate, ..self.settings.clone() };
        settings.check(&self.architecture, self.samples)?;
        self.settings = settings;
        Ok(())
    }

    /// How much of each cost that the last [`run`](Self::run) returned was the penalty.
    pub fn penalties(&self) -> &[f64] {
        &self.penalties
    }

    /// Trains for so many epochs and returns the cost of each: `J` with its penalty before the update, or, with
    /// mini-batches, the mean of theirs, weighted by their rows.
    ///
    /// `stop` is asked before each layer of a block of rows; where a small network is cut in halves, before each step. The
    /// data must be the same in every call.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `stop` says so, [`Error::Diverged`] if the cost or a parameter is no longer
    /// finite. After either the state is again that of where the call began, and so are the parameters of a run with
    /// `gram`. Those of a direct run are those of the middle of an epoch, or not finite: to go on, give it those of
    /// where the call began with [`set_parameters`](Self::set_parameters).
    pub fn run(
        &mut self,
        ctx: &Context,
        data: &Data<'_, T>,
        epochs: usize,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<f64>> {
        self.run_checked(ctx, data, epochs, None, stop)
    }

    /// As [`run`](Self::run), with the rows of each epoch in an order that is given, (epochs, samples), instead of one
    /// drawn from the seed.
    ///
    /// # Errors
    /// As there; [`Error::Value`] if there are no mini-batches, or the orders are not row numbers, a row of them behind
    /// the other.
    pub fn run_in_order(
        &mut self,
        ctx: &Context,
        data: &Data<'_, T>,
        orders: ArrayView2<'_, u32>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<f64>> {
        order::check(orders, self.samples, self.settings.batch_size)?;
        self.run_checked(ctx, data, orders.nrows(), Some(orders), stop)
    }

    fn run_checked(
        &mut self,
        ctx: &Context,
        data: &Data<'_, T>,
        epochs: usize,
        orders: Option<ArrayView2<'_, u32>>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<f64>> {
        if data.len() != self.samples {
            let (came, expected) = (data.len().to_string(), self.samples.to_string());
            return Err(Error::Value { argument: "number of samples", came, expected });
        }
        self.penalties.clear();
        if epochs == 0 {
            return Ok(Vec::new());
        }
        self.passes.reset();
        self.begin_anew_if_taken()?;
        self.prepare_gram(ctx, data, stop)?;
        self.save()?;
        self.way.begin_run(ctx, &data.x, &self.parameters, &self.state.slots, epochs)?;
        let losses = self.epochs(ctx, data, epochs, orders, stop);
        if losses.is_err() {
            self.roll_back();
        }
        losses
    }

    fn epochs(
        &mut self,
        ctx: &Context,
        data: &Data<'_, T>,
        epochs: usize,
        orders: Option<ArrayView2<'_, u32>>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<f64>> {
        let mut losses = Vec::new();
        for i in 0..epochs {
            let order = orders.as_ref().map(|orders| orders.row(i));
            let order = order.as_ref().map(|order| order.as_slice().expect("it was looked at"));
            let cost = self.epoch(ctx, data, order, stop)?;
            losses.push(cost.whole);
            self.penalties.push(cost.penalty);
        }
        self.way.end_run(&mut self.parameters, &mut self.state.slots);
        let finite = first_non_finite(ctx.isa(), self.parameters.values()).is_none()
            && self.gram.as_ref().is_none_or(|gram| gram.is_finite(ctx.isa()));
        if finite { Ok(losses) } else { Err(self.diverged("a weight")) }
    }

    fn diverged(&self, what: &'static str) -> Error {
        Error::Diverged { epoch: self.state.epoch as usize, what }
    }

    fn epoch(
        &mut self,
        ctx: &Context,
        data: &Data<'_, T>,
        given: Option<&[u32]>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Cost> {
        let (epochs, steps) = (self.state.epoch, self.state.step);
        self.state.epoch += 1;
        let mut order = std::mem::take(&mut self.order);
        let batches = self.settings.batch_size.map(|size| {
            order::arrange(&mut order, given, self.settings.seed, epochs);
            (&order[..], size)
        });
        let cost = self.steps(ctx, Epoch { data, batches, epochs, steps }, stop);
        self.order = order;
        let MeanCost { mean, steps, .. } = cost?;
        self.state.step += steps;
        if mean.is_finite() { Ok(mean) } else { Err(self.diverged("the loss")) }
    }

    /// The steps of an epoch, as far as their costs are finite.
    fn steps(
        &mut self,
        ctx: &Context,
        epoch: Epoch<'_, '_, T>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<MeanCost> {
        let Self { architecture, settings, parameters, gradients, state, way, .. } = self;
        let course = Course { architecture, settings, epoch };
        let mut changed = Changed { parameters, gradients, slots: &mut state.slots };
        if let Some(cost) = way.epoch(ctx, &course, &mut changed, stop)? {
            return Ok(cost);
        }
        let mut cost = MeanCost::default();
        for batch in epoch.batches() {
            cost.add(batch.m, self.step(ctx, epoch, &batch, stop)?);
            if !cost.mean.is_finite() {
                break;
            }
        }
        Ok(cost)
    }

    /// One step. Returns the batch's cost before the update.
    fn step<'a>(
        &mut self,
        ctx: &Context,
        epoch: Epoch<'a, '_, T>,
        batch: &Batch<'a>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Cost> {
        let &Batch { ref rows, m, .. } = batch;
        let penalty = self.penalty(ctx, m);
        let (architecture, settings, passes) =
            (&self.architecture, &self.settings, &mut self.passes);
        let mut step = Step::of(settings, batch);
        passes.begin_step(step.number);
        let problem = Course { architecture, settings, epoch }.problem(batch);
        let whole = settings.wants_whole_gradient();
        let (parameters, gradients) = (&mut self.parameters, &mut self.gradients);
        let sum = if passes.can_update_at_once(rows.len()) && !whole {
            let changed = Changed { parameters, gradients, slots: &mut self.state.slots };
            let mut sink = UpdateAtOnce { step, changed };
            passes.update_at_once(ctx, &problem, rows, &mut sink, stop)?
        } else {
            let first = self.gram.as_mut().map(|gram| gram.forward(rows));
            let scale = step.scale();
            let sum = passes
                .accumulate(ctx, &problem, rows, parameters, gradients, scale, first, stop)?;
            if sum.is_finite() {
                if whole {
                    passes.add_up(ctx, rows.len(), gradients);
                    settings.penalty().add_gradient(ctx, parameters, m, gradients);
                    step.decay = 0.0;
                    if let Some(most) = settings.clip_norm {
                        clip(ctx, gradients, most);
                    }
                }
                self.update(ctx, rows, &step, whole)?;
            }
            sum
        };
        self.passes.remember(&mut self.parameters);
        Ok(Cost { whole: sum / m + penalty, penalty })
    }

    /// Updates every layer from the gradients; the first, where it is trained in the space of examples, from its `dZ`.
    /// `whole` says whether the gradients of the lanes have been added up.
    fn update(&mut self, ctx: &Context, rows: &Rows<'_>, step: &Step, whole: bool) -> Result<()> {
        let mut start = 0;
        if let Some(gram) = &mut self.gram {
            gram.update(ctx, rows, self.passes.first_delta(rows.len()), step)?;
            start = self.parameters.places(0).bias.start;
        }
        let Self { parameters, gradients, state, passes, .. } = self;
        let others = if whole { &[] } else { passes.others(rows.len()) };
        step.everything(ctx, start, parameters, gradients, others, &mut state.slots);
        Ok(())
    }

    /// What the penalties add to the cost of a batch of total weight `m`.
    fn penalty(&mut self, ctx: &Context, m: f64) -> f64 {
        let penalty = self.settings.penalty();
        match &mut self.gram {
            Some(gram) if penalty.l2 != 0.0 => {
                let squares = gram.sum_of_squares(ctx.isa())
                    + sum_of_squared_weights(ctx, &self.parameters, 1);
                penalty.l2 / (2.0 * m) * squares
            }
            _ => penalty.value(ctx, &self.parameters, m),
        }
    }
}
