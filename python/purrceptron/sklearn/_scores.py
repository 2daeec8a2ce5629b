"""The scores that early stopping watches: scikit-learn's, from outputs, without its checks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def accuracy(outputs: NDArray[Any], targets: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Return the share of the examples whose labels are all right.

    Parameters
    ----------
    outputs : ndarray of shape (m, n_outputs)
        Output activations.
    targets : ndarray
        Class numbers (m,) of a softmax, else (m, n_outputs) of True and False.
    weights : ndarray of shape (m,), optional
        How much each example counts.

    Examples
    --------
    >>> accuracy(np.array([[0.2, 0.8], [0.9, 0.1]]), np.array([1, 1]), None)
    0.5
    """
    if not np.isfinite(outputs).all():
        return float("nan")
    if targets.ndim == 1:
        right = outputs.argmax(axis=1) == targets
    else:
        right = ((outputs > 0.5) == targets).all(axis=1)
    return float(np.average(right, weights=weights))


def r2(outputs: NDArray[Any], targets: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Return the coefficient of determination, its mean over the outputs.

    Examples
    --------
    >>> r2(np.array([[1.0], [2.0]]), np.array([[1.0], [3.0]]), None)
    0.5
    """
    if not np.isfinite(outputs).all():
        return float("nan")
    targets = np.asarray(targets, dtype=np.float64)
    w = np.ones((len(targets), 1)) if weights is None else weights[:, np.newaxis]
    rest = (w * (targets - outputs) ** 2).sum(axis=0)
    whole = (w * (targets - np.average(targets, axis=0, weights=weights)) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(whole != 0, 1 - rest / whole, np.where(rest == 0, 1.0, 0.0))
    return float(scores.mean())
