"""Normalisation of hidden layers: what a network shows of it, and takes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arguments import counted
from ._validation import as_parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
    """γ, β, μ and σ² of a layer, as the core keeps them."""

KINDS = ("batch", "layer")


@dataclass(frozen=True, eq=False)
class Normalization:
    """The numbers of a hidden layer's normalisation, (n_l,) each.

    ``y = gain (z - μ) / sqrt(σ² + 1e-5) + shift`` stands between a layer's linear half and its
    activation.

    Parameters
    ----------
    kind : {"batch", "layer"}
        ``"batch"``: μ and σ² are each unit's over the batch, and in predictions what has been
        remembered of those of the batches. ``"layer"``: they are each example's over the units.
    gain, shift : ndarray
        What training learns, beginning at 1 and 0.
    mean, variance : ndarray or None
        What is remembered of the batches: a tenth of each new batch's takes the place of a tenth
        of the old (σ² without bias), as in PyTorch. None for ``"layer"``.
    """

    kind: str
    gain: NDArray[Any]
    shift: NDArray[Any]
    mean: NDArray[Any] | None = None
    variance: NDArray[Any] | None = None


def checked_kinds(
    normalization: str | Sequence[str | None] | None, layers: int
) -> tuple[str | None, ...]:
    """Return a kind, or None, for each of so many hidden layers."""
    if normalization is None or isinstance(normalization, str):
        kinds: tuple[Any, ...] = (normalization,) * layers
    else:
        try:
            kinds = tuple(normalization)
        except TypeError:
            kinds = (normalization,)
        if len(kinds) != layers:
            raise ValueError(
                f"normalization is {normalization!r}, expected {counted(layers, 'name')} or None: "
                "one a hidden layer"
            )
    named = normalization if isinstance(normalization, str) else None
    for kind in (*kinds, named):
        if kind is not None and kind not in KINDS:
            raise ValueError(f"normalization is {kind!r}, expected 'batch', 'layer' or None")
    return kinds


def from_core(
    kinds: Sequence[str | None], numbers: Sequence[Numbers | None]
) -> list[Normalization | None]:
    """Return what users see of the numbers of each hidden layer."""
    return [
        None
        if kind is None or of_layer is None
        else Normalization(kind, *(of_layer if kind == "batch" else of_layer[:2]))
        for kind, of_layer in zip(kinds, numbers, strict=False)
    ]


def to_core(
    normalization: Sequence[Normalization | None],
    kinds: Sequence[str | None],
    sizes: Sequence[int],
    dtype: np.dtype[Any],
) -> list[Numbers | None]:
    """Return the numbers of each hidden layer as the core takes them, or say what does not fit."""
    name = "normalization"
    given = list(normalization)
    came = [each.kind if isinstance(each, Normalization) else each for each in given]
    if came != list(kinds):
        raise ValueError(f"{name} is of the kinds {came}, expected {list(kinds)}")
    numbers: list[Numbers | None] = []
    for i, (each, n) in enumerate(zip(given, sizes[1:], strict=False)):
        if each is None:
            numbers.append(None)
            continue
        mean = np.zeros(n) if each.mean is None else each.mean
        variance = np.ones(n) if each.variance is None else each.variance
        parts = {"gain": each.gain, "shift": each.shift, "mean": mean, "variance": variance}
        gain, shift, mean, variance = (
            as_parameter(values, (n,), dtype, f"{part} of {name}[{i}]")
            for part, values in parts.items()
        )
        if (variance < 0).any():
            raise ValueError(f"variance of {name}[{i}] holds {variance.min()}, below 0")
        numbers.append((gain, shift, mean, variance))
    return numbers
