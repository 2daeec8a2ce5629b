"""Three that take an array, and what they have to keep when it is wrong."""

import numpy as np

import purrceptron as pc
from purrceptron import kernels

ROWS, COLUMNS = 6, 4
Y = np.array([0, 1, 1, 0, 1, 0])
WEIGHTS = np.linspace(-1, 1, 3 * COLUMNS).reshape(3, COLUMNS)


def network(dtype="float64"):
    return pc.Network([COLUMNS, 5, 1], dtype=dtype, seed=3)


class Kernel:
    """A kernel that takes a matrix: ``x @ w.T``."""

    name = "a"

    def __call__(self, x):
        return kernels.matmul(x, WEIGHTS.T)

    def state(self):
        return []


class Forward:
    name = "X"

    def __init__(self):
        self.net = network()

    def __call__(self, x):
        return self.net.forward(x)

    def state(self):
        return [a for layer in self.net.parameters for a in layer]


class Train(Forward):
    def __call__(self, x):
        history = pc.train(self.net, x, Y, epochs=3, batch_size=4, seed=1)
        return np.array([*history.loss, *(a.sum() for a in self.state())])


def numbers(dtype="float64"):
    return np.random.default_rng(0).uniform(-4, 4, (ROWS, COLUMNS)).astype(dtype)
