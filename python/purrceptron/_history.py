"""What a fit leaves behind: its history, and the state to continue it from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._validation import Array

if TYPE_CHECKING:
    from . import _core
    from ._network import Network, Parameters
    from .losses import Loss


@dataclass(frozen=True)
class State:
    """What a run is continued from: `train`'s `resume`, together with the network's parameters.

    Attributes
    ----------
    optimizer : str
        Whose memory `slots` is.
    seed : int
        Where the order of the rows comes from.
    epoch, step : int
        How many have been done.
    slots : list of list of (W, b)
        What the optimiser remembers, in the form of the parameters: none for plain gradient
        descent, one for momentum and RMSProp, two for Adam.
    gram : tuple or None
        The first layer's coefficients, if it was trained in the space of examples.
    normalization : list
        What the optimiser remembers of the layers' normalisations.
    pace : tuple of float or None
        Where an `Adaptive` learning rate is: its value, the best that it has seen, and the epochs
        since without progress.
    """

    optimizer: str
    seed: int
    epoch: int
    step: int
    slots: list[Parameters] = field(repr=False)
    gram: tuple[Any, ...] | None = field(default=None, repr=False)
    normalization: list[Any] = field(default_factory=list, repr=False)
    pace: tuple[float, float, int] | None = None


@dataclass(repr=False)
class History:
    """What happened in a fit, an entry an epoch.

    Attributes
    ----------
    loss : list of float
        The cost with its penalty, before the epoch's update; with mini-batches the mean over them,
        weighted by their rows.
    val_loss, val_accuracy : list of float
        Of the validation data after the epoch, without penalty; empty without validation data, and
        the accuracy also in a regression.
    epochs : int
        How many were finished.
    seconds : float
        How long the fit took.
    first_layer : str
        How the first layer was trained, and why.
    state : State or None
        What to give as `resume` to continue, however the fit was ended; None while it goes on. A
        fit that is stopped within an epoch ends where the last finished epoch did.
    """

    loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    epochs: int = 0
    seconds: float = 0.0
    first_layer: str = ""
    state: State | None = None

    def __repr__(self) -> str:
        """Show the first and the last of each list: there may be thousands."""
        shown = [f"epochs={self.epochs}"]
        shown += [
            f"{name}={_ends(values)}"
            for name in ("loss", "val_loss", "val_accuracy")
            if (values := getattr(self, name))
        ]
        shown.append(f"seconds={self.seconds:.3g}")
        chosen, colon, _why = self.first_layer.partition(":")
        shown.append(f"first_layer='{chosen}{colon and ': ...'}'")
        return f"History({', '.join(shown)})"


def _ends(values: list[float]) -> str:
    ends = values if len(values) < 3 else [values[0], None, values[-1]]
    return f"[{', '.join('...' if value is None else f'{value:.4g}' for value in ends)}]"


class Judge:
    """Data to judge a network by after each epoch."""

    def __init__(self, net: Network, data: tuple[Array, Array], loss: str | Loss | None) -> None:
        try:
            X, y = data
        except (TypeError, ValueError):
            raise ValueError("validation_data must be a pair (X, y)") from None
        try:
            self._arguments = net._data(X, y, None, loss, 0.0)
            self._X = self._arguments[0]
            truth = net._targets(y, len(self._X))
            net._core.loss(*self._arguments)
        except ValueError as error:
            raise ValueError(f"validation_data: {error}") from None
        self._truth = truth[:, 0] if truth.ndim == 2 and truth.shape[1] == 1 else truth
        self._net = net

    def __len__(self) -> int:
        return len(self._X)

    def judge(self, trainer: _core.Trainer, history: History) -> None:
        """Add the loss, and the accuracy where there is one, to the history."""
        net = self._net
        loss, outputs = trainer.judge(self._X, self._arguments[1])
        history.val_loss.append(loss)
        if net.output in ("sigmoid", "softmax"):
            right = net._labels(outputs) == self._truth
            right = right if right.ndim == 1 else right.all(axis=1)
            history.val_accuracy.append(float(right.mean()))
