"""The optimisers' published formulas: ``step(w, g)`` returns the parameter after a step."""

import copy
from typing import Any, Self

import numpy as np

Array = Any


class Rule:
    """An optimiser of one array, which it remembers."""

    eta: float

    def fresh(self) -> Self:
        """Return the same for another array; only to be called before the first step."""
        return copy.copy(self)


class SGD(Rule):
    def __init__(self, learning_rate: float, momentum: float = 0.0, nesterov: bool = False) -> None:
        self.eta, self.mu, self.nesterov = learning_rate, momentum, nesterov
        self.v: Array = 0

    def step(self, w: Array, g: Array) -> Array:
        self.v = self.mu * self.v + g
        return w - self.eta * (g + self.mu * self.v if self.nesterov else self.v)


class RMSProp(Rule):
    def __init__(
        self,
        learning_rate: float = 1e-2,
        rho: float = 0.99,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
    ) -> None:
        self.eta, self.rho, self.epsilon, self.mu = learning_rate, rho, epsilon, momentum
        self.v: Array = 0
        self.u: Array = 0

    def step(self, w: Array, g: Array) -> Array:
        self.v = self.rho * self.v + (1 - self.rho) * g**2
        self.u = self.mu * self.u + g / (np.sqrt(self.v) + self.epsilon)
        return w - self.eta * self.u


class Adam(Rule):
    def __init__(
        self,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.eta, self.beta1, self.beta2 = learning_rate, beta1, beta2
        self.epsilon, self.decay = epsilon, weight_decay
        self.m: Array = 0
        self.v: Array = 0
        self.t = 0

    def step(self, w: Array, g: Array) -> Array:
        self.t += 1
        w = w * (1 - self.eta * self.decay)
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
        m, v = self.m / (1 - self.beta1**self.t), self.v / (1 - self.beta2**self.t)
        return w - self.eta * m / (np.sqrt(v) + self.epsilon)
