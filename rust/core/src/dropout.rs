//! Dropout: in training, each number that enters a layer is left out with a probability `p`, drawn anew in each
//! step (Srivastava et al. 2014).
//!
//! ```text
//! forward    A' = A ∘ M      M_ij = 0 with probability p, else 1 / (1 - p)
//! backward   dA = dA' ∘ M
//! ```
//!
//! What is kept grows, so that its expectation stays and nothing has to change when the network predicts
//! ("inverted" dropout). The mask of a step and a layer is a stream of random numbers of its own, in which every
//! element has its place: it does not depend on threads or blocks, and a run can be continued anywhere.

use ndarray::{ArrayView2, ArrayViewMut2, Zip};

use crate::architecture::Architecture;
use crate::backprop::{matrix, matrix_mut};
use crate::buffer::Buffer;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::rng::{Purpose, Rng};

/// The masks of those layers whose input is thinned, and room for what is left of it.
pub(crate) struct Dropout<T: Float> {
    seed: u64,
    /// The step at work.
    step: u64,
    /// The first row of the block at work, counted in its batch.
    row: usize,
    layers: Vec<Option<Mask<T>>>,
}

struct Mask<T: Float> {
    rate: f64,
    /// `M`, (rows, n).
    factors: Buffer<T>,
    /// `A'`, (rows, n).
    kept: Buffer<T>,
}

impl<T: Float> Dropout<T> {
    /// With a probability for the input of each layer, for blocks of up to `rows` rows.
    pub(crate) fn new(
        architecture: &Architecture,
        rates: &[f64],
        seed: u64,
        rows: usize,
    ) -> Result<Self> {
        let room = |n| Buffer::zeros(rows * n, "the masks of dropout");
        let mask = |(&rate, &n): (&f64, &usize)| match rate {
            0.0 => Ok(None),
            rate => Ok(Some(Mask { rate, factors: room(n)?, kept: room(n)? })),
        };
        let layers = rates.iter().zip(architecture.sizes()).map(mask).collect::<Result<_>>()?;
        Ok(Self { seed, step: 0, row: 0, layers })
    }

    /// Turns to another step.
    pub(crate) fn begin_step(&mut self, step: u64) {
        self.step = step;
    }

    /// Turns to the block of its batch that begins with that row.
    pub(crate) fn begin_block(&mut self, row: usize) {
        self.row = row;
    }

    /// Draws a mask for `A`, the input of layer `l`, and leaves what it [keeps](Self::kept).
    pub(crate) fn forward(&mut self, ctx: &Context, l: usize, a: ArrayView2<'_, T>) {
        let (rows, n) = a.dim();
        let stream = self.step * self.layers.len() as u64 + l as u64;
        let Some(mask) = &mut self.layers[l] else { return };
        let factors = &mut mask.factors[..rows * n];
        draw(ctx, self.seed, stream, self.row * n, mask.rate, factors);
        let kept = matrix_mut(&mut mask.kept, rows, n);
        Zip::from(kept).and(a).and(matrix(factors, rows, n)).for_each(|kept, &a, &m| *kept = a * m);
    }

    /// `A'`, (rows, n), of the last forward pass; none where nothing is left out.
    pub(crate) fn kept(&self, l: usize, rows: usize, n: usize) -> Option<ArrayView2<'_, T>> {
        self.layers[l].as_ref().map(|mask| matrix(&mask.kept, rows, n))
    }

    /// `dA' → dA` for the input of layer `l`, in place.
    pub(crate) fn backward(&self, l: usize, mut da: ArrayViewMut2<'_, T>) {
        if let Some(mask) = &self.layers[l] {
            let (rows, n) = da.dim();
            da.zip_mut_with(&matrix(&mask.factors, rows, n), |da, &m| *da *= m);
        }
    }
}

/// Draws `M`, whose elements are those from number `first` on of a stream.
fn draw<T: Float>(
    ctx: &Context,
    seed: u64,
    stream: u64,
    first: usize,
    rate: f64,
    factors: &mut [T],
) {
    // 32 random bits an element: the probability is a multiple of 2⁻³², and so is what it grows by.
    let below = (rate * (1u64 << 32) as f64) as u32;
    let kept = T::from_f64(1.0 / (1.0 - f64::from(below) / (1u64 << 32) as f64));
    ctx.in_pieces(factors, |from, piece| {
        let mut rng = Rng::new(seed, Purpose::Dropout, stream);
        rng.skip_to((first + from) as u64);
        for factor in piece {
            *factor = if rng.word() < below { T::ZERO } else { kept };
        }
    });
}

/// Fails unless there is a probability for the input of each layer, or none at all.
pub(crate) fn check(architecture: &Architecture, rates: &[f64]) -> Result<()> {
    let argument = "dropout";
    let layers = architecture.layers();
    if !rates.is_empty() && rates.len() != layers {
        let (came, expected) = (format!("{rates:?}"), format!("{layers} numbers"));
        return Err(Error::Value { argument, came, expected });
    }
    let wrong = rates.iter().find(|rate| !(0.0..1.0).contains(*rate));
    wrong.map_or(Ok(()), |rate| {
        let expected = "a number from 0 up to, but not including, 1".to_owned();
        Err(Error::Value { argument, came: rate.to_string(), expected })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Isa;

    fn mask(threads: usize, stream: u64, first: usize, len: usize, rate: f64) -> Vec<f64> {
        let mut factors = vec![f64::NAN; len];
        draw(&Context::new(Isa::best(), threads), 7, stream, first, rate, &mut factors);
        factors
    }

    #[test]
    fn as_many_are_left_out_as_should_be() {
        for rate in [0.1, 0.5, 0.8] {
            let n = 200_000;
            let mask = mask(2, 1, 0, n, rate);
            let out = mask.iter().filter(|&&m| m == 0.0).count() as f64 / n as f64;
            // Five standard deviations.
            assert!((out - rate).abs() < 5.0 * (rate * (1.0 - rate) / n as f64).sqrt(), "{out}");
            let grown = 1.0 / (1.0 - rate);
            assert!(mask.iter().all(|&m| m == 0.0 || (m - grown).abs() < 1e-8));
            let both = mask.windows(2).filter(|m| m[0] == 0.0 && m[1] == 0.0).count() as f64;
            assert!((both / n as f64 - rate * rate).abs() < 0.006, "neighbours know nothing");
        }
    }

    #[test]
    fn an_element_has_its_place_in_the_stream() {
        let whole = mask(1, 3, 0, 40_000, 0.4);
        assert_eq!(whole, mask(5, 3, 0, 40_000, 0.4));
        for first in [1, 16, 12_345] {
            assert_eq!(whole[first..first + 20_000], mask(2, 3, first, 20_000, 0.4));
        }
        assert_ne!(whole, mask(1, 4, 0, 40_000, 0.4));
    }
}
