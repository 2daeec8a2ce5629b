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

/// Bytes of a cache line, and of the widest register.
pub(crate) const ALIGNMENT: usize = 64;

const PAGE: usize = 4096;

/// How far into its page one buffer begins after another: an odd number of lines, of which five are not far from
/// a whole page.
const STAGGER: usize = 13 * ALIGNMENT;

/// Smaller buffers are spared the extra page.
const WORTH_STAGGERING: usize = 4 * PAGE;

/// Buffers of so many bytes are mapped: the system's pages are zero already, and need not be there before they are
/// used, so that the threads of the first step bring them in together. Large pages, because of the fewer addresses
/// to translate.
const WORTH_MAPPING: usize = 4 << 20;

/// New pages cost more than zeroing those that a call of a millisecond has used and the next one gets again; to what lasts
/// they come once.
const WORTH_MAPPING_IF_IT_LASTS: usize = 512 << 10;

/// Where a buffer's memory comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Source {
    Allocator,
    /// Mapped.
    System,
}

/// A fixed number of floats, aligned to 64 bytes. Dereferences to a slice.
#[derive(Debug)]
pub(crate) struct Buffer<T: Float> {
    start: NonNull<T>,
    len: usize,
    /// Bytes between the allocation's beginning and `start`.
    offset: usize,
    source: Source,
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
        Self::mapped_from(WORTH_MAPPING, len, what)
    }

    /// The same, for what is kept as long as a fit, or is never used.
    pub(crate) fn lasting_zeros(len: usize, what: &'static str) -> Result<Self> {
        Self::mapped_from(WORTH_MAPPING_IF_IT_LASTS, len, what)
    }

    fn mapped_from(worth_mapping: usize, len: usize, what: &'static str) -> Result<Self> {
        let bytes = len.saturating_mul(size_of::<T>());
        let refused = Error::OutOfMemory { bytes, what };
        if bytes == 0 {
            let (start, source) = (NonNull::dangling(), Source::Allocator);
            return Ok(Self { start, len, offset: 0, source });
        }
        let offset = if bytes < WORTH_STAGGERING { 0 } else { next_offset() };
        let source = if cfg!(target_os = "linux") && bytes >= worth_mapping {
            Source::System
        } else {
            Source::Allocator
        };
        let Some(allocated) = memory::zeros(bytes, source) else { return Err(refused) };
        // SAFETY: `offset` bytes and these fit in the allocation; all zero bits are the number zero.
        let start = unsafe { allocated.add(offset) }.cast();
        Ok(Self { start, len, offset, source })
    }

    /// A copy of those numbers.
    pub(crate) fn copy_of(numbers: &[T], what: &'static str) -> Result<Self> {
        let mut copy = Self::lasting_zeros(numbers.len(), what)?;
        copy.copy_from_slice(numbers);
        Ok(copy)
    }

    /// A copy.
    pub(crate) fn try_clone(&self, what: &'static str) -> Result<Self> {
        Self::copy_of(self, what)
    }
}

impl<T: Float> Drop for Buffer<T> {
    fn drop(&mut self) {
        let bytes = self.len * size_of::<T>();
        if bytes > 0 {
            // SAFETY: `mapped_from` asked for so many bytes, and got them there.
            unsafe { memory::free(self.start.cast::<u8>().sub(self.offset), bytes, self.source) };
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

/// Where the memory comes from: so many bytes of zeros, and a page more where the buffer may begin within one.
mod memory {
    use std::alloc::{Layout, alloc_zeroed, dealloc};
    use std::ptr::NonNull;

    use super::{ALIGNMENT, PAGE, Source, WORTH_STAGGERING};

    fn layout(bytes: usize) -> Option<Layout> {
        if bytes < WORTH_STAGGERING {
            return Layout::from_size_align(bytes, ALIGNMENT).ok();
        }
        Layout::from_size_align(bytes.checked_add(PAGE)?, PAGE).ok()
    }

    pub(super) fn zeros(bytes: usize, source: Source) -> Option<NonNull<u8>> {
        let layout = layout(bytes)?;
        #[cfg(target_os = "linux")]
        if source == Source::System {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            // SAFETY: a new mapping, of nobody's memory; and advice about it, which changes nothing if it is not taken.
            return unsafe {
                let start =
                    libc::mmap(std::ptr::null_mut(), layout.size(), protection, flags, -1, 0);
                if start == libc::MAP_FAILED {
                    return None;
                }
                libc::madvise(start, layout.size(), libc::MADV_HUGEPAGE);
                NonNull::new(start.cast())
            };
        }
        debug_assert_eq!(source, Source::Allocator, "only there are buffers mapped");
        // SAFETY: the layout's size is not zero.
        NonNull::new(unsafe { alloc_zeroed(layout) })
    }

    /// # Safety
    /// [`zeros`] returned this for so many bytes from there, and nobody uses it any more.
    pub(super) unsafe fn free(start: NonNull<u8>, bytes: usize, source: Source) {
        // SAFETY: the layout that `zeros` found valid.
        let layout = unsafe { layout(bytes).unwrap_unchecked() };
        #[cfg(target_os = "linux")]
        if source == Source::System {
            // SAFETY: the mapping that `zeros` made.
            unsafe { libc::munmap(start.as_ptr().cast(), layout.size()) };
            return;
        }
        debug_assert_eq!(source, Source::Allocator, "as in `zeros`");
        // SAFETY: the allocation that `zeros` made.
        unsafe { dealloc(start.as_ptr(), layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_zero_and_copy() {
        let (zeros, lasting) = (Buffer::<f32>::zeros, Buffer::<f32>::lasting_zeros);
        for len in [0, 1, 7, 1000, 5000, 200_000, 2 << 20] {
            for new in [zeros, lasting] {
                let mut a = new(len, "a test").unwrap();
                assert_eq!(a.as_ptr() as usize % if len == 0 { 1 } else { ALIGNMENT }, 0);
                assert!(a.iter().all(|&x| x == 0.0));
                a.fill(2.0);
                assert_eq!(*a.try_clone("a test").unwrap(), *a);
            }
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
