"""What a competitor is: a module that turns a workload into something to run.

It has a ``NAME``, a function ``version()``, and ``task(workload, arrays)``, which gets ready
whatever is not to be timed (conversions, compilation) and returns a `Task`, or raises
`Unsupported`. It may measure the machine's bounds: ``peak(dtype)`` in flop/s, ``bandwidth()`` in
bytes/s, and a word in ``BOUND`` on how.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from numpy.typing import NDArray

from purrceptron._bench.workloads import Arrays, Workload
from purrceptron._reference import Parameters


class Unsupported(Exception):  # noqa: N818  (it is an answer, not a mistake)
    """The competitor does not offer this; the message says what is missing."""


@dataclass(frozen=True)
class Task:
    """A workload as one competitor does it.

    Attributes
    ----------
    run : callable
        The timed part.
    steps : int
        How many steps a run does; times are quoted for one.
    reset : callable, optional
        Puts the start back before each run, untimed.
    result : callable, optional
        Returns what a run of ``matmul`` or ``function`` computed, to be checked.
    parameters : callable, optional
        Returns the parameters that a fit ended with, to see what it learned.
    """

    run: Callable[[], object]
    steps: int = 1
    reset: Callable[[], object] | None = None
    result: Callable[[], NDArray[Any]] | None = None
    parameters: Callable[[], Parameters] | None = None


class Peer(Protocol):
    """The module itself."""

    NAME: str

    def version(self) -> str:
        """Return what runs, for the record."""

    def task(self, workload: Workload, arrays: Arrays) -> Task:
        """Get ready to do the workload."""


def as_peer(module: object) -> Peer:
    """Return the module as a peer, or raise ``TypeError`` if something is missing in it."""
    missing = [name for name in ("NAME", "version", "task") if not hasattr(module, name)]
    if missing:
        raise TypeError(f"{module} is no competitor: it lacks {', '.join(missing)}")
    return cast(Peer, module)
