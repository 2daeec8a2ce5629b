//! Samples of which most numbers are zero, as compressed sparse rows (CSR): read and widened a block of rows at a time.
//!
//! Row `i` has the numbers `values[indptr[i]..indptr[i + 1]]` in the columns `indices[..]` of the same range, and
//! zeros elsewhere. Numbers of one column that come several times are added up.

use std::ops::Range;

use ndarray::ArrayViewMut2;

use crate::context::Context;
use crate::disjoint::Disjoint;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::isa::Isa;
use crate::math::first_non_finite;
use crate::samples::Rows;

/// The numbers that are not zero.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "a variant is its element type")]
pub enum SparseValues<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
}

impl SparseValues<'_> {
    fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }
}

/// A sparse matrix of samples.
#[derive(Clone, Debug)]
pub struct Sparse<'a> {
    indptr: &'a [i64],
    indices: &'a [i32],
    values: SparseValues<'a>,
    /// The columns that are looked at.
    columns: Range<usize>,
}

impl<'a> Sparse<'a> {
    /// A matrix of `indptr.len() - 1` rows and that many columns.
    ///
    /// ```
    /// use purrceptron::sparse::{Sparse, SparseValues};
    ///
    /// let x = Sparse::new(&[0, 1, 3], &[2, 0, 1], SparseValues::F32(&[5.0, 1.0, 2.0]), 3)?;
    /// assert_eq!(x.dim(), (2, 3));
    /// assert!(Sparse::new(&[0, 1, 3], &[2, 0, 7], SparseValues::F32(&[5.0, 1.0, 2.0]), 3).is_err());
    /// # Ok::<(), purrceptron::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Value`] if the three arrays do not describe one.
    pub fn new(
        indptr: &'a [i64],
        indices: &'a [i32],
        values: SparseValues<'a>,
        columns: usize,
    ) -> Result<Self> {
        let wrong = |came: &str, expected: &str| {
            let (came, expected) = (came.to_owned(), expected.to_owned());
            Err(Error::Value { argument: "X", came, expected })
        };
        let rising = indptr.first() == Some(&0) && indptr.windows(2).all(|pair| pair[0] <= pair[1]);
        let end = indptr.last().map(|&end| end as usize);
        if !rising || end != Some(indices.len()) || end != Some(values.len()) {
            return wrong(
                "a broken sparse matrix",
                "index pointers that rise from 0 to the number of values",
            );
        }
        if !indices.iter().all(|&j| usize::try_from(j).is_ok_and(|j| j < columns)) {
            return wrong("a broken sparse matrix", "column numbers below its number of columns");
        }
        Ok(Self { indptr, indices, values, columns: 0..columns })
    }

    /// Where the first row's beginning is written down.
    pub(crate) fn first(&self) -> *const i64 {
        self.indptr.as_ptr()
    }

    /// (m, n).
    pub fn dim(&self) -> (usize, usize) {
        (self.indptr.len() - 1, self.columns.len())
    }

    /// Those columns of all rows.
    pub(crate) fn columns(&self, range: Range<usize>) -> Self {
        let from = self.columns.start;
        Self { columns: from + range.start..from + range.end, ..self.clone() }
    }

    /// The chosen rows, zeros and all, (rows, n).
    pub(crate) fn load<T: Float>(
        &self,
        ctx: &Context,
        rows: &Rows<'_>,
        mut into: ArrayViewMut2<'_, T>,
    ) {
        let n = into.ncols();
        let task_rows = (16 * 1024 / n.max(1)).max(1);
        let tasks = into.nrows().div_ceil(task_rows);
        let out = Disjoint::new(into.as_slice_mut().expect("rows lie one behind the other"));
        ctx.parallel(tasks, |task| {
            for i in task * task_rows..((task + 1) * task_rows).min(rows.len()) {
                // SAFETY: row `i` belongs to this task alone.
                let into = unsafe { out.part(i * n..(i + 1) * n) };
                into.fill(T::ZERO);
                match self.values {
                    SparseValues::F32(values) => {
                        self.scatter(rows.at(i), into, values, |x| T::from_f64(f64::from(x)));
                    }
                    SparseValues::F64(values) => {
                        self.scatter(rows.at(i), into, values, T::from_f64)
                    }
                }
            }
        });
    }

    /// Whoever owns the arrays may have changed them since they were checked: no number in them is trusted.
    fn scatter<T: Float, U: Copy>(
        &self,
        row: usize,
        into: &mut [T],
        values: &[U],
        convert: impl Fn(U) -> T,
    ) {
        let run = self.indptr[row] as usize..self.indptr[row + 1] as usize;
        let (Some(indices), Some(values)) = (self.indices.get(run.clone()), values.get(run)) else {
            return;
        };
        for (&j, &x) in indices.iter().zip(values) {
            if let Some(place) = into.get_mut((j as usize).wrapping_sub(self.columns.start)) {
                *place += convert(x);
            }
        }
    }

    /// Fails at the first NaN or infinity, in row order.
    pub(crate) fn check_finite(&self, argument: &'static str) -> Result<()> {
        let place = match self.values {
            SparseValues::F32(values) => non_finite(values),
            SparseValues::F64(values) => non_finite(values),
        };
        place.map_or(Ok(()), |(place, value)| {
            let row = self.indptr.partition_point(|&start| start as usize <= place) - 1;
            let column = self.indices[place] as usize;
            Err(Error::NotFinite { argument, value, row, column })
        })
    }
}

/// Where it is, and what it is.
fn non_finite<T: Float>(values: &[T]) -> Option<(usize, String)> {
    first_non_finite(Isa::best(), values).map(|place| (place, values[place].to_string()))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    const INDPTR: [i64; 5] = [0, 2, 2, 3, 6];
    const INDICES: [i32; 6] = [3, 0, 1, 0, 2, 2];
    const VALUES: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 0.5];

    fn widened(x: &Sparse<'_>, rows: &Rows<'_>) -> Array2<f32> {
        let mut into = Array2::from_elem((rows.len(), x.dim().1), f32::NAN);
        x.load(&Context::new(Isa::best(), 3), rows, into.view_mut());
        into
    }

    #[test]
    fn rows_are_gathered_and_widened() {
        let x = Sparse::new(&INDPTR, &INDICES, SparseValues::F64(&VALUES), 4).unwrap();
        let all =
            array![[2.0, 0.0, 0.0, 1.0], [0.0; 4], [0.0, 3.0, 0.0, 0.0], [4.0, 0.0, 5.5, 0.0]];
        assert_eq!(widened(&x, &Rows::Run(0..4)), all);
        assert_eq!(widened(&x, &Rows::Picked(&[3, 1])), array![[4.0, 0.0, 5.5, 0.0], [0.0; 4]]);
        assert_eq!(
            widened(&x.columns(2..4), &Rows::Picked(&[3, 0])),
            array![[5.5, 0.0], [0.0, 1.0]]
        );
    }

    #[test]
    fn broken_matrices_are_refused() {
        let values = SparseValues::F64(&VALUES);
        for (indptr, indices, columns) in [
            (&[0, 2, 1, 6][..], &INDICES[..], 4),
            (&[1, 6], &INDICES, 4),
            (&[0, 5], &INDICES, 4),
            (&[], &INDICES, 4),
            (&[0, 6], &INDICES[..5], 4),
            (&[0, 6], &INDICES, 3),
            (&[0, 6], &[0, 0, 0, 0, 0, -1], 3),
        ] {
            assert!(Sparse::new(indptr, indices, values, columns).is_err(), "{indptr:?} {columns}");
        }
    }

    #[test]
    fn the_first_value_that_is_not_finite_is_named() {
        let mut values = VALUES;
        values[2] = f64::INFINITY;
        let x = Sparse::new(&INDPTR, &INDICES, SparseValues::F64(&values), 4).unwrap();
        let error = x.check_finite("X").unwrap_err();
        assert!(error.to_string().contains("inf at row 2, column 1"), "{error}");
    }
}
