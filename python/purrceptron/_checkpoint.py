"""A callback that saves the network during a fit: every so many epochs, or at its best."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Literal

from ._arguments import checked_count
from ._callbacks import Callback, check_monitor, is_full_batch
from ._copies import with_snapshot
from ._model_file import check_path

if TYPE_CHECKING:
    from . import _core
    from ._history import History
    from ._network import Network


class Checkpoint(Callback):
    """Saves the network every so many epochs, or whenever it is the best so far.

    Parameters
    ----------
    path : path
        Where to: as in `Network.save`. ``{epoch}`` in it stands for the epoch's number, counted
        from 1, so that each checkpoint has a file of its own; without it, each replaces the last.
    every : int
        Save after every so many epochs; with `monitor`, look at those alone.
    monitor : {"val_loss", "loss", "val_accuracy"}, optional
        Save only if this is better than whenever it was looked at before. The first and last want
        `validation_data`. The training loss of a full batch is that of the weights before the
        epoch's update, and it is those that are saved.

    Attributes
    ----------
    last : str or None
        The file that was written last in this fit.

    Raises
    ------
    ValueError
        When it is made, if an argument does not fit; when a fit begins, if it will not measure
        what is watched.
    OSError
        In the fit, if a file cannot be written. The network keeps its weights, and an older file
        of that name is left as it was.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import purrceptron as pc
    >>> X, y = np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1])
    >>> net = pc.Network([4, 1], init="zeros")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saver = pc.Checkpoint(f"{folder}/{{epoch}}.safetensors", every=10)
    ...     history = pc.train(net, X, y, epochs=25, callbacks=[saver])
    ...     bool((pc.load(f"{folder}/20.safetensors").forward(X) != net.forward(X)).all())
    True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        every: int = 1,
        monitor: Literal["val_loss", "loss", "val_accuracy"] | None = None,
    ) -> None:
        self.path = os.fspath(path)
        check_path(self.path)
        self.every = checked_count("every", every, least=1)
        if monitor not in (None, "val_loss", "loss", "val_accuracy"):
            raise ValueError(
                f"monitor is {monitor!r}, expected one of: 'val_loss', 'loss', 'val_accuracy', "
                "or None"
            )
        self.monitor = monitor
        self.last: str | None = None

    def on_train_begin(self, net: Network, history: History) -> None:
        """Forget the last fit; fail if this one will not measure what is watched."""
        if self.monitor is not None:
            check_monitor("Checkpoint", self.monitor, net)
        self.last = None
        self._best = math.inf
        # Weights of one epoch earlier are kept only where the loss is theirs.
        lags = self.monitor == "loss" and is_full_batch(net)
        self._before: _core.Snapshot | None = net._core.snapshot() if lags else None

    def on_epoch_end(self, net: Network, history: History) -> None:
        """Save, if it is time to, and the network is worth it."""
        judged, before = net, self._before
        if before is not None:
            self._before = net._core.snapshot()
        if history.epochs % self.every:
            return
        if self.monitor is not None:
            value = getattr(history, self.monitor)[-1]
            value = -value if self.monitor == "val_accuracy" else value
            if not value < self._best:
                return
            self._best = value
        if before is not None:
            judged = with_snapshot(net, before)
        path = self.path.replace("{epoch}", str(history.epochs))
        judged.save(path)
        self.last = path

    def on_train_end(self, net: Network, history: History) -> None:
        """Let go of the weights."""
        self._before = None
