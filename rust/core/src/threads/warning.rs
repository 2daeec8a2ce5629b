//! What a computation has to say to the user beside its result.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

static ANY: AtomicBool = AtomicBool::new(false);

static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps a sentence until somebody takes it, unless it is there already.
pub(super) fn warn(message: String) {
    let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    if !warnings.contains(&message) {
        warnings.push(message);
    }
    ANY.store(true, Ordering::Release);
}

/// A sentence to show the user, once: that threads that were wanted could not be started, or that the environment asks
/// for a number of them that is none.
pub fn take_warning() -> Option<String> {
    if !ANY.load(Ordering::Acquire) {
        return None;
    }
    let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = warnings.pop();
    ANY.store(!warnings.is_empty(), Ordering::Release);
    taken
}
