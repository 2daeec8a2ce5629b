"""How good a classifier is: accuracy, precision, recall, F1, confusion matrix, mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Evaluation", "evaluate"]


class Classifier(Protocol):
    """What `evaluate` asks of a network."""

    @property
    def output(self) -> str: ...

    @property
    def layer_sizes(self) -> tuple[int, ...]: ...

    def predict_proba(self, X: Any) -> NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The scores of a classifier on labelled examples; what `evaluate` returns.

    With two classes (one sigmoid, or a softmax of two) precision, recall and F1
    are those of class 1. With more classes, or several labels a row, they are
    the plain mean over classes; classes that neither occur nor are predicted
    stay out of that mean, labels never do. A ratio of nothing to nothing, such
    as the precision of a class that is never predicted, counts as 0.0. These
    are the definitions of scikit-learn's metrics with ``zero_division=0``.

    Attributes
    ----------
    accuracy : float
        The share of rows labelled right, from 0 to 1. With several labels a row,
        a row is right if all of its labels are.
    precision : float
        Of those that the network called positive, the share that are.
    recall : float
        Of those that are positive, the share that the network found.
    f1 : float
        The harmonic mean of precision and recall.
    confusion : ndarray of int64, shape (k, k)
        ``confusion[i, j]`` rows are of class i and were called j. With several
        labels a row: shape (k, 2, 2), one such table a label.
    wrong : ndarray of int64, shape (w,)
        The rows labelled wrong, in order.
    predicted : ndarray of int64, shape (m,), or (m, k) with several labels a row
        What the network called each row.
    probabilities : ndarray, shape (m, n_out)
        What `predict_proba` gave, in the network's dtype.
    classes : tuple of str
        The network's class names, or the class numbers as text if it has none.
    """

    accuracy: float
    precision: float
    recall: float
    f1: float
    confusion: NDArray[np.int64]
    wrong: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[Any]
    classes: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many rows were scored."""
        return len(self.predicted)

    @property
    def right(self) -> int:
        """How many rows were labelled right."""
        return self.count - len(self.wrong)

    def __str__(self) -> str:
        scores = (
            f"{self.right} of {self.count} right ({self.accuracy:.1%}), "
            f"precision {self.precision:.3f}, recall {self.recall:.3f}, F1 {self.f1:.3f}"
        )
        if self.confusion.ndim == 3:
            return scores
        heads = [f"called {name}" for name in self.classes]
        sides = [f"is {name}" for name in self.classes]
        side = max(len(text) for text in sides)
        lines = [scores, "  ".join([" " * side, *heads])]
        for text, counts in zip(sides, self.confusion.tolist(), strict=True):
            cells = (f"{count:>{len(head)}}" for count, head in zip(counts, heads, strict=True))
            lines.append("  ".join([f"{text:<{side}}", *cells]))
        return "\n".join(lines)


def evaluate(net: Classifier, X: ArrayLike, y: ArrayLike) -> Evaluation:
    """Score a classifier on labelled examples.

    Parameters
    ----------
    net : Network
        A trained classifier: one or several sigmoids, or a softmax.
    X : array_like, shape (m, n_in)
        The examples, a row each, as for `Network.predict_proba`.
    y : array_like
        The true labels: 0 or 1, shape (m,) or (m, 1), for one sigmoid; class
        numbers, shape (m,), for a softmax; 0 or 1, shape (m, n_out), for several
        sigmoids.

    Returns
    -------
    Evaluation
        Accuracy, precision, recall, F1, the confusion matrix, which rows are
        wrong, and the probabilities.

    Raises
    ------
    ValueError
        If the network is no classifier, if X is refused by it, or if y does not
        fit the output or X.

    Notes
    -----
    A sigmoid above 0.5 says 1, as in the series; a softmax says its largest
    output, the first of equals.

    Examples
    --------
    >>> import numpy as np
    >>> import purrceptron as pc
    >>> net = pc.Network([1, 1], seed=1)
    >>> net.set_parameters([(np.array([[1.0]]), np.array([0.0]))])
    >>> print(pc.evaluate(net, [[-2.0], [-1.0], [1.0], [2.0]], [0, 1, 1, 1]))
    3 of 4 right (75.0%), precision 1.000, recall 0.667, F1 0.800
          called 0  called 1
    is 0         1         0
    is 1         1         2
    """
    if net.output not in ("sigmoid", "softmax"):
        raise ValueError(
            f"net: only classifiers can be evaluated (output 'sigmoid' or 'softmax'), "
            f"and this one's output is {net.output!r}; net.loss(X, y) scores a regression"
        )
    outputs = net.layer_sizes[-1]
    truth = _labels(y, net.output, outputs)
    probabilities = np.asarray(net.predict_proba(X))
    if len(truth) != len(probabilities):
        raise ValueError(
            f"y: {len(truth)} labels came for the {len(probabilities)} rows of X; "
            f"there must be one a row"
        )
    if net.output == "softmax":
        predicted = probabilities.argmax(axis=1).astype(np.int64)
    else:
        predicted = (probabilities > 0.5).astype(np.int64)
        if outputs == 1:
            predicted = predicted[:, 0]

    if predicted.ndim == 2:
        confusion = np.stack([_confusion(truth[:, c], predicted[:, c], 2) for c in range(outputs)])
        wrong = np.flatnonzero((predicted != truth).any(axis=1))
        scores = _scores(confusion[:, 1, 1], confusion[:, :, 1].sum(1), confusion[:, 1].sum(1))
        occurs = np.ones(outputs, dtype=bool)
    else:
        confusion = _confusion(truth, predicted, max(outputs, 2))
        wrong = np.flatnonzero(predicted != truth)
        called, there = confusion.sum(axis=0), confusion.sum(axis=1)
        scores = _scores(confusion.diagonal(), called, there)
        occurs = (called + there) > 0
        if len(confusion) == 2:
            occurs = np.array([False, True])
    precision, recall, f1 = (float(score[occurs].mean()) for score in scores)
    return Evaluation(
        accuracy=1.0 - len(wrong) / len(predicted),
        precision=precision,
        recall=recall,
        f1=f1,
        confusion=confusion,
        wrong=wrong.astype(np.int64),
        predicted=predicted,
        probabilities=probabilities,
        classes=_names(net, 2 if net.output == "sigmoid" and outputs == 1 else outputs),
    )


def _names(net: Classifier, classes: int) -> tuple[str, ...]:
    """Return the network's names for its classes, or their numbers."""
    names: tuple[str, ...] | None = getattr(net, "class_names", None)
    return tuple(names) if names else tuple(str(c) for c in range(classes))


def _labels(y: ArrayLike, output: str, outputs: int) -> NDArray[np.int64]:
    """Return y as integers, (m,) or (m, n_out), or say what is wrong with it."""
    if np.ma.isMaskedArray(y) and np.ma.getmaskarray(y).any():
        raise ValueError("y: masked values came; leave those rows out or fill them in")
    given = np.asarray(y)
    several = output == "sigmoid" and outputs > 1
    if given.ndim == 2 and given.shape[1] == 1 and not several:
        given = given[:, 0]
    wanted = (None, outputs) if several else (None,)
    if given.ndim != len(wanted) or (several and given.shape[1] != outputs):
        shape = f"(m, {outputs})" if several else "(m,)"
        raise ValueError(f"y: shape {np.shape(y)} came, expected {shape} for this network")
    if given.dtype.kind not in "biuf":
        raise ValueError(f"y: class numbers were expected, {given.dtype} came")
    classes = outputs if output == "softmax" else 2
    fine = (given >= 0) & (given < classes) & (given == np.floor(given))
    if not fine.all():
        bad = given[~fine][0]
        at = ", ".join(str(i) for i in np.argwhere(~fine)[0])
        raise ValueError(
            f"y: labels must be whole numbers from 0 to {classes - 1} for this network, "
            f"{bad} came at y[{at}]"
        )
    return given.astype(np.int64)


def _confusion(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Count the rows of each true class (down) that were called each class (across)."""
    pairs = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return pairs.reshape(classes, classes).astype(np.int64)


def _scores(
    hits: NDArray[np.int64], called: NDArray[np.int64], there: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return precision, recall and F1 a class, 0/0 counting as 0."""

    def ratio(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.divide(a, b, out=np.zeros(a.shape), where=b > 0)

    return ratio(hits, called), ratio(hits, there), ratio(2 * hits, called + there)
