//! Memory for floats: aligned to a cache line, zeroed, and refused with an error, not an abort,
//! where there is none.
//!
//! An optimiser walks along several arrays at once: parameters, gradient, moments. If element i of each were as
//! far from the beginning of a page as element i of the others, all would fight for the same lines of the
//! first-level cache (in a core that finds the lines of that cache by a part of the address, even two can be too
//! many), and a load would look to the core as if it read what was stored to another array just before. So each
//! buffer begins elsewhere in its page.

use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};
use crate::float::Float;
use crate::memory::{ALIGNMENT, Block, PAGE, WORTH_A_PAGE};

/// How far into its page one buffer begins after another: an odd number of lines, of which five are not far from
/// a whole page.
const STAGGER: usize = 13 * ALIGNMENT;

/// A fixed number of floats, aligned to 64 bytes. Dereferences to a slice.
#[derive(Debug)]
pub(crate) struct Buffer<T: Float> {
    start: NonNull<T>,
    len: usize,
    /// Where the floats are; none for no floats.
    #[allow(dead_code, reason = "it is dropped with them")]
    block: Option<Block>,
}

/// Where in its page the next buffer begins.
fn next_offset() -> usize {
    static BUFFERS: AtomicUsize = AtomicUsize::new(0);
    BUFFERS.fetch_add(1, Ordering::Relaxed).wrapping_mul(STAGGER) % PAGE
}

// SAFETY: a buffer owns its elements, which are plain numbers.
unsafe impl<T: Float> Send for Buffer<T> {}
// SAFETY: shared access reads plain numbers.
unsafe impl<T: Float> Sync for Buffer<T> {}

impl<T: Float> Buffer<T> {
    /// `len` zeros, for `what` (a word or two for the error).
    pub(crate) fn zeros(len: usize, what: &'static str) -> Result<Self> {
        Self::new(len, what, Block::zeros)
    }

    /// A copy of those numbers.
    pub(crate) fn copy_of(numbers: &[T], what: &'static str) -> Result<Self> {
        let copy = Self::new(numbers.len(), what, Block::any)?;
        // SAFETY: there is room for as many, and nobody has seen yet what is there.
        unsafe {
            copy.start.copy_from_nonoverlapping(NonNull::from(numbers).cast(), numbers.len())
        };
        Ok(copy)
    }

    /// Floats of a block, which are all there or all to be written before anybody reads them.
    fn new(len: usize, what: &'static str, block: impl Fn(usize) -> Option<Block>) -> Result<Self> {
        let bytes = len.saturating_mul(size_of::<T>());
        if bytes == 0 {
            return Ok(Self { start: NonNull::dangling(), len, block: None });
        }
        // Those that begin with no page are spared another.
        let (offset, room) = match bytes {
            ..WORTH_A_PAGE => (0, bytes),
            _ => (next_offset(), bytes.saturating_add(PAGE)),
        };
        let block = block(room).ok_or(Error::OutOfMemory { bytes, what })?;
        // SAFETY: `offset`, less than a page, and these fit in the block.
        let start = unsafe { block.start().add(offset) }.cast();
        Ok(Self { start, len, block: Some(block) })
    }

    /// A copy.
    pub(crate) fn try_clone(&self, what: &'static str) -> Result<Self> {
        Self::copy_of(self, what)
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

/// A vector of `len` items, for `what` (a word or two for the error): memory that the library's own `collect` asks for is
/// not refused but aborts.
pub(crate) fn try_collect<E>(
    len: usize,
    what: &'static str,
    items: impl Iterator<Item = E>,
) -> Result<Vec<E>> {
    let mut all = Vec::new();
    let bytes = len.saturating_mul(size_of::<E>());
    all.try_reserve_exact(len).map_err(|_| Error::OutOfMemory { bytes, what })?;
    all.extend(items.take(len));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_zero_and_copy() {
        // Twice: what is given back is lent again.
        for len in [0, 1, 7, 1000, 5000, 200_000, 2 << 20].repeat(2) {
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
