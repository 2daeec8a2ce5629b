"""Callbacks: what may happen between the epochs of a fit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from ._arguments import checked_count, checked_penalty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from . import _core
    from ._history import History
    from ._network import Network

EVENTS = ("on_train_begin", "on_epoch_end", "on_train_end")
"""What a callback may listen to."""


class Callback:
    """The base of callbacks; any object with one of these methods will do as well.

    Attributes
    ----------
    each_epoch : bool
        Whether `on_epoch_end` wants to be called after every epoch. If no callback does, the core
        runs many epochs at once, and `on_epoch_end` is called about 20 times a second.
    """

    each_epoch: bool = True

    def on_train_begin(self, net: Network, history: History) -> None:
        """Be told that a fit begins."""

    def on_epoch_end(self, net: Network, history: History) -> bool | None:
        """Be told that an epoch has ended; return True to end the fit."""
        return None

    def on_train_end(self, net: Network, history: History) -> None:
        """Be told that the fit has ended, by itself or because a callback said so."""


def notify(listeners: Sequence[object], event: str, net: Network, history: History) -> bool:
    """Tell all who listen to the event; whether one of them answered True."""
    answers = [getattr(each, event)(net, history) for each in listeners if hasattr(each, event)]
    return any(isinstance(answer, (bool, np.bool)) and answer for answer in answers)


def wants_each_epoch(listeners: Sequence[object]) -> bool:
    """Whether one of them wants to be told of every epoch."""
    return any(
        hasattr(each, "on_epoch_end") and getattr(each, "each_epoch", True) for each in listeners
    )


def checked_callbacks(callbacks: Sequence[Callback | object]) -> list[object]:
    """Return those who listen; fail at the first that does not."""
    try:
        listeners = list(callbacks)
    except TypeError:
        raise ValueError(f"callbacks is {callbacks!r}, expected a sequence of callbacks") from None
    for i, each in enumerate(listeners):
        if isinstance(each, type):
            raise ValueError(f"callbacks[{i}] is the class {each.__name__}, expected an object")
        if not any(hasattr(each, event) for event in EVENTS):
            raise ValueError(f"callbacks[{i}] is {each!r}, which has none of {', '.join(EVENTS)}")
    return listeners


def check_monitor(who: str, monitor: str, net: Network) -> None:
    """Fail if the fit that begins will not measure what is watched."""
    if monitor != "loss" and not net.training.get("validation_samples"):
        raise ValueError(f"{who} watches {monitor!r}, which wants validation_data")
    if monitor == "val_accuracy" and net.output not in ("sigmoid", "softmax"):
        raise ValueError(f"{who} watches 'val_accuracy', which a regression has not")


def is_full_batch(net: Network) -> bool:
    """Whether each step of the fit takes all examples: its loss is then that before the step."""
    batch_size = net.training["batch_size"]
    return batch_size is None or batch_size == net.training["samples"]


class EarlyStopping(Callback):
    """Ends a fit that no longer improves, and goes back to the best weights.

    Parameters
    ----------
    monitor : {"val_loss", "loss", "val_accuracy"}
        What should improve. The first and last want `validation_data`.
    patience : int
        How many epochs in a row may pass without improvement.
    min_delta : float
        How much better counts as an improvement.
    restore_best : bool
        Whether the network ends with the weights whose value was the best. The training loss of a
        full batch is that of the weights before the epoch's update, and it is those that are
        restored.

    Attributes
    ----------
    best : float
        The best value so far.
    best_epoch : int
        The epoch it came from, counted from 1.

    Examples
    --------
    >>> import numpy as np
    >>> import purrceptron as pc
    >>> X, y = np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1])
    >>> stopper = pc.EarlyStopping("loss", patience=5, min_delta=1e-3)
    >>> net = pc.Network([4, 1], init="zeros")
    >>> history = pc.train(net, X, y, optimizer=pc.SGD(1.0), callbacks=[stopper])
    >>> history.epochs < 2500
    True
    """

    def __init__(
        self,
        monitor: Literal["val_loss", "loss", "val_accuracy"] = "val_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        if monitor not in ("val_loss", "loss", "val_accuracy"):
            raise ValueError(
                f"monitor is {monitor!r}, expected one of: 'val_loss', 'loss', 'val_accuracy'"
            )
        self.monitor = monitor
        self.patience = checked_count("patience", patience, least=0)
        self.min_delta = checked_penalty("min_delta", min_delta)
        self.restore_best = restore_best

    def on_train_begin(self, net: Network, history: History) -> None:
        """Forget the last fit; fail if this one will not measure what should improve."""
        check_monitor("EarlyStopping", self.monitor, net)
        self.best = -math.inf if self.monitor == "val_accuracy" else math.inf
        self.best_epoch = 0
        self._best_weights: _core.Snapshot | None = None
        self._before = net._core.snapshot()

    def on_epoch_end(self, net: Network, history: History) -> bool:
        """Compare the epoch with the best one; end the fit when patience is at an end."""
        value = getattr(history, self.monitor)[-1]
        gain = value - self.best if self.monitor == "val_accuracy" else self.best - value
        after = net._core.snapshot()
        if gain > self.min_delta:
            judged_before = self.monitor == "loss" and is_full_batch(net)
            self.best, self.best_epoch = value, history.epochs
            self._best_weights = self._before if judged_before else after
        self._before = after
        return history.epochs - self.best_epoch > self.patience

    def on_train_end(self, net: Network, history: History) -> None:
        """Go back to the best weights."""
        if self.restore_best and self._best_weights is not None:
            net._core.restore(self._best_weights)
        self._best_weights = None
        del self._before
