//! Initialisers: random weights of the right size.
//!
//! A layer with `n_in` inputs and `n_out` outputs keeps the variance of what flows through it if
//! its weights have about the variance `2 / n_in` (He et al. 2015, for ReLU), `2 / (n_in + n_out)`
//! (Glorot and Bengio 2010, for tanh and sigmoid) or `1 / n_in` (LeCun et al. 1998). A uniform
//! distribution on `[-limit, limit]` has the variance `limit² / 3`. Orthogonal weights keep lengths (Saxe et
//! al. 2014). Biases begin at zero.

use crate::buffer::Buffer;
use crate::error::Result;
use crate::float::Float;
use crate::math::dot;
use crate::rng::{Purpose, Rng};

/// How the weights of a new network are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Init {
    /// Normal with variance `2 / n_in`.
    #[default]
    HeNormal,
    /// Uniform with variance `2 / n_in`.
    HeUniform,
    /// Normal with variance `2 / (n_in + n_out)`.
    GlorotNormal,
    /// Uniform with variance `2 / (n_in + n_out)`.
    GlorotUniform,
    /// Normal with variance `1 / n_in`.
    LecunNormal,
    /// Uniform with variance `1 / n_in`.
    LecunUniform,
    /// Orthonormal rows, or columns if there are more rows than columns; each such matrix is as likely as any other.
    Orthogonal,
    /// The series' own: uniform on `[-1, 1]`, divided by `sqrt(n_in)`.
    Series,
    /// All zeros: right for a network without hidden layers, where every start ends the same.
    Zeros,
}

impl Init {
    /// Every initialiser.
    pub const ALL: [Self; 9] = [
        Self::HeNormal,
        Self::HeUniform,
        Self::GlorotNormal,
        Self::GlorotUniform,
        Self::LecunNormal,
        Self::LecunUniform,
        Self::Orthogonal,
        Self::Series,
        Self::Zeros,
    ];

    /// The name that Python uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::HeNormal => "he_normal",
            Self::HeUniform => "he_uniform",
            Self::GlorotNormal => "glorot_normal",
            Self::GlorotUniform => "glorot_uniform",
            Self::LecunNormal => "lecun_normal",
            Self::LecunUniform => "lecun_uniform",
            Self::Orthogonal => "orthogonal",
            Self::Series => "series",
            Self::Zeros => "zeros",
        }
    }

    /// The initialiser of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|init| init.name() == name)
    }

    /// Fills the weights of layer number `layer`, (n_out, n_in) in row order. Each layer has a random
    /// stream of its own; an `f32` network gets the numbers of the `f64` one, rounded.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory): orthogonal rows are made in double precision first.
    pub fn fill<T: Float>(
        self,
        seed: u64,
        layer: u64,
        n_in: usize,
        n_out: usize,
        weight: &mut [T],
    ) -> Result<()> {
        let (fan_in, fan_out) = (n_in as f64, n_out as f64);
        let mut rng = Rng::new(seed, Purpose::Weights, layer);
        if self == Self::Orthogonal {
            return orthogonal(&mut rng, n_in, n_out, weight);
        }
        let mut normal = |variance: f64| {
            let deviation = variance.sqrt();
            weight.fill_with(|| T::from_f64(deviation * rng.normal()));
            Ok(())
        };
        match self {
            Self::HeNormal => return normal(2.0 / fan_in),
            Self::GlorotNormal => return normal(2.0 / (fan_in + fan_out)),
            Self::LecunNormal => return normal(1.0 / fan_in),
            _ => {}
        }
        let limit = match self {
            Self::HeUniform => (6.0 / fan_in).sqrt(),
            Self::GlorotUniform => (6.0 / (fan_in + fan_out)).sqrt(),
            Self::LecunUniform => (3.0 / fan_in).sqrt(),
            Self::Series => 1.0 / fan_in.sqrt(),
            _ => {
                weight.fill(T::ZERO);
                return Ok(());
            }
        };
        weight.fill_with(|| T::from_f64(limit * (2.0 * rng.uniform() - 1.0)));
        Ok(())
    }
}

/// Orthonormal rows (or columns, whichever are fewer): normal numbers, made orthogonal by Gram and Schmidt.
fn orthogonal<T: Float>(rng: &mut Rng, n_in: usize, n_out: usize, weight: &mut [T]) -> Result<()> {
    let (count, len) = (n_in.min(n_out), n_in.max(n_out));
    let mut vectors = Buffer::<f64>::zeros(count * len, "orthogonal weights")?;
    vectors.fill_with(|| rng.normal());
    for j in 0..count {
        let (before, rest) = vectors.split_at_mut(j * len);
        let v = &mut rest[..len];
        // Once more where little is left of `v`: what is left is then mostly rounding errors.
        loop {
            let old = dot(v, v);
            for u in before.chunks_exact(len) {
                let share = dot(u, v);
                v.iter_mut().zip(u).for_each(|(v, u)| *v -= share * u);
            }
            let new = dot(v, v);
            if new > 0.25 * old {
                let factor = 1.0 / new.sqrt();
                v.iter_mut().for_each(|v| *v *= factor);
                break;
            }
        }
    }
    let (row, column) = if n_out <= n_in { (n_in, 1) } else { (1, n_out) };
    for (i, out) in weight.chunks_exact_mut(n_in).enumerate() {
        for (j, out) in out.iter_mut().enumerate() {
            *out = T::from_f64(vectors[i * row + j * column]);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variances_and_limits() {
        let (n_in, n_out) = (300, 200);
        for (init, variance, limit) in [
            (Init::HeNormal, 2.0 / 300.0, f64::INFINITY),
            (Init::HeUniform, 2.0 / 300.0, (6.0f64 / 300.0).sqrt()),
            (Init::GlorotNormal, 2.0 / 500.0, f64::INFINITY),
            (Init::GlorotUniform, 2.0 / 500.0, (6.0f64 / 500.0).sqrt()),
            (Init::LecunNormal, 1.0 / 300.0, f64::INFINITY),
            (Init::LecunUniform, 1.0 / 300.0, 0.1),
            (Init::Series, 1.0 / 900.0, 1.0 / 300f64.sqrt()),
            (Init::Zeros, 0.0, 0.0),
        ] {
            let mut weight = vec![f64::NAN; n_in * n_out];
            init.fill(1, 0, n_in, n_out, &mut weight).unwrap();
            let mean = weight.iter().sum::<f64>() / weight.len() as f64;
            let square = weight.iter().map(|w| w * w).sum::<f64>() / weight.len() as f64;
            assert!(mean.abs() <= 0.02 * variance.sqrt(), "{init:?}: mean {mean}");
            assert!((square - variance).abs() <= 0.02 * variance, "{init:?}: variance {square}");
            assert!(weight.iter().all(|w| w.abs() <= limit), "{init:?}");
            assert_eq!(Init::named(init.name()), Some(init));
        }
        assert_eq!(Init::named("magic"), None);
    }

    #[test]
    fn orthogonal_rows_or_columns() {
        for (n_in, n_out) in [(7, 3), (3, 7), (40, 40), (1, 5), (200, 1)] {
            let mut weight = vec![f64::NAN; n_in * n_out];
            Init::Orthogonal.fill(1, 0, n_in, n_out, &mut weight).unwrap();
            let w = ndarray::Array2::from_shape_vec((n_out, n_in), weight).unwrap();
            let product = if n_out <= n_in { w.dot(&w.t()) } else { w.t().dot(&w) };
            let error = product - ndarray::Array2::<f64>::eye(n_in.min(n_out));
            assert!(error.iter().all(|e| e.abs() < 1e-13), "{n_in} {n_out}: {error}");
        }
    }

    #[test]
    fn single_precision_is_double_precision_rounded() {
        let (mut single, mut double) = (vec![0f32; 50], vec![0f64; 50]);
        Init::HeNormal.fill(7, 2, 10, 5, &mut single).unwrap();
        Init::HeNormal.fill(7, 2, 10, 5, &mut double).unwrap();
        assert!(single.iter().zip(&double).all(|(&s, &d)| s == d as f32));
        let mut other = vec![0f64; 50];
        Init::HeNormal.fill(7, 3, 10, 5, &mut other).unwrap();
        assert_ne!(double, other);
    }
}
