//! What a combination of `W₀`, `V₀` and the rows of `X` is made of, and how a step of the optimiser changes it.

use ndarray::ArrayView2;

use super::WHAT;
use crate::buffer::Buffer;
use crate::context::Context;
use crate::error::Result;
use crate::float::Float;
use crate::math::add_widened;
use crate::samples::Rows;
use crate::step::Step;

/// `s W₀ + q V₀ + D X`: the weights, or a slot of the optimiser.
#[derive(Debug)]
pub(super) struct Coefficients {
    /// `[s, q]`.
    pub(super) starts: [f64; 2],
    /// `D`, (h, m).
    pub(super) rows: Buffer<f64>,
}

impl Coefficients {
    /// `[s, q]`, and no part of the rows, which are `len = h m` numbers.
    pub(super) fn new(starts: [f64; 2], len: usize) -> Result<Self> {
        Ok(Self { starts, rows: Buffer::zeros(len, WHAT)? })
    }

    pub(super) fn try_clone(&self) -> Result<Self> {
        Ok(Self { starts: self.starts, rows: self.rows.try_clone(WHAT)? })
    }

    pub(super) fn copy_from(&mut self, other: &Self) {
        self.starts = other.starts;
        self.rows.copy_from_slice(&other.rows);
    }
}

/// One step of the optimiser: the gradient of `D` is `dZᵀ / m` in the columns of the batch's rows and zero elsewhere,
/// those of `s` and `q` are zero, and the penalty pulls at all of them. `dz` is (rows, h), `all` holds the coefficients
/// of the weights and then those of the slots, and `room` is as large as `D`.
pub(super) fn update<T: Float>(
    ctx: &Context,
    all: &mut [Coefficients],
    rows: &Rows<'_>,
    dz: ArrayView2<'_, T>,
    step: &Step,
    room: &mut [f64],
) {
    let (isa, scale) = (ctx.isa(), step.scale());
    let (weight, velocity) = all.split_first_mut().expect("the weights are the first");
    // There is one slot at most; an `Option` is a slice of as many.
    let (mut slot_rows, mut slot_starts) =
        velocity.first_mut().map(|v| (&mut v.rows[..], &mut v.starts[..])).unzip();
    step.rule.apply(isa, step.decay, &mut weight.starts, &[0.0; 2], slot_starts.as_mut_slice());
    match step.plain {
        // D ← (1 - ηλ/m) D - (η/m) dZᵀ, where a run is all rows; and nothing for the other rows where nothing pulls at them.
        Some(rate) if step.decay == 0.0 || matches!(rows, Rows::Run(_)) => {
            add_columns(ctx, -rate * scale, rows, dz, 1.0 - rate * step.decay, &mut weight.rows);
        }
        _ => {
            room.fill(0.0);
            add_columns(ctx, scale, rows, dz, 1.0, room);
            step.rule.apply(isa, step.decay, &mut weight.rows, room, slot_rows.as_mut_slice());
        }
    }
}

/// `to ← keep to + factor dZᵀ` in the columns of those rows, (h, m); the other columns stay.
fn add_columns<T: Float>(
    ctx: &Context,
    factor: f64,
    rows: &Rows<'_>,
    dz: ArrayView2<'_, T>,
    keep: f64,
    to: &mut [f64],
) {
    let m = to.len() / dz.ncols();
    for (to, dz) in to.chunks_exact_mut(m).zip(dz.columns()) {
        match (rows, dz.as_slice()) {
            (Rows::Run(run), Some(dz)) => {
                add_widened(ctx.isa(), factor, dz, keep, &mut to[run.clone()]);
            }
            _ => {
                for (i, dz) in dz.iter().enumerate() {
                    let column = &mut to[rows.at(i)];
                    *column = factor.mul_add(dz.to_f64(), keep * *column);
                }
            }
        }
    }
}
