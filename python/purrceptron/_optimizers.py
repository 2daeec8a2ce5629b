"""Optimisers: immutable settings. The steps themselves are in the core, ``rust/core/src/optim``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from ._arguments import checked_number
from .schedules import Schedule


@dataclass(frozen=True)
class Optimizer:
    """What all optimisers have: a name for the core, and a learning rate.

    Parameters
    ----------
    learning_rate : float or Schedule
        η, above 0, or how it changes: one of `purrceptron.schedules`.
    """

    name: ClassVar[str]
    learning_rate: float | Schedule

    def settings(self) -> dict[str, float]:
        """Return every setting but the learning rate, as the core takes them."""
        names = [f.name for f in fields(self) if f.name != "learning_rate"]
        return {name: checked_number(name, getattr(self, name)) for name in names}


@dataclass(frozen=True)
class SGD(Optimizer):
    r"""Gradient descent, with momentum if wanted.

    .. math::
        v = μ v + g

        w = w - η v

    as in PyTorch; with Nesterov's momentum ``w = w - η (g + μ v)``. Without momentum and with
    ``batch_size=None`` this is the series' update.

    Parameters
    ----------
    learning_rate : float or Schedule
        η, above 0, or how it changes: one of `purrceptron.schedules`.
    momentum : float
        μ, from 0 up to, but not including, 1.
    nesterov : bool
        Whether to look ahead along the velocity; wants a momentum above 0.
    """

    name: ClassVar[str] = "sgd"
    learning_rate: float | Schedule
    momentum: float = 0.0
    nesterov: bool = False


@dataclass(frozen=True)
class RMSProp(Optimizer):
    r"""Steps divided by a running root mean square of the gradient, as in PyTorch.

    .. math::
        v = ρ v + (1 - ρ) g²

        u = μ u + g / (\sqrt{v} + ε)

        w = w - η u

    Parameters
    ----------
    learning_rate : float or Schedule
        η, above 0, or how it changes: one of `purrceptron.schedules`.
    rho : float
        ρ, the share of the past, from 0 up to, but not including, 1.
    epsilon : float
        ε, above 0.
    momentum : float
        μ, from 0 up to, but not including, 1.
    """

    name: ClassVar[str] = "rmsprop"
    learning_rate: float | Schedule = 1e-2
    rho: float = 0.99
    epsilon: float = 1e-8
    momentum: float = 0.0


@dataclass(frozen=True)
class Adam(Optimizer):
    r"""Adaptive moments (Kingma and Ba 2015), with PyTorch's place for ε.

    .. math::
        m = β_1 m + (1 - β_1) g

        v = β_2 v + (1 - β_2) g²

        w = w - η \frac{m / (1 - β_1^t)}{\sqrt{v / (1 - β_2^t)} + ε}

    Parameters
    ----------
    learning_rate : float or Schedule
        η, above 0, or how it changes: one of `purrceptron.schedules`.
    beta1, beta2 : float
        The shares of the past, from 0 up to, but not including, 1.
    epsilon : float
        ε, above 0.
    """

    name: ClassVar[str] = "adam"
    learning_rate: float | Schedule = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): first ``w = w (1 - η λ)``.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon : float
        As in `Adam`.
    weight_decay : float
        λ, from 0 on; it applies to weights and biases, as in PyTorch.
    """

    name: ClassVar[str] = "adamw"
    weight_decay: float = 1e-2
