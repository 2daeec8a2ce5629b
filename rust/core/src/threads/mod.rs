//! Threads: how many, and the pool that they wait in.
//!
//! Nothing starts before the first piece of work that wants more than one thread.

mod affinity;
mod in_step;
mod pool;
mod warning;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

pub(crate) use in_step::in_step;
pub(crate) use pool::run;
pub use warning::take_warning;

/// More threads than this help nobody, and a slip of the keyboard should not start a million.
pub const MAX_THREADS: usize = 1024;

/// What [`set_num_threads`] set; 0 while it has not been called.
static CHOSEN: AtomicUsize = AtomicUsize::new(0);

/// Sets how many threads every later computation of the process may use. The results do not
/// depend on it.
///
/// # Errors
/// [`Error::Value`] unless `1 <= n <= MAX_THREADS`.
///
/// ```
/// purrceptron::threads::set_num_threads(2)?;
/// assert_eq!(purrceptron::threads::get_num_threads(), 2);
/// assert!(purrceptron::threads::set_num_threads(0).is_err());
/// # Ok::<(), purrceptron::Error>(())
/// ```
pub fn set_num_threads(n: usize) -> Result<()> {
    if !(1..=MAX_THREADS).contains(&n) {
        return Err(out_of_range("n", n.to_string()));
    }
    CHOSEN.store(n, Ordering::Relaxed);
    Ok(())
}

/// What is said of a number of threads that is none.
pub fn out_of_range(argument: &'static str, came: String) -> Error {
    Error::Value {
        argument,
        came,
        expected: format!("a number of threads from 1 to {MAX_THREADS}"),
    }
}

/// How many threads a computation may use: what [`set_num_threads`] set, else the environment's
/// `PURRCEPTRON_NUM_THREADS`, else `OMP_NUM_THREADS`, else the parallelism available to the
/// process. The environment is read once; a value there that is no number from 1 to [`MAX_THREADS`] is passed over, with
/// [a warning](take_warning) if it is the first.
pub fn get_num_threads() -> usize {
    match CHOSEN.load(Ordering::Relaxed) {
        0 => default_threads(),
        n => n,
    }
}

fn default_threads() -> usize {
    static DEFAULT: OnceLock<usize> = OnceLock::new();
    *DEFAULT.get_or_init(|| {
        const OURS: &str = "PURRCEPTRON_NUM_THREADS";
        let asked = std::env::var(OURS).ok().filter(|value| !value.trim().is_empty());
        let ours = asked.as_ref().and_then(|value| parse(value));
        if let (Some(value), None) = (&asked, ours) {
            let wrong = out_of_range(OURS, format!("{value:?}"));
            warning::warn(format!("{wrong}; it is passed over"));
        }
        ours.or_else(|| parse(&std::env::var("OMP_NUM_THREADS").ok()?))
            .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
            .map_or(1, |n| n.min(MAX_THREADS))
    })
}

/// `OMP_NUM_THREADS` may be a list, one number for each level of nesting: the first counts.
fn parse(value: &str) -> Option<usize> {
    value.split(',').next()?.trim().parse().ok().filter(|n| (1..=MAX_THREADS).contains(n))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn environment_values() {
        assert_eq!(parse("4"), Some(4));
        assert_eq!(parse(" 3,2"), Some(3));
        assert_eq!(parse("0"), None);
        assert_eq!(parse("-1"), None);
        assert_eq!(parse("many"), None);
        assert_eq!(parse(""), None);
        assert_eq!(parse("1025"), None);
    }
}
