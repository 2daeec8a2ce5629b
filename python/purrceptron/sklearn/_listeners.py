"""The callbacks of a fit: told of its epochs as those of `purrceptron.train` are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from purrceptron._callbacks import checked_callbacks, notify, wants_each_epoch
from purrceptron._history import History

if TYPE_CHECKING:
    from purrceptron._network import Network

    from ._kept import Samples


class Listeners:
    """Those who listen to a fit, and the history that they are shown.

    Parameters
    ----------
    mlp : estimator
        Its `callbacks`, and its records of losses and scores.
    network : Network
        What is trained.
    judged : Samples, optional
        What the network is judged by, as the core takes it.
    **training
        What the network says of its training.
    """

    def __init__(self, mlp: Any, network: Network, judged: Samples | None, **training: Any) -> None:
        self._all = checked_callbacks(mlp.callbacks or ())
        self._mlp, self._network, self._judged = mlp, network, judged
        self._history = History(first_layer=training.pop("first_layer"))
        self._began = time.perf_counter()
        self._before = len(mlp.loss_curve_), len(getattr(mlp, "validation_scores_", None) or ())
        network.training = training

    @property
    def each_epoch(self) -> bool:
        """Whether one of them wants to be told of every epoch."""
        return wants_each_epoch(self._all)

    def begin(self) -> None:
        """Tell them that the fit begins."""
        notify(self._all, "on_train_begin", self._network, self._history)

    def epochs_ended(self) -> bool:
        """Tell them of epochs that have ended; whether one of them ends the fit."""
        if not self._all:
            return False
        mlp, history, (losses, scores) = self._mlp, self._history, self._before
        history.epochs, history.loss = mlp.n_iter_, mlp.loss_curve_[losses:]
        history.seconds = time.perf_counter() - self._began
        if self._judged is not None:
            X, y, weights = self._judged.X, self._judged.y, self._judged.weights
            loss = self._network._core.loss(X, y, mlp._minimised()._core(), 0.0, weights)
            history.val_loss.append(loss)
            if self._network.output in ("sigmoid", "softmax"):
                history.val_accuracy = mlp.validation_scores_[scores:]
        return notify(self._all, "on_epoch_end", self._network, history)

    def end(self) -> None:
        """Tell them that the fit has ended."""
        notify(self._all, "on_train_end", self._network, self._history)
