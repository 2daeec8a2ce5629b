//! Calls into the core: without the GIL, with Ctrl-C noticed, and with what the core has to say passed on.

use std::time::{Duration, Instant};

use purrceptron::threads;
use pyo3::exceptions::PyRuntimeWarning;
use pyo3::prelude::*;

use crate::error::CoreError;

/// How often a long call looks whether Ctrl-C has been pressed.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// Does `work` without the GIL.
pub(crate) fn detached<R: Send, E: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<R, E> + Send,
) -> PyResult<R>
where
    CoreError: From<E>,
{
    finished(py, py.detach(work))
}

/// The same, for work that asks now and then whether to stop: it is to, once Ctrl-C has been pressed.
pub(crate) fn interruptible<R: Send, E: Send>(
    py: Python<'_>,
    work: impl FnOnce(&mut dyn FnMut() -> bool) -> Result<R, E> + Send,
) -> PyResult<R>
where
    CoreError: From<E>,
{
    let mut raised = None;
    let result = py.detach(|| {
        let mut watch = Watch::new();
        work(&mut || watch.signalled(&mut raised))
    });
    // Once the signal's handler has raised, that is what counts, also where the work was done before it asked again.
    raised.map_or_else(|| finished(py, result), Err)
}

fn finished<R, E>(py: Python<'_>, result: Result<R, E>) -> PyResult<R>
where
    CoreError: From<E>,
{
    let result = result.map_err(CoreError::from)?;
    pass_on_warnings(py)?;
    Ok(result)
}

/// Warns the user of what the core has kept.
pub(crate) fn pass_on_warnings(py: Python<'_>) -> PyResult<()> {
    while let Some(message) = threads::take_warning() {
        let arguments = (message, py.get_type::<PyRuntimeWarning>());
        py.import("purrceptron._arguments")?.call_method1("warn", arguments)?;
    }
    Ok(())
}

/// Looks now and then, from a long call without the GIL, whether Ctrl-C has been pressed.
pub(crate) struct Watch(Instant);

impl Watch {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }

    /// Whether a signal handler has raised, now or before; what it raised is left in `raised`.
    pub(crate) fn signalled(&mut self, raised: &mut Option<PyErr>) -> bool {
        if raised.is_none() && self.0.elapsed() >= SIGNAL_INTERVAL {
            let Some(result) = Python::try_attach(|py| py.check_signals()) else { never_return() };
            *raised = result.err();
            self.0 = Instant::now();
        }
        raised.is_some()
    }
}

/// What is left to do in a thread that the interpreter did not wait for when it exited: there is nowhere to return to,
/// and the process is about to end.
fn never_return() -> ! {
    loop {
        std::thread::park();
    }
}
