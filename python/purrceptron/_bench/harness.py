"""Time competitors side by side: a process for each, in turn, A B A B, and medians of ratios.

In turn, because BLAS threads spin for a while after a call and would steal the core from
whatever runs next, and because a machine's speed drifts: the ratio of two neighbours in time
says more than the ratio of two averages.
"""

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from purrceptron._bench.competitor import Worker, WorkerError
from purrceptron._bench.workloads import Workload, build

SETTLE = 0.25
"""Seconds for the threads of the last competitor to fall asleep; one thread alone needs none.

OpenBLAS's wait 2^28 ticks of the clock for more work, 134 ms at 2 GHz, and keep a core busy.
"""


@dataclass
class Result:
    """What came out of one workload.

    Attributes
    ----------
    seconds : dict
        For each competitor the seconds of a step, one for each round.
    loss : dict
        Where the fit of each that took part ended, measured the same way for all.
    skipped : dict
        Why a competitor did not take part.
    """

    workload: Workload
    threads: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    loss: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def time(self, name: str) -> float:
        """Return the median seconds of a step."""
        return median(self.seconds[name])

    def ratio(self, name: str, to: str) -> float:
        """Return how many times as long ``name`` takes as ``to``, the median over the rounds."""
        return median(a / b for a, b in zip(self.seconds[name], self.seconds[to], strict=True))

    def to_json(self) -> dict[str, Any]:
        """Return everything measured, and the medians."""
        return {
            **self.workload.to_json(),
            "threads": self.threads,
            "median": {name: self.time(name) for name in self.seconds},
            "seconds": self.seconds,
            "loss": self.loss,
            "skipped": self.skipped,
        }


@dataclass(frozen=True)
class Effort:
    """How much time to spend: rounds of A B A B, and seconds of measuring in each."""

    rounds: int
    seconds: float

    @classmethod
    def of(cls, quick: bool, workload: Workload) -> "Effort":
        """Return enough to trust, or just enough to see: microseconds are soon repeated often."""
        if quick:
            return cls(3, 0.02)
        return cls(7, {"function": 0.03, "matmul": 0.06, "predict": 0.06}.get(workload.kind, 0.2))


def compare(workers: Sequence[Worker], workload: Workload, effort: Effort) -> Result:
    """Time one workload with every competitor that can do it.

    One that fails, or whose process is no longer there, or that has not learned what the others
    have, is noted and left out: the others go on.
    """
    result = Result(workload, workers[0].threads)
    ready: list[Worker] = []

    def ask(worker: Worker, what: str, **details: Any) -> dict[str, Any] | None:
        try:
            answer = worker.ask(what, **details)
        except WorkerError as failure:
            answer = {"unsupported": str(failure)}
        if "unsupported" not in answer:
            return answer
        result.skipped[worker.name] = answer["unsupported"]
        result.seconds.pop(worker.name, None)
        if worker in ready:
            ready.remove(worker)
        return None

    checks: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "arrays.npz"
        np.savez(arrays, allow_pickle=False, **build(workload))
        for worker in workers:
            answer = ask(worker, "prepare", workload=workload.to_json(), arrays=str(arrays))
            if answer is not None:
                ready.append(worker)
                result.seconds[worker.name] = []
                if answer["check"] is not None:
                    checks[worker.name] = answer["check"]
    agree(checks, workload)
    for _ in range(effort.rounds):
        for worker in ready.copy():
            time.sleep(SETTLE if worker.threads > 1 else 0.01)
            answer = ask(worker, "measure", seconds=effort.seconds)
            if answer is not None:
                result.seconds[worker.name].append(answer["seconds"])
    for worker in ready.copy():
        answer = ask(worker, "finish")
        if answer is not None and answer["loss"] is not None:
            result.loss[worker.name] = answer["loss"]
    leave_out_the_unequal(result)
    return result


# How far from the others a loss may end: the order of the rows makes some percent of difference.
SPREAD = {"full_batch": 0.01, "gram": 0.01, "mini_batch": 0.15}


def leave_out_the_unequal(result: Result) -> None:
    """Leave out whoever ended at another loss than most: it did other work."""
    if len(result.loss) < 3:
        return
    # A loss that is none sorts behind all others.
    usual = median(x if math.isfinite(x) else math.inf for x in result.loss.values())
    for name, loss in list(result.loss.items()):
        if not abs(loss - usual) <= SPREAD[result.workload.kind] * usual:
            result.seconds.pop(name, None)
            del result.loss[name]  # else it would stretch the range that the others ended in
            what = f"{result.workload.name} ({result.workload.dtype})"
            result.skipped[name] = (
                f"ended {what} at a loss of {loss:.4g}, the others at {usual:.4g}"
            )


def agree(checks: dict[str, list[float]], workload: Workload) -> None:
    """Raise unless all computed the same: a fast wrong answer is no result."""
    names = list(checks)
    tolerance = 1e-3 if workload.dtype == "float32" else 1e-11
    for name in names[1:]:
        expected = np.array(checks[names[0]])
        if not np.allclose(checks[name], expected, atol=tolerance * abs(expected).max(), rtol=0):
            raise WorkerError(
                f"{name} and {names[0]} disagree on {workload.name} ({workload.dtype})"
            )
