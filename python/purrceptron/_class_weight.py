"""Class weights: how much the examples of each class count, made weights of the examples."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ._arguments import checked_penalty

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ClassWeight = Mapping[int, float] | Literal["balanced"]


def weighted_by_class(
    class_weight: ClassWeight,
    sample_weight: NDArray[Any] | None,
    y: NDArray[Any],
    *,
    output: str,
    n_out: int,
    dtype: np.dtype[Any],
) -> NDArray[Any]:
    """Return the weight of each example: its own, times that of its class.

    Parameters
    ----------
    class_weight : dict of int to float, or "balanced"
        A weight for each class that `y` holds; balanced, they are ``m / (k · count)``, so that
        each of the k classes counts alike.
    sample_weight : ndarray of shape (m,) or None
        None counts each once.
    y : ndarray
        As `as_targets` returns it.
    output : str
        The output activation.
    n_out : int
        The number of outputs.
    dtype : dtype
        The network's.

    Raises
    ------
    ValueError
        If an example has not one class, or its class has no weight.
    """
    if output not in ("sigmoid", "softmax") or (output == "sigmoid" and n_out > 1):
        what = f"{n_out} labels" if output == "sigmoid" else "values"
        raise ValueError(
            "class_weight wants one class an example, and this network has "
            f"{what}: use sample_weight"
        )
    classes = y.ravel().astype(np.int64)
    held, places, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if isinstance(class_weight, str) and class_weight == "balanced":
        weights = len(classes) / (len(held) * counts)
    elif isinstance(class_weight, Mapping):
        weights = _looked_up(class_weight, held, 2 if output == "sigmoid" else n_out)
    else:
        raise ValueError(
            f"class_weight is {class_weight!r}, expected a dict {{class: weight}} or 'balanced'"
        )
    of_examples = weights[places].astype(dtype)
    return of_examples if sample_weight is None else of_examples * sample_weight


def _looked_up(
    class_weight: Mapping[Any, Any], held: NDArray[np.int64], n_classes: int
) -> NDArray[np.float64]:
    given = {}
    for key, value in class_weight.items():
        try:
            known = 0 <= operator.index(key) < n_classes
        except TypeError:
            known = False
        if not known:
            raise ValueError(
                f"class_weight names class {key!r}, but the classes are 0 to {n_classes - 1}"
            )
        given[operator.index(key)] = checked_penalty(f"class_weight[{key}]", value)
    for label in held.tolist():
        if label not in given:
            raise ValueError(f"class_weight has no weight for class {label}, which y holds")
    return np.array([given[label] for label in held.tolist()])
