//! Every path of the product, on every instruction set of this machine, against the definition in
//! double precision.
//!
//! Whole numbers small enough that every sum is exact make the comparison one of equality; random
//! numbers are held to the error bound of a sum. C lies in a larger array whose other elements must
//! not change.

mod layouts;
mod sizes;

use std::ops::Range;
use std::sync::Mutex;

use ndarray::{Array1, Array2, ArrayView2, azip, s};

use super::{Consumer, Epilogue, Tile, gemm, gemm_naive};
use crate::context::Context;
use crate::float::Float;
use crate::isa::Isa;
pub(super) use layouts::{Laid, Layout};

/// What follows a product, to be built for any element type.
#[derive(Clone, Copy, Debug)]
enum After {
    Nothing,
    Bias,
    BiasRelu,
    Then,
    Consume,
}

const AFTERS: [After; 5] =
    [After::Nothing, After::Bias, After::BiasRelu, After::Then, After::Consume];

/// Collects the tiles of a product, each of which has to come once, and to be announced once at most.
struct Collect {
    expected: Mutex<Array2<usize>>,
    taken: Mutex<Array2<f64>>,
}

impl<T: Float> Consumer<T> for Collect {
    fn expect(&self, rows: Range<usize>, columns: Range<usize>) {
        self.expected.lock().unwrap().slice_mut(s![rows, columns]).mapv_inplace(|times| times + 1);
    }

    fn take(&self, tile: Tile<'_, T>) {
        for ((i, j), x) in tile.values.indexed_iter() {
            let place = &mut self.taken.lock().unwrap()[(tile.row + i, tile.column + j)];
            assert!(place.is_nan(), "taken twice");
            *place = x.to_f64();
        }
    }
}

/// A product to check.
#[derive(Clone, Copy, Debug)]
struct Case {
    size: (usize, usize, usize),
    layouts: (Layout, Layout, Layout),
    alpha: f64,
    beta: f64,
    after: After,
    threads: usize,
}

impl Case {
    fn plain(m: usize, k: usize, n: usize) -> Self {
        Self {
            size: (m, k, n),
            layouts: (Layout::Rows, Layout::Rows, Layout::Rows),
            alpha: 1.0,
            beta: 0.0,
            after: After::Nothing,
            threads: 1,
        }
    }

    /// The `i`-th of many combinations of everything but the size.
    fn varied(self, i: usize) -> Self {
        let inputs = Layout::INPUTS;
        let outputs = Layout::OUTPUTS;
        Self {
            layouts: (
                inputs[i % inputs.len()],
                inputs[i / 3 % inputs.len()],
                outputs[i / 7 % outputs.len()],
            ),
            alpha: [1.0, -2.0, 0.5][i / 2 % 3],
            beta: [0.0, 1.0, 0.0, -3.0][i % 4],
            after: AFTERS[i / 5 % 5],
            threads: [1, 2, 5][i / 11 % 3],
            ..self
        }
    }

    /// On every instruction set, with whole numbers.
    fn check<T: Float>(&self) {
        for &isa in Isa::available() {
            let ctx = Context::new(isa, self.threads);
            let (came, expected) = self.run::<T>(&ctx, whole);
            assert_eq!(came, expected, "{self:?} {} {isa}", T::NAME);
        }
    }

    /// What the product gives, and what it should.
    fn run<T: Float>(
        &self,
        ctx: &Context,
        number: impl Fn(usize) -> f64,
    ) -> (Array2<f64>, Array2<f64>) {
        let (m, k, n) = self.size;
        let fill = |from: usize| {
            let number = &number;
            move |(i, j): (usize, usize)| number(from + 31 * i + 7 * j)
        };
        let a = Laid::new(self.layouts.0, m, k, fill(1));
        let b = Laid::new(self.layouts.1, k, n, fill(2));
        let nan = self.beta == 0.0;
        let mut c = Laid::new(self.layouts.2, m, n, |at| if nan { f64::NAN } else { fill(3)(at) });
        let bias = Array1::from_shape_fn(n, |j| number(4 + 5 * j));

        let mut expected = c.view().mapv(Float::to_f64);
        let after = |x: f64, i: usize, j: usize| 2.0 * x + i as f64 - 3.0 * j as f64;
        let (a64, b64) = (a.view().mapv(Float::to_f64), b.view().mapv(Float::to_f64));
        let epilogue = match self.after {
            After::Nothing | After::Then | After::Consume => Epilogue::None,
            After::Bias => Epilogue::Bias(bias.as_slice().unwrap()),
            After::BiasRelu => Epilogue::BiasRelu(bias.as_slice().unwrap()),
        };
        gemm_naive(self.alpha, a64.view(), b64.view(), self.beta, expected.view_mut(), epilogue);
        if matches!(self.after, After::Then) {
            for ((i, j), x) in expected.indexed_iter_mut() {
                *x = after(*x, i, j);
            }
        }

        let bias: Vec<T> = bias.iter().map(|&x| T::from_f64(x)).collect();
        let then = |mut tile: Tile<'_, T>| {
            for ((i, j), x) in tile.values.indexed_iter_mut() {
                *x = T::from_f64(after(x.to_f64(), tile.row + i, tile.column + j));
            }
        };
        let collect = Collect {
            expected: Mutex::new(Array2::zeros((m, n))),
            taken: Mutex::new(Array2::from_elem((m, n), f64::NAN)),
        };
        let epilogue = match self.after {
            After::Nothing => Epilogue::None,
            After::Bias => Epilogue::Bias(&bias),
            After::BiasRelu => Epilogue::BiasRelu(&bias),
            After::Then => Epilogue::Then(&then),
            After::Consume => Epilogue::Consume(&collect),
        };
        let (alpha, beta) = (T::from_f64(self.alpha), T::from_f64(self.beta));
        gemm(ctx, alpha, a.view(), b.view(), beta, c.view_mut(), epilogue).unwrap();
        let came = match self.after {
            After::Consume => collect.taken.into_inner().unwrap(),
            _ => c.view().mapv(Float::to_f64),
        };
        c.check_surroundings();
        assert!(collect.expected.into_inner().unwrap().iter().all(|&times| times <= 1));
        (came, expected)
    }
}

/// Whole numbers from -4 to 4 in no obvious order.
fn whole(i: usize) -> f64 {
    (i.wrapping_mul(2_654_435_761) >> 7) as f64 % 9.0 - 4.0
}

/// Numbers in [-1, 1) that have no short binary fraction.
fn fraction(i: usize) -> f64 {
    let x = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

/// The largest difference of two matrices.
fn distance(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> f64 {
    let mut most = 0.0f64;
    azip!((&a in a, &b in b) most = if (a - b).abs() > most || (a - b).is_nan() { (a - b).abs() } else { most });
    most
}
