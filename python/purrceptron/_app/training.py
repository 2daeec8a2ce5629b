"""The command train, step by step: open the data, train, score, write down, say so."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import typer

import purrceptron as pc
from purrceptron._app import options, output
from purrceptron._app.examples import counts, open_split, short_name
from purrceptron._app.options import FirstLayer, Optimizer, Precision
from purrceptron._app.progress import ProgressBar
from purrceptron._app.report import Run, duration
from purrceptron._arguments import checked_count, checked_penalty, counted
from purrceptron._extras import require


def train(
    context: typer.Context,
    data: options.Data = None,
    layers: options.Layers = "20,7,5",
    init: options.Init = "he_normal",
    dtype: options.Dtype = Precision.float32,
    epochs: options.Epochs = 2500,
    learning_rate: options.LearningRate = None,
    optimizer: options.OptimizerName = Optimizer.sgd,
    batch_size: options.BatchSize = None,
    l2: options.L2 = 0.0,
    first_layer: options.FirstLayerMode = FirstLayer.auto,
    seed: options.Seed = 1,
    threads: options.Threads = None,
    test_fraction: options.TestFraction = None,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Train a network on images, keep it, and report how good it is.

    It learns from the training half of the data and is tested on the other. The
    report, one page of HTML, shows the cost curve, the scores, and the images that
    it got wrong.

    The series' network on drawings, on the series' photos, and one on your own:

      [bold]purrceptron train[/]
      [bold]purrceptron train catvnoncat --l2 0.7 --out runs/photos[/]
      [bold]purrceptron train pets --layers 64,16 --optimizer adam --epochs 200[/]
    """

    def say(text: str) -> None:
        if not quiet:
            print(text, flush=True)

    require("matplotlib", extra="app", purpose="the report")
    hidden = widths(layers)
    checked_count("epochs", epochs, least=1)
    checked_count("batch_size", 1 if batch_size is None else batch_size, least=1)
    checked_penalty("l2", l2)
    rate = learning_rate if learning_rate is not None else _LEARNING_RATES[optimizer]
    steps = getattr(pc, _OPTIMIZERS[optimizer])(learning_rate=rate)
    if threads is not None:
        pc.set_num_threads(threads)
    folder = out if out is not None else Path("runs", short_name(data))

    split = open_split(data, seed, test_fraction)
    classes = split.train.classes
    outputs = 1 if len(classes) == 2 else len(classes)
    net = pc.Network(
        [split.train.x.shape[1], *hidden, outputs],
        hidden="relu",
        output="sigmoid" if outputs == 1 else "softmax",
        dtype=dtype.value,
        init=init,
        seed=seed,
    )
    net.class_names = classes
    output.prepare(folder)
    say(f"Data: {counts(split.train)} to learn from, {len(split.test)} held out.")
    if split.train.drawn:
        say("These are drawings. `purrceptron train catvnoncat` fetches and uses real photos.")
    sizes = "-".join(str(size) for size in net.layer_sizes)
    course = f"{counted(epochs, 'epoch')} of {optimizer}"
    say(f"Network: {sizes}, {course}, learning rate {rate:g}, seed {seed}.")

    with ProgressBar(epochs, quiet=quiet) as bar:
        history = pc.train(
            net,
            split.train.x,
            split.train.y,
            optimizer=steps,
            epochs=epochs,
            batch_size=batch_size,
            l2=l2,
            seed=seed,
            first_layer=first_layer.value,
            callbacks=[bar],
        )
    source = {"source": split.train.source, "seed": seed, "test_fraction": test_fraction}
    net.training = {**net.training, "data": source}
    run = Run(
        net=net,
        history=history,
        split=split,
        training=pc.evaluate(net, split.train.x, split.train.y),
        test=pc.evaluate(net, split.test.x, split.test.y),
        settings={
            "layers": ", ".join(str(size) for size in net.layer_sizes),
            "activations": f"{'relu, then ' if hidden else ''}{net.output}",
            "first weights": init,
            "numbers": dtype.value,
            "optimiser": f"{optimizer}, learning rate {rate:g}",
            "L2 penalty": f"{l2:g}",
            "epochs": str(len(history.loss)),
            "rows a step": f"all {len(split.train)}" if batch_size is None else str(batch_size),
            "seed": str(seed),
            "threads": str(pc.get_num_threads()),
        },
        versions={
            "purrceptron": pc.__version__,
            "Python": platform.python_version(),
            "NumPy": np.__version__,
            platform.system(): platform.machine(),
        },
        command=context.obj,
        model=(folder / output.MODEL).as_posix(),
    )
    output.write(folder, run)

    say(f"Trained in {duration(history.seconds)}. First layer: {history.first_layer}")
    say(f"Training: {run.training.right} of {run.training.count} right.")
    say(f"Test: {run.test}")
    say(f"Wrote {output.MODEL}, {output.HISTORY} and {output.REPORT} into {folder}.")


_OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSProp"}
_LEARNING_RATES = {"sgd": 0.0075, "adam": 0.001, "adamw": 0.001, "rmsprop": 0.001}


def widths(layers: str) -> list[int]:
    """Turn the text of ``--layers`` into numbers.

    >>> widths("20,7,5"), widths("none")
    ([20, 7, 5], [])
    """
    if layers.strip() == "none":
        return []
    numbers = [int(text) if text.strip().isdecimal() else 0 for text in layers.split(",")]
    if min(numbers) < 1:
        raise ValueError(f"--layers: expected widths such as 20,7,5, or none, got {layers!r}")
    return numbers
