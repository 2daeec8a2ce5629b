"""Class labels in and out of the numbers that a network learns: what scikit-learn binarises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from purrceptron._validation import spoken

if TYPE_CHECKING:
    from numpy.typing import NDArray


def classes_of(y: Any) -> tuple[NDArray[Any], str]:
    """Return the classes of `y`, sorted, and the output activation that suits them.

    Raises
    ------
    ValueError
        If the targets are not classes.

    Examples
    --------
    >>> classes_of(["no", "yes", "no"])
    (array(['no', 'yes'], dtype='<U3'), 'logistic')
    >>> classes_of([[0, 1, 1], [1, 0, 1]])
    (array([0, 1, 2]), 'logistic')
    >>> classes_of([3, 1, 2])
    (array([1, 2, 3]), 'softmax')
    """
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        check_classification_targets(y)
        raise ValueError(
            "Multioutput target data is not supported with label binarization: several labels of "
            "an example are columns of 0 and 1"
        )
    return unique_labels(y), "softmax" if kind == "multiclass" else "logistic"


def output_count(classes: NDArray[Any], out_activation: str, y: Any) -> int:
    """Return how many outputs a network needs: one for two classes, else one a class or label."""
    several = out_activation == "softmax" or np.ndim(y) == 2 or sparse.issparse(y)
    return len(classes) if several else 1


def encode(y: Any, classes: NDArray[Any], out_activation: str, n_outputs: int) -> NDArray[Any]:
    """Return targets: class numbers (m,) for a softmax, else (m, n_outputs) of True and False.

    Raises
    ------
    ValueError
        If a label is not among the classes, or `y` has other columns than there are outputs.
    """
    if out_activation == "softmax" or n_outputs == 1:
        codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
        if np.ndim(y) != 1 or (classes[codes] != y).any():
            raise ValueError(f"y holds labels that are not among the classes {classes}")
        if out_activation == "softmax":
            numbers: NDArray[np.uint32] = codes.astype(np.uint32)
            return numbers
        second: NDArray[np.bool_] = (codes == 1)[:, np.newaxis]
        return second
    Y = y.toarray() if sparse.issparse(y) else np.asarray(y)
    if Y.shape[1:] != (n_outputs,):
        raise ValueError(f"y has shape {Y.shape}, expected {n_outputs} columns: one a label")
    labels: NDArray[Any] = Y.astype(bool)
    if (wrong := labels != Y).any():
        place = tuple(np.argwhere(wrong)[0])
        raise ValueError(f"y holds {Y[place]} at {spoken(place)}, expected labels of 0 and 1")
    return labels


def decode(outputs: NDArray[Any], classes: NDArray[Any], out_activation: str) -> NDArray[Any]:
    """Return the labels that output activations (m, n_outputs) speak for.

    Examples
    --------
    >>> decode(np.array([[0.2], [0.7]]), np.array(["no", "yes"]), "logistic")
    array(['no', 'yes'], dtype='<U3')
    >>> decode(np.array([[0.2, 0.9]]), np.array([0, 1]), "logistic")
    array([[0, 1]])
    """
    labels: NDArray[Any]
    if out_activation == "softmax":
        labels = classes[outputs.argmax(axis=1)]
    elif outputs.shape[1] > 1:
        labels = (outputs > 0.5).astype(int)
    elif len(classes) == 1:
        labels = np.repeat(classes, len(outputs))
    else:
        labels = classes[(outputs[:, 0] > 0.5).astype(np.intp)]
    return labels
