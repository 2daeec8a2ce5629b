//! One step of an optimiser: the loop that carries its rule along the parameters.

use super::{Optimizer, adam, rms_prop, sgd};
use crate::float::Float;
use crate::isa::Isa;
use crate::simd::{Kernel, VectorMath, dispatch};

/// What all parameters have in common in one step of an [`Optimizer`]. It is cheap to apply to
/// short runs, such as the rows of a tile of the gradient that has just been computed.
#[derive(Clone, Copy, Debug)]
pub struct Update(Family);

#[derive(Clone, Copy, Debug)]
enum Family {
    Sgd(sgd::Sgd<f64>),
    Momentum(sgd::Momentum<f64>),
    Nesterov(sgd::Nesterov<f64>),
    RmsProp(rms_prop::RmsProp<f64>),
    RmsPropMomentum(rms_prop::RmsPropMomentum<f64>),
    Adam(adam::Adam<f64>),
}

impl Update {
    pub(super) fn new(optimizer: &Optimizer, t: u64, learning_rate: f64) -> Self {
        Self(match *optimizer {
            Optimizer::Sgd { momentum: 0.0, .. } => Family::Sgd(sgd::Sgd { learning_rate }),
            Optimizer::Sgd { momentum, nesterov: false } => {
                Family::Momentum(sgd::Momentum { learning_rate, momentum })
            }
            Optimizer::Sgd { momentum, nesterov: true } => {
                Family::Nesterov(sgd::Nesterov { learning_rate, momentum })
            }
            Optimizer::RmsProp { rho, epsilon, momentum } => {
                let plain = rms_prop::RmsProp::new(rho, epsilon, learning_rate);
                if momentum == 0.0 {
                    Family::RmsProp(plain)
                } else {
                    Family::RmsPropMomentum(rms_prop::RmsPropMomentum { plain, momentum })
                }
            }
            Optimizer::Adam { beta1, beta2, epsilon } => {
                Family::Adam(adam::Adam::new(beta1, beta2, epsilon, 0.0, t, learning_rate))
            }
            Optimizer::AdamHat { beta1, beta2, epsilon } => Family::Adam(
                adam::Adam::new(beta1, beta2, epsilon, 0.0, t, learning_rate).epsilon_hat(),
            ),
            Optimizer::AdamW { beta1, beta2, epsilon, weight_decay } => {
                Family::Adam(adam::Adam::new(beta1, beta2, epsilon, weight_decay, t, learning_rate))
            }
        })
    }

    /// Changes `param` by its gradient `grad + l2 · param`, and the state with it.
    ///
    /// # Panics
    /// If the lengths differ, or `state` has not as many slices as the optimiser has slots.
    pub fn apply<T: Float>(
        &self,
        isa: Isa,
        l2: f64,
        param: &mut [T],
        grad: &[T],
        state: &mut [&mut [T]],
    ) {
        match self.0 {
            Family::Sgd(rule) => run(isa, rule.cast(), l2, param, grad, state),
            Family::Momentum(rule) => run(isa, rule.cast(), l2, param, grad, state),
            Family::Nesterov(rule) => run(isa, rule.cast(), l2, param, grad, state),
            Family::RmsProp(rule) => run(isa, rule.cast(), l2, param, grad, state),
            Family::RmsPropMomentum(rule) => run(isa, rule.cast(), l2, param, grad, state),
            Family::Adam(rule) => run(isa, rule.cast(), l2, param, grad, state),
        }
    }
}

/// How one register of parameters changes, with `N` numbers of state each.
pub(super) trait Rule<T, const N: usize>: Copy {
    /// The new `w` and state. Implementations are `#[inline(always)]`.
    fn apply<V: VectorMath<Elem = T>>(self, w: V, g: V, state: [V; N]) -> (V, [V; N]);
}

fn run<T: Float, R: Rule<T, N>, const N: usize>(
    isa: Isa,
    rule: R,
    l2: f64,
    param: &mut [T],
    grad: &[T],
    state: &mut [&mut [T]],
) {
    assert_eq!(grad.len(), param.len(), "grad and param differ in length");
    assert_eq!(state.len(), N, "the number of state arrays");
    assert!(state.iter().all(|s| s.len() == param.len()), "state and param differ in length");
    let state = std::array::from_fn(|i| state[i].as_mut_ptr());
    dispatch(isa, Step { rule, l2: T::from_f64(l2), param, grad, state });
}

/// The arrays of `state` are as long as `param`, and apart from it and from each other.
struct Step<'a, T, R, const N: usize> {
    rule: R,
    l2: T,
    param: &'a mut [T],
    grad: &'a [T],
    state: [*mut T; N],
}

impl<T: Float, R: Rule<T, N>, const N: usize> Kernel<T> for Step<'_, T, R, N> {
    type Output = ();

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) {
        let (len, rule, l2, state) = (self.param.len(), self.rule, V::splat(self.l2), self.state);
        let (param, grad) = (self.param.as_mut_ptr(), self.grad.as_ptr());
        let whole = len - len % V::LANES;
        for i in (0..whole).step_by(V::LANES) {
            // SAFETY: i + LANES <= len, and every array is that long.
            unsafe {
                let (w, g) = (V::load(param.add(i)), V::load(grad.add(i)));
                let mut s = [l2; N];
                for (s, from) in s.iter_mut().zip(state) {
                    *s = V::load(from.add(i));
                }
                let (w, s) = rule.apply(w, l2.mul_add(w, g), s);
                w.store(param.add(i));
                for (s, to) in s.into_iter().zip(state) {
                    s.store(to.add(i));
                }
            }
        }
        if whole < len {
            let rest = len - whole;
            // SAFETY: `rest` elements are left in every array.
            unsafe {
                let (param, grad) = (param.add(whole), grad.add(whole));
                let (w, g) = (V::load_head(param, rest), V::load_head(grad, rest));
                let mut s = [l2; N];
                for (s, from) in s.iter_mut().zip(state) {
                    *s = V::load_head(from.add(whole), rest);
                }
                let (w, s) = rule.apply(w, l2.mul_add(w, g), s);
                w.store_head(param, rest);
                for (s, to) in s.into_iter().zip(state) {
                    s.store_head(to.add(whole), rest);
                }
            }
        }
    }
}
