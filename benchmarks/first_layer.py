"""Time the two ways to train a first layer, over many sizes: where the space of examples pays.

``python benchmarks/first_layer.py [--quick] [--dtype float64]`` trains [n, 20, 7, 5, 1] on m
random rows of n features, directly and in the space of examples, and takes apart what is done once
(the Gram matrix, the weights at the end) and what each iteration costs. It prints a table with the
choice of ``first_layer="auto"`` beside the quicker way, writes ``benchmarks/results/`` by machine
and date, and draws ``docs/benchmarks/first-layer.svg``.
"""

import argparse
import datetime
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import purrceptron as pc
from purrceptron._bench import machine

HERE = Path(__file__).parent
ROWS = (100, 300, 1000, 3000, 10_000)
FEATURES = (1000, 3000, 10_000, 30_000, 100_000)
EPOCHS = (3, 30, 300, 3000)
"""Lengths of run for which the choice of "auto" is looked at."""

LARGEST = {"numbers": 1e9, "multiplications": 5e11}
"""Of X, and for its Gram matrix: what is larger takes too long, or more memory than most have."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Where the space of examples pays.")
    parser.add_argument("--quick", action="store_true", help="the small sizes alone")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    chosen = parser.parse_args()
    points = []
    for m in ROWS[: 3 if chosen.quick else None]:
        for n in FEATURES[: 3 if chosen.quick else None]:
            if m * n > LARGEST["numbers"] or m * m * n / 2 > LARGEST["multiplications"]:
                print(f"m = {m:6}, n = {n:6}: left out, too large")
                continue
            points.append(point := measure(m, n, chosen.dtype))
            print(line(point), flush=True)
    now = datetime.datetime.now(datetime.UTC)
    run = {
        "when": now.isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "threads": pc.get_num_threads(),
        "dtype": chosen.dtype,
        "points": points,
    }
    name = f"{machine.slug()}-{now.date().isoformat()}-first-layer"
    path = HERE / "results" / f"{name}-{chosen.dtype}{'-quick' if chosen.quick else ''}.json"
    path.write_text(json.dumps(run, indent=1) + "\n")
    print(f"Figures: {path}")
    if not chosen.quick and chosen.dtype == "float32":
        print(f"Plot: {draw(run, HERE.parent / 'docs' / 'benchmarks' / 'first-layer.svg')}")


def measure(m: int, n: int, dtype: str) -> dict[str, Any]:
    """Seconds of an iteration in each way, and of what the Gram form does once."""
    random = np.random.default_rng(0)
    X = random.random((m, n), dtype=np.float32).astype(dtype, copy=False)
    y = random.integers(0, 2, m)
    layers = [n, 20, 7, 5, 1]

    def run(epochs: int, first_layer: str) -> float:
        net = pc.Network(layers, dtype=dtype, seed=1)
        start = time.perf_counter()
        pc.train(net, X, y, epochs=epochs, first_layer=first_layer)
        return time.perf_counter() - start

    direct, _ = steps(lambda epochs: run(epochs, "direct"))
    gram, once = steps(lambda epochs: run(epochs, "gram"))
    net = pc.Network(layers, dtype=dtype, seed=1)
    choices = {epochs: auto_takes_gram(net, X, y, epochs) for epochs in EPOCHS}
    return {"m": m, "n": n, "direct": direct, "gram": gram, "once": once, "auto": choices}


class AnswerError(Exception):
    """Ends a fit before it begins, with what it would have done."""


class Ask:
    """A callback that wants to know how the first layer would be trained, and no more."""

    def on_train_begin(self, net: pc.Network, history: pc.History) -> None:
        raise AnswerError(history.first_layer)


def auto_takes_gram(net: pc.Network, X: Any, y: Any, epochs: int) -> bool:
    try:
        pc.train(net, X, y, epochs=epochs, callbacks=[Ask()])
    except AnswerError as answer:
        return str(answer).startswith("gram")
    raise AssertionError("the callback raises")


def steps(run: Callable[[int], float]) -> tuple[float, float]:
    """Seconds of an iteration, and of everything else, from a short and a longer run."""
    short = [run(1)]
    more = 4
    while (long := run(1 + more)) < short[0] + 0.1 and more < 4096:
        more *= 4
    longs = [long]
    while len(longs) < 3 and short[0] + long < 2:
        short.append(run(1))
        longs.append(run(1 + more))
    step = max(median(longs) - median(short), 1e-9) / more
    return step, max(median(short) - step, 0.0)


def seconds(point: dict[str, Any], epochs: int) -> tuple[float, float]:
    """Of a whole run: directly, and in the space of examples."""
    return epochs * point["direct"], point["once"] + epochs * point["gram"]


def line(point: dict[str, Any]) -> str:
    """One size in a line, with the choice of "auto" for runs of several lengths."""
    verdicts = []
    for epochs in EPOCHS:
        direct, gram = seconds(point, epochs)
        auto = gram if point["auto"][epochs] else direct
        lost = auto / min(direct, gram) - 1
        verdicts.append(f"{'gram' if point['auto'][epochs] else 'direct'} (+{100 * lost:.0f} %)")
    return (
        f"m = {point['m']:6}, n = {point['n']:6}: direct {1e3 * point['direct']:9.3f} ms, "
        f"gram {1e3 * point['gram']:9.3f} ms and {1e3 * point['once']:9.1f} ms once; "
        f"auto for {', '.join(map(str, EPOCHS))} epochs: {', '.join(verdicts)}"
    )


def draw(run: dict[str, Any], path: Path) -> Path:
    """How many times quicker an iteration is, and from how many on the whole run is quicker."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "purrceptron"
    figure, (ratio, even) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for m, colour in zip(ROWS, plt.get_cmap("viridis")(np.linspace(0, 0.9, 5)), strict=True):
        points = [point for point in run["points"] if point["m"] == m]
        n = [point["n"] for point in points]
        style = {"color": colour, "marker": "o", "ms": 4, "label": f"{m:,} examples"}
        ratio.plot(n, [p["direct"] / p["gram"] for p in points], **style)
        pays = [p for p in points if p["direct"] > p["gram"]]
        epochs = [p["once"] / (p["direct"] - p["gram"]) for p in pays]
        even.plot([p["n"] for p in pays], epochs, **style)
    ratio.axhline(1, color="gray", lw=0.8, ls="--")
    ratio.set(title="An iteration: times quicker than direct")
    even.set(title="Iterations from which a whole run is quicker")
    for axes in (ratio, even):
        axes.set(xscale="log", yscale="log", xlabel="features")
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
        axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
    ratio.legend(frameon=False, fontsize=8)
    where = f"{run['machine']['processor']}, {run['threads']} threads, {run['dtype']}"
    figure.text(0.995, 0.005, f"{where}, {run['when'][:10]}", ha="right", fontsize=6, color="gray")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    return path


if __name__ == "__main__":
    main()
