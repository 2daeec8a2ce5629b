//! SELU: `a = λ z` if `z > 0`, else `λ α (exp(z) - 1)`; `dz = λ da`, or `da (a + λ α)`.
//!
//! With these λ and α, mean 0 and variance 1 are kept from layer to layer (Klambauer et al., 2017).

use crate::float::Float;
use crate::math::exp::expm1;
use crate::math::map::{Binary, Unary};
use crate::simd::VectorMath;

const LAMBDA: f64 = 1.050_700_987_355_480_5;
const ALPHA: f64 = 1.673_263_242_354_377_2;

/// `a = λ z` if `z > 0`, else `λ α (exp(z) - 1)`
#[derive(Clone, Copy)]
pub(crate) struct Selu;

impl Unary for Selu {
    #[inline(always)]
    fn apply<V: VectorMath>(self, z: V) -> V {
        let zero = V::splat(V::Elem::ZERO);
        let lambda = V::splat(V::Elem::from_f64(LAMBDA));
        let lambda_alpha = V::splat(V::Elem::from_f64(LAMBDA * ALPHA));
        // The order in which NaN passes.
        let negative = lambda_alpha.mul(expm1(zero.min(z)));
        V::select(zero.lt(z), lambda.mul(z), negative)
    }
}

/// `dz = λ da` if `a > 0`, else `da (a + λ α)`
#[derive(Clone, Copy)]
pub(crate) struct Backward;

impl Binary for Backward {
    #[inline(always)]
    fn apply<V: VectorMath>(self, a: V, da: V) -> V {
        let lambda = V::splat(V::Elem::from_f64(LAMBDA));
        let lambda_alpha = V::splat(V::Elem::from_f64(LAMBDA * ALPHA));
        let slope = V::select(V::splat(V::Elem::ZERO).lt(a), lambda, a.add(lambda_alpha));
        da.mul(slope)
    }
}
