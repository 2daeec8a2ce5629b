"""Training as one watches it: a bar on a terminal, the series' lines anywhere else."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from purrceptron._train import History

EVERY = 100  # epochs between two lines, as in the series


class Watch:
    """Shows how far a training run is; a context manager around it.

    On a terminal it is a bar that goes away at the end; elsewhere, a line with
    the cost every 100 epochs, and one for the last. Quiet, it is nothing.
    """

    def __init__(self, epochs: int, *, quiet: bool = False) -> None:
        self._console = Console(quiet=quiet)
        self._epochs = epochs
        self._next = 0  # the epoch whose line comes next
        self._open = ExitStack()
        self._bar: Progress | None = None

    def __enter__(self) -> Watch:
        if self._console.is_terminal:
            self._bar = self._open.enter_context(
                Progress(
                    TextColumn("epoch {task.completed:,.0f} of {task.total:,.0f}"),
                    BarColumn(),
                    TextColumn("cost {task.fields[cost]}"),
                    TimeRemainingColumn(),
                    console=self._console,
                    transient=True,
                )
            )
            self._task = self._bar.add_task("", total=self._epochs, cost="-")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()

    def show(self, history: History) -> None:
        """Show the epochs that have passed since the last call."""
        done = len(history.loss)
        if self._bar is not None:
            cost = f"{history.loss[-1]:.4g}" if done else "-"
            self._bar.update(self._task, completed=done, cost=cost)
            return
        while self._next < done:
            self._line(self._next, history)
            self._next += EVERY

    def finish(self, history: History) -> None:
        """Show the last epoch."""
        self.show(history)
        last = len(history.loss) - 1
        if self._bar is None and last % EVERY:
            self._line(last, history)

    def _line(self, epoch: int, history: History) -> None:
        if not self._console.quiet:
            print(f"Cost after epoch {epoch}: {history.loss[epoch]:.6f}", flush=True)
