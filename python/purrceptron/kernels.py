"""The series' functions on NumPy arrays: one call of the Rust kernel each, with the GIL released.

An example is a row. With the names of the series, and its matrices turned on their sides:

===================================  =====================================================
the series                           here
===================================  =====================================================
``linear_forward(A, W, b)``          ``linear_forward(a, w, b)``
``linear_backward(dZ, cache)``       ``linear_backward(dz, a, w)``
``relu(Z)``, ``sigmoid(Z)``          ``relu(z)``, ``sigmoid(z)``
``relu_backward(dA, Z)``             ``relu_backward(da, z)``
``sigmoid_backward(dA, Z)``          ``sigmoid_backward(da, z)``
``cost(AL, Y)``                      ``binary_cross_entropy(logits, y)``
``AL - Y``                           ``binary_cross_entropy_backward(logits, y)``
===================================  =====================================================

Beside them stand the functions that other networks want: ``exp``, ``log1p``, ``tanh`` and
``softplus`` element by element, ``softmax`` and ``logsumexp`` over the last axis.

Arrays may be strided, transposed, reversed or read-only. All arguments of a call must be of one
float type; integers are converted. NaN and infinity are refused.
"""

from ._core import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    exp,
    linear_backward,
    linear_forward,
    log1p,
    logsumexp,
    matmul,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    softmax,
    softplus,
    tanh,
)

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "exp",
    "linear_backward",
    "linear_forward",
    "log1p",
    "logsumexp",
    "matmul",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softplus",
    "tanh",
]
