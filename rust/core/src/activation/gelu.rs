//! GELU: `a = z Φ(z)`; `dz = da (Φ(z) + z φ(z))`, with the normal distribution `Φ` and its density `φ`.
//!
//! This is the exact form, PyTorch's default, not the approximation by tanh. As
//! `max(z, 0) - |z| Φ(-|z|)` it keeps its figures where `z` is negative.

use crate::float::Float;
use crate::math::map::{Binary, Unary};
use crate::math::normal::upper_tail;
use crate::simd::VectorMath;

const INVERSE_SQRT_2_PI: f64 = 0.398_942_280_401_432_7;

/// `a = z Φ(z)`
#[derive(Clone, Copy)]
pub(crate) struct Gelu;

impl Unary for Gelu {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V) -> V {
        let (a, tail, _) = upper_tail(z);
        // The order in which NaN passes.
        a.neg_mul_add(tail, V::splat(V::Elem::ZERO).max(z))
    }
}

/// `dz = da (Φ(z) + z φ(z))`
#[derive(Clone, Copy)]
pub(crate) struct Backward;

impl Binary for Backward {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V, da: V) -> V {
        let (a, tail, density) = upper_tail(z);
        let below = z.lt(V::splat(V::Elem::ZERO));
        let cdf = V::select(below, tail, V::splat(V::Elem::ONE).sub(tail));
        let density = density.mul(V::splat(V::Elem::from_f64(INVERSE_SQRT_2_PI)));
        da.mul(a.copysign(z).mul_add(density, cdf))
    }
}
