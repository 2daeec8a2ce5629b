//! Normalisation between the linear half of a hidden layer and its activation.
//!
//! ```text
//! x̂ = (z - μ) / √(σ² + ε)      y = γ x̂ + β
//! ```
//!
//! [`Normalization::Batch`] takes μ and σ² of each unit over the rows of a batch, and in predictions what it has
//! remembered of them; [`Normalization::Layer`] takes those of each row over its units, always. Forward and
//! backward of each stand in one file.

mod batch;
mod layer;

use crate::buffer::Buffer;
use crate::context::Context;
use crate::error::Result;
use crate::float::Float;
use crate::parameters::{Normalized, NormalizedMut};

pub(crate) use batch::with_remembered;

/// ε, as in PyTorch.
pub const EPSILON: f64 = 1e-5;

/// How much of a batch's μ and σ² is remembered, as in PyTorch.
pub const MOMENTUM: f64 = 0.1;

/// What is normalised together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Normalization {
    /// Each unit over the batch (Ioffe and Szegedy 2015).
    Batch,
    /// Each example over the units (Ba, Kiros and Hinton 2016).
    Layer,
}

impl Normalization {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Batch, Self::Layer];

    /// Its name: `batch` or `layer`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Layer => "layer",
        }
    }

    /// The normalisation of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }
}

/// What the backward pass of a layer wants to know of the forward pass, and what it finds.
pub(crate) struct Room<T: Float> {
    kind: Normalization,
    units: usize,
    /// x̂, (rows, units).
    normalized: Buffer<T>,
    /// μ and σ² of each unit; used by batch normalisation alone.
    mean: Buffer<T>,
    variance: Buffer<T>,
    /// 1 / √(σ² + ε) of each unit or row.
    inverse: Buffer<T>,
    /// Σ_rows dy ∘ x̂ and Σ_rows dy.
    dgain: Buffer<T>,
    dshift: Buffer<T>,
    /// The rows of the last forward pass.
    rows: usize,
}

impl<T: Float> Room<T> {
    /// For up to `rows` rows of so many units.
    pub(crate) fn new(kind: Normalization, rows: usize, units: usize) -> Result<Self> {
        let zeros = |len| Buffer::zeros(len, "normalised activations");
        Ok(Self {
            kind,
            units,
            normalized: zeros(rows * units)?,
            mean: zeros(units)?,
            variance: zeros(units)?,
            inverse: zeros(rows.max(units))?,
            dgain: zeros(units)?,
            dshift: zeros(units)?,
            rows: 0,
        })
    }

    /// `z → y`, in place; z is (rows, units).
    pub(crate) fn forward(&mut self, ctx: &Context, by: Normalized<'_, T>, z: &mut [T]) {
        self.rows = z.len() / self.units;
        match self.kind {
            Normalization::Batch => batch::forward(ctx, self, by, z),
            Normalization::Layer => layer::forward(ctx, by, z, Some(self)),
        }
    }

    /// `dy → dz`, in place, and the sums for γ and β; dy is (rows, units).
    pub(crate) fn backward(&mut self, ctx: &Context, by: Normalized<'_, T>, dy: &mut [T]) {
        batch::backward_sums(ctx, self, dy);
        match self.kind {
            Normalization::Batch => batch::backward(ctx, self, by.gain, dy),
            Normalization::Layer => layer::backward(ctx, self, by.gain, dy),
        }
    }

    /// The derivatives of the last backward pass: by γ, and by β.
    pub(crate) fn gradients(&self) -> (&[T], &[T]) {
        (&self.dgain, &self.dshift)
    }

    /// Moves what is remembered towards the μ and σ² of the last forward pass; σ² without bias, as in PyTorch.
    pub(crate) fn remember(&self, remembered: NormalizedMut<'_, T>) {
        if self.kind != Normalization::Batch {
            return;
        }
        let rows = self.rows as f64;
        let unbiased = T::from_f64(if self.rows > 1 { rows / (rows - 1.0) } else { 1.0 });
        let (new, old) = (T::from_f64(MOMENTUM), T::from_f64(1.0 - MOMENTUM));
        for (to, &mean) in remembered.mean.iter_mut().zip(&*self.mean) {
            *to = old * *to + new * mean;
        }
        for (to, &variance) in remembered.variance.iter_mut().zip(&*self.variance) {
            *to = old * *to + new * (unbiased * variance);
        }
    }
}

/// `z → y`, in place, as a network that predicts does it.
pub(crate) fn evaluate<T: Float>(
    ctx: &Context,
    kind: Normalization,
    by: Normalized<'_, T>,
    z: &mut [T],
) {
    match kind {
        Normalization::Batch => with_remembered(ctx, by, z),
        Normalization::Layer => layer::forward(ctx, by, z, None),
    }
}
