"""NumPy, as its users write it: the baseline."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from purrceptron import _reference as reference
from purrceptron._bench.peer import Task, Unsupported
from purrceptron._bench.workloads import LEARNING_RATE, Arrays, Workload, operands, start

NAME = "NumPy"

Array = NDArray[Any]


def version() -> str:
    """Return NumPy's version and its BLAS."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{np.__version__} ({blas['name']} {blas['version']})"


def task(workload: Workload, arrays: Arrays) -> Task:
    """Get ready to do the workload."""
    if workload.kind == "matmul":
        a, b = operands(workload, arrays)
        out = np.empty((a.shape[0], b.shape[1]), a.dtype)
        return Task(lambda: np.matmul(a, b, out=out), result=lambda: out)
    if workload.kind == "function":
        function, z = FUNCTIONS[workload.settings["function"]], arrays["z"]
        return Task(lambda: function(z), result=lambda: function(z))
    if workload.kind == "full_batch":
        return fit(reference.train, workload, arrays, steps=workload.settings["iterations"])
    if workload.kind == "gram":
        return fit(reference.train_gram, workload, arrays, steps=1)
    if workload.kind == "mini_batch":
        return mini_batch(workload, arrays)
    if workload.kind == "predict":
        parameters, X = start(arrays), arrays["X"]
        return Task(lambda: predict_proba(X, parameters))
    raise Unsupported(f"no plain NumPy form of {workload.kind}")


def fit(train: Any, workload: Workload, arrays: Arrays, steps: int) -> Task:
    """Train from the given parameters, which `reference.train` leaves as they are."""
    begin, trained = start(arrays), start(arrays)
    iterations = workload.settings["iterations"]

    def run() -> None:
        trained[:], _ = train(arrays["X"], arrays["y"], begin, LEARNING_RATE, iterations)

    return Task(run, steps, parameters=lambda: trained)


def mini_batch(workload: Workload, arrays: Arrays) -> Task:
    """Train a softmax classifier with Adam from the given parameters."""
    settings, begin = workload.settings, start(arrays)
    batches = settings["rows"] // settings["batch"]
    trained: reference.Parameters = []

    def run() -> None:
        random = np.random.default_rng(0)
        trained[:] = [(W.copy(), b.copy()) for W, b in begin]
        moments = [tuple(np.zeros((2, *a.shape), a.dtype) for a in layer) for layer in begin]
        step = 0
        for _ in range(settings["epochs"]):
            for rows in random.permutation(settings["rows"]).reshape(batches, -1):
                step += 1
                X, y = arrays["X"][rows], arrays["y"][rows]
                for layer, gradient, kept in zip(
                    trained, softmax_gradients(X, y, trained), moments, strict=True
                ):
                    for parameter, g, (m, v) in zip(layer, gradient, kept, strict=True):
                        adam(parameter, g, m, v, step, settings["learning_rate"])

    return Task(run, settings["epochs"] * batches, parameters=lambda: trained)


def softmax_gradients(X: Array, y: Array, parameters: reference.Parameters) -> Any:
    """Return (dW, db) of the mean cross-entropy of a softmax for each layer."""
    logits, hidden = reference.forward(reference.linear_forward(X, *parameters[0]), parameters[1:])
    dZ = softmax(logits)
    dZ[np.arange(len(y)), y] -= 1
    dZ, above = reference.backward(dZ, hidden, parameters[1:])
    return [reference.linear_backward(dZ, X), *above]


def adam(parameter: Array, g: Array, m: Array, v: Array, step: int, learning_rate: float) -> None:
    """Take one step of Adam, in place, with its usual settings and PyTorch's epsilon."""
    m += 0.1 * (g - m)
    v += 0.001 * (g * g - v)
    root = np.sqrt(v) / (1 - 0.999**step) ** 0.5
    parameter -= learning_rate / (1 - 0.9**step) * m / (root + 1e-8)


def predict_proba(X: Array, parameters: reference.Parameters) -> Array:
    """Return a softmax classifier's probabilities."""
    logits, _ = reference.forward(reference.linear_forward(X, *parameters[0]), parameters[1:])
    return softmax(logits)


def softmax(z: Array) -> Array:
    """Return ``exp(z) / Σ exp(z)`` of each row."""
    t: Array = np.exp(z - z.max(axis=1, keepdims=True))
    t /= t.sum(axis=1, keepdims=True)
    return t


def logsumexp(z: Array) -> Array:
    """Return ``log Σ exp(z)`` of each row."""
    top: Array = z.max(axis=1, keepdims=True)
    total: Array = top + np.log(np.exp(z - top).sum(axis=1, keepdims=True))
    return total[:, 0]


FUNCTIONS: dict[str, Any] = {
    "exp": np.exp,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "softplus": lambda z: np.logaddexp(0, z),
    "softmax": softmax,
    "logsumexp": logsumexp,
}
