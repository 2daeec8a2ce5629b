"""Put results into tables that read well in a terminal, with rich or without it."""

import math
from collections.abc import Sequence
from statistics import geometric_mean

from purrceptron._bench.harness import Result
from purrceptron._bench.suite import NUMPY, OURS, Section, Suite, thread_label

Row = list[str]


def table(suite: Suite, section: Section) -> tuple[Row, list[Row]]:
    """Return the heading and the rows of a section.

    Beside each competitor's time stands how many times as long as purrceptron's it is; beside
    ours, what fraction of the peak it reaches, where the work's multiply-adds are counted. The peak
    is the best seen in the run, so a table of a run that is still going on would flatter us.
    """
    results = suite.results[section.title]
    ours = OURS if any(OURS in r.seconds for r in results) else first(results)
    others = [name for name in names(results) if name != ours]
    bounded = any(r.workload.flop for r in results)
    learned = any(len(r.loss) > 1 for r in results)
    heading = ["", "dtype", ours, *(["of bound"] if bounded else []), *others]
    if learned:
        heading.append("loss")
    rows = []
    for result in results:
        row = [result.workload.name, result.workload.dtype, "-"]
        if ours in result.seconds:
            row[-1] = duration(result.time(ours))
            row[-1] += throughput(result, ours)
        if bounded:
            row.append(fraction(suite, result, ours))
        row += [against(result, name, ours) for name in others]
        if learned:
            row.append(losses(result))
        rows.append(row)
    return heading, rows


def throughput(result: Result, name: str) -> str:
    """Return how much of the work is done a second, where it can be counted."""
    work, seconds = result.workload, result.time(name)
    if work.flop:
        return f"  {work.flop / seconds / 1e9:.0f} GFLOP/s"
    if work.kind == "function":
        return f"  {math.prod(work.settings['shape']) / seconds / 1e9:.2f} G/s"
    return ""


def first(results: Sequence[Result]) -> str:
    """Return the first competitor of a section that lacks ours."""
    return next(iter(names(results)), OURS)


def names(results: Sequence[Result]) -> list[str]:
    """Return the competitors that took part, in their order."""
    return list(dict.fromkeys(name for result in results for name in result.seconds))


def fraction(suite: Suite, result: Result, name: str) -> str:
    """Return what part of the machine's peak of multiply-adds a competitor reached."""
    if name not in result.seconds or not result.workload.flop:
        return "-"
    least = suite.bounds[result.threads].seconds(result.workload)
    return f"{least / result.time(name):.0%}"


def against(result: Result, name: str, ours: str) -> str:
    """Return a competitor's time and its ratio to ours."""
    if name not in result.seconds:
        return "-"
    time = duration(result.time(name))
    return f"{time}  {result.ratio(name, ours):.2f}x" if ours in result.seconds else time


def losses(result: Result) -> str:
    """Return the loss that the fits ended with, or the range if they ended apart."""
    if not result.loss:
        return "-"
    low, high = min(result.loss.values()), max(result.loss.values())
    return f"{low:.4g}" if math.isclose(low, high, rel_tol=1e-3) else f"{low:.4g} - {high:.4g}"


def summary(suite: Suite, section: Section) -> str:
    """Return one line about a section: how we do against NumPy over all of its rows."""
    ratios = [
        result.ratio(NUMPY, OURS)
        for result in suite.results[section.title]
        if {NUMPY, OURS} <= result.seconds.keys()
    ]
    if len(ratios) < 3:
        return ""
    return (
        f"NumPy takes {geometric_mean(ratios):.2f} times as long as {OURS} "
        f"(geometric mean of {len(ratios)}; from {min(ratios):.2f} to {max(ratios):.2f})."
    )


def against_plain(suite: Suite, section: Section) -> list[str]:
    """Say for each whole run in the space of examples how long plain NumPy would take."""
    steps = {
        (result.workload.settings["layers"], result.workload.dtype): result.time(NUMPY)
        for results in suite.results.values()
        for result in results
        if result.workload.kind == "full_batch" and NUMPY in result.seconds
    }
    lines = []
    for result in suite.results[section.title]:
        work = result.workload
        step = steps.get((work.settings.get("layers"), work.dtype))
        if work.kind == "gram" and OURS in result.seconds and step is not None:
            iterations = work.settings["iterations"]
            plain = step * iterations
            lines.append(
                f"{work.dtype}: {iterations} iterations of plain NumPy would take "
                f"{duration(plain)}, {plain / result.time(OURS):.0f} times as long."
            )
    return lines


def bound_line(suite: Suite, threads: int) -> str:
    """Say what the machine can do."""
    bound = suite.bounds[threads]
    peaks = ", ".join(f"{flops / 1e9:.0f} GFLOP/s in {d}" for d, flops in bound.peak.items())
    return (
        f"{thread_label(threads)}: {peaks} ({bound.source}); "
        f"{bound.bandwidth / 1e9:.1f} GB/s copied in memory"
    )


def line(result: Result) -> str:
    """Say that a workload is done and how long we took: a sign of life until the tables come."""
    name = OURS if OURS in result.seconds else first([result])
    took = f"{name} {duration(result.time(name))}" if name in result.seconds else "nobody does it"
    return f"{result.workload.name}, {result.workload.dtype}: {took}"


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it.

    >>> duration(0.00123), duration(2.5e-6), duration(12)
    ('1.23 ms', '2.5 us', '12 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def show(suite: Suite, section: Section) -> None:
    """Print a section."""
    if not names(suite.results[section.title]):
        return
    heading, rows = table(suite, section)
    lines = [section.note, *against_plain(suite, section), summary(suite, section)]
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print("\n" + plain(section.title, heading, rows))
    else:
        grid = Table(*heading, title=section.title, title_justify="left")
        for column in grid.columns[2:]:
            column.justify = "right"
        for row in rows:
            grid.add_row(*row)
        console = Console()
        if not console.is_terminal:  # a file has room
            console.width = 160
        console.print()
        console.print(grid)
    print("\n".join(line for line in lines if line))


def plain(title: str, heading: Row, rows: list[Row]) -> str:
    """Return a table in plain text."""
    widths = [max(len(row[i]) for row in [heading, *rows]) for i in range(len(heading))]
    lines = [
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [heading, ["-" * width for width in widths], *rows]
    ]
    return "\n".join([title, "", *lines])
