//! Which core a thread runs on, and how a sleeper keeps off another one's.
//!
//! A worker that is woken is often put on the core of the thread that woke it. That one is busy with the same job, so
//! the worker helps nobody until the system shares out its threads anew, milliseconds later. Hence a worker lies
//! down with the wish to wake elsewhere.

/// The number of the core that the calling thread runs on, where the system tells.
#[cfg(target_os = "linux")]
pub(super) fn current() -> Option<usize> {
    // SAFETY: it takes no arguments.
    usize::try_from(unsafe { libc::sched_getcpu() }).ok()
}

/// Keeps the calling thread off a core for as long as it lives.
#[cfg(target_os = "linux")]
pub(super) struct Off {
    /// Where the thread might run before.
    all: libc::cpu_set_t,
    /// The same without the core.
    others: libc::cpu_set_t,
}

#[cfg(target_os = "linux")]
impl Off {
    /// None where the thread can run on no other core, or the system has none of this.
    pub(super) fn new(core: usize) -> Option<Self> {
        let all = allowed()?;
        if core >= 8 * size_of::<libc::cpu_set_t>() {
            return None;
        }
        let mut others = all;
        // SAFETY: the set has a bit for the core.
        let left = unsafe {
            libc::CPU_CLR(core, &mut others);
            libc::CPU_COUNT(&others)
        };
        (left > 0 && allow(&others)).then_some(Self { all, others })
    }
}

#[cfg(target_os = "linux")]
impl Drop for Off {
    fn drop(&mut self) {
        // If somebody else has said meanwhile where it may run, that holds.
        // SAFETY: both are sets.
        if allowed().is_some_and(|now| unsafe { libc::CPU_EQUAL(&now, &self.others) }) {
            allow(&self.all);
        }
    }
}

/// The cores that the calling thread may run on.
#[cfg(target_os = "linux")]
fn allowed() -> Option<libc::cpu_set_t> {
    // SAFETY: a set of no cores is all zeros; the call is given its size.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        (libc::sched_getaffinity(0, size_of_val(&set), &mut set) == 0).then_some(set)
    }
}

/// Says which cores the calling thread may run on; whether that was done.
#[cfg(target_os = "linux")]
fn allow(cores: &libc::cpu_set_t) -> bool {
    // SAFETY: the call is given the size of the set.
    unsafe { libc::sched_setaffinity(0, size_of_val(cores), cores) == 0 }
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
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_off_a_core_and_may_come_back() {
        let count = || {
            // SAFETY: it is a set.
            unsafe { libc::CPU_COUNT(&allowed().unwrap()) }
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
}
