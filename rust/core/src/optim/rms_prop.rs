//! RMSProp: `s ← ρ s + (1 - ρ) g²`, `w ← w - η g / (√s + ε)`.
//!
//! With momentum μ: `v ← μ v + g / (√s + ε)`, `w ← w - η v`.

use super::update::Rule;
use crate::float::Float;
use crate::math::speck::without_specks;
use crate::simd::VectorMath;

#[derive(Clone, Copy, Debug)]
pub(super) struct RmsProp<T> {
    rho: T,
    one_minus_rho: T,
    epsilon: T,
    learning_rate: T,
}

impl RmsProp<f64> {
    pub(super) fn new(rho: f64, epsilon: f64, learning_rate: f64) -> Self {
        Self { rho, one_minus_rho: 1.0 - rho, epsilon, learning_rate }
    }

    pub(super) fn cast<T: Float>(self) -> RmsProp<T> {
        RmsProp {
            rho: T::from_f64(self.rho),
            one_minus_rho: T::from_f64(self.one_minus_rho),
            epsilon: T::from_f64(self.epsilon),
            learning_rate: T::from_f64(self.learning_rate),
        }
    }
}

impl<T: Float> RmsProp<T> {
    /// The new `s`, and `g / (√s + ε)`.
    #[inline(always)]
    fn scaled<V: VectorMath<Elem = T>>(self, g: V, s: V) -> (V, V) {
        let s = V::splat(self.rho).mul_add(s, V::splat(self.one_minus_rho).mul(g).mul(g));
        (s, g.div(s.sqrt().add(V::splat(self.epsilon))))
    }
}

impl<T: Float> Rule<T, 1> for RmsProp<T> {
    #[inline(always)]
    fn apply<V: VectorMath<Elem = T>>(self, w: V, g: V, [s]: [V; 1]) -> (V, [V; 1]) {
        let (s, g) = self.scaled(g, s);
        (V::splat(self.learning_rate).neg_mul_add(g, w), [s])
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct RmsPropMomentum<T> {
    pub(super) plain: RmsProp<T>,
    pub(super) momentum: T,
}

impl RmsPropMomentum<f64> {
    pub(super) fn cast<T: Float>(self) -> RmsPropMomentum<T> {
        RmsPropMomentum { plain: self.plain.cast(), momentum: T::from_f64(self.momentum) }
    }
}

impl<T: Float> Rule<T, 2> for RmsPropMomentum<T> {
    #[inline(always)]
    fn apply<V: VectorMath<Elem = T>>(self, w: V, g: V, [s, v]: [V; 2]) -> (V, [V; 2]) {
        let (s, g) = self.plain.scaled(g, s);
        let v = without_specks(V::splat(self.momentum).mul_add(v, g));
        (V::splat(self.plain.learning_rate).neg_mul_add(v, w), [s, v])
    }
}
