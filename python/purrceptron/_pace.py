"""The learning rate that waits for progress: an `Adaptive` schedule at work in a fit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ._callbacks import check_monitor

if TYPE_CHECKING:
    from . import _core
    from ._history import History
    from ._network import Network
    from .schedules import Adaptive


class Pace:
    """Looks at each epoch of a fit, and cuts the learning rate when there is no progress."""

    def __init__(
        self,
        schedule: Adaptive,
        trainer: _core.Trainer,
        state: tuple[float, float, int] | None,
    ) -> None:
        self._schedule, self._trainer = schedule, trainer
        # The larger a score the better; the smaller a loss.
        self._sign = 1.0 if schedule.monitor == "val_accuracy" else -1.0
        self.state = state or (float(schedule.learning_rate), -math.inf * self._sign, 0)
        trainer.set_learning_rate(self.state[0])

    def on_train_begin(self, net: Network, history: History) -> None:
        """Fail if the fit will not measure what is watched."""
        check_monitor("Adaptive", self._schedule.monitor, net)

    def on_epoch_end(self, net: Network, history: History) -> bool:
        """Cut the learning rate if it is time; end the fit if it cannot be cut any more."""
        rate, best, waiting = self.state
        value = getattr(history, self._schedule.monitor)[-1]
        gain = (value - best) * self._sign
        waiting = 0 if gain > self._schedule.min_delta else waiting + 1
        best = value if gain > 0 else best
        stop = False
        if waiting > self._schedule.patience:
            stop, waiting = rate <= self._schedule.least, 0
            if not stop:
                rate *= self._schedule.factor
                self._trainer.set_learning_rate(rate)
        self.state = rate, best, waiting
        return stop
