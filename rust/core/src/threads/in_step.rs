//! Two workers that go through their stages in step.
//!
//! Neither begins a stage before the other has ended the one before. That is all they wait for: no job is opened and
//! closed between two stages.
//!
//! The caller takes both through their stages, one after the other, until a thread of the pool is there, which takes over
//! the second worker for good. So a thread that the operating system has not woken costs nothing here either.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::pool::{beside, wait_until};
use crate::disjoint::Disjoint;

/// Takes both through stage 0, then both through stage 1, and so on, on one thread or two. `stage` says whether there is a
/// next one. If it says no for either, or `stop`, which is asked before each stage, says so, that stage is the last of
/// both. Returns whether it was `stop`.
pub(crate) fn in_step<W: Send>(
    threads: usize,
    pair: &mut [W; 2],
    stage: impl Fn(&mut W, usize) -> bool + Sync,
    stop: &mut dyn FnMut() -> bool,
) -> bool {
    let workers = Disjoint::new(pair);
    let progress = Progress::new();
    let go = |i: usize, n: usize| {
        // SAFETY: the first is the caller's; the second is whose who has taken it.
        let worker = unsafe { &mut workers.part(i..i + 1)[0] };
        if !stage(worker, n) {
            progress.end_with(n);
        }
        progress.ended[i].0.store(n + 1, Ordering::Release);
    };
    let mut stopped = false;
    let mut lead = || {
        let _guard = EndIfPanicking(&progress);
        let mut n = 0;
        while n < progress.end() {
            if stop() {
                stopped = true;
                progress.end_with(n);
            }
            go(0, n);
            if progress.take() {
                go(1, n);
                progress.taken.store(false, Ordering::Release);
            } else {
                wait_until(|| progress.has_ended(1, n + 1) || progress.end() <= n);
            }
            n += 1;
        }
    };
    let follow = || {
        let _guard = EndIfPanicking(&progress);
        let mut taken = false;
        wait_until(|| {
            taken = progress.take();
            taken || progress.end() < usize::MAX
        });
        if !taken {
            return; // The caller is at the last stage, with both.
        }
        let mut n = progress.ended[1].0.load(Ordering::Relaxed);
        loop {
            wait_until(|| progress.has_ended(0, n) || progress.end() <= n);
            if progress.end() <= n {
                return;
            }
            go(1, n);
            n += 1;
        }
    };
    if threads == 1 {
        lead();
    } else {
        beside(&mut lead, &follow);
    }
    stopped
}

/// How far the two are. What each writes in every stage is on lines of the cache of its own.
struct Progress {
    /// How many stages each has ended, ...
    ended: [Own<AtomicUsize>; 2],
    /// ... and how many there are, as soon as that is known.
    end: Own<AtomicUsize>,
    /// Whether somebody is at work on the second.
    taken: AtomicBool,
}

#[repr(align(128))]
struct Own<T>(T);

impl Progress {
    fn new() -> Self {
        Self {
            ended: [const { Own(AtomicUsize::new(0)) }; 2],
            end: Own(AtomicUsize::new(usize::MAX)),
            taken: AtomicBool::new(false),
        }
    }

    /// How many stages there are. Who has seen that a stage [has ended](Self::has_ended) knows if it was the last.
    fn end(&self) -> usize {
        self.end.0.load(Ordering::Relaxed)
    }

    /// That stage is the last.
    fn end_with(&self, stage: usize) {
        self.end.0.fetch_min(stage + 1, Ordering::Relaxed);
    }

    /// Whether one of them has ended so many stages; then the other sees all that was written in them.
    fn has_ended(&self, i: usize, stages: usize) -> bool {
        self.ended[i].0.load(Ordering::Acquire) >= stages
    }

    /// Takes the second, unless somebody else has.
    fn take(&self) -> bool {
        let exchange =
            |from, to| self.taken.compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed);
        !self.taken.load(Ordering::Relaxed) && exchange(false, true).is_ok()
    }
}

/// A panic in one must not leave the other waiting.
struct EndIfPanicking<'a>(&'a Progress);

impl Drop for EndIfPanicking<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end.0.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// A worker leaves a number in each stage, and reads the other's of the stage before.
    fn stages(threads: usize, last: [usize; 2], stop_at: Option<usize>) -> ([usize; 2], bool) {
        let left: [[AtomicUsize; 2]; 2] = Default::default();
        let mut asked = 0;
        let mut workers = [(0, 0), (1, 0)];
        let stopped = in_step(
            threads,
            &mut workers,
            |(i, done), n| {
                assert_eq!(*done, n);
                if n > 0 {
                    assert_eq!(left[(n - 1) % 2][1 - *i].load(Ordering::Relaxed), n - 1);
                }
                left[n % 2][*i].store(n, Ordering::Relaxed);
                *done += 1;
                n < last[*i]
            },
            &mut || {
                asked += 1;
                Some(asked - 1) == stop_at
            },
        );
        (workers.map(|(_, done)| done), stopped)
    }

    #[test]
    fn each_sees_what_the_other_left_and_both_end_together() {
        for round in 0..200 {
            if round % 50 == 0 {
                std::thread::sleep(std::time::Duration::from_millis(1)); // The pool's threads fall asleep.
            }
            for threads in [1, 2, 3] {
                assert_eq!(stages(threads, [50, 50], None), ([51, 51], false));
                assert_eq!(stages(threads, [7, 50], None), ([8, 8], false));
                assert_eq!(stages(threads, [50, 7], None), ([8, 8], false));
                assert_eq!(stages(threads, [0, 0], None), ([1, 1], false));
                assert_eq!(stages(threads, [50, 50], Some(20)), ([21, 21], true));
            }
        }
    }

    #[test]
    fn many_pairs_side_by_side() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        assert_eq!(stages(2, [30, 30], None), ([31, 31], false));
                    }
                });
            }
        });
    }

    #[test]
    fn a_panic_in_either_reaches_the_caller() {
        for threads in [1, 2] {
            for who in [0, 1] {
                for round in 0..20 {
                    let run = || {
                        in_step(
                            threads,
                            &mut [0, 1],
                            |i, n| {
                                assert!(*i != who || n < 10 * round, "as asked");
                                true
                            },
                            &mut || false,
                        )
                    };
                    let caught = catch_unwind(AssertUnwindSafe(run)).expect_err("it panics");
                    assert_eq!(*caught.downcast::<&str>().expect("a str"), "as asked");
                }
            }
        }
        assert_eq!(stages(2, [9, 9], None).0, [10, 10]);
    }
}
