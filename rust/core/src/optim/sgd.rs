//! Gradient descent.
//!
//! Plain: `w ← w - η g`. With momentum μ: `v ← μ v + g`, `w ← w - η v`. Nesterov's:
//! `v ← μ v + g`, `w ← w - η (g + μ v)`.

use super::update::Rule;
use crate::float::Float;
use crate::math::speck::without_specks;
use crate::simd::VectorMath;

#[derive(Clone, Copy, Debug)]
pub(super) struct Sgd<T> {
    pub(super) learning_rate: T,
}

impl Sgd<f64> {
    pub(super) fn cast<T: Float>(self) -> Sgd<T> {
        Sgd { learning_rate: T::from_f64(self.learning_rate) }
    }
}

impl<T: Float> Rule<T, 0> for Sgd<T> {
    #[inline(always)]
    fn apply<V: VectorMath<Elem = T>>(self, w: V, g: V, _: [V; 0]) -> (V, [V; 0]) {
        (V::splat(self.learning_rate).neg_mul_add(g, w), [])
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Momentum<T> {
    pub(super) learning_rate: T,
    pub(super) momentum: T,
}

impl Momentum<f64> {
    pub(super) fn cast<T: Float>(self) -> Momentum<T> {
        Momentum {
            learning_rate: T::from_f64(self.learning_rate),
            momentum: T::from_f64(self.momentum),
        }
    }
}

impl<T: Float> Rule<T, 1> for Momentum<T> {
    #[inline(always)]
    fn apply<V: VectorMath<Elem = T>>(self, w: V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
        let v = without_specks(V::splat(self.momentum).mul_add(v, g));
        (V::splat(self.learning_rate).neg_mul_add(v, w), [v])
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Nesterov<T> {
    pub(super) learning_rate: T,
    pub(super) momentum: T,
}

impl Nesterov<f64> {
    pub(super) fn cast<T: Float>(self) -> Nesterov<T> {
        Nesterov {
            learning_rate: T::from_f64(self.learning_rate),
            momentum: T::from_f64(self.momentum),
        }
    }
}

impl<T: Float> Rule<T, 1> for Nesterov<T> {
    #[inline(always)]
    fn apply<V: VectorMath<Elem = T>>(self, w: V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
        let momentum = V::splat(self.momentum);
        let v = without_specks(momentum.mul_add(v, g));
        (V::splat(self.learning_rate).neg_mul_add(momentum.mul_add(v, g), w), [v])
    }
}
