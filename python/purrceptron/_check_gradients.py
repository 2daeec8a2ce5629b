"""Derivatives held against differences of the loss: what back-propagation must agree with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ._arguments import checked_count, checked_number, checked_seed
from ._copies import with_dtype
from ._network import Network

if TYPE_CHECKING:
    from ._validation import Array
    from .losses import Loss


@dataclass(frozen=True)
class GradientCheck:
    """How far back-propagation and central differences are apart, where they are farthest.

    Attributes
    ----------
    error : float
        ``|analytic - numeric|``, relative to the largest derivative of the same array (or to 1,
        if that is larger). With smooth activations it is about 1e-8 or less.
    where : str
        Which parameter that is.
    analytic, numeric : float
        Its derivative by back-propagation, and by a central difference.
    checked : int
        How many parameters have been looked at.
    """

    error: float
    where: str
    analytic: float
    numeric: float
    checked: int


def check_gradients(
    net: Network,
    X: Array,
    y: Array,
    *,
    loss: str | Loss | None = None,
    l2: float = 0.0,
    l1: float = 0.0,
    sample_weight: Array | None = None,
    step: float = 1e-6,
    at_most: int = 500,
    seed: int = 0,
) -> GradientCheck:
    """Hold the derivatives of the cost against central differences, in float64.

    ``(J(w + h) - J(w - h)) / 2h`` is computed for each weight and bias ``w``, and for gain and
    shift where layers are normalised, or for some drawn among them, and compared with what
    back-propagation says. The network itself is left alone. Batches are normalised as in training.

    Parameters
    ----------
    net : Network
        Of either dtype; what is looked at is a copy in float64.
    X, y, loss, l2, l1, sample_weight
        As in `Network.gradients`.
    step : float
        ``h``, above 0.
    at_most : int
        How many parameters of each array are looked at.
    seed : int
        Which.

    Returns
    -------
    GradientCheck

    Raises
    ------
    ValueError
        If an argument does not fit.

    Notes
    -----
    Where a ReLU is within ``h`` of its corner, or a weight of 0 under ``l1``, the difference is
    between the two slopes: that is no error of the derivative.

    Examples
    --------
    >>> import numpy as np
    >>> import purrceptron as pc
    >>> net = pc.Network([3, 4, 1], hidden="tanh", seed=1)
    >>> pc.check_gradients(net, np.eye(3), [0, 1, 1]).error < 1e-7
    True
    """
    if not isinstance(net, Network):
        raise ValueError(f"net is {net!r}, expected a Network")
    h = checked_number("step", step)
    if not 0 < h < float("inf"):
        raise ValueError(f"step is {step!r}, expected a finite number above 0")
    at_most = checked_count("at_most", at_most, least=1)
    random = np.random.default_rng(checked_seed(seed))
    twin = with_dtype(net, "float64")
    data = twin._data(X, y, sample_weight, loss, l2, l1)
    parameters, numbers = twin.parameters, twin._core.normalization()
    gradients = twin.gradients(X, y, loss, l2, sample_weight, l1=l1)
    of_numbers = twin._core.gradients(*data)[2]

    def cost() -> float:
        twin._core.set_parameters(parameters)
        twin._core.set_normalization(numbers)
        return twin._core.gradients(*data)[0]

    arrays = []
    for layer, (pair, derivatives) in enumerate(zip(parameters, gradients, strict=True)):
        arrays += [(f"W of layer {layer + 1}", pair[0], derivatives[0])]
        arrays += [(f"b of layer {layer + 1}", pair[1], derivatives[1])]
        own, derived = numbers[layer], of_numbers[layer]
        if own is not None and derived is not None:
            arrays += [(f"gain of layer {layer + 1}", own[0], derived[0])]
            arrays += [(f"shift of layer {layer + 1}", own[1], derived[1])]

    worst = GradientCheck(-1.0, "", 0.0, 0.0, 0)
    checked = 0
    for name, values, slopes in arrays:
        scale = max(1.0, float(np.abs(slopes).max()))
        places = np.arange(values.size)
        if len(places) > at_most:
            places = random.choice(places, at_most, replace=False)
        for place in places:
            index = np.unravel_index(place, values.shape)
            kept, sides = values[index], []
            for moved in (kept + h, kept - h):
                values[index] = moved
                sides.append(cost())
            values[index] = kept
            analytic, numeric = float(slopes[index]), (sides[0] - sides[1]) / (2 * h)
            error = abs(analytic - numeric) / scale
            checked += 1
            if not error <= worst.error:
                what, _, where = name.partition(" ")
                where = f"{what}[{', '.join(map(str, index))}] {where}"
                worst = GradientCheck(error, where, analytic, numeric, checked)
    return GradientCheck(worst.error, worst.where, worst.analytic, worst.numeric, checked)
