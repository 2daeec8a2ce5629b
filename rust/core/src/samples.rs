//! The rows a network reads: any array of numbers, converted a block of rows at a time.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};

use crate::context::Context;
use crate::disjoint::Disjoint;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::math::{all_finite, first_non_finite};
use crate::simd::{Kernel, VectorMath, dispatch};
use crate::sparse::Sparse;

/// A matrix of samples, (m, n): one example a row. Any strides will do.
///
/// `U8` holds pixels: a network multiplies them by its `uint8_scale`. Every other type is taken
/// as it is and rounded to the network's.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "a variant is its element type")]
pub enum Samples<'a> {
    F32(ArrayView2<'a, f32>),
    F64(ArrayView2<'a, f64>),
    U8(ArrayView2<'a, u8>),
    I8(ArrayView2<'a, i8>),
    I16(ArrayView2<'a, i16>),
    U16(ArrayView2<'a, u16>),
    I32(ArrayView2<'a, i32>),
    U32(ArrayView2<'a, u32>),
    I64(ArrayView2<'a, i64>),
    U64(ArrayView2<'a, u64>),
    Bool(ArrayView2<'a, bool>),
    Sparse(Sparse<'a>),
}

/// Where samples lie, to know them by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    first: usize,
    strides: [isize; 2],
}

/// Where rows lie whose elements are one behind the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowMemory {
    /// The address of the first.
    pub(crate) first: usize,
    /// Bytes from a row to the next.
    pub(crate) apart: isize,
    /// Bytes of a row.
    pub(crate) bytes: usize,
}

/// Which rows: a run of them, or any, by number.
#[derive(Clone, Debug)]
pub(crate) enum Rows<'a> {
    Run(Range<usize>),
    Picked(&'a [u32]),
}

impl Rows<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Run(range) => range.len(),
            Self::Picked(rows) => rows.len(),
        }
    }

    /// The number of the `i`-th row.
    #[inline]
    pub(crate) fn at(&self, i: usize) -> usize {
        match self {
            Self::Run(range) => range.start + i,
            Self::Picked(rows) => rows[i] as usize,
        }
    }

    /// The rows from place `from` to place `to`.
    pub(crate) fn part(&self, part: Range<usize>) -> Rows<'_> {
        match self {
            Self::Run(range) => Rows::Run(range.start + part.start..range.start + part.end),
            Self::Picked(rows) => Rows::Picked(&rows[part]),
        }
    }
}

/// Calls `$body` with `$view` bound to the view of whatever type a dense matrix has, and `$convert` to the
/// function that turns one of its elements into a `T`.
macro_rules! with_view {
    ($samples:expr, $scale:expr, |$view:ident, $convert:ident| $body:expr) => {
        match $samples {
            Samples::F32($view) => {
                let $convert = |x: f32| T::from_f64(f64::from(x));
                $body
            }
            Samples::F64($view) => {
                let $convert = |x: f64| T::from_f64(x);
                $body
            }
            Samples::U8($view) => {
                let scale = $scale;
                let $convert = |x: u8| T::from_f64(f64::from(x)) * scale;
                $body
            }
            Samples::I8($view) => {
                let $convert = |x: i8| T::from_f64(f64::from(x));
                $body
            }
            Samples::I16($view) => {
                let $convert = |x: i16| T::from_f64(f64::from(x));
                $body
            }
            Samples::U16($view) => {
                let $convert = |x: u16| T::from_f64(f64::from(x));
                $body
            }
            Samples::I32($view) => {
                let $convert = |x: i32| T::from_f64(f64::from(x));
                $body
            }
            Samples::U32($view) => {
                let $convert = |x: u32| T::from_f64(f64::from(x));
                $body
            }
            Samples::I64($view) => {
                let $convert = |x: i64| T::from_f64(x as f64);
                $body
            }
            Samples::U64($view) => {
                let $convert = |x: u64| T::from_f64(x as f64);
                $body
            }
            Samples::Bool($view) => {
                let $convert = |x: bool| if x { T::ONE } else { T::ZERO };
                $body
            }
            Samples::Sparse(_) => unreachable!("sparse samples are widened elsewhere"),
        }
    };
}

/// The one expression for a dense matrix of whatever type, or the other for a sparse one.
macro_rules! of_any {
    ($samples:expr, |$dense:ident| $of_dense:expr, |$sparse:ident| $of_sparse:expr) => {
        match $samples {
            Samples::F32($dense) => $of_dense,
            Samples::F64($dense) => $of_dense,
            Samples::U8($dense) => $of_dense,
            Samples::I8($dense) => $of_dense,
            Samples::I16($dense) => $of_dense,
            Samples::U16($dense) => $of_dense,
            Samples::I32($dense) => $of_dense,
            Samples::U32($dense) => $of_dense,
            Samples::I64($dense) => $of_dense,
            Samples::U64($dense) => $of_dense,
            Samples::Bool($dense) => $of_dense,
            Samples::Sparse($sparse) => $of_sparse,
        }
    };
}

impl<'a> Samples<'a> {
    /// (m, n).
    pub fn dim(&self) -> (usize, usize) {
        of_any!(self, |x| x.dim(), |x| x.dim())
    }

    /// Where they lie: the address of the first, and how far it is to the next row and to the next column.
    pub(crate) fn place(&self) -> Place {
        of_any!(
            self,
            |x| Place { first: x.as_ptr().addr(), strides: [x.strides()[0], x.strides()[1]] },
            |x| Place { first: x.first().addr(), strides: [0; 2] }
        )
    }

    /// Where the rows lie, if each is one piece of memory.
    pub(crate) fn row_memory(&self) -> Option<RowMemory> {
        fn of<S>(x: &ArrayView2<'_, S>) -> Option<RowMemory> {
            let size = size_of::<S>();
            let apart = x.strides()[0] * size as isize;
            let whole = x.strides()[1] == 1;
            whole.then(|| RowMemory { first: x.as_ptr().addr(), apart, bytes: x.ncols() * size })
        }
        of_any!(self, |x| of(x), |_sparse| None)
    }

    /// Those features of all samples.
    pub(crate) fn columns(&self, range: Range<usize>) -> Samples<'_> {
        let columns = s![.., range.clone()];
        match self {
            Self::Sparse(x) => Samples::Sparse(x.columns(range)),
            Self::F32(x) => Samples::F32(x.slice(columns)),
            Self::F64(x) => Samples::F64(x.slice(columns)),
            Self::U8(x) => Samples::U8(x.slice(columns)),
            Self::I8(x) => Samples::I8(x.slice(columns)),
            Self::I16(x) => Samples::I16(x.slice(columns)),
            Self::U16(x) => Samples::U16(x.slice(columns)),
            Self::I32(x) => Samples::I32(x.slice(columns)),
            Self::U32(x) => Samples::U32(x.slice(columns)),
            Self::I64(x) => Samples::I64(x.slice(columns)),
            Self::U64(x) => Samples::U64(x.slice(columns)),
            Self::Bool(x) => Samples::Bool(x.slice(columns)),
        }
    }

    /// The samples themselves, if they need no conversion to `T`.
    pub(crate) fn as_float<T: Float>(&self) -> Option<&ArrayView2<'a, T>> {
        T::view_of(self)
    }

    /// The chosen rows as `T`, (rows, n), pixels multiplied by `scale`.
    pub(crate) fn load<T: Float>(
        &self,
        ctx: &Context,
        rows: &Rows<'_>,
        scale: T,
        mut into: ArrayViewMut2<'_, T>,
    ) {
        if let Self::Sparse(x) = self {
            return x.load(ctx, rows, into);
        }
        let n = into.ncols();
        // About 64 KiB of output a task: worth a thread's while, and many tasks for many threads.
        let task_rows = (16 * 1024 / n.max(1)).max(1);
        let tasks = into.nrows().div_ceil(task_rows);
        let out = Disjoint::new(into.as_slice_mut().expect("rows lie one behind the other"));
        if let Some(view) = self.as_float::<T>() {
            return ctx.parallel(tasks, |task| {
                for i in task * task_rows..((task + 1) * task_rows).min(rows.len()) {
                    // SAFETY: row `i` belongs to this task alone.
                    let into = unsafe { out.part(i * n..(i + 1) * n) };
                    let from = view.row(rows.at(i));
                    match from.as_slice() {
                        Some(from) => into.copy_from_slice(from),
                        None => into.iter_mut().zip(from).for_each(|(t, &x)| *t = x),
                    }
                }
            });
        }
        with_view!(self, scale, |view, convert| {
            ctx.parallel(tasks, |task| {
                for i in task * task_rows..((task + 1) * task_rows).min(rows.len()) {
                    // SAFETY: row `i` belongs to this task alone.
                    let into = unsafe { out.part(i * n..(i + 1) * n) };
                    let from = view.row(rows.at(i));
                    match from.as_slice() {
                        Some(from) => dispatch(ctx.isa(), Convert { from, into, convert }),
                        None => into.iter_mut().zip(from).for_each(|(t, &x)| *t = convert(x)),
                    }
                }
            });
        });
    }

    /// Fails at the first NaN or infinity, in row order.
    ///
    /// # Errors
    /// [`Error::NotFinite`], which names `argument`.
    pub fn check_finite(&self, argument: &'static str) -> Result<()> {
        match self {
            Self::F32(x) => check_finite(argument, x),
            Self::F64(x) => check_finite(argument, x),
            Self::Sparse(x) => x.check_finite(argument),
            _ => Ok(()),
        }
    }

    /// For pixels, whether any exceeds 1; true for every other type. Pixels that never do have
    /// probably been divided by 255 and rounded already.
    pub fn exceeds_one(&self) -> bool {
        match self {
            Self::U8(x) => x.is_empty() || x.iter().any(|&x| x > 1),
            _ => true,
        }
    }
}

/// `into[i] = convert(from[i])`: a kernel, so that the loop is compiled for the instruction set.
struct Convert<'a, S, T, F> {
    from: &'a [S],
    into: &'a mut [T],
    convert: F,
}

impl<S: Copy, T: Float, F: Fn(S) -> T> Kernel<T> for Convert<'_, S, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: VectorMath<Elem = T>>(self) {
        self.into.iter_mut().zip(self.from).for_each(|(into, &x)| *into = (self.convert)(x));
    }
}

/// Fails at the first NaN or infinity, in row order.
pub fn check_finite<T: Float>(argument: &'static str, values: &ArrayView2<'_, T>) -> Result<()> {
    let ctx = Context::current()?;
    // Most matrices are one piece of memory, and most are finite: that is quickly seen, by all threads.
    if values.as_slice_memory_order().is_some_and(|all| all_finite(&ctx, all)) {
        return Ok(());
    }
    for (row, values) in values.axis_iter(Axis(0)).enumerate() {
        let column = match values.as_slice() {
            Some(slice) => first_non_finite(ctx.isa(), slice),
            None => values.iter().position(|x| !x.is_finite()),
        };
        if let Some(column) = column {
            let value = values[column].to_string();
            return Err(Error::NotFinite { argument, value, row, column });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::isa::Isa;

    fn load<T: Float>(samples: &Samples<'_>, rows: &Rows<'_>, scale: T) -> Array2<T> {
        let mut into = Array2::from_elem((rows.len(), samples.dim().1), T::ZERO);
        samples.load(&Context::new(Isa::best(), 3), rows, scale, into.view_mut());
        into
    }

    #[test]
    fn rows_are_widened_scaled_and_gathered() {
        let pixels = array![[0u8, 51], [102, 255], [1, 2]];
        let samples = Samples::U8(pixels.view());
        let all = load(&samples, &Rows::Run(0..3), 0.2f32);
        assert_eq!(all, pixels.mapv(|x| f32::from(x) * 0.2));
        let picked = load(&samples, &Rows::Picked(&[2, 0, 2]), 1.0f64);
        assert_eq!(picked, array![[1.0, 2.0], [0.0, 51.0], [1.0, 2.0]]);
        let reversed = Samples::U8(pixels.slice(s![..;-1, ..;-1]));
        assert_eq!(load(&reversed, &Rows::Run(1..2), 1.0f32), array![[255.0, 102.0]]);
        let flags = array![[true, false]];
        assert_eq!(
            load(&Samples::Bool(flags.view()), &Rows::Run(0..1), 9.0f32),
            array![[1.0, 0.0]]
        );
        let integers = array![[-7i64, 1 << 40]];
        let loaded = load(&Samples::I64(integers.view()), &Rows::Run(0..1), 9.0f64);
        assert_eq!(loaded, array![[-7.0, (1u64 << 40) as f64]]);
    }

    #[test]
    fn the_first_value_that_is_not_finite_is_named() {
        let mut x = Array2::<f32>::zeros((5, 40));
        x[[3, 1]] = f32::INFINITY;
        x[[2, 7]] = f32::NAN;
        let error = Samples::F32(x.view()).check_finite("X").unwrap_err();
        assert_eq!(
            error.to_string(),
            "X holds NaN at row 2, column 7; only finite numbers can be used"
        );
        let turned = Samples::F32(x.t()).check_finite("X").unwrap_err();
        assert!(turned.to_string().contains("inf at row 1, column 3"), "{turned}");
        x[[3, 1]] = f32::MAX;
        x[[2, 7]] = -f32::MAX;
        assert!(Samples::F32(x.view()).check_finite("X").is_ok());
    }
}
