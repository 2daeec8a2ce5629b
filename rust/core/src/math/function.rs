//! Element-wise functions of whole arrays, on several threads, and whether all was finite.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use super::checked::{map_checked, zip_checked};
use super::exp::Exp;
use super::log::Log1p;
use super::map::{Binary, Unary};
use crate::activation::{relu, sigmoid, softplus, tanh};
use crate::context::Context;
use crate::disjoint::Disjoint;
use crate::float::Float;
use crate::simd::VectorMath;

/// Elements of a task: ten microseconds of exponentials, more than it takes to wake a thread.
const TASK: usize = 1 << 15;

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `exp(x)`
    Exp,
    /// `log(1 + x)`
    Log1p,
    /// `tanh(x)`
    Tanh,
    /// `max(x, 0)`
    Relu,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `log(1 + exp(x))`
    Softplus,
}

impl Function {
    /// `out[i] = f(x[i])`; whether every `x[i]` is finite.
    ///
    /// # Panics
    /// If the lengths differ.
    ///
    /// ```
    /// use std::mem::MaybeUninit;
    /// use purrceptron::{Context, math::Function};
    ///
    /// let mut out = [MaybeUninit::uninit(); 2];
    /// assert!(Function::Relu.apply(&Context::current()?, &[-1.0, 2.0], &mut out));
    /// // SAFETY: they have just been written.
    /// assert_eq!(out.map(|a| unsafe { a.assume_init() }), [0.0, 2.0]);
    /// # Ok::<(), purrceptron::Error>(())
    /// ```
    pub fn apply<T: Float>(self, ctx: &Context, x: &[T], out: &mut [MaybeUninit<T>]) -> bool {
        match self {
            Self::Exp => apply(ctx, Exp, x, out),
            Self::Log1p => apply(ctx, Log1p, x, out),
            Self::Tanh => apply(ctx, tanh::Tanh, x, out),
            Self::Relu => apply(ctx, relu::Relu, x, out),
            Self::Sigmoid => apply(ctx, sigmoid::Sigmoid, x, out),
            Self::Softplus => apply(ctx, softplus::Softplus, x, out),
        }
    }
}

/// The gradient through a function, from the function's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gradient {
    /// `dz = da` where `z > 0`, else 0
    Relu,
    /// `dz = da a (1 - a)` with `a = sigmoid(z)`
    Sigmoid,
}

impl Gradient {
    /// `out[i] = da[i] f'(z[i])`; whether every `z[i]` and `da[i]` is finite.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn apply<T: Float>(
        self,
        ctx: &Context,
        z: &[T],
        da: &[T],
        out: &mut [MaybeUninit<T>],
    ) -> bool {
        match self {
            // Where z > 0 its rectified value is.
            Self::Relu => gradient(ctx, relu::Backward, z, da, out),
            Self::Sigmoid => gradient(ctx, SigmoidBackward, z, da, out),
        }
    }
}

/// `da a (1 - a)` from `z`.
#[derive(Clone, Copy)]
struct SigmoidBackward;

impl Binary for SigmoidBackward {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V, da: V) -> V {
        sigmoid::Backward.apply(sigmoid::sigmoid(z), da)
    }
}

fn apply<T: Float>(
    ctx: &Context,
    f: impl Unary + Sync,
    x: &[T],
    out: &mut [MaybeUninit<T>],
) -> bool {
    in_tasks(ctx, out, |start, part| map_checked(ctx.isa(), f, &x[start..start + part.len()], part))
}

fn gradient<T: Float>(
    ctx: &Context,
    f: impl Binary + Sync,
    z: &[T],
    da: &[T],
    out: &mut [MaybeUninit<T>],
) -> bool {
    in_tasks(ctx, out, |start, part| {
        let range = start..start + part.len();
        zip_checked(ctx.isa(), f, &z[range.clone()], &da[range], part)
    })
}

/// Calls `f(start, part)` for the parts of a slice; whether all of them said true.
fn in_tasks<T: Send>(
    ctx: &Context,
    out: &mut [T],
    f: impl Fn(usize, &mut [T]) -> bool + Sync,
) -> bool {
    let len = out.len();
    let out = Disjoint::new(out);
    let all = AtomicBool::new(true);
    ctx.parallel(len.div_ceil(TASK), |task| {
        let range = task * TASK..len.min((task + 1) * TASK);
        // SAFETY: the tasks' ranges do not overlap.
        if !f(range.start, unsafe { out.part(range.clone()) }) {
            all.store(false, Ordering::Relaxed);
        }
    });
    all.into_inner()
}
