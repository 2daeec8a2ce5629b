"""The commands: train, evaluate, predict, bench."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

import purrceptron as pc
from purrceptron._app import complain, options
from purrceptron._app.examples import counts, labels_for, of_photos, open_test
from purrceptron._app.report import confidence
from purrceptron._app.training import train

app = typer.Typer(
    rich_markup_mode="rich",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(train)


@app.callback(invoke_without_command=True)
def purrceptron(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Say the version and stop.")] = False,
) -> None:
    """Train dense neural networks on the CPU, and see how good they are.

    [bold]purrceptron train[/] alone trains on drawn cats: no data and no download needed.
    """
    if version:
        print(f"purrceptron {pc.__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def evaluate(
    model: options.Model,
    data: options.Data = None,
    everything: options.Everything = False,
    seed: options.DataSeed = None,
    test_fraction: options.SameTestFraction = None,
    threads: options.Threads = None,
) -> None:
    """Score a model on examples that it has not learned from: the test half of the data.

    One .h5 or .csv file alone is scored whole.

      [bold]purrceptron evaluate runs/cats/model.safetensors[/]
      [bold]purrceptron evaluate model.json test_catvnoncat.h5[/]
    """
    if threads is not None:
        pc.set_num_threads(threads)
    net = pc.load(model)
    names = _class_names(net, None)
    source = net.training.get("data")
    if isinstance(source, dict):  # as train leaves it: held out is what was held out there
        seed = source.get("seed") if seed is None else seed
        if test_fraction is None and of_photos(data):
            test_fraction = source.get("test_fraction")
    seed = 1 if seed is None else seed
    examples = open_test(data, seed, test_fraction, everything)
    if net.class_names is None and len(names) == len(examples.classes):
        net.class_names = names = examples.classes
    labels = labels_for(names, examples)
    print(f"Scored on {counts(examples)}:")
    print(pc.evaluate(net, examples.x, labels))
    if examples.drawn:
        print(f"These are drawings. `purrceptron evaluate {model} catvnoncat` uses real photos.")


@app.command()
def predict(
    model: options.Model, photos: options.Photos, classes: options.ClassNames = None
) -> None:
    """Say what a model sees in photos: a line each, with the class and its probability.

    A photo that cannot be read is named on stderr, and the others go on; the exit
    status is then 2.

      [bold]purrceptron predict runs/cats/model.safetensors tom.jpg luna.png[/]
    """
    net = pc.load(model)
    names = _class_names(net, classes)
    path_width = max(len(str(photo)) for photo in photos)
    name_width = max(len(name) for name in names)
    failed = False
    for photo in photos:
        try:
            row = pc.data.load_photo(photo)[None]
        except (OSError, ValueError) as error:
            complain(error)
            failed = True
            continue
        seen = net.predict(row)
        sure = confidence(net.predict_proba(row), seen)[0]
        called = names[seen[0]]
        print(f"{photo!s:<{path_width}}  {called:<{name_width}}  {sure:.3f}", flush=True)
    if failed:
        raise typer.Exit(2)


@app.command()
def bench(quick: options.Quick = False, json: options.JsonPath = None) -> None:
    """Measure training and matrix products on this machine against NumPy.

    Each side runs in a process of its own, by turns. The table gives medians and
    their ratios.

      [bold]purrceptron bench --quick --json bench.json[/]
    """
    from purrceptron._bench import run

    raise typer.Exit(run(quick=quick, json_path=json))


def _class_names(net: pc.Network, given: str | None) -> tuple[str, ...]:
    """Name what a network tells apart, or say why it does not tell photos apart."""
    outputs = net.layer_sizes[-1]
    if net.output not in ("sigmoid", "softmax") or (net.output == "sigmoid" and outputs > 1):
        raise ValueError("the model does not give each photo one class")
    if net.layer_sizes[0] != np.prod(pc.data.IMAGE_SHAPE):
        raise ValueError(f"the model reads {net.layer_sizes[0]} values, not 64 x 64 x 3 photos")
    number = max(outputs, 2)
    if given is None:
        return net.class_names or tuple(f"class {c}" for c in range(number))
    names = tuple(name.strip() for name in given.split(","))
    if len(names) != number:
        raise ValueError(f"--classes: the model has {number} classes, {len(names)} names came")
    return names
