//! What a run in the space of examples is continued from.

use super::WHAT;
use crate::buffer::try_collect;
use crate::error::Result;

/// Everything that continues a run, bit for bit.
#[derive(Debug, PartialEq)]
pub struct GramState<T> {
    /// `W₀` and, if there is one, `V₀`: (h, n) in row order.
    pub starts: Vec<Vec<T>>,
    /// Of `W`, and of each slot of the optimiser: `[s, q]`, and `D`, (h, m).
    pub coefficients: Vec<([f64; 2], Vec<f64>)>,
    /// `Zᵀ`, and that of each slot, (h, m).
    pub products: Vec<Vec<T>>,
}

impl<T: Copy> GramState<T> {
    /// A copy.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn try_clone(&self) -> Result<Self> {
        let copies = |all: &[Vec<T>]| all.iter().map(|v| copy(v)).collect::<Result<_>>();
        let coefficients = self.coefficients.iter();
        Ok(Self {
            starts: copies(&self.starts)?,
            coefficients: coefficients
                .map(|(starts, rows)| Ok((*starts, copy(rows)?)))
                .collect::<Result<_>>()?,
            products: copies(&self.products)?,
        })
    }

    /// Whether it is that of `m` samples of `n` features, `h` units and so many slots.
    pub(crate) fn fits(&self, m: usize, n: usize, h: usize, slots: usize) -> bool {
        (1..=2).contains(&self.starts.len())
            && self.starts.iter().all(|start| start.len() == h * n)
            && self.coefficients.len() == slots + 1
            && self.coefficients.iter().all(|(_, rows)| rows.len() == m * h)
            && self.products.len() == slots + 1
            && self.products.iter().all(|z| z.len() == m * h)
    }
}

/// A copy of some numbers.
pub(super) fn copy<T: Copy>(numbers: &[T]) -> Result<Vec<T>> {
    try_collect(numbers.len(), WHAT, numbers.iter().copied())
}
