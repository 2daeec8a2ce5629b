//! A fork-join pool for work of 20 µs to 2 ms.
//!
//! The caller publishes a job, works on it itself, and lets workers join while it is open. Tasks
//! are claimed from one counter. When the counter runs out the caller closes the job and waits
//! for those who joined, and for nobody else: a worker that the operating system has not woken
//! in time costs nothing, its share has been done by the others.
//!
//! A worker spins for a while after its last job, because in a fit the next one is microseconds
//! away and waking a sleeper takes 50 to 90 µs; then it sleeps. A brief job does not wake it: it would be done before
//! the worker is there. But where brief jobs follow each other, as in a loop over small products, the worker is woken
//! for those to come.
//!
//! While one caller has the pool, another one's work runs on that caller's own thread, so concurrent fits do not crowd
//! the cores.
//!
//! The whole protocol is in one word, `state`: a generation that grows with each job, a bit that
//! says that the job may be joined, and the number of workers inside.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use super::{affinity, warning};

#[cfg(test)]
mod tests;

type Task<'a> = dyn Fn(usize) + Sync + 'a;

const OPEN: u64 = 1 << 31;
const INSIDE: u64 = OPEN - 1;
const GENERATION: u64 = 1 << 32;

/// How long a worker looks for the next job before it sleeps.
const SPIN: Duration = Duration::from_micros(100);

/// How long it does so without letting others have its core first: among them may be the caller.
const HARD_SPIN: Duration = Duration::from_micros(10);

const SHORT_OF_THREADS: &str = "the system refused to start more threads; the work goes on with those there are \
    (the results are the same, it only takes longer)";

/// A job of fewer operations is brief: half of it is done in less time than it takes to wake a worker (some 70 µs).
const BRIEF: usize = 1 << 23;

/// So many brief jobs, none more than [`SPIN`] after the one before, are a loop.
const LOOP: u32 = 4;

/// All that passes between the caller and a worker when a job is opened, done and closed. It is one line of the cache,
/// because each line that passes takes a good part of what a brief job takes; and no other data is on it, nor on the one
/// that is fetched along with it.
#[repr(align(128))]
struct Meeting {
    state: AtomicU64,
    /// How many tasks have been claimed: by the caller, from the first on (low half), and by workers, from the last
    /// on (high half).
    claimed: AtomicU64,
    /// How many workers may be inside: fewer than there are, once fewer threads are asked for.
    /// Written before the job is opened, so whoever sees the job open sees its limit; joining proves that it has not
    /// changed since.
    limit: AtomicUsize,
    job: UnsafeCell<Job>,
}

struct Pool {
    meeting: Meeting,
    /// The first panic of a worker in this job.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// The core that the caller ran on when it opened the job; `usize::MAX` if that is not known.
    core: AtomicUsize,
    sleepers: AtomicUsize,
    /// The cores that sleepers keep off.
    bed: Mutex<Vec<affinity::Off>>,
    alarm: Condvar,
    /// Held by the caller whose job this is.
    owner: Mutex<Owned>,
}

/// What the owner of the pool alone looks at.
#[derive(Default)]
struct Owned {
    /// How many workers there are.
    started: usize,
    /// When the last brief job ended that found no worker awake, and how many of them have come one behind the other.
    last: Option<Instant>,
    row: u32,
}

impl Owned {
    /// Does a brief job that finds no worker awake, unless it is one of so many that it is time to wake them. Whether
    /// it is done.
    fn does_alone(&mut self, count: usize, task: &Task<'_>) -> bool {
        let close = self.last.is_some_and(|last| last.elapsed() < SPIN);
        self.row = if close { self.row + 1 } else { 1 };
        let alone = self.row < LOOP;
        if alone {
            (0..count).for_each(task);
            self.last = Some(Instant::now());
        }
        alone
    }
}

/// What the workers need to know of a job. Written only while the job is closed and nobody is
/// inside, read only by those who are.
#[derive(Clone, Copy)]
struct Job {
    task: Option<*const Task<'static>>,
    count: usize,
}

// SAFETY: `job` is the only field that is not `Sync`, and the protocol of `state` (see `Job`)
// orders every access to it.
unsafe impl Sync for Pool {}
// SAFETY: the raw pointer in `job` is only followed by those inside an open job, while the
// closure it points to is alive on the caller's stack.
unsafe impl Send for Pool {}

/// The pool of this process. A pool is never freed: workers of it may sleep for ever.
static POOL: AtomicPtr<Pool> = AtomicPtr::new(std::ptr::null_mut());

/// Calls `task` with 0, ..., `count - 1`, each once, on the caller and up to `threads - 1`
/// workers, and returns when all calls have returned. A panic in a task is passed on to the caller. `work` is how many
/// operations that is, as far as it is known.
pub(crate) fn run(threads: usize, count: usize, work: Option<usize>, task: &Task<'_>) {
    let pool = Pool::of_this_process();
    let brief = work.is_some_and(|work| work < BRIEF);
    match pool.free() {
        Some(owned) => pool.run(owned, threads - 1, count, brief, &mut || task(0), task),
        None => (0..count).for_each(task),
    }
}

/// Calls `own` here and `other` on a worker, if one is there in time, else here when `own` has returned; and returns when
/// both have. A panic in either is passed on to the caller.
pub(crate) fn beside(own: &mut dyn FnMut(), other: &(dyn Fn() + Sync)) {
    let pool = Pool::of_this_process();
    match pool.free() {
        Some(owned) => pool.run(owned, 1, 2, false, own, &|_| other()),
        None => {
            own();
            other();
        }
    }
}

impl Pool {
    fn of_this_process() -> &'static Pool {
        let mut pool = POOL.load(Ordering::Acquire);
        if pool.is_null() {
            forget_the_pool_after_fork();
            let new = Box::into_raw(Box::new(Pool::new()));
            match POOL.compare_exchange(pool, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => pool = new,
                Err(other) => {
                    // SAFETY: `new` came from a box just above and nobody else has seen it.
                    drop(unsafe { Box::from_raw(new) });
                    pool = other;
                }
            }
        }
        // SAFETY: the pointer came from a box that is never freed.
        unsafe { &*pool }
    }

    fn new() -> Self {
        Pool {
            meeting: Meeting {
                state: AtomicU64::new(0),
                claimed: AtomicU64::new(0),
                limit: AtomicUsize::new(0),
                job: UnsafeCell::new(Job { task: None, count: 0 }),
            },
            panic: Mutex::new(None),
            core: AtomicUsize::new(usize::MAX),
            sleepers: AtomicUsize::new(0),
            bed: Mutex::default(),
            alarm: Condvar::new(),
            owner: Mutex::default(),
        }
    }

    /// Makes the caller the owner, unless the pool is busy with another one's job, or this is a task of a job itself.
    fn free(&self) -> Option<MutexGuard<'_, Owned>> {
        match self.owner.try_lock() {
            Ok(owned) => Some(owned),
            Err(TryLockError::Poisoned(owned)) => Some(owned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Does a job of so many tasks, with so many helpers at most. The first task is the caller's own: `first`.
    fn run(
        &'static self,
        mut owned: MutexGuard<'_, Owned>,
        helpers: usize,
        count: usize,
        brief: bool,
        first: &mut dyn FnMut(),
        task: &Task<'_>,
    ) {
        let helpers = helpers.min(count - 1);
        let awake = owned.started.saturating_sub(self.sleepers.load(Ordering::Relaxed));
        if brief && awake == 0 && owned.does_alone(count, task) {
            return;
        }
        self.start_workers(&mut owned.started, helpers);

        let Meeting { state, claimed, limit, job: room } = &self.meeting;
        let job: *const Task<'_> = task;
        // SAFETY: the owner's lock is held, the last job is closed and empty, so nobody reads
        // `job`. Only the lifetime is changed: `Closing` below waits, even when a task panics, until
        // nobody uses the pointer any more, before this function returns.
        unsafe {
            let task = std::mem::transmute::<*const Task<'_>, *const Task<'static>>(job);
            *room.get() = Job { task: Some(task), count };
        }
        claimed.store(1, Ordering::Relaxed); // The first is the caller's.
        limit.store(helpers, Ordering::Relaxed);
        let generation = (state.load(Ordering::Relaxed) & !(OPEN | INSIDE)) + GENERATION;
        state.store(generation | OPEN, Ordering::SeqCst);
        let core = affinity::current().unwrap_or(usize::MAX);
        self.wake(helpers, core);
        self.core.store(core, Ordering::Relaxed);

        let closing = Closing(self);
        first();
        self.work(task, count, true);
        drop(closing);

        let panic = self.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(owned);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }

    /// Claims and does tasks until none is left. The caller starts at one end and the workers at the other, so that
    /// work that is cut in the same way step after step finds its data where it was left, in the caches of the
    /// same core.
    #[inline]
    fn work(&self, task: &Task<'_>, count: usize, caller: bool) {
        let claimed = &self.meeting.claimed;
        let one = if caller { 1 } else { 1 << 32 };
        let mut seen = claimed.load(Ordering::Relaxed);
        loop {
            let (first, last) = (seen as u32 as usize, (seen >> 32) as usize);
            if first + last >= count {
                return;
            }
            let new = seen + one;
            match claimed.compare_exchange_weak(seen, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    task(if caller { first } else { count - 1 - last });
                    seen = claimed.load(Ordering::Relaxed);
                }
                Err(now) => seen = now,
            }
        }
    }

    fn start_workers(&'static self, started: &mut usize, wanted: usize) {
        while *started < wanted {
            let worker = std::thread::Builder::new()
                .name(format!("purrceptron-{}", *started + 1))
                .stack_size(1 << 20)
                .spawn(|| self.be_a_worker());
            if worker.is_err() {
                warning::warn(SHORT_OF_THREADS.to_owned());
                return;
            }
            *started += 1;
        }
    }

    /// Wakes sleepers, but not on the caller's core.
    fn wake(&self, helpers: usize, core: usize) {
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            let mut bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
            bed.iter_mut().for_each(|sleeper| sleeper.instead(core));
            for _ in 0..helpers {
                self.alarm.notify_one();
            }
        }
    }

    fn be_a_worker(&self) {
        let mut last = 0;
        loop {
            let state = self.wait_for_a_job(last);
            let joined = self.meeting.state.compare_exchange(
                state,
                state + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            );
            if joined.is_err() {
                continue; // Somebody else joined or left, or the job was closed.
            }
            last = state & !(OPEN | INSIDE);
            // SAFETY: this worker is counted inside an open job, so the owner neither rewrites
            // `job` nor returns (which would end the closure's life) before it leaves.
            let (task, count) = unsafe {
                let job = *self.meeting.job.get();
                (&*job.task.expect("an open job has a task"), job.count)
            };
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.work(task, count, false))) {
                self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(payload);
            }
            self.meeting.state.fetch_sub(1, Ordering::Release);
        }
    }

    /// Returns a state in which a job other than `last` is open and has room.
    fn wait_for_a_job(&self, last: u64) -> u64 {
        let fresh = |state: u64| {
            state & OPEN != 0
                && state & !(OPEN | INSIDE) != last
                && ((state & INSIDE) as usize) < self.meeting.limit.load(Ordering::Relaxed)
        };
        let mut since = Instant::now();
        loop {
            for _ in 0..64 {
                let state = self.meeting.state.load(Ordering::Acquire); // With the limit of its job.
                if fresh(state) {
                    return state;
                }
                std::hint::spin_loop();
            }
            let waited = since.elapsed();
            if waited > HARD_SPIN {
                std::thread::yield_now();
            }
            if waited > SPIN {
                let elsewhere = affinity::Off::new(self.core.load(Ordering::Relaxed));
                let mut bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
                bed.extend(elsewhere);
                // The owner opens the job, then looks for sleepers; we lie down, then look for a
                // job: one of the two sees the other (both orders are sequentially consistent).
                self.sleepers.fetch_add(1, Ordering::SeqCst);
                if !fresh(self.meeting.state.load(Ordering::SeqCst)) {
                    bed = self.alarm.wait(bed).unwrap_or_else(PoisonError::into_inner);
                }
                self.sleepers.fetch_sub(1, Ordering::SeqCst);
                let mine = bed.iter().position(affinity::Off::is_mine);
                let _elsewhere = mine.map(|at| bed.swap_remove(at));
                drop(bed);
                since = Instant::now();
                // It may run anywhere again.
            }
        }
    }
}

/// Closes the job and waits for the workers inside, also when the caller's own task panics.
struct Closing<'a>(&'a Pool);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let state = &self.0.meeting.state;
        state.fetch_and(!OPEN, Ordering::Relaxed);
        wait_until(|| state.load(Ordering::Acquire) & INSIDE == 0);
        if std::thread::panicking() {
            // The caller's own panic is the one that is passed on; a worker's must not turn up in the next job.
            self.0.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}

/// Looks until it is so, and lets others have the core now and then: among them may be who is waited for.
pub(super) fn wait_until(mut so: impl FnMut() -> bool) {
    let mut turns = 0u32;
    while !so() {
        turns = turns.wrapping_add(1);
        if turns.is_multiple_of(128) {
            std::thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

/// Threads do not survive `fork`, and a lock held by one of them stays locked: the child starts
/// with no pool at all and builds its own when it first wants one.
#[cfg(unix)]
fn forget_the_pool_after_fork() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    extern "C" fn in_the_child() {
        POOL.store(std::ptr::null_mut(), Ordering::Release);
    }
    ONCE.call_once(|| {
        // SAFETY: the handler stores to an atomic and does nothing else, which is allowed in a
        // freshly forked child. If registering fails (for want of memory), only fork is affected.
        unsafe { libc::pthread_atfork(None, None, Some(in_the_child)) };
    });
}

#[cfg(not(unix))]
fn forget_the_pool_after_fork() {}
