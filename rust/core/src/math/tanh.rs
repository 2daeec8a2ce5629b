//! `tanh(x)` for `x >= 0`, as a quotient. (AVX-512 has a quicker way for `f32`, by pieces: `simd/avx512/tanh.rs`.)
//!
//! With `t = exp(-2x)`, `tanh x = (1 - t) / (1 + t)`; and with `t = s (1 + q)` where `s` is a power of two,
//! `1 ∓ t = (1 ∓ s) ∓ s q`, which loses no figures near 0.

use super::constants::Constants;
use super::exp::exp_whole;
use crate::float::Float;
use crate::simd::VectorMath;

/// `tanh(x)`; NaN stays NaN.
#[inline(always)]
pub(crate) fn quotient<V: VectorMath>(x: V) -> V {
    let one = V::splat(V::Elem::ONE);
    // In this order, NaN passes.
    let y = V::splat(V::Elem::EXPM1_LOWEST).max(x.mul(V::splat(V::Elem::from_f64(-2.0))));
    let (n, q) = exp_whole(y);
    let s = n.pow2();
    let (above, below) = (s.neg_mul_add(q, one.sub(s)), s.mul_add(q, one.add(s)));
    above.div(below)
}
