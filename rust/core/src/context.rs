//! How to compute: with which instruction set and on how many threads.

use crate::disjoint::Disjoint;
use crate::error::Result;
use crate::isa::Isa;
use crate::threads;

/// Elements a piece: a few microseconds of exponentials, 32 KiB of f32.
pub(crate) const PIECE: usize = 8192;

/// An argument of every kernel. The results do not depend on `threads`, bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    isa: Isa,
    threads: usize,
}

impl Context {
    /// That instruction set, at most that many threads (at least one).
    pub fn new(isa: Isa, threads: usize) -> Self {
        Self { isa, threads: threads.max(1) }
    }

    /// The process's own: [`Isa::current`] and [`threads::get_num_threads`].
    ///
    /// # Errors
    /// If `PURRCEPTRON_ISA` names an instruction set that the machine lacks.
    pub fn current() -> Result<Self> {
        Ok(Self::new(Isa::current()?, threads::get_num_threads()))
    }

    /// The instruction set.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The same on the calling thread alone.
    pub fn serial(&self) -> Self {
        Self { threads: 1, ..*self }
    }

    /// Calls `task(0)`, ..., `task(count - 1)`, each once, in any order, on up to
    /// [`threads`](Self::threads) threads, and returns when all are done.
    ///
    /// Each task must write what no other touches, and the order in which a sum is taken must not depend on the number
    /// of threads: that is what makes the result the same for any number.
    #[inline]
    pub fn parallel(&self, count: usize, task: impl Fn(usize) + Sync) {
        self.share(count, None, task);
    }

    /// The same for tasks of which it is known how many operations they are, all together. Where that is little, it
    /// is shared out if that costs next to nothing: if threads are at hand.
    #[inline]
    pub fn parallel_work(&self, count: usize, work: usize, task: impl Fn(usize) + Sync) {
        self.share(count, Some(work), task);
    }

    #[inline]
    fn share(&self, count: usize, work: Option<usize>, task: impl Fn(usize) + Sync) {
        if self.threads == 1 || count <= 1 {
            (0..count).for_each(task);
        } else {
            threads::run(self.threads, count, work, &task);
        }
    }

    /// Calls `f(start, piece)` for the pieces of a slice, on several threads where that pays.
    pub fn in_pieces<T: Send>(&self, slice: &mut [T], f: impl Fn(usize, &mut [T]) + Sync) {
        let len = slice.len();
        let out = Disjoint::new(slice);
        self.parallel(len.div_ceil(PIECE), |task| {
            let range = task * PIECE..len.min((task + 1) * PIECE);
            // SAFETY: the tasks' ranges do not overlap.
            f(range.start, unsafe { out.part(range.clone()) });
        });
    }
}
