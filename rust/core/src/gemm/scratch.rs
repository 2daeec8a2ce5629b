//! Memory for packed panels: each thread's own, grown when a product needs more, kept between
//! calls, so that in a steady state nothing is allocated.

use std::cell::Cell;
use std::ptr::NonNull;

use crate::error::{Error, Result};
use crate::float::Float;
use crate::memory::{Block, LARGE_PAGE, PAGE};

// Panels start on a page: their cache sets do not depend on the caller's luck. Large buffers are whole large pages.

/// Raw memory, freed with the thread.
struct Buffer {
    block: Option<Block>,
    bytes: usize,
}

impl Buffer {
    const EMPTY: Self = Self { block: None, bytes: 0 };

    fn at_least(bytes: usize) -> Result<Self> {
        let page = if bytes > LARGE_PAGE / 8 { LARGE_PAGE } else { PAGE };
        let whole = bytes.checked_next_multiple_of(page);
        let new = whole.and_then(|bytes| Some(Self { block: Some(Block::any(bytes)?), bytes }));
        new.ok_or(Error::OutOfMemory { bytes, what: "packed panels" })
    }

    fn start(&self) -> *mut u8 {
        self.block.as_ref().map_or(std::ptr::null_mut(), |block| block.start().as_ptr())
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
    Ok(work(inside.buffer.start().cast()))
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
