"""The training report: one HTML page that holds all it shows and asks for nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
from numpy.typing import NDArray

from purrceptron._app.figures import cost_curve, png_uri

if TYPE_CHECKING:
    from purrceptron._evaluate import Evaluation
    from purrceptron._history import History
    from purrceptron._network import Network
    from purrceptron.data import Dataset, Split

# What a page shows without growing heavy (about 10 kB an image) or tiring.
MOST_WRONG_TEST = 24
MOST_WRONG_TRAINING = 8
MOST_SAMPLES = 10


@dataclass(frozen=True)
class Run:
    """A finished training run, as the report tells it.

    Attributes
    ----------
    net, history, split
        The trained network, what `train` returned, the data.
    training, test
        The scores on the two halves of the data.
    settings
        What was set, by name, each as text to show.
    versions
        Of the software that took part, by name.
    command
        The command line that does it again.
    model
        The model's path, as typed in a command.
    """

    net: Network
    history: History
    split: Split
    training: Evaluation
    test: Evaluation
    settings: Mapping[str, str]
    versions: Mapping[str, str]
    command: str
    model: str


def render(run: Run) -> str:
    """Return the report of a run, a whole HTML document."""
    classes = run.split.train.classes
    things = "pictures" if run.split.train.shape else "rows"
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            classes=classes,
            question=_question(classes),
            things=things,
            thing=things[:-1],
            layers=" → ".join(f"{size}" for size in run.net.layer_sizes),
            drawn=run.split.train.drawn,
            duration=duration(run.history.seconds),
            pace=duration(run.history.seconds / max(1, len(run.history.loss))),
            samples=_samples(run.split.train),
            wrong_test=_mistakes(run.split.test, run.test, MOST_WRONG_TEST),
            wrong_training=_mistakes(run.split.train, run.training, MOST_WRONG_TRAINING),
            confusions=[
                (f"The {run.test.count} test {things}", _shares(run.test)),
                (f"The {run.training.count} training {things}", _shares(run.training)),
            ],
            curves={
                "wide": cost_curve(run.history.loss, run.history.val_loss, width=680, height=290),
                "narrow": cost_curve(run.history.loss, run.history.val_loss, width=330, height=240),
            },
        )
    )


def duration(seconds: float) -> str:
    """Say a duration as one would aloud.

    >>> duration(0.00052), duration(0.25), duration(1.3), duration(75), duration(7260)
    ('0.52 ms', '250 ms', '1.3 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 0.001:
        return f"{seconds * 1e3:.2g} ms"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def percent(share: float) -> str:
    """Say a share in per cent; 100% and 0% are kept for all and none.

    >>> percent(1.0), percent(0.9999), percent(0.92), percent(0.0001), percent(0.0)
    ('100%', '99.9%', '92.0%', '0.1%', '0%')
    """
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{min(max(share, 0.001), 0.999):.1%}"


def sure(probability: float) -> str:
    """Say how sure a network is of the class it named; it may be sure, but never certain.

    >>> sure(0.5), sure(0.973), sure(0.9999)
    ('50%', '97%', '99%')
    """
    return f"{min(int(probability * 100), 99)}%"


def confidence(probabilities: NDArray[Any], predicted: NDArray[Any]) -> NDArray[Any]:
    """Return the probability that each row's predicted class had, (m,), from (m, n_out)."""
    if probabilities.shape[1] == 1:
        positive = probabilities[:, 0]
        return np.asarray(np.where(predicted == 1, positive, 1 - positive))
    return np.asarray(probabilities[np.arange(len(predicted)), predicted])


def _question(classes: tuple[str, ...]) -> str:
    """Turn the classes into the question that the network answers."""
    if len(classes) > 4:
        return f"Which of {len(classes)}?"
    first, *others = classes[::-1] if len(classes) == 2 else classes
    asked = f"{', '.join([first, *others[:-1]])} or {others[-1]}?"
    return asked[0].upper() + asked[1:]


def _samples(data: Dataset) -> list[dict[str, str]]:
    """Choose a few training images, the classes by turns."""
    if not data.shape:
        return []
    by_class = [np.flatnonzero(data.y == c) for c in range(len(data.classes))]
    turns = [rows[i] for i in range(MOST_SAMPLES) for rows in by_class[::-1] if i < len(rows)]
    return [_picture(data, row) for row in turns[:MOST_SAMPLES]]


def _mistakes(data: Dataset, evaluation: Evaluation, most: int) -> dict[str, Any]:
    """Describe the rows labelled wrong, the surest mistake first."""
    surety = confidence(evaluation.probabilities, evaluation.predicted)
    order = evaluation.wrong[np.argsort(-surety[evaluation.wrong], kind="stable")]
    shown = [
        _picture(data, row)
        | {
            "said": data.classes[evaluation.predicted[row]],
            "sure": sure(float(surety[row])),
            "confidence": f"{float(surety[row]):.2f}",
        }
        for row in order[:most]
    ]
    return {"count": len(order), "shown": shown}


def _picture(data: Dataset, row: int) -> dict[str, str]:
    image = png_uri(data.x[row].reshape(data.shape).squeeze()) if data.shape else ""
    return {"image": image, "row": str(row), "label": data.classes[data.y[row]]}


def _shares(evaluation: Evaluation) -> list[list[tuple[int, str]]]:
    """Pair each count of the confusion matrix with its share of its row."""
    return [
        [(count, f"{count / max(1, sum(counts)):.2f}") for count in counts]
        for counts in evaluation.confusion.tolist()
    ]


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("purrceptron._app"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"percent": percent, "quote": shlex.quote}
    return environment
