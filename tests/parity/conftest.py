"""What the parity tests share: networks made from parameters that NumPy drew."""

from collections.abc import Callable
from typing import Any

import pytest

import purrceptron as pc
from purrceptron._reference import Parameters


@pytest.fixture(scope="session")
def network() -> Callable[..., pc.Network]:
    """Return a function that makes a network with the given parameters."""

    def make(parameters: Parameters, **settings: Any) -> pc.Network:
        sizes = [parameters[0][0].shape[1], *(len(b) for _, b in parameters)]
        net = pc.Network(sizes, dtype=parameters[0][0].dtype, init="zeros", **settings)
        net.set_parameters(parameters)
        return net

    return make
