//! One step of an optimiser: the loop that carries its rule along the parameters.

use super::{Optimizer, adam, rms_prop, sgd};
use crate::float::Float;
use crate::isa::Isa;
use crate::simd::{Kernel, VectorMath, dispatch, each};

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
        let len = param.len();
        assert_eq!(grad.len(), len, "grad and param differ in length");
        assert!(state.iter().all(|s| s.len() == len), "state and param differ in length");
        let mut starts = [std::ptr::null_mut(); Optimizer::MAX_SLOTS];
        for (start, state) in starts.iter_mut().zip(state.iter_mut()) {
            *start = state.as_mut_ptr();
        }
        let block = Block {
            param: param.as_mut_ptr(),
            grad: grad.as_ptr(),
            state: starts,
            rows: 1,
            columns: len,
            stride: 0,
            grad_stride: 0,
        };
        // SAFETY: all arrays are as long as the block's only row, and borrowed for this call.
        unsafe { self.apply_block(isa, l2, state.len(), block) };
    }

    /// The same for a block of a matrix, with `slots` arrays of state.
    ///
    /// # Panics
    /// If that is not how many the optimiser has.
    ///
    /// # Safety
    /// The block's elements are this call's alone: its parameters and state to write, its gradient to read.
    pub(crate) unsafe fn apply_block<T: Float>(
        &self,
        isa: Isa,
        l2: f64,
        slots: usize,
        block: Block<T>,
    ) {
        fn run<T: Float, R: Rule<T, N>, const N: usize>(
            isa: Isa,
            rule: R,
            l2: f64,
            slots: usize,
            block: Block<T>,
        ) {
            assert_eq!(slots, N, "the number of state arrays");
            dispatch(isa, Step { rule, l2: T::from_f64(l2), block: block.in_one_row() });
        }
        match self.0 {
            Family::Sgd(rule) => run(isa, rule.cast(), l2, slots, block),
            Family::Momentum(rule) => run(isa, rule.cast(), l2, slots, block),
            Family::Nesterov(rule) => run(isa, rule.cast(), l2, slots, block),
            Family::RmsProp(rule) => run(isa, rule.cast(), l2, slots, block),
            Family::RmsPropMomentum(rule) => run(isa, rule.cast(), l2, slots, block),
            Family::Adam(rule) => run(isa, rule.cast(), l2, slots, block),
        }
    }
}

/// A block of a matrix of parameters, of its gradient, and of what the optimiser remembers.
#[derive(Clone, Copy)]
pub(crate) struct Block<T> {
    pub(crate) param: *mut T,
    pub(crate) grad: *const T,
    pub(crate) state: [*mut T; Optimizer::MAX_SLOTS],
    pub(crate) rows: usize,
    /// Contiguous in each row.
    pub(crate) columns: usize,
    /// From row to row, of the parameters and the state.
    pub(crate) stride: usize,
    pub(crate) grad_stride: usize,
}

impl<T> Block<T> {
    /// The same as one row, if its rows lie one behind the other. Between them there would be masked writes with reads
    /// of what comes next behind them, and a processor takes such a write for one of a whole register: it waits until it
    /// is done. That doubles the time of an update of rows of 30.
    fn in_one_row(self) -> Self {
        match self.stride == self.columns && self.grad_stride == self.columns {
            true => Self { rows: 1, columns: self.rows * self.columns, ..self },
            false => self,
        }
    }
}

/// How one register of parameters changes, with `N` numbers of state each.
pub(super) trait Rule<T, const N: usize>: Copy {
    /// The new `w` and state. Implementations are `#[inline(always)]`.
    fn apply<V: VectorMath<Elem = T>>(self, w: V, g: V, state: [V; N]) -> (V, [V; N]);
}

/// Made only by [`Update::apply_block`], whose promises hold.
struct Step<T, R, const N: usize> {
    rule: R,
    l2: T,
    block: Block<T>,
}

impl<T: Float, R: Rule<T, N>, const N: usize> Kernel<T> for Step<T, R, N> {
    type Output = ();

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) {
        let Self { rule, l2, block } = self;
        let l2 = V::splat(l2);
        let whole = block.columns - block.columns % V::LANES;
        for row in 0..block.rows {
            let param = block.param.wrapping_add(row * block.stride);
            let grad = block.grad.wrapping_add(row * block.grad_stride);
            let state: [*mut T; N] = each(|s| block.state[s].wrapping_add(row * block.stride));
            for i in (0..whole).step_by(V::LANES) {
                // SAFETY: i + LANES <= columns, which are the block's, as the maker promised.
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
            if whole < block.columns {
                let rest = block.columns - whole;
                // SAFETY: `rest` elements are left in every row.
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
}
