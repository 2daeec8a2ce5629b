"""The solver's memory between epochs and calls: its learning rate, velocities or moments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from purrceptron import _core
from purrceptron.schedules import Schedule

from ._kept import Kept

if TYPE_CHECKING:
    from purrceptron._network import Network
    from purrceptron.schedules import Stages

    from ._kept import Samples

LEAST_RATE = 1e-30
"""Below it a step changes nothing; above it a velocity may be rescaled without overflow."""


@dataclass
class Optimizer:
    """A stochastic solver with scikit-learn's conventions.

    The core's velocity stands outside the learning rate, scikit-learn's inside: with a constant
    rate they are the same, and where the rate changes the velocity is rescaled. Adam's ε stands
    beside the uncorrected root.
    """

    name: str
    settings: dict[str, float]
    learning_rate: float
    learning_rate_init: float
    schedule: str
    power_t: float
    stages: Stages
    epoch: int = 0
    step: int = 0
    slots: list[Any] | None = field(default=None, repr=False)
    normalization: list[Any] = field(default_factory=list, repr=False)
    kept: Kept | None = field(default=None, repr=False)

    @classmethod
    def of(cls, mlp: Any) -> Optimizer:
        """Return the optimiser that the parameters of an estimator describe."""
        if mlp.solver == "adam":
            name = "adam_hat"
            settings = {"beta1": mlp.beta_1, "beta2": mlp.beta_2, "epsilon": mlp.epsilon}
        else:
            name = "sgd"
            # A momentum of 1 is allowed there; the nearest number below it does the same.
            momentum = min(float(mlp.momentum), float(np.nextafter(1, 0)))
            nesterov = bool(mlp.nesterovs_momentum) and momentum > 0
            settings = {"momentum": momentum, "nesterov": nesterov}
        settings = {key: float(value) for key, value in settings.items()}
        rate, schedule, stages = mlp.learning_rate_init, "constant", []
        if isinstance(mlp.learning_rate, Schedule):
            rate, stages = mlp.learning_rate.learning_rate, mlp.learning_rate._stages()
        elif mlp.solver == "sgd":
            schedule = mlp.learning_rate
        rate = float(rate)
        return cls(name, settings, rate, rate, schedule, float(mlp.power_t), stages)

    @property
    def constant(self) -> bool:
        """Whether scikit-learn's own schedules leave the learning rate alone."""
        return self.schedule == "constant"

    def trainer(
        self, network: Network, samples: Samples, epochs: int, *, keep: bool, **settings: Any
    ) -> _core.Trainer:
        """Return what trains that network, from where this optimiser is.

        With `keep` it reads copies, and is the last one again if samples and settings allow.
        """
        if self.kept is not None and self.kept.take(network, samples, settings):
            return self.kept.trainer
        self.remember()
        if keep and not samples.sparse:
            samples = samples.copy()
        trainer = _core.Trainer(
            network._core,
            samples.X,
            samples.y,
            samples.weights,
            epochs,
            self.name,
            self.settings,
            learning_rate=self.learning_rate,
            schedule=self.stages,
            **settings,
        )
        if self.slots is not None:
            trainer.set_state(self.epoch, self.step, self.slots, None, self.normalization)
        if keep:
            self.slots, self.kept = None, Kept(network, trainer, samples, settings)
        return trainer

    def remember(self) -> None:
        """Take over what the kept trainer remembers, and let go of it."""
        if self.kept is not None:
            trainer, self.kept = self.kept.trainer, None
            state = trainer.take_state()
            self.epoch, self.step, self.slots, _, self.normalization = state

    def __getstate__(self) -> dict[str, Any]:
        self.remember()
        return dict(vars(self))

    def end_epoch(self, trainer: _core.Trainer, samples_seen: int) -> None:
        """Let the rate follow its schedule after an epoch."""
        if self.schedule == "invscaling":
            rate = self.learning_rate_init / float(samples_seen + 1) ** self.power_t
            self._change(trainer, max(rate, LEAST_RATE))

    def no_progress(self, trainer: _core.Trainer, message: str, verbose: bool) -> bool:
        """Say whether to stop, now that patience is at an end; else go on at a smaller rate."""
        if self.schedule != "adaptive":
            message += " Stopping."
        elif self.learning_rate <= 1e-6:
            message += " Learning rate too small. Stopping."
        else:
            self._change(trainer, self.learning_rate / 5.0)
            if verbose:
                print(f"{message} Setting learning rate to {self.learning_rate:f}")
            return False
        if verbose:
            print(message)
        return True

    def _change(self, trainer: _core.Trainer, rate: float) -> None:
        before, self.learning_rate = self.learning_rate, rate
        if rate != before:
            trainer.set_learning_rate(rate)
            trainer.scale_velocity(before / rate)
