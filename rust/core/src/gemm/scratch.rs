//! Memory for packed panels: each thread's own, grown when a product needs more, kept between
//! calls, so that in a steady state nothing is allocated.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::Cell;
use std::ptr::NonNull;

use crate::error::{Error, Result};
use crate::float::Float;

/// Panels start on a page: their cache sets do not depend on the caller's luck.
const PAGE: usize = 4096;
/// Large buffers are whole large pages, so that one entry of the translation buffer covers them.
const LARGE_PAGE: usize = 2 << 20;

fn layout(bytes: usize) -> Option<Layout> {
    let page = if bytes > LARGE_PAGE / 8 { LARGE_PAGE } else { PAGE };
    Layout::from_size_align(bytes.checked_next_multiple_of(page)?, page).ok()
}

/// Raw memory, freed with the thread.
struct Buffer {
    ptr: NonNull<u8>,
    bytes: usize,
}

impl Buffer {
    const EMPTY: Self = Self { ptr: NonNull::dangling(), bytes: 0 };

    fn at_least(bytes: usize) -> Result<Self> {
        let failed = Error::OutOfMemory { bytes, what: "packed panels" };
        let layout = layout(bytes).ok_or_else(|| failed.clone())?;
        // SAFETY: `with_scratch` asks for more than the empty buffer's zero bytes.
        let ptr = NonNull::new(unsafe { alloc(layout) }).ok_or(failed)?;
        let bytes = layout.size();
        #[cfg(target_os = "linux")]
        if layout.align() == LARGE_PAGE {
            // SAFETY: advice about memory just allocated; it changes none of it. Where the system
            // has no large pages it fails, and nothing is lost.
            unsafe { libc::madvise(ptr.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
        }
        Ok(Self { ptr, bytes })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let (true, Some(layout)) = (self.bytes > 0, layout(self.bytes)) {
            // SAFETY: allocated in `at_least` with this layout: rounding up again changes nothing.
            unsafe {
                dealloc(self.ptr.as_ptr(), layout);
            }
        }
    }
}

/// A product needs one buffer, or two, one within the other; so does a product in its epilogue.
const DEPTH: usize = 4;

thread_local! {
    static KEPT: [Cell<Buffer>; DEPTH] = const { [const { Cell::new(Buffer::EMPTY) }; DEPTH] };
    static DEEP: Cell<usize> = const { Cell::new(0) };
}

/// Calls `work` with the address of `len` uninitialised elements that are this thread's own, and
/// nobody else's until `work` returns: a call within a call gets another buffer.
///
/// # Errors
/// [`Error::OutOfMemory`], before `work` is called.
#[inline]
pub(super) fn with_scratch<T: Float, R>(len: usize, work: impl FnOnce(*mut T) -> R) -> Result<R> {
    if len == 0 {
        return Ok(work(NonNull::dangling().as_ptr()));
    }
    let bytes = len.saturating_mul(size_of::<T>());
    let mut inside = Inside::enter();
    if inside.buffer.bytes < bytes {
        drop(std::mem::replace(&mut inside.buffer, Buffer::EMPTY));
        inside.buffer = Buffer::at_least(bytes)?;
    }
    Ok(work(inside.buffer.ptr.as_ptr().cast()))
}

/// A buffer in use; it goes back to its place also when the work panics.
struct Inside {
    buffer: Buffer,
    depth: usize,
}

impl Inside {
    fn enter() -> Self {
        let depth = DEEP.get();
        DEEP.set(depth + 1);
        let kept = |kept: &[Cell<Buffer>; DEPTH]| match kept.get(depth) {
            Some(place) => place.replace(Buffer::EMPTY),
            None => Buffer::EMPTY,
        };
        Self { buffer: KEPT.with(kept), depth }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEEP.set(self.depth);
        let buffer = std::mem::replace(&mut self.buffer, Buffer::EMPTY);
        KEPT.with(|kept| {
            if let Some(place) = kept.get(self.depth) {
                place.set(buffer);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::with_scratch;
    use crate::error::Error;

    #[test]
    fn the_buffer_is_kept_and_a_nested_one_is_another() {
        let first = with_scratch::<f32, _>(100, |p| p).unwrap();
        let (again, nested) = with_scratch::<f64, _>(50, |p| {
            (p.cast::<f32>(), with_scratch::<f32, _>(1, |q| q).unwrap())
        })
        .unwrap();
        assert_eq!(first, again);
        assert_ne!(first, nested);
    }

    #[test]
    fn too_much_is_an_error_and_not_an_abort() {
        for len in [usize::MAX, usize::MAX / 16] {
            let failed = with_scratch::<f64, _>(len, |_| ()).unwrap_err();
            assert!(matches!(failed, Error::OutOfMemory { .. }));
        }
        with_scratch::<f64, _>(8, |_| ()).unwrap();
    }
}
