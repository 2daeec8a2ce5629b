//! The sigmoid: `a = 1 / (1 + exp(-z))`; `dz = da a (1 - a)`.
//!
//! With `t = exp(-|z|)`, which does not overflow, `a = 1 / (1 + t)`, or `t / (1 + t)` if `z < 0`;
//! and with `t` itself a quotient `u / v`, `a = v / (u + v)`, or `u / (u + v)`: one division.

use crate::float::Float;
use crate::math::exp::exp_quotient;
use crate::math::map::{Binary, Unary};
use crate::simd::VectorMath;

/// `1 / (1 + exp(-z))`
#[inline(always)]
pub(crate) fn sigmoid<V: VectorMath>(z: V) -> V {
    let (u, v) = exp_quotient(z.abs().neg());
    V::select(z.lt(V::splat(V::Elem::ZERO)), u, v).div(u.add(v))
}

/// The same from `t = exp(-|z|)` and `z`.
#[inline(always)]
pub(crate) fn sigmoid_of<V: VectorMath>(t: V, z: V) -> V {
    let one = V::splat(V::Elem::ONE);
    V::select(z.lt(V::splat(V::Elem::ZERO)), t, one).div(t.add(one))
}

/// `a = 1 / (1 + exp(-z))`
#[derive(Clone, Copy)]
pub(crate) struct Sigmoid;

impl Unary for Sigmoid {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V) -> V {
        sigmoid(z)
    }
}

/// `dz = da a (1 - a)`
#[derive(Clone, Copy)]
pub(crate) struct Backward;

impl Binary for Backward {
    #[inline(always)]
    fn apply<V: VectorMath>(self, a: V, da: V) -> V {
        da.mul(a).mul(V::splat(V::Elem::ONE).sub(a))
    }
}
