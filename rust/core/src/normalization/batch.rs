//! Batch normalisation: each unit over the m rows of a batch.
//!
//! ```text
//! μ = Σ z / m      σ² = Σ (z - μ)² / m      x̂ = (z - μ) / √(σ² + ε)      y = γ x̂ + β
//! dβ = Σ dy        dγ = Σ dy x̂              dz = γ / √(σ² + ε) · (dy - dβ/m - x̂ dγ/m)
//! ```
//!
//! A layer's bias b adds to z and to μ alike and changes nothing, so its derivative is 0.

use super::{EPSILON, Room};
use crate::context::Context;
use crate::disjoint::Disjoint;
use crate::float::Float;
use crate::parameters::Normalized;

/// Units a task: a few registers, and together a cache line or more of each row.
const PANEL: usize = 64;

/// Rows in a run: short sums of short sums lose less than one long one.
const RUN: usize = 256;

/// Calls `task(from..to)` for panels of units.
fn in_panels(ctx: &Context, units: usize, task: impl Fn(std::ops::Range<usize>) + Sync) {
    ctx.parallel(units.div_ceil(PANEL), |i| task(i * PANEL..units.min((i + 1) * PANEL)));
}

/// `Σ_rows`, of what `add` adds for a row, in a fixed order.
fn sum_rows<T: Float>(rows: usize, mut add: impl FnMut(usize, &mut [T; PANEL])) -> [T; PANEL] {
    let mut total = [T::ZERO; PANEL];
    for from in (0..rows).step_by(RUN) {
        let mut sum = [T::ZERO; PANEL];
        (from..rows.min(from + RUN)).for_each(|row| add(row, &mut sum));
        total.iter_mut().zip(sum).for_each(|(total, sum)| *total += sum);
    }
    total
}

/// `z → y`, in place, with the batch's own μ and σ².
pub(super) fn forward<T: Float>(
    ctx: &Context,
    room: &mut Room<T>,
    by: Normalized<'_, T>,
    z: &mut [T],
) {
    let (n, rows) = (room.units, room.rows);
    let m = T::from_f64(rows as f64);
    let (z, normalized) = (Disjoint::new(z), Disjoint::new(&mut room.normalized));
    let (mean, variance) = (Disjoint::new(&mut room.mean), Disjoint::new(&mut room.variance));
    let inverse = Disjoint::new(&mut room.inverse);
    in_panels(ctx, n, |units| {
        let part = |row: usize| row * n + units.start..row * n + units.end;
        // SAFETY: here and below, these units are this task's alone.
        let z_of = |row: usize| unsafe { &*z.part(part(row)) };
        let mut mu = sum_rows(rows, |row, sum| {
            sum.iter_mut().zip(z_of(row)).for_each(|(sum, &z)| *sum += z);
        });
        mu.iter_mut().for_each(|mu| *mu /= m);
        let mut squares = sum_rows(rows, |row, sum| {
            for ((sum, &z), &mu) in sum.iter_mut().zip(z_of(row)).zip(&mu) {
                *sum += (z - mu) * (z - mu);
            }
        });
        squares.iter_mut().for_each(|square| *square /= m);
        // SAFETY: as above.
        let (mean, variance, inverse) = unsafe {
            (mean.part(units.clone()), variance.part(units.clone()), inverse.part(units.clone()))
        };
        mean.iter_mut().zip(&mu).for_each(|(to, &mu)| *to = mu);
        variance.iter_mut().zip(&squares).for_each(|(to, &square)| *to = square);
        for (inverse, &variance) in inverse.iter_mut().zip(&*variance) {
            *inverse = T::ONE / (variance + T::from_f64(EPSILON)).sqrt();
        }
        let (gain, shift) = (&by.gain[units.clone()], &by.shift[units.clone()]);
        for row in 0..rows {
            // SAFETY: as above; nobody looks at `z_of(row)` any more.
            let (z, normalized) = unsafe { (z.part(part(row)), normalized.part(part(row))) };
            for (i, (z, x)) in z.iter_mut().zip(normalized).enumerate() {
                *x = (*z - mean[i]) * inverse[i];
                *z = gain[i] * *x + shift[i];
            }
        }
    });
}

/// dγ and dβ, which both normalisations find alike.
pub(super) fn backward_sums<T: Float>(ctx: &Context, room: &mut Room<T>, dy: &[T]) {
    let (n, rows, normalized) = (room.units, room.rows, &room.normalized);
    let (dgain, dshift) = (Disjoint::new(&mut room.dgain), Disjoint::new(&mut room.dshift));
    in_panels(ctx, n, |units| {
        let part = |row: usize| row * n + units.start..row * n + units.end;
        let shift = sum_rows(rows, |row, sum| {
            sum.iter_mut().zip(&dy[part(row)]).for_each(|(sum, &dy)| *sum += dy);
        });
        let gain = sum_rows(rows, |row, sum| {
            for ((sum, &dy), &x) in sum.iter_mut().zip(&dy[part(row)]).zip(&normalized[part(row)]) {
                *sum += dy * x;
            }
        });
        // SAFETY: these units are this task's alone.
        let (dgain, dshift) = unsafe { (dgain.part(units.clone()), dshift.part(units.clone())) };
        dgain.iter_mut().zip(gain).for_each(|(to, gain)| *to = gain);
        dshift.iter_mut().zip(shift).for_each(|(to, shift)| *to = shift);
    });
}

/// `dy → dz`, in place.
pub(super) fn backward<T: Float>(ctx: &Context, room: &Room<T>, gain: &[T], dy: &mut [T]) {
    let n = room.units;
    let share = T::from_f64(1.0 / room.rows as f64);
    in_rows(ctx, n, dy, |row, dy| {
        let normalized = &room.normalized[row * n..][..n];
        for (i, (dy, &x)) in dy.iter_mut().zip(normalized).enumerate() {
            let rest = *dy - share * room.dshift[i] - x * (share * room.dgain[i]);
            *dy = gain[i] * room.inverse[i] * rest;
        }
    });
}

/// `z → y`, in place, with the μ and σ² that are remembered.
pub(crate) fn with_remembered<T: Float>(ctx: &Context, by: Normalized<'_, T>, z: &mut [T]) {
    let n = by.gain.len();
    // A panel at a time, so that each unit's root is taken once for many rows.
    for from in (0..n).step_by(PANEL) {
        let units = from..n.min(from + PANEL);
        let mut factor = [T::ZERO; PANEL];
        for (factor, unit) in factor.iter_mut().zip(units.clone()) {
            *factor = by.gain[unit] / (by.variance[unit] + T::from_f64(EPSILON)).sqrt();
        }
        let (mean, shift) = (&by.mean[units.clone()], &by.shift[units.clone()]);
        in_rows(ctx, n, z, |_, z| {
            for (i, z) in z[units.clone()].iter_mut().enumerate() {
                *z = (*z - mean[i]) * factor[i] + shift[i];
            }
        });
    }
}

/// Calls `f(number, row)` for each row of `n` elements.
pub(super) fn in_rows<T: Float>(
    ctx: &Context,
    n: usize,
    values: &mut [T],
    f: impl Fn(usize, &mut [T]) + Sync,
) {
    // Enough for a task to be worth a thread's while.
    let at_once = (8192 / n).max(1);
    let rows = values.len() / n;
    let out = Disjoint::new(values);
    ctx.parallel(rows.div_ceil(at_once), |task| {
        for row in task * at_once..rows.min((task + 1) * at_once) {
            // SAFETY: the row is this task's alone.
            f(row, unsafe { out.part(row * n..(row + 1) * n) });
        }
    });
}
