//! What is compiled once for each element type, in this crate.
//!
//! A generic function is compiled in the crate that names its type, with that crate's settings: the bindings would
//! compile all of training once more, and, as the wheel should be small, for size. Behind these pointers it is compiled
//! here, for speed. Who calls `run` or `forward` sees nothing of it.
#![allow(unreachable_pub, reason = "a hidden method of `Float` names `Compiled`")]
#![allow(missing_docs, reason = "each is the function of that name")]

use std::mem::MaybeUninit;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use crate::architecture::Architecture;
use crate::context::Context;
use crate::data::Data;
use crate::error::Result;
use crate::float::Float;
use crate::gemm::packed::{self, Task};
use crate::gemm::product::{self, Product};
use crate::isa::Isa;
use crate::lent::{self, LentLayer};
use crate::loss::{self, Loss, Targets};
use crate::math::{self, Function, Gradient};
use crate::network::Model;
use crate::objective::Objective;
use crate::samples::Samples;
use crate::train::Trainer;

type Stop<'s> = &'s mut dyn FnMut() -> bool;
type Orders<'o> = Option<ArrayView2<'o, u32>>;

/// The functions, for one type.
pub struct Compiled<T: Float> {
    pub(crate) product: fn(&Context, Product<'_, T>) -> Result<()>,
    pub(crate) packed: fn(Isa, Task<'_, T>),
    pub(crate) run: fn(
        &mut Trainer<T>,
        &Context,
        &Data<'_, T>,
        usize,
        Orders<'_>,
        Stop<'_>,
    ) -> Result<Vec<f64>>,
    pub(crate) form: fn(&mut Trainer<T>, &Context, &Data<'_, T>) -> Result<()>,
    pub(crate) judge:
        fn(&mut Trainer<T>, &Context, &Data<'_, T>, &Data<'_, T>) -> Result<(f64, Array2<T>)>,
    pub(crate) evaluate:
        fn(&mut Objective<T>, &Context, &Data<'_, T>, &[f64], &mut [f64], Stop<'_>) -> Result<f64>,
    pub(crate) forward: fn(&Model<'_, T>, &Context, &Samples<'_>) -> Result<Array2<T>>,
    pub(crate) lent:
        fn(&Context, &Architecture, &[LentLayer<'_, T>], &Samples<'_>) -> Result<Array2<T>>,
    pub(crate) function: fn(Function, &Context, &[T], &mut [MaybeUninit<T>]) -> bool,
    pub(crate) gradient: fn(Gradient, &Context, &[T], &[T], &mut [MaybeUninit<T>]) -> bool,
    pub(crate) softmax: fn(&Context, &[T], usize, &mut [MaybeUninit<T>]) -> bool,
    pub(crate) log_sum_exp: fn(&Context, &[T], usize, &mut [MaybeUninit<T>]) -> bool,
    pub(crate) loss: fn(Loss, Isa, ArrayView2<'_, T>, Targets<'_, T>, Option<&[T]>) -> f64,
    pub(crate) loss_gradient:
        fn(Loss, Isa, ArrayViewMut2<'_, T>, Targets<'_, T>, Option<&[T]>) -> f64,
    pub(crate) all_finite: fn(&Context, &[T]) -> bool,
}

impl<T: Float> Compiled<T> {
    const HERE: Self = Self {
        product: product::run,
        packed: packed::run,
        run: Trainer::run_here,
        form: Trainer::form_here,
        judge: Trainer::judge_here,
        evaluate: Objective::evaluate_here,
        forward: |model, ctx, x| model.forward_here(ctx, x),
        lent: lent::forward_here,
        function: Function::apply_here,
        gradient: Gradient::apply_here,
        softmax: loss::softmax_here,
        log_sum_exp: loss::log_sum_exp_here,
        loss: Loss::value_here,
        loss_gradient: Loss::value_and_gradient_here,
        all_finite: math::all_finite_here,
    };
}

pub(crate) static F32: Compiled<f32> = Compiled::HERE;
pub(crate) static F64: Compiled<f64> = Compiled::HERE;
