//! Matrices in every layout that a view can have.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};

use crate::float::Float;

/// How a matrix lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Row after row.
    Rows,
    /// Column after column: a transposed view.
    Columns,
    /// Rows of a wider array.
    Padded,
    /// Columns of a taller array.
    PaddedColumns,
    /// Every second row, every third column.
    Spaced,
    /// Rows from the last to the first.
    RowsReversed,
    /// Both axes backwards.
    Reversed,
    /// One row again and again: stride 0.
    RowRepeated,
    /// One column again and again.
    ColumnRepeated,
}

impl Layout {
    /// Those that a matrix to write can have.
    pub(crate) const OUTPUTS: [Layout; 7] = [
        Layout::Rows,
        Layout::Columns,
        Layout::Padded,
        Layout::PaddedColumns,
        Layout::Spaced,
        Layout::RowsReversed,
        Layout::Reversed,
    ];
    /// Those that a matrix to read can have.
    pub(crate) const INPUTS: [Layout; 9] = [
        Layout::Rows,
        Layout::Columns,
        Layout::Padded,
        Layout::PaddedColumns,
        Layout::Spaced,
        Layout::RowsReversed,
        Layout::Reversed,
        Layout::RowRepeated,
        Layout::ColumnRepeated,
    ];
}

/// A matrix somewhere in a larger array.
pub(crate) struct Laid<T> {
    whole: Array2<T>,
    layout: Layout,
    size: (usize, usize),
}

/// What the surroundings hold.
const GUARD: f64 = 777.0;
const MARGIN: usize = 3;

impl<T: Float> Laid<T> {
    pub(crate) fn new(
        layout: Layout,
        rows: usize,
        cols: usize,
        fill: impl Fn((usize, usize)) -> f64,
    ) -> Self {
        let inner = match layout {
            Layout::Columns | Layout::PaddedColumns => (cols, rows),
            Layout::Spaced => (2 * rows, 3 * cols),
            Layout::RowRepeated => (1, cols),
            Layout::ColumnRepeated => (rows, 1),
            _ => (rows, cols),
        };
        // Three rows more on each side guard every layout; the padded ones have columns as well.
        let side =
            if matches!(layout, Layout::Padded | Layout::PaddedColumns) { MARGIN } else { 0 };
        let whole = (inner.0 + 2 * MARGIN, inner.1 + 2 * side);
        let guard = T::from_f64(GUARD);
        let mut laid = Self { whole: Array2::from_elem(whole, guard), layout, size: (rows, cols) };
        if matches!(layout, Layout::RowRepeated | Layout::ColumnRepeated) {
            let mut inner = laid.inner_mut();
            inner.indexed_iter_mut().for_each(|(at, x)| *x = T::from_f64(fill(at)));
        } else {
            let mut view = laid.view_mut();
            view.indexed_iter_mut().for_each(|(at, x)| *x = T::from_f64(fill(at)));
        }
        laid
    }

    fn side(&self) -> usize {
        if matches!(self.layout, Layout::Padded | Layout::PaddedColumns) { MARGIN } else { 0 }
    }

    fn inner_mut(&mut self) -> ArrayViewMut2<'_, T> {
        let side = self.side();
        let (h, w) = self.whole.dim();
        self.whole.slice_mut(s![MARGIN..h - MARGIN, side..w - side])
    }

    pub(crate) fn view(&self) -> ArrayView2<'_, T> {
        let side = self.side();
        let (h, w) = self.whole.dim();
        let inner = self.whole.slice(s![MARGIN..h - MARGIN, side..w - side]);
        match self.layout {
            Layout::Rows | Layout::Padded => inner,
            Layout::Columns | Layout::PaddedColumns => inner.reversed_axes(),
            Layout::Spaced => inner.slice_move(s![..;2, ..;3]),
            Layout::RowsReversed => inner.slice_move(s![..;-1, ..]),
            Layout::Reversed => inner.slice_move(s![..;-1, ..;-1]),
            Layout::RowRepeated => {
                let row = self.whole.slice(s![MARGIN, ..]).insert_axis(Axis(0));
                row.broadcast_to(self.size)
            }
            Layout::ColumnRepeated => {
                let column = self.whole.slice(s![MARGIN..h - MARGIN, 0]).insert_axis(Axis(1));
                column.broadcast_to(self.size)
            }
        }
    }

    pub(crate) fn view_mut(&mut self) -> ArrayViewMut2<'_, T> {
        let layout = self.layout;
        let inner = self.inner_mut();
        match layout {
            Layout::Rows | Layout::Padded => inner,
            Layout::Columns | Layout::PaddedColumns => inner.reversed_axes(),
            Layout::Spaced => inner.slice_move(s![..;2, ..;3]),
            Layout::RowsReversed => inner.slice_move(s![..;-1, ..]),
            Layout::Reversed => inner.slice_move(s![..;-1, ..;-1]),
            Layout::RowRepeated | Layout::ColumnRepeated => panic!("read only: {layout:?}"),
        }
    }

    /// That nothing around the matrix has changed.
    pub(crate) fn check_surroundings(mut self) {
        let guard = T::from_f64(GUARD);
        self.view_mut().fill(guard);
        let layout = self.layout;
        assert!(self.whole.iter().all(|&x| x == guard), "wrote outside of C, laid {layout:?}");
    }
}

/// `broadcast` that keeps the lifetime of the array behind the view.
trait BroadcastTo<'a, T> {
    fn broadcast_to(self, size: (usize, usize)) -> ArrayView2<'a, T>;
}

impl<'a, T> BroadcastTo<'a, T> for ArrayView2<'a, T> {
    fn broadcast_to(self, (rows, cols): (usize, usize)) -> ArrayView2<'a, T> {
        let strides = [
            if self.nrows() == 1 { 0 } else { self.strides()[0].unsigned_abs() },
            if self.ncols() == 1 { 0 } else { self.strides()[1].unsigned_abs() },
        ];
        let shape = ndarray::ShapeBuilder::strides((rows, cols), (strides[0], strides[1]));
        // SAFETY: an axis of length one, with stride 0, may have any length; the other keeps its.
        unsafe { ArrayView2::from_shape_ptr(shape, self.as_ptr()) }
    }
}
