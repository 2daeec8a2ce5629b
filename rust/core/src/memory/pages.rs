//! Pages of the system, which are kept for the next who asks when they are given back.
//!
//! New pages are zero already, and need not be there before they are used, so that the threads of the first step
//! bring them in together. But each costs a fault and the system's zeroing; and in a virtual machine that has handed
//! its idle memory back, a fault of the machine below as well: two milliseconds a megabyte. A fit needs the same
//! blocks as the one before it, so what it gives back is kept, and the system may have large pieces whenever it is
//! short.

use std::ptr::{NonNull, null_mut};
use std::sync::Mutex;

use super::{LARGE_PAGE, PAGE};

/// From so many bytes on blocks are pages.
pub(super) const WORTH_MAPPING: usize = 128 << 10;

/// Bytes that are kept for the next who asks.
const MOST_SPARE: usize = 256 << 20;

/// Pieces that are kept.
const MOST_PIECES: usize = 64;

/// Telling the system that it may have pages back is a call, and an interrupt for the other cores.
const WORTH_OFFERING: usize = 4 << 20;

/// A mapping of zeros, unmapped when it is dropped.
#[derive(Debug)]
struct Pages {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: memory belongs to no thread.
unsafe impl Send for Pages {}

impl Pages {
    const NONE: Self = Self { start: NonNull::dangling(), bytes: 0 };

    /// At least so many bytes.
    fn map(bytes: usize) -> Option<Self> {
        let bytes = bytes.checked_next_multiple_of(PAGE)?;
        let page = if bytes < LARGE_PAGE { PAGE } else { LARGE_PAGE };
        let mut all = Self::map_anywhere(bytes.checked_add(page - PAGE)?)?;
        let before = all.start.addr().get().wrapping_neg() % page;
        let mut pages = all.split_off(before);
        drop(all);
        drop(pages.split_off(bytes));
        // Small ones too: the system makes one range of neighbours, which together are as large.
        // SAFETY: advice about memory of our own; it changes none of it. Where the system has no large pages it
        // fails, and nothing is lost.
        unsafe { libc::madvise(pages.start.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
        Some(pages)
    }

    fn map_anywhere(bytes: usize) -> Option<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping, of nobody's memory.
        let start = unsafe { libc::mmap(null_mut(), bytes, protection, flags, -1, 0) };
        let start = (start != libc::MAP_FAILED).then(|| NonNull::new(start.cast()))??;
        Some(Self { start, bytes })
    }

    /// Keeps the first so many bytes, whole pages, and returns the others.
    fn split_off(&mut self, first: usize) -> Self {
        let bytes = self.bytes - first;
        self.bytes = first;
        // SAFETY: still in the mapping, or its end.
        Self { start: unsafe { self.start.add(first) }, bytes }
    }

    /// Lets the system take the pages when it is short; until then they stay.
    fn offer(&self) {
        if self.bytes >= WORTH_OFFERING {
            // SAFETY: nobody needs what is in them any more. A system that does not know this keeps them.
            unsafe { libc::madvise(self.start.as_ptr().cast(), self.bytes, libc::MADV_FREE) };
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if self.bytes > 0 {
            // SAFETY: part of a mapping of our own, which nobody uses any more.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
        }
    }
}

/// Pages that nobody uses at present, those longest unused first.
struct Spare(Vec<Pages>);

impl Spare {
    /// The smallest that hold so much, but not much more. If there are none, as much is given up, so that the
    /// process does not grow by what it keeps.
    fn take(&mut self, bytes: usize) -> Option<Pages> {
        let fits = bytes..=bytes.saturating_add(bytes / 4).saturating_add(PAGE);
        let fitting = self.0.iter().enumerate().filter(|(_, pages)| fits.contains(&pages.bytes));
        if let Some((i, _)) = fitting.min_by_key(|(_, pages)| pages.bytes) {
            return Some(self.0.remove(i));
        }
        self.give_up(bytes);
        None
    }

    /// Gives up at least so many bytes, or all.
    fn give_up(&mut self, bytes: usize) {
        let mut given = 0;
        let mut more = 0;
        while given < bytes && more < self.0.len() {
            given += self.0[more].bytes;
            more += 1;
        }
        self.0.drain(..more);
    }

    /// Keeps pages, if they are not too many; the oldest make room.
    fn keep(&mut self, pages: Pages) {
        if pages.bytes > MOST_SPARE {
            return;
        }
        let all: usize = self.0.iter().map(|pages| pages.bytes).sum();
        self.give_up((all + pages.bytes).saturating_sub(MOST_SPARE));
        if self.0.len() == MOST_PIECES {
            self.0.remove(0);
        }
        if self.0.try_reserve_exact(MOST_PIECES - self.0.len()).is_ok() {
            self.0.push(pages);
        }
    }
}

/// Locked for moments. Whoever finds it locked does without: nobody waits, nor does the child of a fork in such
/// a moment, for whom it stays locked.
static SPARE: Mutex<Spare> = Mutex::new(Spare(Vec::new()));

/// Pages that are kept when they are given back.
#[derive(Debug)]
pub(super) struct Lent(Pages);

impl Lent {
    /// So many bytes that hold anything.
    pub(super) fn any(bytes: usize) -> Option<Self> {
        spare(bytes).or_else(|| new(bytes)).map(Self)
    }

    /// So many zeros.
    pub(super) fn zeros(bytes: usize) -> Option<Self> {
        let used = spare(bytes).inspect(|pages| {
            // SAFETY: so many bytes are there, and they are nobody else's.
            unsafe { pages.start.write_bytes(0, bytes) };
        });
        used.or_else(|| new(bytes)).map(Self)
    }

    /// Where they begin.
    pub(super) fn start(&self) -> NonNull<u8> {
        self.0.start
    }
}

fn spare(bytes: usize) -> Option<Pages> {
    SPARE.try_lock().ok()?.take(bytes)
}

/// New pages, for which all that is kept is given up if need be.
fn new(bytes: usize) -> Option<Pages> {
    Pages::map(bytes).or_else(|| {
        SPARE.try_lock().ok()?.give_up(usize::MAX);
        Pages::map(bytes)
    })
}

impl Drop for Lent {
    fn drop(&mut self) {
        let pages = std::mem::replace(&mut self.0, Pages::NONE);
        pages.offer();
        if let Ok(mut spare) = SPARE.try_lock() {
            spare.keep(pages);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirty(bytes: usize) -> Pages {
        let pages = Pages::map(bytes).unwrap();
        // SAFETY: so many bytes are there.
        unsafe { pages.start.write_bytes(1, bytes) };
        pages
    }

    #[test]
    fn new_pages_are_zero_and_large_ones_begin_on_a_large_page() {
        for bytes in [WORTH_MAPPING, LARGE_PAGE - 1, LARGE_PAGE, 3 * LARGE_PAGE + 5] {
            let pages = Pages::map(bytes).unwrap();
            assert!(pages.bytes >= bytes && pages.bytes < bytes + PAGE);
            let page = if bytes < LARGE_PAGE { PAGE } else { LARGE_PAGE };
            assert_eq!(pages.start.addr().get() % page, 0);
            // SAFETY: so many bytes are there.
            let all = unsafe { std::slice::from_raw_parts(pages.start.as_ptr(), pages.bytes) };
            assert!(all.iter().all(|&byte| byte == 0));
        }
        assert!(Pages::map(usize::MAX).is_none());
        assert!(Pages::map(usize::MAX / 4).is_none());
    }

    #[test]
    fn the_smallest_that_fit_are_taken() {
        let mut spare = Spare(Vec::new());
        let sizes = [300 << 10, 200 << 10, 220 << 10, 900 << 10];
        for bytes in sizes {
            spare.keep(dirty(bytes));
        }
        assert_eq!(spare.take(190 << 10).unwrap().bytes, 200 << 10);
        assert_eq!(spare.take(190 << 10).unwrap().bytes, 220 << 10);
        // Those of 300 KiB are too many for it, and are the oldest.
        assert!(spare.take(190 << 10).is_none());
        assert_eq!(spare.0.iter().map(|pages| pages.bytes).collect::<Vec<_>>(), [900 << 10]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut spare = Spare(Vec::new());
        for _ in 0..2 * MOST_PIECES {
            spare.keep(Pages::map(WORTH_MAPPING).unwrap());
        }
        assert_eq!(spare.0.len(), MOST_PIECES);
        // New ones, which nobody has touched, take no memory.
        for _ in 0..6 {
            spare.keep(Pages::map(MOST_SPARE / 4).unwrap());
        }
        assert_eq!(spare.0.len(), 4);
        spare.keep(Pages::map(MOST_SPARE + 1).unwrap());
        assert_eq!(spare.0.len(), 4);
        spare.give_up(usize::MAX);
        assert!(spare.0.is_empty());
    }

    #[test]
    fn lent_again_they_are_zero() {
        let bytes = 77 << 20;
        for _ in 0..3 {
            let lent = Lent::zeros(bytes).unwrap();
            // SAFETY: so many bytes are there, and they are ours.
            let all = unsafe { std::slice::from_raw_parts_mut(lent.start().as_ptr(), bytes) };
            assert!(all.iter().all(|&byte| byte == 0));
            all.fill(1);
        }
    }
}
