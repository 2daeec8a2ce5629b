"""A classifier with everything switched on, forward and backward in plain NumPy, in float64.

tanh in the hidden layers, a softmax at the end; normalised layers, thinned inputs, weighted
examples, smoothed labels, both penalties. Rows are examples.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

import purrceptron as pc

Array = Any

EPSILON, MOMENTUM = 1e-5, 0.1


@dataclass
class Layer:
    """A dense layer, and what stands between it and its activation."""

    W: Array
    b: Array
    kind: str | None = None
    gain: Array = None
    shift: Array = None
    mean: Array = None
    variance: Array = None

    def parameters(self) -> list[str]:
        """Return the names of what is trained: a batch's mean takes the bias away again."""
        names = ["W"] if self.kind == "batch" else ["W", "b"]
        return names if self.kind is None else [*names, "gain", "shift"]


def layers_of(net: pc.Network) -> list[Layer]:
    layers = [Layer(W, b) for W, b in net.parameters]
    for layer, each in zip(layers, net.normalization, strict=False):
        if each is not None:
            layer.kind, layer.gain, layer.shift = each.kind, each.gain, each.shift
            layer.mean, layer.variance = each.mean, each.variance
    return layers


def cost_and_gradients(
    layers: list[Layer],
    X: Array,
    T: Array,
    weights: Array,
    masks: list[Array],
    l2: float,
    l1: float,
) -> tuple[float, list[dict[str, Array]]]:
    """Return J of a batch with one-hot, perhaps smoothed, targets T, and its derivatives.

    The layers remember the batch's means and variances.
    """
    m = weights.sum()
    A, kept = X, []
    for i, (layer, M) in enumerate(zip(layers, masks, strict=True)):
        A = A * M
        Z = A @ layer.W.T + layer.b
        x, inverse = None, None
        if layer.kind is not None:
            Z, x, inverse = normalize(layer, Z)
        kept.append((A, x, inverse))
        A = np.tanh(Z) if i + 1 < len(layers) else Z
    log_p = A - np.log(np.exp(A).sum(axis=1, keepdims=True))
    J = -(weights @ (T * log_p).sum(axis=1)) / m
    J += sum(l2 / 2 * (each.W**2).sum() + l1 * abs(each.W).sum() for each in layers) / m

    dZ = weights[:, None] * (np.exp(log_p) * T.sum(axis=1, keepdims=True) - T) / m
    gradients: list[dict[str, Array]] = [{} for _ in layers]
    for i in reversed(range(len(layers))):
        layer, (A, x, inverse), found = layers[i], kept[i], gradients[i]
        if layer.kind is not None:
            found["gain"], found["shift"] = (dZ * x).sum(axis=0), dZ.sum(axis=0)
            g, axis = dZ * layer.gain, 0 if layer.kind == "batch" else 1
            mean, along = (each.mean(axis=axis, keepdims=True) for each in (g, g * x))
            dZ = inverse * (g - mean - x * along)
        found["W"] = dZ.T @ A + (l2 * layer.W + l1 * np.sign(layer.W)) / m
        found["b"] = dZ.sum(axis=0)
        if i > 0:
            # A is what dropout left of tanh: where it left nothing, nothing comes back.
            a = np.divide(A, masks[i], out=np.zeros_like(A), where=masks[i] != 0)
            dZ = dZ @ layer.W * masks[i] * (1 - a**2)
    return float(J), gradients


def normalize(layer: Layer, Z: Array) -> tuple[Array, Array, Array]:
    """Return the normalised Z, scaled and not, and what it was multiplied by."""
    axis = 0 if layer.kind == "batch" else 1
    mean, variance = Z.mean(axis=axis, keepdims=True), Z.var(axis=axis, keepdims=True)
    inverse = 1 / np.sqrt(variance + EPSILON)
    x = (Z - mean) * inverse
    if layer.kind == "batch":
        unbiased = variance[0] * len(Z) / (len(Z) - 1)
        layer.mean = (1 - MOMENTUM) * layer.mean + MOMENTUM * mean[0]
        layer.variance = (1 - MOMENTUM) * layer.variance + MOMENTUM * unbiased
    return layer.gain * x + layer.shift, x, inverse
