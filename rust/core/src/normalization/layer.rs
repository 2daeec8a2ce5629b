//! Layer normalisation: each example over its n units.
//!
//! ```text
//! μ = Σ z / n      σ² = Σ (z - μ)² / n      x̂ = (z - μ) / √(σ² + ε)      y = γ x̂ + β
//! with g = γ dy:   dz = (g - Σ g / n - x̂ Σ g x̂ / n) / √(σ² + ε)
//! ```

use super::batch::in_rows;
use super::{EPSILON, Room};
use crate::context::Context;
use crate::disjoint::Disjoint;
use crate::float::Float;
use crate::parameters::Normalized;

/// `z → y`, in place; the room, if any, keeps what the backward pass wants.
pub(super) fn forward<T: Float>(
    ctx: &Context,
    by: Normalized<'_, T>,
    z: &mut [T],
    room: Option<&mut Room<T>>,
) {
    let n = by.gain.len();
    let share = T::from_f64(1.0 / n as f64);
    let kept =
        room.map(|room| (Disjoint::new(&mut room.normalized), Disjoint::new(&mut room.inverse)));
    in_rows(ctx, n, z, |row, z| {
        let mean = share * sum(n, |i| z[i]);
        let variance = share * sum(n, |i| (z[i] - mean) * (z[i] - mean));
        let inverse = T::ONE / (variance + T::from_f64(EPSILON)).sqrt();
        z.iter_mut().for_each(|z| *z = (*z - mean) * inverse);
        if let Some((normalized, inverses)) = &kept {
            // SAFETY: the row is this task's alone.
            unsafe {
                normalized.part(row * n..(row + 1) * n).copy_from_slice(z);
                inverses.part(row..row + 1)[0] = inverse;
            }
        }
        for (z, (&gain, &shift)) in z.iter_mut().zip(by.gain.iter().zip(by.shift)) {
            *z = gain * *z + shift;
        }
    });
}

/// `dy → dz`, in place.
pub(super) fn backward<T: Float>(ctx: &Context, room: &Room<T>, gain: &[T], dy: &mut [T]) {
    let n = room.units;
    let share = T::from_f64(1.0 / n as f64);
    in_rows(ctx, n, dy, |row, dy| {
        let x = &room.normalized[row * n..][..n];
        dy.iter_mut().zip(gain).for_each(|(g, &gain)| *g *= gain);
        let (mean, along) = (share * sum(n, |i| dy[i]), share * sum(n, |i| dy[i] * x[i]));
        let inverse = room.inverse[row];
        dy.iter_mut().zip(x).for_each(|(g, &x)| *g = inverse * (*g - mean - x * along));
    });
}

/// `Σ term(i)` for `i < n`, in a fixed order.
#[inline(always)]
fn sum<T: Float>(n: usize, term: impl Fn(usize) -> T) -> T {
    /// Sums side by side, which need not wait for each other.
    const SUMS: usize = 16;
    let mut sums = [T::ZERO; SUMS];
    let whole = n - n % SUMS;
    for from in (0..whole).step_by(SUMS) {
        sums.iter_mut().enumerate().for_each(|(i, sum)| *sum += term(from + i));
    }
    (whole..n).for_each(|i| sums[i - whole] += term(i));
    sums.into_iter().sum()
}
