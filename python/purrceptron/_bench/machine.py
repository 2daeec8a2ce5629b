"""The machine that the numbers belong to, and the bounds that it sets."""

import os
import platform
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from purrceptron._bench.workloads import Workload


def processor() -> str:
    """Return the processor's own name, as well as it can be found out."""
    if Path("/proc/cpuinfo").exists():
        match = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        if match:
            return match[1].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load() -> float:
    """Return how many other processes wanted a core in the last minute, or 0 if nobody knows."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def describe() -> dict[str, Any]:
    """Return what one must know to compare with another machine."""
    return {
        "processor": processor(),
        "cores": cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def slug() -> str:
    """Return a file name for this machine: ``amd-epyc-2-cores``."""
    return re.sub(r"[^a-z0-9]+", "-", f"{processor()} {cores()} cores".lower()).strip("-")


@dataclass(frozen=True)
class Bound:
    """The most that the machine can do, measured in the same run.

    Attributes
    ----------
    peak : dict
        For each dtype, flop/s of multiply-adds.
    bandwidth : float
        Bytes/s to and from memory, to know the machine by.
    source : str
        How the peak was measured.
    """

    peak: dict[str, float]
    bandwidth: float
    source: str

    def seconds(self, workload: Workload) -> float:
        """Return the least time of a step: what its multiply-adds alone take at the peak.

        The bandwidth is no part of it: what a small network reads and writes stays in the cache.
        """
        return workload.flop / self.peak[workload.dtype]

    def or_more(self, other: Self | None) -> Self:
        """Return the higher figures of both.

        A virtual machine's cores may be halves of one for a while: then all that it does is slower,
        and a peak measured in that while is not its peak.
        """
        if other is None:
            return self
        peak = {dtype: max(flops, other.peak[dtype]) for dtype, flops in self.peak.items()}
        return replace(self, peak=peak, bandwidth=max(self.bandwidth, other.bandwidth))

    def to_json(self) -> dict[str, Any]:
        """Return the figures."""
        return asdict(self)
