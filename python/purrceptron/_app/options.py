"""The options of the command line: their types, their defaults, what --help says of them."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

NETWORK, TRAINING, DATA, OUTPUT = "The network", "The training", "The data", "The output"


class Optimizer(enum.StrEnum):
    """The names of the optimisers."""

    sgd = "sgd"
    adam = "adam"
    adamw = "adamw"
    rmsprop = "rmsprop"


class FirstLayer(enum.StrEnum):
    """How the first layer is trained."""

    auto = "auto"
    direct = "direct"
    gram = "gram"


class Precision(enum.StrEnum):
    """The numbers that a network computes in."""

    float32 = "float32"
    float64 = "float64"


Data: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="DATA",
        help="Nothing for the drawn cats; [cyan]catvnoncat[/] for the series' photos, fetched "
        "once; a pair of .h5 or .csv files, or the folder that holds it; a folder of photos with "
        "one sub-folder a class.",
        show_default=False,
    ),
]
Model: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        help="A model file: model.safetensors as train writes it, or the series' .json.",
    ),
]
Photos: TypeAlias = Annotated[
    list[Path], typer.Argument(metavar="PHOTO", help="Image files, of any size.")
]

Layers: TypeAlias = Annotated[
    str,
    typer.Option(
        help="Widths of the hidden layers, such as 20,7,5 or 64; [cyan]none[/] is logistic "
        "regression. What goes in and comes out follows from the data.",
        rich_help_panel=NETWORK,
    ),
]
Init: TypeAlias = Annotated[
    str,
    typer.Option(
        help="How the first weights are drawn: he_normal, he_uniform, glorot_normal, "
        "glorot_uniform, lecun_normal, lecun_uniform, orthogonal, series or zeros.",
        rich_help_panel=NETWORK,
    ),
]
Dtype: TypeAlias = Annotated[
    Precision,
    typer.Option(
        help="The numbers it computes in: float64 is slower, to 16 digits in place of 7.",
        rich_help_panel=NETWORK,
    ),
]
Epochs: TypeAlias = Annotated[
    int, typer.Option(help="How often it goes through the data.", rich_help_panel=TRAINING)
]
LearningRate: TypeAlias = Annotated[
    float | None,
    typer.Option(
        help="How far a step goes. Too far, and the training diverges.",
        rich_help_panel=TRAINING,
        show_default="0.0075 for sgd, else 0.001",
    ),
]
OptimizerName: TypeAlias = Annotated[
    Optimizer,
    typer.Option(
        help="How the weights step: sgd is the series' plain descent.", rich_help_panel=TRAINING
    ),
]
BatchSize: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="Rows a step, in a new order each epoch, such as 32.",
        rich_help_panel=TRAINING,
        show_default="all rows at once",
    ),
]
L2: TypeAlias = Annotated[
    float,
    typer.Option(
        help="Weight of the penalty on large weights, such as 0.7.", rich_help_panel=TRAINING
    ),
]
FirstLayerMode: TypeAlias = Annotated[
    FirstLayer,
    typer.Option(
        help="How the first layer is trained: directly, or in the space of examples (gram), the "
        "same and quicker with few examples of many features. auto chooses, and says why.",
        rich_help_panel=TRAINING,
    ),
]
Seed: TypeAlias = Annotated[
    int,
    typer.Option(
        help="Decides all that is random: first weights, batches, drawings, what is held out.",
        rich_help_panel=TRAINING,
    ),
]
Threads: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="Threads to compute on; the results are the same for any number.",
        show_default="PURRCEPTRON_NUM_THREADS, else OMP_NUM_THREADS, else one a core",
    ),
]
TestFraction: TypeAlias = Annotated[
    float | None,
    typer.Option(
        help="Of a folder of photos, the share of each class that is held out for testing.",
        rich_help_panel=DATA,
        show_default="0.2",
    ),
]
SameTestFraction: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--test-fraction",
        help="Of a folder of photos, the share of each class that was held out for testing.",
        rich_help_panel=DATA,
        show_default="that of the training, else 0.2",
    ),
]
Everything: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--all",
        help="Score the training half too, as fits data that the model never saw.",
        rich_help_panel=DATA,
    ),
]
DataSeed: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--seed",
        help="Which drawings, and which photos of a folder are held out.",
        rich_help_panel=DATA,
        show_default="that of the training, else 1",
    ),
]
Out: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="The folder for model.safetensors, history.csv and report.html. Those of an earlier "
        "run there are replaced.",
        rich_help_panel=OUTPUT,
        show_default="runs/cats, or runs/ and the name of the data",
    ),
]
Quiet: TypeAlias = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Say nothing but errors.", rich_help_panel=OUTPUT),
]
ClassNames: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--classes",
        help="Names for the classes, such as non-cat,cat.",
        show_default="those in the model file, else their numbers",
    ),
]
Quick: TypeAlias = Annotated[
    bool, typer.Option("--quick", help="Two minutes, and rougher numbers.")
]
JsonPath: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--json", help="A file for the numbers, such as bench.json.", show_default="nowhere"
    ),
]
