//! How the activations of a block of examples lie in memory.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::backprop::{matrix, matrix_mut};
use crate::float::Float;
use crate::simd::MOST_LANES;

/// Where a matrix (rows, units) keeps the numbers of one example. It is seen as (rows, units) either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// In a row: what the samples do, and what suits wide layers.
    Rows,
    /// In a column, as the series has them: a vector then holds one unit's numbers for several examples, so a
    /// layer of seven units fills its registers as well as one of seven hundred.
    Columns,
}

impl Layout {
    /// How many examples there is room for, if there are `rows`. What is beyond them is computed with the rest, and
    /// used by nobody.
    pub(crate) fn padded(self, rows: usize) -> usize {
        match self {
            Self::Rows => rows,
            // Whole registers of any type: a product then has no edge along the examples.
            Self::Columns => rows.next_multiple_of(MOST_LANES),
        }
    }

    /// The start of a buffer as (rows, units).
    pub(crate) fn view<T: Float>(
        self,
        buffer: &[T],
        rows: usize,
        units: usize,
    ) -> ArrayView2<'_, T> {
        match self {
            Self::Rows => matrix(buffer, rows, units),
            Self::Columns => matrix(buffer, units, rows).reversed_axes(),
        }
    }

    /// The start of a buffer as (rows, units), to write.
    pub(crate) fn view_mut<T: Float>(
        self,
        buffer: &mut [T],
        rows: usize,
        units: usize,
    ) -> ArrayViewMut2<'_, T> {
        match self {
            Self::Rows => matrix_mut(buffer, rows, units),
            Self::Columns => matrix_mut(buffer, units, rows).reversed_axes(),
        }
    }
}
