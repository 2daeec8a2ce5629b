//! Which core a thread runs on, and how a sleeper keeps off another one's.
//!
//! A worker that is woken is often put on the core of the thread that woke it. That one is busy with the same job, so
//! the worker helps nobody until the system shares out its threads anew, milliseconds later. Hence a worker lies
//! down with the wish to wake elsewhere. The thread that wakes it may have moved by then, and corrects the wish.

/// The number of the core that the calling thread runs on, where the system tells.
#[cfg(target_os = "linux")]
pub(super) fn current() -> Option<usize> {
    // SAFETY: it takes no arguments.
    usize::try_from(unsafe { libc::sched_getcpu() }).ok()
}

/// Keeps the thread that makes it off a core for as long as it lives.
#[cfg(target_os = "linux")]
pub(super) struct Off {
    thread: libc::pid_t,
    core: usize,
    /// Where the thread might run before.
    all: libc::cpu_set_t,
    /// The same without the core.
    others: libc::cpu_set_t,
}

#[cfg(target_os = "linux")]
impl Off {
    /// None where the thread can run on no other core, or the system has none of this.
    pub(super) fn new(core: usize) -> Option<Self> {
        // SAFETY: it takes no arguments.
        let thread = unsafe { libc::gettid() };
        let all = allowed(thread)?;
        let others = without(&all, core)?;
        allow(thread, &others).then_some(Self { thread, core, all, others })
    }

    /// Whether it is the calling thread that is kept off.
    pub(super) fn is_mine(&self) -> bool {
        // SAFETY: it takes no arguments.
        self.thread == unsafe { libc::gettid() }
    }

    /// Keeps the thread off another core instead. Any thread may say so.
    pub(super) fn instead(&mut self, core: usize) {
        if core == self.core || !self.holds() {
            return;
        }
        if let Some(others) = without(&self.all, core)
            && allow(self.thread, &others)
        {
            (self.core, self.others) = (core, others);
        }
    }

    /// Whether nobody else has said meanwhile where the thread may run: that would be for them to take back.
    fn holds(&self) -> bool {
        // SAFETY: both are sets.
        allowed(self.thread).is_some_and(|now| unsafe { libc::CPU_EQUAL(&now, &self.others) })
    }
}

#[cfg(target_os = "linux")]
impl Drop for Off {
    fn drop(&mut self) {
        if self.holds() {
            allow(self.thread, &self.all);
        }
    }
}

/// The set without the core, if anything is left.
#[cfg(target_os = "linux")]
fn without(all: &libc::cpu_set_t, core: usize) -> Option<libc::cpu_set_t> {
    if core >= 8 * size_of::<libc::cpu_set_t>() {
        return None;
    }
    let mut others = *all;
    // SAFETY: the set has a bit for the core.
    let left = unsafe {
        libc::CPU_CLR(core, &mut others);
        libc::CPU_COUNT(&others)
    };
    (left > 0).then_some(others)
}

/// The cores that a thread may run on.
#[cfg(target_os = "linux")]
fn allowed(thread: libc::pid_t) -> Option<libc::cpu_set_t> {
    // SAFETY: a set of no cores is all zeros; the call is given its size.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        (libc::sched_getaffinity(thread, size_of_val(&set), &mut set) == 0).then_some(set)
    }
}

/// Says which cores a thread may run on; whether that was done.
#[cfg(target_os = "linux")]
fn allow(thread: libc::pid_t, cores: &libc::cpu_set_t) -> bool {
    // SAFETY: the call is given the size of the set.
    unsafe { libc::sched_setaffinity(thread, size_of_val(cores), cores) == 0 }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn current() -> Option<usize> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(super) struct Off;

#[cfg(not(target_os = "linux"))]
impl Off {
    pub(super) fn new(_: usize) -> Option<Self> {
        None
    }
    pub(super) fn is_mine(&self) -> bool {
        true
    }
    pub(super) fn instead(&mut self, _: usize) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_off_a_core_and_may_come_back() {
        let count = || {
            // SAFETY: it is a set.
            unsafe { libc::CPU_COUNT(&allowed(0).unwrap()) }
        };
        let before = count();
        for _ in 0..20 {
            let core = current().unwrap();
            let off = Off::new(core);
            assert_eq!(off.is_some(), before > 1);
            if off.is_some() {
                assert_ne!(current(), Some(core));
                assert_eq!(count(), before - 1);
            }
            drop(off);
            assert_eq!(count(), before);
        }
        assert!(Off::new(usize::MAX).is_none());
    }

    #[test]
    fn another_thread_may_say_which_core() {
        if std::thread::available_parallelism().unwrap().get() == 1 {
            return;
        }
        let (ready, go) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
        let sleeper = std::thread::spawn(move || {
            let off = Off::new(current().unwrap()).unwrap();
            ready.0.send((off, current().unwrap())).unwrap();
            go.1.recv().unwrap();
            current().unwrap()
        });
        let (mut off, core) = ready.1.recv().unwrap();
        assert!(!off.is_mine());
        off.instead(core); // That is where it is now.
        go.0.send(()).unwrap();
        assert_ne!(sleeper.join().unwrap(), core);
    }
}
