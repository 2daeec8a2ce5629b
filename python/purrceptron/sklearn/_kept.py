"""What `partial_fit` keeps from call to call: all its memory, so that none is asked for again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from purrceptron import _core
    from purrceptron._network import Network


@dataclass
class Samples:
    """Rows as the core takes them, their targets, and how much each counts."""

    X: Any
    y: NDArray[Any]
    weights: NDArray[Any] | None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def sparse(self) -> bool:
        """Whether the rows are the arrays of a sparse matrix."""
        return isinstance(self.X, tuple)

    def copy(self) -> Samples:
        """Return the same in memory of its own."""
        weights = None if self.weights is None else self.weights.copy()
        return Samples(np.array(self.X, order="C"), self.y.copy(), weights)


@dataclass
class Kept:
    """A trainer, and the copies of samples that it reads: there come those of the next call."""

    network: Network
    trainer: _core.Trainer
    samples: Samples
    settings: dict[str, Any]

    def take(self, network: Network, samples: Samples, settings: dict[str, Any]) -> bool:
        """Turn to other samples of the same form; or say that they, or the settings, differ."""
        if network is not self.network or settings != self.settings:
            return False
        if samples.sparse or self.samples.sparse:
            return False
        arrays = [(samples.X, self.samples.X), (samples.y, self.samples.y)]
        if samples.weights is not None and self.samples.weights is not None:
            arrays.append((samples.weights, self.samples.weights))
        elif samples.weights is not self.samples.weights:
            return False
        if any((new.shape, new.dtype) != (own.shape, own.dtype) for new, own in arrays):
            return False
        for new, own in arrays:
            np.copyto(own, new)
        return True
