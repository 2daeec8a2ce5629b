"""JAX on the CPU: everything compiled, and an epoch is one scan over its batches."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from purrceptron._bench.peer import Task, Unsupported
from purrceptron._bench.workloads import LEARNING_RATE, Arrays, Workload, start

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)

NAME = "JAX"


def version() -> str:
    return jax.__version__


def task(workload: Workload, arrays: Arrays) -> Task:
    if workload.kind == "function":
        function, z = jax.jit(FUNCTIONS[workload.settings["function"]]), jnp.asarray(arrays["z"])
        return Task(lambda: function(z).block_until_ready(), result=lambda: np.asarray(function(z)))
    if workload.kind == "predict":
        parameters, X = device(arrays), arrays["X"]
        probabilities = jax.jit(lambda p, X: jax.nn.softmax(logits(p, X)))
        return Task(lambda: np.asarray(probabilities(parameters, X)))
    if workload.kind == "full_batch":
        iterations = workload.settings["iterations"]
        X, y = jnp.asarray(arrays["X"]), jnp.asarray(arrays["y"])
        train = partial(descend, iterations=iterations)
        return fit(lambda p: train(p, X, y), arrays, iterations)
    if workload.kind == "mini_batch":
        settings = workload.settings
        X, y = jnp.asarray(arrays["X"]), jnp.asarray(arrays["y"])
        epochs, batch = settings["epochs"], settings["batch"]

        def train_adam(parameters: Any) -> Any:
            state = (parameters, zeros(parameters), zeros(parameters), jnp.float32(0))
            for key in jax.random.split(jax.random.key(0), epochs):
                state = adam_epoch(state, X, y, key, settings["learning_rate"], batch=batch)
            return state[0]

        return fit(train_adam, arrays, epochs * (settings["rows"] // batch))
    raise Unsupported(f"no JAX form of {workload.kind}")


def fit(train: Any, arrays: Arrays, steps: int) -> Task:
    begin, kept = device(arrays), {}

    def run() -> None:
        kept["end"] = jax.block_until_ready(train(begin))

    return Task(
        run,
        steps,
        parameters=lambda: [(np.asarray(W), np.asarray(b)) for W, b in kept["end"]],
    )


def logits(parameters: Any, X: Any) -> Any:
    *hidden, (W, b) = parameters
    for V, c in hidden:
        X = jax.nn.relu(X @ V.T + c)
    return X @ W.T + b


def binary_loss(parameters: Any, X: Any, y: Any) -> Any:
    z = logits(parameters, X)[:, 0]
    return jnp.mean(jnp.maximum(z, 0) - y * z + jnp.log1p(jnp.exp(-jnp.abs(z))))


def softmax_loss(parameters: Any, X: Any, y: Any) -> Any:
    log_p = jax.nn.log_softmax(logits(parameters, X))
    return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))


@partial(jax.jit, static_argnames="iterations")
def descend(parameters: Any, X: Any, y: Any, iterations: int) -> Any:
    """Full-batch gradient descent, one compiled loop."""
    y = y.astype(X.dtype)

    def step(p: Any, _: Any) -> Any:
        gradients = jax.grad(binary_loss)(p, X, y)
        return jax.tree.map(lambda w, g: w - LEARNING_RATE * g, p, gradients), None

    return jax.lax.scan(step, parameters, length=iterations)[0]


@partial(jax.jit, static_argnames="batch")
def adam_epoch(state: Any, X: Any, y: Any, key: Any, learning_rate: float, batch: int) -> Any:
    """One epoch of Adam: shuffle, then scan over the batches."""
    order = jax.random.permutation(key, len(X)).reshape(-1, batch)

    def step(state: Any, rows: Any) -> Any:
        p, m, v, t = state
        g = jax.grad(softmax_loss)(p, X[rows], y[rows])
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate = (learning_rate / (1 - 0.9**t)).astype(X.dtype)
        root = jnp.sqrt(1 - 0.999**t).astype(X.dtype)
        p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + 1e-8), p, m, v)
        return (p, m, v, t), None

    return jax.lax.scan(step, state, order)[0]


def zeros(parameters: Any) -> Any:
    return jax.tree.map(jnp.zeros_like, parameters)


def device(arrays: Arrays) -> Any:
    return [(jnp.asarray(W), jnp.asarray(b)) for W, b in start(arrays)]


FUNCTIONS: dict[str, Any] = {
    "exp": jnp.exp,
    "log1p": jnp.log1p,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "softmax": lambda z: jax.nn.softmax(z, axis=1),
    "logsumexp": lambda z: jax.nn.logsumexp(z, axis=1),
}
