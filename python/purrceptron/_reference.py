"""The same network in plain NumPy: the oracle of the tests and the baseline of the benchmarks.

Written to be read beside the series "Deep Neural Network from Scratch in Rust". Rows are
examples, so every formula is the transpose of the series' own. ``m`` counts examples and
``n_l`` the neurons of layer ``l``; ``A_0`` is ``X``, pixels already divided by 255.
Everything is computed in the dtype of the arrays it is given, float32 or float64.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]
Parameters = list[tuple[Array, Array]]
"""One (W, b) for each layer: W is (n_l, n_{l-1}), b is (n_l,)."""


def initialise(
    layers: Sequence[int], seed: int, *, gain: float = 1.0, dtype: DTypeLike = np.float64
) -> Parameters:
    """Draw ``W_l`` from a normal of deviation ``gain / sqrt(n_{l-1})``; set ``b_l = 0``.

    ``layers`` starts with the inputs, ``[12288, 20, 7, 5, 1]``. He's initialiser, which suits
    ReLU, has ``gain=sqrt(2)``.
    """
    random = np.random.default_rng(seed)
    parameters = []
    for n_in, n_out in pairwise(layers):
        W = random.standard_normal((n_out, n_in)) * gain / np.sqrt(n_in)
        parameters.append((W.astype(dtype), np.zeros(n_out, dtype)))
    return parameters


def linear_forward(A: Array, W: Array, b: Array) -> Array:
    """Return ``Z_l = A_{l-1} W_lᵀ + b_l``."""
    return A @ W.T + b  # (m, n_{l-1}) (n_{l-1}, n_l) -> (m, n_l)


def linear_backward(dZ: Array, A: Array) -> tuple[Array, Array]:
    """Return ``dW_l = dZ_lᵀ A_{l-1} / m`` and ``db_l = Σ dZ_l / m``."""
    dZ = dZ / len(dZ)
    return dZ.T @ A, dZ.sum(axis=0)  # (n_l, m) (m, n_{l-1}) -> (n_l, n_{l-1}); (n_l,)


def linear_backward_input(dZ: Array, W: Array) -> Array:
    """Return ``dA_{l-1} = dZ_l W_l``."""
    return dZ @ W  # (m, n_l) (n_l, n_{l-1}) -> (m, n_{l-1})


def relu(Z: Array) -> Array:
    """Return ``A = max(Z, 0)``."""
    return np.maximum(Z, 0)


def relu_backward(dA: Array, Z: Array) -> Array:
    """Return ``dZ = dA ∘ relu'(Z)``, where ``relu'(0) = 0``; ``A = relu(Z)`` does for ``Z``."""
    return dA * (Z > 0)


def sigmoid(Z: Array) -> Array:
    """Return ``A = 1 / (1 + exp(-Z))``, written so that ``exp`` never overflows."""
    t = np.exp(-np.abs(Z))
    A: Array = np.where(Z >= 0, 1, t) / (1 + t)
    return A


def cross_entropy(logits: Array, Y: Array) -> float:
    """Return ``-(1/m) Σ [y log a + (1-y) log(1-a)]`` where ``a = sigmoid(z)``.

    Taken from the logits ``z`` each term is ``max(z, 0) - y z + log(1 + exp(-|z|))``, which
    stays finite where the sigmoid rounds to 0 or 1 and ``log a`` would not.
    """
    return float(np.mean(np.maximum(logits, 0) - Y * logits + np.log1p(np.exp(-np.abs(logits)))))


def penalty(parameters: Parameters, m: int, l2: float) -> float:
    """Return ``(λ/2m) Σ ‖W_l‖²``."""
    return l2 / (2 * m) * sum(float(np.vdot(W, W)) for W, _ in parameters) if l2 else 0.0


def cost(logits: Array, Y: Array, parameters: Parameters, l2: float = 0.0) -> float:
    """Return ``J``, cross-entropy plus penalty."""
    return cross_entropy(logits, Y) + penalty(parameters, len(Y), l2)


def output_error(logits: Array, Y: Array) -> Array:
    """Return ``dZ_L = A_L - Y``: all that is left of sigmoid and cross-entropy taken together."""
    return sigmoid(logits) - Y


def forward(Z: Array, layers: Parameters) -> tuple[Array, list[Array]]:
    """Go up from ``Z_1`` through the layers above; return the logits ``Z_L`` and each ``A_l``."""
    hidden = []
    for W, b in layers:
        hidden.append(relu(Z))
        Z = linear_forward(hidden[-1], W, b)
    return Z, hidden


def backward(dZ: Array, hidden: list[Array], layers: Parameters) -> tuple[Array, Parameters]:
    """Come down from ``dZ_L``; return ``dZ_1`` and a (dW, db) for each layer above the first.

    It stops at ``dZ_1``: ``dA_0`` would be a third of the heavy work, and nobody uses it.
    """
    gradients: Parameters = []
    for (W, _), A in zip(reversed(layers), reversed(hidden), strict=True):
        gradients.insert(0, linear_backward(dZ, A))
        dZ = relu_backward(linear_backward_input(dZ, W), A)
    return dZ, gradients


def gradients(X: Array, Y: Array, parameters: Parameters) -> tuple[Array, Parameters]:
    """Return the logits, and each layer's (dW, db) of the cross-entropy. Y is (m, 1)."""
    logits, hidden = forward(linear_forward(X, *parameters[0]), parameters[1:])
    dZ, above = backward(output_error(logits, Y), hidden, parameters[1:])
    return logits, [linear_backward(dZ, X), *above]


def update(
    parameters: Parameters, gradients: Parameters, learning_rate: float, decay: float = 0.0
) -> None:
    """``W_l -= η (dW_l + (λ/m) W_l)`` and ``b_l -= η db_l``, in place; ``decay`` is ``λ/m``."""
    for (W, b), (dW, db) in zip(parameters, gradients, strict=True):
        W -= learning_rate * (dW + decay * W if decay else dW)
        b -= learning_rate * db


def train(
    X: Array,
    y: Array,
    parameters: Parameters,
    learning_rate: float,
    iterations: int,
    l2: float = 0.0,
) -> tuple[Parameters, list[float]]:
    """Descend on all rows at once; return the trained parameters and each iteration's ``J``.

    X is (m, n_0) and y (m,) of 0/1. ``J`` is taken before the update, and the parameters that
    came in are left as they are.
    """
    parameters = [(W.copy(), b.copy()) for W, b in parameters]
    Y = y.reshape(-1, 1).astype(X.dtype)
    costs = []
    for _ in range(iterations):
        logits, derivatives = gradients(X, Y, parameters)
        costs.append(cost(logits, Y, parameters, l2))
        update(parameters, derivatives, learning_rate, l2 / len(X))
    return parameters, costs


def predict_proba(X: Array, parameters: Parameters) -> Array:
    """Return each row's ``a = A_L``, the probability of a cat: (m,)."""
    logits, _ = forward(linear_forward(X, *parameters[0]), parameters[1:])
    return sigmoid(logits)[:, 0]


def predict(X: Array, parameters: Parameters) -> NDArray[np.int64]:
    """Return 1 (cat) where ``a > 0.5``, else 0: (m,)."""
    return (predict_proba(X, parameters) > 0.5).astype(np.int64)


def train_gram(
    X: Array,
    y: Array,
    parameters: Parameters,
    learning_rate: float,
    iterations: int,
    l2: float = 0.0,
) -> tuple[Parameters, list[float]]:
    """Do what ``train`` does, with the first layer in the space of examples.

    Each ``dW_1`` is ``dZ_1ᵀ X / m``, so ``W_1`` never leaves ``s W_0 - C X``. With ``G = X Xᵀ``
    and ``Z_0 = X W_0ᵀ`` the layer is ``Z_1 = s Z_0 - G Cᵀ + b_1``: an iteration costs ``m²``
    a neuron where it cost ``2 m n_0``, and ``W_1`` is formed once, at the end. The update
    ``W_1 -= η (dW_1 + (λ/m) W_1)`` becomes ``s -= η (λ/m) s`` and ``C += η (dZ_1ᵀ/m - (λ/m) C)``.
    ``C``, ``G`` and ``Z_0`` are float64 whatever X is: their product cancels badly.
    """
    (W_0, b), *above = [(W.copy(), b.copy()) for W, b in parameters]
    m, dtype = len(X), X.dtype
    Y = y.reshape(-1, 1).astype(dtype)
    X, W_0 = X.astype(np.float64, copy=False), W_0.astype(np.float64)
    G, Z_0 = X @ X.T, X @ W_0.T  # (m, m), (m, n_1)
    s, C, decay = 1.0, np.zeros((len(W_0), m)), l2 / m
    norm_0, costs = float(np.vdot(W_0, W_0)), []
    for _ in range(iterations):
        CG = C @ G  # (n_1, m)
        logits, hidden = forward((s * Z_0 - CG.T + b).astype(dtype), above)
        # ‖W_1‖² = s² ‖W_0‖² - 2 s <Z_0, Cᵀ> + <C G, C>
        norm = s * s * norm_0 - 2 * s * np.vdot(Z_0.T, C) + np.vdot(CG, C) if l2 else 0.0
        costs.append(cost(logits, Y, above, l2) + decay / 2 * float(norm))
        dZ, derivatives = backward(output_error(logits, Y), hidden, above)
        update(above, derivatives, learning_rate, decay)
        s -= learning_rate * decay * s
        C += learning_rate * (dZ.T / m - decay * C)
        b -= learning_rate * dZ.sum(axis=0) / m
    return [((s * W_0 - C @ X).astype(dtype), b), *above], costs
