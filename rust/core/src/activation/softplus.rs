//! Softplus: `a = log(1 + exp(z))`; `dz = da sigmoid(z) = da (1 - exp(-a))`.
//!
//! As `max(z, 0) + log1p(exp(-|z|))` it does not overflow.

use crate::float::Float;
use crate::math::exp::{exp_neg_abs, expm1};
use crate::math::log::log1p_unit;
use crate::math::map::{Binary, Unary};
use crate::simd::VectorMath;

/// `log(1 + exp(z))` from `t = exp(-|z|)` and `z`.
#[inline(always)]
pub(crate) fn softplus_of<V: VectorMath>(t: V, z: V) -> V {
    V::splat(V::Elem::ZERO).max(z).add(log1p_unit(t))
}

/// `a = log(1 + exp(z))`
#[derive(Clone, Copy)]
pub(crate) struct Softplus;

impl Unary for Softplus {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V) -> V {
        softplus_of(exp_neg_abs(z), z)
    }
}

/// `dz = da (1 - exp(-a))`
#[derive(Clone, Copy)]
pub(crate) struct Backward;

impl Binary for Backward {
    #[inline(always)]
    fn apply<V: VectorMath>(self, a: V, da: V) -> V {
        da.mul(expm1(a.neg()).neg())
    }
}
