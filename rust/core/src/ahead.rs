//! Asking for the rows of the next batch while this one is worked on.
//!
//! Rows in random order come from memory, and whoever copies them waits for one row after the other: a tenth of a step
//! of 784-128-10. Its arithmetic leaves the memory idle meanwhile. So with each tile of the last and largest product
//! some lines of the next rows are asked for, into the second level of the core that will copy them.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::caches::Caches;
use crate::samples::{RowMemory, Samples};
use crate::simd::prefetch_far;

/// Bytes of a line of the cache.
const LINE: usize = 64;

/// Rows to ask for, by and by.
pub(crate) struct Ahead<'a> {
    memory: RowMemory,
    rows: &'a [u32],
    /// How much work there is to do meanwhile, in any unit, and how much of it has been begun.
    work: usize,
    begun: AtomicUsize,
}

impl<'a> Ahead<'a> {
    /// None where there are no rows to ask for, or all samples are near enough.
    pub(crate) fn of(samples: &Samples<'_>, rows: &'a [u32], work: usize) -> Option<Self> {
        let memory = samples.row_memory()?;
        let near = samples.dim().0.saturating_mul(memory.bytes) <= Caches::get().l2;
        if near || rows.is_empty() || work == 0 {
            return None;
        }
        Some(Self { memory, rows, work, begun: AtomicUsize::new(0) })
    }

    /// Asks for the share of the lines that goes with so much of the work.
    #[inline]
    pub(crate) fn go_on(&self, work: usize) {
        let begun = self.begun.fetch_add(work, Ordering::Relaxed);
        let lines = self.memory.bytes.div_ceil(LINE);
        let all = self.rows.len() * lines;
        let until = |work: usize| work.min(self.work) * all / self.work;
        let (from, to) = (until(begun), until(begun + work));
        let (mut row, mut line) = (from / lines, from % lines);
        for _ in from..to {
            let start = self.memory.first;
            let start = start.wrapping_add_signed(self.rows[row] as isize * self.memory.apart);
            prefetch_far(std::ptr::without_provenance::<u8>(start.wrapping_add(line * LINE)));
            line += 1;
            if line == lines {
                (row, line) = (row + 1, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn only_rows_that_are_far_are_asked_for() {
        let far = Array2::<f32>::zeros((Caches::get().l2 / 400 + 1, 100));
        let samples = Samples::F32(far.view());
        assert!(Ahead::of(&samples, &[], 10).is_none());
        assert!(Ahead::of(&Samples::F32(far.t()), &[3, 1], 10).is_none(), "rows in pieces");
        let ahead = Ahead::of(&samples, &[3, 1], 10).unwrap();
        for _ in 0..4 {
            ahead.go_on(3); // more than there was to do
        }
        let near = Samples::F32(far.slice(ndarray::s![..10, ..]));
        assert!(Ahead::of(&near, &[3, 1], 10).is_none());
    }
}
