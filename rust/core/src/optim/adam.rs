//! Adam: `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`,
//! `w ← w - η m̂ / (√v̂ + ε)` with `m̂ = m / (1 - β₁ᵗ)`, `v̂ = v / (1 - β₂ᵗ)`.
//!
//! With `ε̂` in place of `ε √(1 - β₂ᵗ)` it is the paper's efficient form.
//! AdamW first shrinks `w` by the factor `1 - η · weight_decay`; for Adam that factor is 1.

use super::update::Rule;
use crate::float::Float;
use crate::math::speck::without_specks;
use crate::simd::VectorMath;

#[derive(Clone, Copy, Debug)]
pub(super) struct Adam<T> {
    beta1: T,
    one_minus_beta1: T,
    beta2: T,
    one_minus_beta2: T,
    epsilon: T,
    /// `1 - η · weight_decay`
    shrink: T,
    /// `η / (1 - β₁ᵗ)`
    step: T,
    /// `1 / √(1 - β₂ᵗ)`
    root_correction: T,
}

impl Adam<f64> {
    pub(super) fn new(
        beta1: f64,
        beta2: f64,
        epsilon: f64,
        weight_decay: f64,
        t: u64,
        learning_rate: f64,
    ) -> Self {
        // libm, not the system's library: the same bits on every machine.
        let correction = |beta: f64| 1.0 - libm::pow(beta, t as f64);
        Self {
            beta1,
            one_minus_beta1: 1.0 - beta1,
            beta2,
            one_minus_beta2: 1.0 - beta2,
            epsilon,
            shrink: 1.0 - learning_rate * weight_decay,
            step: learning_rate / correction(beta1),
            root_correction: 1.0 / correction(beta2).sqrt(),
        }
    }

    /// With `ε̂ = epsilon`, for which `η m̂ / (√v̂ + ε)` is `η √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m / (√v + ε̂)`.
    pub(super) fn epsilon_hat(self) -> Self {
        Self { epsilon: self.epsilon * self.root_correction, ..self }
    }

    pub(super) fn cast<T: Float>(self) -> Adam<T> {
        Adam {
            beta1: T::from_f64(self.beta1),
            one_minus_beta1: T::from_f64(self.one_minus_beta1),
            beta2: T::from_f64(self.beta2),
            one_minus_beta2: T::from_f64(self.one_minus_beta2),
            epsilon: T::from_f64(self.epsilon),
            shrink: T::from_f64(self.shrink),
            step: T::from_f64(self.step),
            root_correction: T::from_f64(self.root_correction),
        }
    }
}

impl<T: Float> Rule<T, 2> for Adam<T> {
    #[inline(always)]
    fn apply<V: VectorMath<Elem = T>>(self, w: V, g: V, [m, v]: [V; 2]) -> (V, [V; 2]) {
        let m = V::splat(self.beta1).mul_add(m, V::splat(self.one_minus_beta1).mul(g));
        let m = without_specks(m);
        let square = V::splat(self.one_minus_beta2).mul(g).mul(g);
        let v = V::splat(self.beta2).mul_add(v, square);
        let root = v.sqrt().mul_add(V::splat(self.root_correction), V::splat(self.epsilon));
        let w = w.mul(V::splat(self.shrink));
        (V::splat(self.step).neg_mul_add(m.div(root), w), [m, v])
    }
}
