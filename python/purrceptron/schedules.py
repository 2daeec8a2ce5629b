"""Learning-rate schedules: immutable settings, to be given to an optimiser as its learning rate.

>>> import purrceptron as pc
>>> optimizer = pc.SGD(pc.schedules.Cosine(0.1, epochs=50), momentum=0.9)
>>> warm = pc.Adam(pc.schedules.WarmUp(pc.schedules.Cosine(1e-3, epochs=45), epochs=5))
>>> [float(f"{warm.learning_rate.at(t):.2g}") for t in (0, 2.5, 5, 50)]
[0.0001, 0.00055, 0.001, 0.0]

Time `t` is counted in epochs, with fractions: it is looked at before each step, so a batch in the
middle of the third epoch has ``t = 2.5``, and where a batch holds all examples, a step is an epoch.
Beyond its epochs a schedule stays where it ended. A run that is continued with ``resume`` goes on
with the `t` that it had.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Literal

from . import _core
from ._arguments import checked_count, checked_number, checked_penalty

__all__ = [
    "Adaptive",
    "Constant",
    "Cosine",
    "Exponential",
    "InverseScaling",
    "OneCycle",
    "Schedule",
    "Step",
    "WarmUp",
]

Stages = list[tuple[str, dict[str, float]]]
"""What the core knows of a schedule: its warm-ups, and what comes last."""


@dataclass(frozen=True)
class Schedule:
    """What all schedules have: a learning rate η, which they multiply by a factor.

    Parameters
    ----------
    learning_rate : float
        η, above 0: the largest that the schedule reaches.
    """

    name: ClassVar[str]
    learning_rate: float

    def _stages(self) -> Stages:
        names = [f.name for f in fields(self) if f.name != "learning_rate"]
        return [(self.name, {name: checked_number(name, getattr(self, name)) for name in names})]

    def at(self, t: float) -> float:
        """Return the learning rate of a step that begins `t` epochs after the beginning.

        Raises
        ------
        ValueError
            If a setting of the schedule is out of its range.
        """
        rate = checked_number("learning_rate", self.learning_rate)
        return rate * _core.schedule_factor(self._stages(), checked_penalty("t", t))

    def settings(self) -> dict[str, object]:
        """Return everything but the learning rate, for the record: it can be written as JSON."""
        names = [f.name for f in fields(self) if f.name != "learning_rate"]
        return {"name": self.name} | {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Constant(Schedule):
    """Always the same: what a number as learning rate means."""

    name: ClassVar[str] = "constant"

    def _stages(self) -> Stages:
        return []


@dataclass(frozen=True)
class InverseScaling(Schedule):
    r"""Falls as a power of time, an epoch at a time.

    .. math:: η / (1 + \text{rate} ⌊t⌋)^{\text{power}}

    Parameters
    ----------
    learning_rate : float
        η, above 0: that of the first epoch.
    power : float
        From 0 on; scikit-learn's ``power_t``.
    rate : float
        Above 0. With the number of examples it is scikit-learn's ``"invscaling"``, which counts
        them instead of epochs.
    """

    name: ClassVar[str] = "inverse_scaling"
    power: float = 0.5
    rate: float = 1.0


@dataclass(frozen=True)
class Step(Schedule):
    r"""Is multiplied by a factor every so many epochs, as PyTorch's ``StepLR``.

    .. math:: η · \text{factor}^{⌊t / \text{every}⌋}

    Parameters
    ----------
    learning_rate : float
        η, above 0: the first.
    every : float
        Epochs, above 0.
    factor : float
        Above 0.
    """

    name: ClassVar[str] = "step"
    every: float = 30
    factor: float = 0.1


@dataclass(frozen=True)
class Exponential(Schedule):
    r"""Is multiplied by a factor in each epoch, a little in each step.

    .. math:: η · \text{factor}^t

    Parameters
    ----------
    learning_rate : float
        η, above 0: the first.
    factor : float
        Above 0.
    """

    name: ClassVar[str] = "exponential"
    factor: float = 0.95


@dataclass(frozen=True)
class Cosine(Schedule):
    r"""Falls along half a cosine (Loshchilov and Hutter 2017), as PyTorch's ``CosineAnnealingLR``.

    .. math:: η · (\text{last} + (1 - \text{last}) (1 + \cos(π t / \text{epochs})) / 2)

    Parameters
    ----------
    learning_rate : float
        η, above 0: the first.
    epochs : float
        How many it takes, above 0; afterwards it stays at ``η · last``.
    last : float
        The share that remains, from 0 to 1.
    """

    name: ClassVar[str] = "cosine"
    epochs: float
    last: float = 0.0


@dataclass(frozen=True)
class OneCycle(Schedule):
    r"""Rises and falls once, each along half a cosine (Smith and Topin 2017).

    Up to the peak, at the time p = rise · epochs:

    .. math:: η · (\text{start} + (1 - \text{start}) (1 - \cos(π t / p)) / 2)

    and from there to the end:

    .. math:: η · (\text{last} + (1 - \text{last}) (1 + \cos(π (t - p) / (\text{epochs} - p))) / 2)

    The shares are by default those of PyTorch's ``OneCycleLR``.

    Parameters
    ----------
    learning_rate : float
        η, above 0: the peak.
    epochs : float
        How many it takes, above 0; afterwards it stays at ``η · last``.
    rise : float
        The share of them in which it rises, between 0 and 1.
    start : float
        The share of η that it starts from, above 0, up to 1.
    last : float
        The share of η that remains, from 0 to 1.

    Examples
    --------
    >>> cycle = OneCycle(0.1, epochs=10, rise=0.4, start=0.2, last=0.01)
    >>> [round(cycle.at(t), 4) for t in (0, 2, 4, 7, 10, 11)]
    [0.02, 0.06, 0.1, 0.0505, 0.001, 0.001]
    """

    name: ClassVar[str] = "one_cycle"
    epochs: float
    rise: float = 0.3
    start: float = 1 / 25
    last: float = 1 / 250_000


@dataclass(frozen=True, init=False)
class WarmUp(Schedule):
    """Rises in a straight line to where another schedule begins, and goes on with that.

    Parameters
    ----------
    then : Schedule or float
        What follows, with its time counted from the end of the warm-up; not `Adaptive`.
    epochs : float
        How long the warm-up takes, above 0.
    start : float
        The share of the first learning rate of `then` to start from, above 0, up to 1.
    """

    name: ClassVar[str] = "warm_up"
    then: Schedule
    epochs: float
    start: float

    def __init__(self, then: Schedule | float, epochs: float, start: float = 0.1) -> None:
        if not isinstance(then, Schedule):
            then = Constant(checked_number("then", then))
        if isinstance(then, Adaptive):
            raise ValueError("then is Adaptive, which cannot follow a warm-up: it waits for a loss")
        for name, value in (
            ("learning_rate", then.learning_rate),
            ("then", then),
            ("epochs", epochs),
            ("start", start),
        ):
            object.__setattr__(self, name, value)

    def _stages(self) -> Stages:
        own = {name: checked_number(name, getattr(self, name)) for name in ("epochs", "start")}
        return [(self.name, own), *self.then._stages()]

    def settings(self) -> dict[str, object]:
        """Return everything but the learning rate, for the record: it can be written as JSON."""
        return super().settings() | {"then": self.then.settings()}


@dataclass(frozen=True)
class Adaptive(Schedule):
    """Stays while there is progress, and is then cut, as scikit-learn's ``"adaptive"``.

    An epoch is without progress unless its value is better than the best before it by more than
    `min_delta`. The fit ends when the learning rate would have to be cut and is at `least` already.

    Parameters
    ----------
    learning_rate : float
        η, above 0: the first.
    factor : float
        What a cut multiplies by, between 0 and 1.
    patience : int
        How many epochs without progress are let pass before a cut.
    min_delta : float
        From 0 on.
    monitor : {"loss", "val_loss", "val_accuracy"}
        What is watched: an entry of the `History`.
    least : float
        Not cut any more once it is as small as this.
    """

    name: ClassVar[str] = "adaptive"
    factor: float = 0.2
    patience: int = 10
    min_delta: float = 1e-4
    monitor: Literal["loss", "val_loss", "val_accuracy"] = "loss"
    least: float = 1e-6

    def _stages(self) -> Stages:
        factor = checked_number("factor", self.factor)
        if not 0 < factor < 1:
            raise ValueError(f"factor is {self.factor!r}, expected a number between 0 and 1")
        checked_count("patience", self.patience, least=0)
        checked_penalty("min_delta", self.min_delta)
        checked_penalty("least", self.least)
        if self.monitor not in ("loss", "val_loss", "val_accuracy"):
            raise ValueError(
                f"monitor is {self.monitor!r}, expected one of: 'loss', 'val_loss', 'val_accuracy'"
            )
        return []

    def at(self, t: float) -> float:
        """Raise: only the run itself can tell."""
        raise ValueError("an Adaptive learning rate depends on the losses, not on the time alone")
