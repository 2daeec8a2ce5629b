//! A slice that several tasks write at once, each its own part.

use std::marker::PhantomData;
use std::ops::Range;

use ndarray::{ArrayViewMut2, ShapeBuilder};

/// Part `i` of `parts` of so many things.
pub(crate) fn share(len: usize, parts: usize, i: usize) -> Range<usize> {
    len * i / parts..len * (i + 1) / parts
}

/// Hands out parts of a slice to tasks that promise not to overlap.
pub(crate) struct Disjoint<'a, T> {
    start: *mut T,
    len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: the tasks that share it use different parts (the contract of `part`).
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}

impl<'a, T> Disjoint<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// The address of an element, or of the end.
    pub(crate) fn at(&self, i: usize) -> *mut T {
        assert!(i <= self.len);
        // SAFETY: within the slice.
        unsafe { self.start.add(i) }
    }

    /// # Safety
    /// Nobody else uses any element of the range as long as the returned slice lives.
    #[allow(clippy::mut_from_ref, reason = "the caller promises that parts are not shared")]
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: within the slice, and as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }

    /// Elements to read.
    ///
    /// # Safety
    /// Nobody changes any element of the range as long as the returned slice lives.
    pub(crate) unsafe fn read(&self, range: Range<usize>) -> &[T] {
        assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: within the slice, and as the caller promises.
        unsafe { std::slice::from_raw_parts(self.start.add(range.start), range.len()) }
    }

    /// A block of a matrix whose rows are `stride` apart, from element `first` on.
    ///
    /// # Safety
    /// Nobody else uses any element of the block as long as the returned view lives.
    #[allow(clippy::mut_from_ref, reason = "the caller promises that parts are not shared")]
    pub(crate) unsafe fn block(
        &self,
        first: usize,
        (rows, columns): (usize, usize),
        stride: usize,
    ) -> ArrayViewMut2<'_, T> {
        assert!(columns <= stride && first + rows.saturating_sub(1) * stride + columns <= self.len);
        let shape = (rows, columns).strides((stride, 1));
        // SAFETY: within the slice, no element twice, and as the caller promises.
        unsafe { ArrayViewMut2::from_shape_ptr(shape, self.start.add(first)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_all_things_once() {
        for len in [2, 7, 8, 64, 101, 209, 1000] {
            for parts in [1, 2, 4, 8] {
                let shares: Vec<_> = (0..parts).flat_map(|i| share(len, parts, i)).collect();
                assert_eq!(shares, (0..len).collect::<Vec<_>>());
            }
        }
    }
}
