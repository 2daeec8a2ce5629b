"""What is measured, in which order, and what is kept of it."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from purrceptron._bench import machine, workloads
from purrceptron._bench.competitor import Worker, WorkerError
from purrceptron._bench.harness import Effort, Result, compare
from purrceptron._bench.workloads import Workload

OURS = "purrceptron"
NUMPY = "NumPy"

BUILT_IN = ("purrceptron._bench.numpy_peer", "purrceptron._bench.purrceptron_peer")
"""The competitors that every installation has, the baseline first."""


@dataclass(frozen=True)
class Section:
    """Workloads that belong in one table, and the number of threads that they get."""

    title: str
    note: str
    threads: int
    workloads: tuple[Workload, ...]


@dataclass
class Suite:
    """Everything that one run measured."""

    quick: bool
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)  # those that were begun, in their order
    bounds: dict[int, machine.Bound] = field(default_factory=dict)
    results: dict[str, list[Result]] = field(default_factory=dict)
    load: float = field(default_factory=machine.load)  # before the run: it should be near 0
    when: str = field(
        default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    )

    def to_json(self) -> dict[str, Any]:
        """Return all of it, for the record."""
        return {
            "when": self.when,
            "quick": self.quick,
            "load": self.load,
            "machine": machine.describe(),
            "versions": self.versions,
            "missing": self.missing,
            "bounds": {str(threads): bound.to_json() for threads, bound in self.bounds.items()},
            "results": {
                title: [result.to_json() for result in results]
                for title, results in self.results.items()
            },
        }


def sections(quick: bool, threads: int) -> list[Section]:
    """Return what is compared with other libraries."""
    return [
        Section("Matrix products", "", threads, tuple(workloads.products())),
        Section(
            "Cats, full batch",
            f"One iteration over {workloads.PHOTOS} pictures of 12288 values.",
            threads,
            tuple(workloads.cats(quick)),
        ),
        Section(
            "Cats, first layer in the space of examples",
            "A whole run. This is another algorithm, not a faster kernel, and a NumPy user can "
            "write it too: compare with NumPy's own form of it first.",
            threads,
            tuple(workloads.gram(quick)),
        ),
        Section(
            "Mini-batch Adam",
            "One step, from equal starts to (nearly) equal losses.",
            threads,
            tuple(workloads.networks(quick)),
        ),
        Section("One row", "", threads, (workloads.prediction(),)),
        Section(
            "Element-wise functions",
            f"Values in rows of {workloads.FUNCTION_SHAPES[0][1]}, one thread.",
            1,
            tuple(workloads.functions(quick)),
        ),
    ]


def measure(
    suite: Suite, sources: Sequence[str], threads: int, say: Callable[[str], None]
) -> Iterator[Result]:
    """Run every section into the suite, and hand over each result when it is there.

    The machine's bounds are measured before each section, by the first competitor that knows how;
    the highest count, so they are known when the last section is done.
    """
    with ExitStack() as stack:
        teams: dict[int, list[Worker]] = {}
        for section in sections(suite.quick, threads):
            if section.threads not in teams:
                say(f"starting the competitors, {thread_label(section.threads)} each")
                team = start_all(sources, section.threads, suite.missing)
                for worker in team:
                    stack.callback(worker.close)
                    suite.versions.setdefault(worker.name, worker.version)
                teams[section.threads] = team
            say("measuring what the machine can do")
            measured = bound(teams[section.threads])
            suite.bounds[section.threads] = measured.or_more(suite.bounds.get(section.threads))
            yield from run_section(suite, section, teams[section.threads], say)


def run_section(
    suite: Suite, section: Section, team: Sequence[Worker], say: Callable[[str], None]
) -> Iterator[Result]:
    """Compare a team on each workload of a section."""
    suite.sections.append(section)
    results = suite.results.setdefault(section.title, [])
    for workload in section.workloads:
        say(f"{section.title}: {workload.name}, {workload.dtype}")
        results.append(compare(team, workload, Effort.of(suite.quick, workload)))
        yield results[-1]


def start_all(sources: Sequence[str], threads: int, missing: dict[str, str]) -> list[Worker]:
    """Start a process for each competitor, and note those that cannot run here."""
    team = []
    for source in sources:
        try:
            team.append(Worker(source, threads))
        except WorkerError as why:
            missing[source] = str(why).splitlines()[0]
    return team


def bound(team: Sequence[Worker]) -> machine.Bound:
    """Have the peak and the bandwidth measured, by the competitor that knows how."""
    for worker in team:
        answer = worker.ask("bound")
        if answer["source"] is not None:
            return machine.Bound(answer["peak"], answer["bandwidth"], answer["source"])
    raise WorkerError("no competitor can measure the peak of this machine")


def scaling(suite: Suite, threads: int, say: Callable[[str], None]) -> Iterator[Result]:
    """Time purrceptron alone, on one thread and on more, in turn."""
    counts = sorted({1, *(2**i for i in range(1, 10) if 2**i < threads), threads})
    largest = list(workloads.networks(suite.quick))[-2:]
    square = [w for w in workloads.products() if w.name == "large square"]
    section = Section(
        "Threads", "purrceptron alone.", threads, (*square, *workloads.cats(suite.quick), *largest)
    )
    with ExitStack() as stack:
        team = []
        for count in reversed(counts):  # the others are held against the most threads
            worker = Worker(BUILT_IN[1], count)
            worker.name = thread_label(count)
            stack.callback(worker.close)
            team.append(worker)
        yield from run_section(suite, section, team, say)


def thread_label(count: int) -> str:
    """Return ``"1 thread"``, ``"2 threads"``."""
    return f"{count} thread" + "s" * (count > 1)
