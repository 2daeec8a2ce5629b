//! A matrix as the kernels see it: a pointer, two sizes, two strides.
//!
//! ndarray's views carry the same facts together with a lifetime and checks; the kernels want to
//! cut them into pieces that several threads write at once. A `Matrix` is made from a view at the
//! entry of a product, and lives no longer than the call.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, Axis, ShapeBuilder};

/// Something to read: rows x cols elements, `rs` elements from row to row, `cs` from column to
/// column; either stride may be negative or zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix<T> {
    pub(super) ptr: *const T,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) rs: isize,
    pub(super) cs: isize,
}

// SAFETY: a `Matrix` is a shared borrow of its elements, whose lifetime is that of the product
// it was made for; `&T` may be sent and shared when `T` can be shared.
unsafe impl<T: Sync> Send for Matrix<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Matrix<T> {}

impl<T> Matrix<T> {
    /// The same elements as the view.
    pub(super) fn new(view: &ArrayView2<'_, T>) -> Self {
        let (rows, cols) = view.dim();
        let [rs, cs] = strides(view.strides(), rows, cols);
        Self { ptr: view.as_ptr(), rows, cols, rs, cs }
    }

    /// The address of element (i, j).
    /// # Safety
    /// The element is one of the matrix's.
    #[inline(always)]
    pub(super) unsafe fn at(&self, i: usize, j: usize) -> *const T {
        // SAFETY: within the allocation, as the caller promises.
        unsafe { self.ptr.offset(i as isize * self.rs + j as isize * self.cs) }
    }

    /// The transposed matrix.
    #[inline(always)]
    pub(super) fn t(self) -> Self {
        Self { ptr: self.ptr, rows: self.cols, cols: self.rows, rs: self.cs, cs: self.rs }
    }

    /// Some rows and columns of it.
    #[inline(always)]
    pub(super) fn sub(&self, rows: Range<usize>, cols: Range<usize>) -> Self
    where
        T: Copy,
    {
        let offset = rows.start as isize * self.rs + cols.start as isize * self.cs;
        let ptr = self.ptr.wrapping_offset(offset);
        Self { ptr, rows: rows.len(), cols: cols.len(), ..*self }
    }
}

/// Something to write.
#[derive(Clone, Copy, Debug)]
pub(super) struct MatrixMut<T> {
    pub(super) ptr: *mut T,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) rs: isize,
    pub(super) cs: isize,
}

// SAFETY: a `MatrixMut` is an exclusive borrow of its elements for the time of one product; the
// threads of that product write disjoint blocks of it.
unsafe impl<T: Send> Send for MatrixMut<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for MatrixMut<T> {}

impl<T> MatrixMut<T> {
    /// The same elements as the view.
    pub(super) fn new(view: &mut ArrayViewMut2<'_, T>) -> Self {
        let (rows, cols) = view.dim();
        let [rs, cs] = strides(view.strides(), rows, cols);
        Self { ptr: view.as_mut_ptr(), rows, cols, rs, cs }
    }

    /// The address of element (i, j).
    /// # Safety
    /// The element is one of the matrix's.
    #[inline(always)]
    pub(super) unsafe fn at(&self, i: usize, j: usize) -> *mut T {
        // SAFETY: within the allocation, as the caller promises.
        unsafe { self.ptr.offset(i as isize * self.rs + j as isize * self.cs) }
    }

    /// Some rows and columns of it.
    #[inline(always)]
    pub(super) fn sub(self, rows: Range<usize>, cols: Range<usize>) -> Self {
        let offset = rows.start as isize * self.rs + cols.start as isize * self.cs;
        let ptr = self.ptr.wrapping_offset(offset);
        Self { ptr, rows: rows.len(), cols: cols.len(), ..self }
    }

    /// The same elements, to read.
    pub(super) fn as_ref(&self) -> Matrix<T> {
        Matrix { ptr: self.ptr, rows: self.rows, cols: self.cols, rs: self.rs, cs: self.cs }
    }

    /// The same elements as another type of the same layout.
    pub(super) fn cast<U>(self) -> MatrixMut<U> {
        const { assert!(size_of::<T>() == size_of::<U>() && align_of::<T>() == align_of::<U>()) };
        MatrixMut {
            ptr: self.ptr.cast(),
            rows: self.rows,
            cols: self.cols,
            rs: self.rs,
            cs: self.cs,
        }
    }

    /// The elements as a view.
    /// # Safety
    /// They are initialised, and nobody else touches them while the view lives.
    pub(super) unsafe fn view<'a>(self) -> ArrayViewMut2<'a, T> {
        // ndarray wants a view built from its lowest address; an axis that runs backwards is
        // turned round afterwards.
        let lowest = |stride: isize, len: usize| stride.min(0) * (len as isize - 1);
        let offset = lowest(self.rs, self.rows) + lowest(self.cs, self.cols);
        let strides = (self.rs.unsigned_abs(), self.cs.unsigned_abs());
        // SAFETY: the same elements, which the caller promises are this view's alone.
        let mut view = unsafe {
            let shape = (self.rows, self.cols).strides(strides);
            ArrayViewMut2::from_shape_ptr(shape, self.ptr.offset(offset))
        };
        if self.rs < 0 {
            view.invert_axis(Axis(0));
        }
        if self.cs < 0 {
            view.invert_axis(Axis(1));
        }
        view
    }

    /// The transposed matrix.
    pub(super) fn t(self) -> Self {
        Self { ptr: self.ptr, rows: self.cols, cols: self.rows, rs: self.cs, cs: self.rs }
    }
}

/// The strides, with those that are never stepped replaced by what a contiguous matrix has, so
/// that one row or one column is recognised as contiguous.
fn strides(strides: &[isize], rows: usize, cols: usize) -> [isize; 2] {
    let (mut rs, mut cs) = (strides[0], strides[1]);
    if cols <= 1 {
        cs = 1;
    }
    if rows <= 1 {
        rs = if cs == 1 { cols.max(1) as isize } else { 1 };
    }
    [rs, cs]
}
