"""Draw the figures of the documentation: ``python docs/figures/draw.py`` writes them beside it."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import purrceptron as pc

FOLDER = Path(__file__).parent
OURS, OTHER, INK = "#d1495b", "#4c6a92", "#444444"
ACTIVATIONS = (
    *("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "tanh", "sigmoid"),
    "identity",
)


def network() -> Figure:
    """Draw a small network, with the names of what flows through it."""
    sizes = (5, 4, 3, 1)
    figure, axes = plt.subplots(figsize=(7, 3))
    places = [[(2 * x, y - (n - 1) / 2) for y in range(n)] for x, n in enumerate(sizes)]
    for left, right in pairwise(places):
        for start in left:
            for end in right:
                axes.plot(*zip(start, end, strict=True), color="#bbbbbb", lw=0.8, zorder=1)
    for layer, column in enumerate(places):
        colour = OURS if layer == len(sizes) - 1 else OTHER if layer else INK
        axes.scatter(*zip(*column, strict=True), s=220, color="white", edgecolor=colour, zorder=2)
        name = ("$A_0 = X$", "$A_1$", "$A_2$", "$A_3$")[layer]
        axes.text(2 * layer, 2.6, name, ha="center", fontsize=12)
        if layer:
            axes.text(2 * layer - 1, -2.9, f"$W_{layer}$, $b_{layer}$", ha="center", fontsize=11)
    axes.set(xlim=(-0.5, 6.5), ylim=(-3.1, 3.1))
    axes.axis("off")
    return figure


def activations() -> Figure:
    """Draw each activation with its derivative."""
    z = np.linspace(-4, 4, 161)
    figure, grid = plt.subplots(2, 5, figsize=(10, 4.2), sharex=True, sharey=True)
    for axes, name in zip(grid.flat, ACTIVATIONS, strict=True):
        net = pc.Network([1, 1, 1], hidden=name, dtype="float64", init="zeros")
        net.set_parameters([(np.ones((1, 1)), np.zeros(1))] * 2)
        (a,) = net.activations(z[:, np.newaxis])
        axes.plot(z, a[:, 0], color=OURS, label="a = g(z)")
        axes.plot(z, np.gradient(a[:, 0], z), color=OTHER, ls="--", lw=1, label="g'(z)")
        axes.axhline(0, color="#cccccc", lw=0.6, zorder=0)
        axes.axvline(0, color="#cccccc", lw=0.6, zorder=0)
        axes.set(title=name, ylim=(-2, 4))
    grid[0, 0].legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def schedules() -> Figure:
    """Draw how the learning rate goes with each schedule."""
    s = pc.schedules
    made = {
        "InverseScaling(1)": s.InverseScaling(1),
        "Step(1, every=15, factor=0.5)": s.Step(1, every=15, factor=0.5),
        "Exponential(1)": s.Exponential(1),
        "Cosine(1, epochs=50)": s.Cosine(1, epochs=50),
        "OneCycle(1, epochs=50)": s.OneCycle(1, epochs=50),
        "WarmUp(Cosine(1, epochs=45), epochs=5)": s.WarmUp(s.Cosine(1, epochs=45), epochs=5),
    }
    t = np.linspace(0, 55, 221)
    figure, grid = plt.subplots(2, 3, figsize=(10, 4), sharex=True, sharey=True)
    for axes, (name, schedule) in zip(grid.flat, made.items(), strict=True):
        axes.plot(t, [schedule.at(each) for each in t], color=OURS)
        axes.set_title(name, fontsize=9)
    for axes in grid[1]:
        axes.set_xlabel("epochs")
    return figure


def learning() -> Figure:
    """Draw a fit on drawn cats: the cost, and how many of other drawings are right."""
    train, test = pc.data.open_data(None, seed=1)
    net = pc.Network([12288, 20, 7, 5, 1], seed=1)
    history = pc.train(
        net,
        train.x,
        train.y,
        optimizer=pc.SGD(learning_rate=0.0025),
        epochs=1500,
        validation_data=(test.x, test.y),
        seed=1,
    )
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
    left.plot(history.loss[::5], color=OURS, lw=1, label="training")
    left.plot(history.val_loss[::5], color=OTHER, lw=1, label="other drawings")
    left.set(title="cost", xlabel="epochs", ylim=(0, 1))
    left.legend(frameon=False)
    right.plot(history.val_accuracy[::5], color=OTHER, lw=1)
    right.set(title="accuracy on other drawings", xlabel="epochs", ylim=(0.5, 1))
    for axes in (left, right):
        axes.xaxis.set_major_formatter(lambda x, _: f"{5 * x:.0f}")
    return figure


def save(draw: Callable[[], Figure]) -> None:
    """Write one figure."""
    figure = draw()
    figure.tight_layout()
    path = FOLDER / f"{draw.__name__}.svg"
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    print(path, f"{path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    settings: dict[str, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "purrceptron",  # the same figures, the same file
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "mathtext.fontset": "cm",
    }
    mpl.rcParams.update(settings)
    for each in (network, activations, schedules, learning):
        save(each)
