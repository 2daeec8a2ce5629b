"""Losses: immutable settings, for those that a name does not say all of.

>>> import purrceptron as pc
>>> net = pc.Network([4, 8, 1], output="identity", seed=1)
>>> loss = pc.losses.Huber(delta=0.5)  # loss="huber" has delta=1

Wherever a ``loss`` is asked for, a name will do as well: that of the loss with its defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ._arguments import checked_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "AbsoluteError",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "Huber",
    "Loss",
    "Poisson",
    "SquaredError",
]


@dataclass(frozen=True)
class Loss:
    """What all losses have: a name for the core."""

    name: ClassVar[str]
    output: ClassVar[str]
    """The output activation that it goes with."""

    def _core(self) -> str | tuple[str, float]:
        return self.name

    def _targets(self, y: NDArray[Any], n_out: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return what the core is to compare with, for targets as it takes them."""
        return y


@dataclass(frozen=True)
class _CrossEntropy(Loss):
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= checked_number("label_smoothing", self.label_smoothing) < 1:
            raise ValueError(
                f"label_smoothing is {self.label_smoothing!r}, expected a number from 0 up to, "
                "but not including, 1"
            )


@dataclass(frozen=True)
class BinaryCrossEntropy(_CrossEntropy):
    """For sigmoids: ``-[y log a + (1 - y) log(1 - a)]``, summed over the outputs.

    Parameters
    ----------
    label_smoothing : float
        ε, from 0 up to, but not including, 1: ``y (1 - ε) + ε/2`` takes the place of `y`, so that
        the network is not driven to extremes.
    """

    name: ClassVar[str] = "binary_cross_entropy"
    output: ClassVar[str] = "sigmoid"

    def _targets(self, y: NDArray[Any], n_out: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        smoothing = dtype.type(self.label_smoothing)
        return y * (1 - smoothing) + smoothing / 2 if smoothing else y


@dataclass(frozen=True)
class CategoricalCrossEntropy(_CrossEntropy):
    """For a softmax: ``-log a`` of the right class.

    Parameters
    ----------
    label_smoothing : float
        ε, from 0 up to, but not including, 1: the right class counts ``1 - ε``, and each of the k
        classes ``ε/k``, as in PyTorch. It takes a matrix (m, k) of the network's dtype.
    """

    name: ClassVar[str] = "categorical_cross_entropy"
    output: ClassVar[str] = "softmax"

    def _targets(self, y: NDArray[Any], n_out: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        if not self.label_smoothing:
            return y
        smooth = np.full((len(y), n_out), self.label_smoothing / n_out, dtype)
        smooth[np.arange(len(y)), y] += 1 - self.label_smoothing
        return smooth


@dataclass(frozen=True)
class SquaredError(Loss):
    """For the identity: half the square, ``(a - y)² / 2``, summed over the outputs."""

    name: ClassVar[str] = "squared_error"
    output: ClassVar[str] = "identity"


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """For the identity: ``|a - y|``, summed over the outputs; its best constant is the median."""

    name: ClassVar[str] = "absolute_error"
    output: ClassVar[str] = "identity"


@dataclass(frozen=True)
class Huber(Loss):
    """For the identity: the square where the error is small, its size where it is large.

    With ``r = a - y``: ``r²/2`` where ``|r| <= δ``, and ``δ (|r| - δ/2)`` beyond, as PyTorch's
    ``HuberLoss``.

    Parameters
    ----------
    delta : float
        δ, above 0.
    """

    name: ClassVar[str] = "huber"
    output: ClassVar[str] = "identity"
    delta: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < checked_number("delta", self.delta) < float("inf"):
            raise ValueError(f"delta is {self.delta!r}, expected a finite number above 0")

    def _core(self) -> tuple[str, float]:
        return self.name, float(self.delta)


@dataclass(frozen=True)
class Poisson(Loss):
    """For an exponential output and counts: half the Poisson deviance, as scikit-learn's.

    ``a - y + y log(y / a)`` with ``a = exp(z)``. PyTorch's leaves out what does not depend on a.
    """

    name: ClassVar[str] = "poisson"
    output: ClassVar[str] = "exp"


_BY_NAME: dict[str, type[Loss]] = {
    loss.name: loss
    for loss in (
        BinaryCrossEntropy,
        CategoricalCrossEntropy,
        SquaredError,
        AbsoluteError,
        Huber,
        Poisson,
    )
}


def _checked_loss(loss: str | Loss | None, output: str) -> Loss:
    """Return the loss, for None the first that goes with the output; fail if it does not fit."""
    if loss is None:
        return next(each for each in _BY_NAME.values() if each.output == output)()
    if not isinstance(loss, Loss):
        if not isinstance(loss, str) or loss not in _BY_NAME:
            raise ValueError(
                f"loss is {loss!r}, expected one of: {', '.join(_BY_NAME)}, or a loss of "
                "purrceptron.losses"
            )
        loss = _BY_NAME[loss]()
    if loss.output != output:
        raise ValueError(
            f"loss is {loss.name}, expected one that goes with the output {output}; {loss.name} "
            f"goes with the output {loss.output}"
        )
    return loss
