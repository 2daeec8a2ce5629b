//! Memory by the block: from the allocator, or, where it is much, pages of the system ([`pages`]). `None` where there
//! is none.

#[cfg(target_os = "linux")]
mod pages;

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ptr::NonNull;

use crate::caches::LINE;

/// Bytes of a line of the cache, and of the widest register.
pub(crate) const ALIGNMENT: usize = LINE;

/// Bytes of a page.
pub(crate) const PAGE: usize = 4096;

/// One entry of the translation buffer covers so many bytes, where they are one page: a block that begins with them
/// and has as many is made of such pages, where the system has them.
pub(crate) const LARGE_PAGE: usize = 2 << 20;

/// Blocks of so many bytes begin with a page.
pub(crate) const WORTH_A_PAGE: usize = 4 * PAGE;

/// Memory of a block's own, aligned to [`ALIGNMENT`], or to a page where that is less than a quarter of it.
#[derive(Debug)]
pub(crate) struct Block(Source);

#[derive(Debug)]
enum Source {
    Allocator(Allocation),
    #[cfg(target_os = "linux")]
    System(pages::Lent),
}

impl Block {
    /// So many bytes (not none) that hold anything.
    pub(crate) fn any(bytes: usize) -> Option<Self> {
        #[cfg(target_os = "linux")]
        if bytes >= pages::WORTH_MAPPING {
            return pages::Lent::any(bytes).map(|pages| Self(Source::System(pages)));
        }
        Allocation::new(bytes, alloc).map(|it| Self(Source::Allocator(it)))
    }

    /// So many zeros (not none). Of pages that are new, they are there when they are used.
    pub(crate) fn zeros(bytes: usize) -> Option<Self> {
        #[cfg(target_os = "linux")]
        if bytes >= pages::WORTH_MAPPING {
            return pages::Lent::zeros(bytes).map(|pages| Self(Source::System(pages)));
        }
        Allocation::new(bytes, alloc_zeroed).map(|it| Self(Source::Allocator(it)))
    }

    /// Where it begins.
    pub(crate) fn start(&self) -> NonNull<u8> {
        match &self.0 {
            Source::Allocator(it) => it.start,
            #[cfg(target_os = "linux")]
            Source::System(pages) => pages.start(),
        }
    }
}

/// What the allocator gave.
#[derive(Debug)]
struct Allocation {
    start: NonNull<u8>,
    layout: Layout,
}

impl Allocation {
    fn new(bytes: usize, allocate: unsafe fn(Layout) -> *mut u8) -> Option<Self> {
        let align = if bytes < WORTH_A_PAGE { ALIGNMENT } else { PAGE };
        let layout = Layout::from_size_align(bytes, align).ok()?;
        // SAFETY: nobody asks for no bytes.
        NonNull::new(unsafe { allocate(layout) }).map(|start| Self { start, layout })
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        // SAFETY: `new` allocated it with this layout.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}
