"""Training as one watches it: a bar on a terminal, the series' lines anywhere else."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from purrceptron._extras import require

if TYPE_CHECKING:
    from purrceptron._history import History
    from purrceptron._network import Network

EVERY = 100  # epochs between two lines, as in the series


class ProgressBar:
    """A callback that shows how far a fit is.

    On a terminal it is a bar that goes away at the end; elsewhere a line with
    the cost every 100 epochs, and one for the last. As a context manager around
    the fit it clears the bar when the fit fails or is interrupted, too.

    Parameters
    ----------
    epochs : int
        How many there will be.
    quiet : bool
        Show nothing.

    Raises
    ------
    MissingExtraError
        If rich is not installed.
    """

    each_epoch = False  # once a call of the core will do

    def __init__(self, epochs: int, *, quiet: bool = False) -> None:
        require("rich", extra="app", purpose="the progress bar")
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(quiet=quiet)
        self._next = 0  # the epoch whose line comes next
        self._bar = Progress(
            TextColumn("epoch {task.completed:,.0f} of {task.total:,.0f}"),
            BarColumn(),
            TextColumn("cost {task.fields[cost]}"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=epochs, cost="-")

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def on_train_begin(self, net: Network, history: History) -> None:
        """Show the bar, empty."""
        self._bar.start()

    def on_epoch_end(self, net: Network, history: History) -> None:
        """Show the epochs that have passed since the last call."""
        done = len(history.loss)
        self._bar.update(self._task, completed=done, cost=f"{history.loss[-1]:.6f}")
        while self._next < done:
            self._line(self._next, history)
            self._next += EVERY

    def on_train_end(self, net: Network, history: History) -> None:
        """Show the last epoch, and take the bar away."""
        self._bar.stop()
        last = len(history.loss) - 1
        if last % EVERY and last > 0:
            self._line(last, history)

    def _line(self, epoch: int, history: History) -> None:
        if not self._console.quiet and not self._console.is_terminal:
            print(f"Cost after epoch {epoch}: {history.loss[epoch]:.6f}", flush=True)
