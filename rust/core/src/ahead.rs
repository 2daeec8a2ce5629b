//! Asking for the rows of the next batch while this one is worked on.
//!
//! Rows in random order come from memory, and whoever copies them waits for one row after the other: a tenth of a step
//! of 784-128-10. Its arithmetic leaves the memory idle meanwhile. So with each tile of the last and largest product
//! some lines of the next rows are asked for, into the second level of the core that will copy them.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::caches::{Caches, LINE};
use crate::samples::{RowMemory, Samples};
use crate::simd::prefetch_far;

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
        for address in self.lines(work) {
            prefetch_far(std::ptr::without_provenance::<u8>(address));
        }
    }

    /// The addresses of those lines, row by row.
    #[inline]
    fn lines(&self, work: usize) -> impl Iterator<Item = usize> {
        let begun = self.begun.fetch_add(work, Ordering::Relaxed);
        let lines = self.memory.bytes.div_ceil(LINE);
        let all = self.rows.len() * lines;
        let until = |work: usize| work.min(self.work) * all / self.work;
        let (from, to) = (until(begun), until(begun + work));
        let (mut row, mut line) = (from / lines, from % lines);
        (from..to).map(move |_| {
            let start = self.rows[row] as isize * self.memory.apart;
            let address = self.memory.first.wrapping_add_signed(start).wrapping_add(line * LINE);
            line += 1;
            if line == lines {
                (row, line) = (row + 1, 0);
            }
            address
        })
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
        assert!(Ahead::of(&samples, &[3, 1], 10).is_some());
        let near = Samples::F32(far.slice(ndarray::s![..10, ..]));
        assert!(Ahead::of(&near, &[3, 1], 10).is_none());
    }
    #[test]
    fn each_line_of_the_rows_is_asked_for_once() {
        let far = Array2::<f32>::zeros((Caches::get().l2 / 400 + 1, 100));
        let ahead = Ahead::of(&Samples::F32(far.view()), &[3, 1], 10).unwrap();
        // Twelve of the ten parts of the work, one after the other.
        let asked: Vec<_> = (0..4).flat_map(|_| ahead.lines(3).collect::<Vec<_>>()).collect();
        let row = |i: usize| (0..7).map(move |line| i * 400 + line * LINE);
        let expected = row(3).chain(row(1)).map(|offset| far.as_ptr().addr() + offset);
        assert_eq!(asked, expected.collect::<Vec<_>>());
    }
}
