"""Run the sections, a line for each workload; then print their tables, and keep the figures."""

import json
import os
import re
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from purrceptron._bench import machine, report, suite
from purrceptron._files import atomic_write


def compare_all(
    sources: Sequence[str],
    *,
    quick: bool = False,
    json_path: Path | None = None,
    threads: int | None = None,
    with_scaling: bool = False,
) -> int:
    """Time the competitors, given as modules or files; return the exit status."""
    if json_path is not None:
        check_writable(json_path)
    if threads is None:
        threads = machine.cores()
    print(f"{machine.processor()}, {suite.thread_label(threads)}")
    if machine.load() > 0.5:
        print(
            f"The machine is busy (load {machine.load():.1f}): these figures will say little. "
            "Run this again when nothing else runs."
        )
    measured = suite.Suite(quick)
    runs = [suite.measure(measured, sources, threads, progress)]
    if with_scaling and threads > 1:
        runs.append(suite.scaling(measured, threads, progress))
    for result in chain(*runs):
        progress("")
        print(report.line(result), flush=True)
    progress("")
    # Only now are the bounds the highest of the run, which the tables are held against.
    print()
    for count in measured.bounds:
        print(report.bound_line(measured, count))
    for section in measured.sections:
        report.show(measured, section)
    for source, why in measured.missing.items():
        print(f"Skipped {label(source)}: {why}")
    for line in left_out(measured):
        print(line)
    print("Versions: " + ", ".join(f"{name} {v}" for name, v in measured.versions.items()))
    if json_path is not None:
        atomic_write(json_path, (json.dumps(measured.to_json(), indent=1) + "\n").encode())
        print(f"Figures: {json_path}")
    return 0


def check_writable(path: Path) -> None:
    """Raise ``OSError`` unless a file can be put there: the figures would come minutes later."""
    target = Path(os.path.realpath(path))  # which is what is replaced
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder, expected a file")
    if target.exists() and not target.is_file():
        raise OSError(f"{path} is a device or the like, expected a file")
    if not (target.parent.is_dir() and os.access(target.parent, os.W_OK | os.X_OK)):
        raise FileNotFoundError(f"{path}: its folder is missing or not writable")


def label(source: str) -> str:
    """Return the name of a competitor that cannot be imported, as its file has it."""
    if not source.endswith(".py"):
        return source
    name = re.search(r'^NAME = "(.*)"', Path(source).read_text(), re.MULTILINE)
    return name[1] if name else Path(source).stem


def left_out(measured: suite.Suite) -> list[str]:
    """Say once for each reason why a competitor has no time for some work."""
    reasons = {
        f"{name}: {why.splitlines()[0]}": None
        for results in measured.results.values()
        for result in results
        for name, why in result.skipped.items()
    }
    return list(reasons)


def progress(what: str) -> None:
    """Say on a terminal what is being timed, on a line that the next one replaces."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)
