//! Memory for floats: aligned to a cache line, zeroed, and refused with an error, not an abort,
//! where there is none.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use crate::error::{Error, Result};
use crate::float::Float;

/// Bytes of a cache line, and of the widest register.
pub(crate) const ALIGNMENT: usize = 64;

/// A fixed number of floats, aligned to 64 bytes. Dereferences to a slice.
#[derive(Debug)]
pub(crate) struct Buffer<T: Float> {
    start: NonNull<T>,
    len: usize,
}

// SAFETY: a buffer owns its elements, which are plain numbers.
unsafe impl<T: Float> Send for Buffer<T> {}
// SAFETY: shared access reads plain numbers.
unsafe impl<T: Float> Sync for Buffer<T> {}

impl<T: Float> Buffer<T> {
    /// `len` zeros, for `what` (a word or two for the error).
    pub(crate) fn zeros(len: usize, what: &'static str) -> Result<Self> {
        let bytes = len.saturating_mul(size_of::<T>());
        let refused = Error::OutOfMemory { bytes, what };
        let layout = Layout::from_size_align(bytes, ALIGNMENT).map_err(|_| refused.clone())?;
        if bytes == 0 {
            return Ok(Self { start: NonNull::dangling(), len });
        }
        // SAFETY: the layout's size is not zero.
        let start = unsafe { alloc_zeroed(layout) }.cast();
        NonNull::new(start).map(|start| Self { start, len }).ok_or(refused)
    }

    /// A copy.
    pub(crate) fn try_clone(&self, what: &'static str) -> Result<Self> {
        let mut copy = Self::zeros(self.len, what)?;
        copy.copy_from_slice(self);
        Ok(copy)
    }
}

impl<T: Float> Drop for Buffer<T> {
    fn drop(&mut self) {
        let bytes = self.len * size_of::<T>();
        if bytes > 0 {
            // SAFETY: `zeros` allocated these bytes with this alignment.
            unsafe {
                let layout = Layout::from_size_align_unchecked(bytes, ALIGNMENT);
                dealloc(self.start.as_ptr().cast(), layout);
            }
        }
    }
}

impl<T: Float> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `len` initialised elements begin there (none where it dangles).
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Float> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_zero_and_copy() {
        for len in [0, 1, 7, 1000] {
            let mut a = Buffer::<f32>::zeros(len, "a test").unwrap();
            assert_eq!(a.as_ptr() as usize % if len == 0 { 1 } else { ALIGNMENT }, 0);
            assert!(a.iter().all(|&x| x == 0.0));
            a.fill(2.0);
            assert_eq!(*a.try_clone("a test").unwrap(), *a);
        }
    }

    #[test]
    fn too_much_is_an_error() {
        for len in [usize::MAX, usize::MAX / 8, isize::MAX as usize / 8] {
            let refused = Buffer::<f64>::zeros(len, "a test").unwrap_err();
            assert!(matches!(refused, Error::OutOfMemory { what: "a test", .. }), "{refused}");
        }
    }
}
