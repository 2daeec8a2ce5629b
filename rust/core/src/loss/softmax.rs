//! Softmax and log-sum-exp of rows: `a_j = exp(z_j - c) / Σ_i exp(z_i - c)`, and
//! `log Σ_j exp(z_j) = c + log Σ_j exp(z_j - c)`.
//!
//! `c`, the row's largest `z`, changes nothing but keeps `exp` from overflowing.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::rows::{self, PerRow, Scratch};
use crate::context::Context;
use crate::disjoint::Disjoint;
use crate::float::Float;
use crate::isa::Isa;
use crate::math::all_finite;
use crate::math::log::log;
use crate::simd::{Kernel, VectorMath, dispatch};

/// `z ← softmax(z)`, row by row of `k` elements; `z` is not empty.
pub(super) fn softmax_in_place<T: Float>(isa: Isa, z: &mut [T], k: usize) {
    let (len, to) = (z.len(), z.as_mut_ptr());
    dispatch(isa, Softmax { from: to, to, len, k });
}

/// `out ← softmax(z)`, row by row of `k` elements; whether every `z` is finite.
///
/// `a_j` is off by at most `5 + (c - z_j) / 2 + k / 8` units in the last place.
///
/// # Panics
/// If the lengths differ, or are no multiple of `k`.
///
/// ```
/// use std::mem::MaybeUninit;
/// use purrceptron::{Context, loss::softmax};
///
/// let mut out = [MaybeUninit::uninit(); 4];
/// assert!(softmax(&Context::current()?, &[5.0, 5.0, -1e4, 1e4], 2, &mut out));
/// // SAFETY: they have just been written.
/// assert_eq!(out.map(|a| unsafe { a.assume_init() }), [0.5, 0.5, 0.0, 1.0]);
/// # Ok::<(), purrceptron::Error>(())
/// ```
pub fn softmax<T: Float>(ctx: &Context, z: &[T], k: usize, out: &mut [MaybeUninit<T>]) -> bool {
    assert_eq!(z.len(), out.len(), "z and out differ in length");
    in_pieces_of_rows(
        ctx,
        z,
        k,
        |rows, piece, out| {
            // SAFETY: no two pieces share rows.
            let out = unsafe { out.part(rows.start * k..rows.end * k) };
            let to = out.as_mut_ptr().cast();
            dispatch::<T, _>(ctx.isa(), Softmax { from: piece.as_ptr(), to, len: piece.len(), k });
        },
        out,
    )
}

/// `out[i] = log Σ_j exp(z[i k + j])`; whether every `z` is finite.
///
/// It is off by at most `3 + k / 8` units in the last place, or in that of 1 if it is smaller.
///
/// # Panics
/// If `z` has not `k` times as many elements as `out`, or `k` is 0.
///
/// ```
/// use std::mem::MaybeUninit;
/// use purrceptron::{Context, loss::log_sum_exp};
///
/// let mut out = [MaybeUninit::uninit()];
/// assert!(log_sum_exp(&Context::current()?, &[1000.0, 1000.0], 2, &mut out));
/// // SAFETY: it has just been written.
/// assert_eq!(unsafe { out[0].assume_init() }, 1000.0 + 2.0_f64.ln());
/// # Ok::<(), purrceptron::Error>(())
/// ```
pub fn log_sum_exp<T: Float>(ctx: &Context, z: &[T], k: usize, out: &mut [MaybeUninit<T>]) -> bool {
    assert_eq!(z.len(), out.len() * k, "z has not k times as many elements as out");
    in_pieces_of_rows(
        ctx,
        z,
        k,
        |rows, piece, out| {
            // SAFETY: no two pieces share rows.
            let out = unsafe { out.part(rows) };
            dispatch(ctx.isa(), LogSumExp { z: piece, k, out });
        },
        out,
    )
}

/// Elements of a task: ten microseconds of exponentials, more than it takes to wake a thread.
const TASK: usize = 1 << 15;

/// Elements that are looked at and then used while they are in the first-level cache.
const PIECE: usize = 1 << 11;

/// Calls `f(rows, their part of z, out)` for pieces of all rows; whether every `z` is finite.
fn in_pieces_of_rows<T: Float>(
    ctx: &Context,
    z: &[T],
    k: usize,
    f: impl Fn(Range<usize>, &[T], &Disjoint<'_, MaybeUninit<T>>) + Sync,
    out: &mut [MaybeUninit<T>],
) -> bool {
    assert!(k > 0 && z.len().is_multiple_of(k), "{} is no multiple of {k}", z.len());
    let m = z.len() / k;
    let (of_task, of_piece) = (TASK.div_ceil(k), PIECE.div_ceil(k));
    let out = Disjoint::new(out);
    let finite = AtomicBool::new(true);
    ctx.parallel(m.div_ceil(of_task), |task| {
        let end = m.min((task + 1) * of_task);
        for from in (task * of_task..end).step_by(of_piece) {
            let rows = from..end.min(from + of_piece);
            let piece = &z[rows.start * k..rows.end * k];
            if !all_finite(&ctx.serial(), piece) {
                finite.store(false, Ordering::Relaxed);
            }
            f(rows, piece, &out);
        }
    });
    finite.into_inner()
}

/// `len` elements, rows of `k >= 1`, can be read at `from` and written at `to`, which is `from`
/// itself or apart from it.
struct Softmax<T> {
    from: *const T,
    to: *mut T,
    len: usize,
    k: usize,
}

impl<T: Float> Kernel<T> for Softmax<T> {
    type Output = ();

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) {
        let Self { from, to, len, k } = self;
        let (mut scratch, mut sum): (Scratch<T>, PerRow<T>) = ([T::ZERO; _], [T::ONE; _]);
        let step = k * rows::group::<V>(k);
        for start in (0..len).step_by(step) {
            let rows = step.min(len - start) / k;
            // SAFETY: start + rows k <= len, and `e` holds that many rows, `apart` elements apart.
            unsafe {
                let (z, a) = (from.add(start), to.add(start));
                let mut c: PerRow<T> = [T::ZERO; _];
                for (i, c) in c.iter_mut().enumerate().take(rows) {
                    *c = rows::largest::<V>(std::slice::from_raw_parts(z.add(i * k), k));
                }
                let (e, apart) = rows::place::<V>(a, k, &mut scratch);
                for i in 0..rows {
                    sum[i] = rows::write_exp::<V>(z.add(i * k), e.add(i * apart), k, c[i]);
                }
                for (i, sum) in sum.iter().enumerate().take(rows) {
                    let factor = T::ONE / *sum;
                    rows::write_scaled::<V>(e.add(i * apart), a.add(i * k), k, factor, |a| a);
                }
            }
        }
    }
}

/// `z` has rows of `k >= 1` elements, as many as `out` has.
struct LogSumExp<'a, T> {
    z: &'a [T],
    k: usize,
    out: &'a mut [MaybeUninit<T>],
}

impl<T: Float> Kernel<T> for LogSumExp<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) {
        let k = self.k;
        let (mut c, mut sum): (PerRow<T>, PerRow<T>) = ([T::ZERO; _], [T::ONE; _]);
        for (group, out) in self.z.chunks(k * V::LANES).zip(self.out.chunks_mut(V::LANES)) {
            for ((row, c), sum) in group.chunks_exact(k).zip(&mut c).zip(&mut sum) {
                *c = rows::largest::<V>(row);
                *sum = rows::sum_exp::<V>(row, *c);
            }
            let y = rows::load::<V>(&c).add(log(rows::load(&sum)));
            // SAFETY: `out` holds its own length, at most LANES.
            unsafe { y.store_head(out.as_mut_ptr().cast(), out.len()) };
        }
    }
}
