"""Draw the figures of one run: speed by shape, step time by network, speed-up by threads.

``python benchmarks/plots.py RESULTS.json [FOLDER]``
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator, NullFormatter

from purrceptron._bench.suite import thread_label

OURS = "purrceptron"
COLOURS = {
    OURS: "#d1495b",
    "NumPy": "#4c6a92",
    "PyTorch": "#e6a34a",
    "JAX": "#5b9279",
    "scikit-learn": "#8f8f8f",
}

Rows = list[dict[str, Any]]


def draw(results: Path, folder: Path) -> Iterator[Path]:
    """Write each figure that the results have the figures for, and say where."""
    run = json.loads(results.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams["svg.hashsalt"] = "purrceptron"  # the same figures, the same file
    figures = {
        **{
            f"products-{dtype}": lambda dtype=dtype: products(run, dtype)
            for dtype in ("float32", "float64")
        },
        "training": lambda: training(run),
        "threads": lambda: threads(run),
    }
    for name, figure in figures.items():
        made = figure()
        if made is None:
            continue
        made.text(0.995, 0.005, caption(run), ha="right", va="bottom", fontsize=6, color="gray")
        path = folder / f"{name}.svg"
        made.savefig(path, metadata={"Date": None})
        plt.close(made)
        yield path


def caption(run: dict[str, Any]) -> str:
    machine = run["machine"]
    return f"{machine['processor']}, {machine['cores']} cores, {run['when'][:10]}"


def products(run: dict[str, Any], dtype: str) -> Any:
    """GFLOP/s of each product, with the machine's peak as a line."""
    rows: Rows = [r for r in run["results"].get("Matrix products", []) if r["dtype"] == dtype]
    rows = [r for r in rows if OURS in r["median"]]
    if not rows:
        return None
    figure, axes = bars(rows, lambda r, name: r["flop"] / r["median"][name] / 1e9)
    peak = run["bounds"][str(rows[0]["threads"])]["peak"][dtype] / 1e9
    axes.axhline(peak, color="black", lw=0.8, ls="--", label=f"peak, {peak:.0f}")
    axes.set(
        ylabel="GFLOP/s",
        title=f"Matrix products, {dtype}, {thread_label(rows[0]['threads'])}",
        ylim=(0, 1.2 * peak),  # room for the legend above the line
    )
    axes.legend(frameon=False, fontsize=8, ncols=6)
    return figure


def training(run: dict[str, Any]) -> Any:
    """Time of a training step as a multiple of ours."""
    rows: Rows = [
        row
        for title in ("Cats, full batch", "Mini-batch Adam")
        for row in run["results"].get(title, [])
        if row["dtype"] == "float32" and OURS in row["median"]
    ]
    if not rows:
        return None
    figure, axes = bars(rows, lambda r, name: r["median"][name] / r["median"][OURS])
    axes.axhline(1, color="black", lw=0.8)
    axes.set(
        ylabel=f"time of a step, {OURS} = 1",
        title=f"Training, float32, {thread_label(rows[0]['threads'])} (lower is faster)",
        yscale="log",
        ylim=(0.5, None),
    )
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False, fontsize=8, ncols=5)
    return figure


def threads(run: dict[str, Any]) -> Any:
    """How many times as fast as one thread."""
    rows: Rows = run["results"].get("Threads", [])
    if not rows:
        return None
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    counts = sorted(int(label.split()[0]) for label in rows[0]["median"])
    for row in rows:
        by_count = {int(label.split()[0]): t for label, t in row["median"].items()}
        times = [by_count[count] for count in counts]
        axes.plot(
            counts,
            [times[0] / t for t in times],
            marker="o",
            label=f"{row['name']}, {row['dtype']}",
        )
    axes.plot(counts, counts, color="black", lw=0.8, ls="--", label="perfect")
    axes.set(xlabel="threads", ylabel="times one thread's speed", title="Threads", xticks=counts)
    axes.legend(frameon=False, fontsize=7)
    return figure


def bars(rows: Rows, value: Any) -> Any:
    """Draw a group of bars for each row, a bar for each competitor."""
    names = list(dict.fromkeys(name for row in rows for name in row["median"]))
    names.sort(key=lambda name: name != OURS)
    figure, axes = plt.subplots(figsize=(10, 4.5), layout="constrained")
    width = 0.85 / len(names)
    for i, name in enumerate(names):
        present = [j for j, row in enumerate(rows) if name in row["median"]]
        axes.bar(
            [j + (i - (len(names) - 1) / 2) * width for j in present],
            [value(rows[j], name) for j in present],
            width,
            label=name,
            color=COLOURS.get(name),
        )
    axes.set_xticks(
        range(len(rows)), [r["name"] for r in rows], rotation=30, ha="right", fontsize=8
    )
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


if __name__ == "__main__":
    target = (
        Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parents[1] / "docs/benchmarks"
    )
    for written in draw(Path(sys.argv[1]), target):
        print(written)
