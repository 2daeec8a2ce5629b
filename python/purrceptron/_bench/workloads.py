"""The pieces of work that are timed: their sizes, their data, the arithmetic they need."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from purrceptron import _reference as reference

Arrays = dict[str, NDArray[Any]]

DTYPES = ("float32", "float64")

CATS = (12288, 20, 7, 5, 1)
PHOTOS = 209
LEARNING_RATE = 0.0075

PRODUCTS = (
    # name, layout of a and b (t: a transposed view of a row-major array), m, k, n
    ("cats, first layer", "nt", 209, 12288, 20),
    ("cats, its dW", "tn", 20, 209, 12288),
    ("cats, Gram matrix", "nt", 209, 12288, 209),
    ("batch 128, forward", "nt", 128, 784, 512),
    ("batch 128, dW", "tn", 512, 128, 784),
    ("batch 128, dA", "nn", 128, 512, 784),
    ("batch 32, forward", "nt", 32, 784, 128),
    ("small", "nt", 32, 30, 64),
    ("small square", "nn", 64, 64, 64),
    ("medium square", "nn", 256, 256, 256),
    ("large square", "nn", 1024, 1024, 1024),
    ("wide batch", "nt", 256, 2048, 2048),
)

FUNCTIONS = ("exp", "log1p", "tanh", "relu", "sigmoid", "softplus", "softmax", "logsumexp")
FUNCTION_SHAPES = ((10, 100), (1000, 100), (10_000, 100))

NETWORKS = (
    # layers, batch, rows, epochs, learning rate
    ((30, 64, 64, 2), 32, 3200, 5, 1e-3),
    ((784, 128, 10), 32, 3200, 3, 1e-3),
    ((784, 128, 10), 128, 6400, 3, 1e-3),
    ((784, 512, 256, 10), 128, 6400, 2, 1e-3),
    # at 1e-3 its first steps overshoot, and the loss then hangs on the order of the rows
    ((784, 2048, 2048, 10), 256, 2560, 2, 1e-4),
)


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    Attributes
    ----------
    kind : str
        What is done: "matmul", "function", "full_batch", "gram", "mini_batch" or "predict".
    name, dtype : str
        What the row is called, and what it is computed in.
    settings : dict
        What the kind needs to know: sizes, layers, epochs.
    flop : float
        Floating-point operations that one step cannot do without, or 0 where nobody counts them.
    """

    kind: str
    name: str
    dtype: str
    settings: dict[str, Any] = field(default_factory=dict)
    flop: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return what a worker process is sent."""
        return asdict(self)


def products() -> Iterator[Workload]:
    """Matrix products: the twelve shapes that training meets, in both dtypes."""
    for dtype in DTYPES:
        for name, layout, m, k, n in PRODUCTS:
            settings = {"layout": layout, "m": m, "k": k, "n": n}
            yield Workload("matmul", name, dtype, settings, flop=2.0 * m * k * n)


def functions(quick: bool) -> Iterator[Workload]:
    """Element-wise functions, which a thread computes for itself, on small and large arrays."""
    for dtype in DTYPES:
        for name in FUNCTIONS:
            for shape in FUNCTION_SHAPES[1:2] if quick else FUNCTION_SHAPES:
                yield Workload(
                    "function",
                    f"{name} of {shape[0] * shape[1]:,}",
                    dtype,
                    {"function": name, "shape": shape},
                )


def cats(quick: bool) -> Iterator[Workload]:
    """Train as the series does, all photos in every iteration."""
    for dtype in DTYPES:
        settings = {"layers": CATS, "iterations": 10 if quick else 50}
        flop = training_flop(CATS, PHOTOS)
        yield Workload("full_batch", "cats, full batch", dtype, settings, flop)


def gram(quick: bool) -> Iterator[Workload]:
    """Train the same, a whole run, with the first layer in the space of examples."""
    for dtype in DTYPES:
        yield Workload(
            "gram", "cats, whole run", dtype, {"layers": CATS, "iterations": 250 if quick else 2500}
        )


def networks(quick: bool, dtype: str = "float32") -> Iterator[Workload]:
    """Mini-batch Adam on networks from small to large."""
    for layers, batch, rows, epochs, learning_rate in NETWORKS:
        yield Workload(
            "mini_batch",
            f"{'-'.join(map(str, layers))}, batch {batch}",
            dtype,
            {
                "layers": layers,
                "batch": batch,
                "rows": rows,
                "epochs": 1 if quick else epochs,
                "learning_rate": learning_rate,
            },
            flop=training_flop(layers, batch),
        )


def prediction(dtype: str = "float32") -> Workload:
    """One row's probabilities: all of it is the cost of a call."""
    return Workload("predict", "one row, 784-128-10", dtype, {"layers": (784, 128, 10)})


def training_flop(layers: tuple[int, ...], rows: int) -> float:
    """Count a step's products: forward, dW, and dA for all layers but the first."""
    sizes = [n_in * n_out for n_in, n_out in pairwise(layers)]
    return 2.0 * rows * (3 * sum(sizes) - sizes[0])


def build(workload: Workload) -> Arrays:
    """Make the arrays of a workload, the same ones for every competitor."""
    random = np.random.default_rng(0)
    settings = workload.settings
    if workload.kind == "matmul":
        m, k, n = settings["m"], settings["k"], settings["n"]
        a_shape = (k, m) if settings["layout"][0] == "t" else (m, k)
        b_shape = (n, k) if settings["layout"][1] == "t" else (k, n)
        a, b = random.standard_normal(a_shape), random.standard_normal(b_shape)
        return {"a": a.astype(workload.dtype), "b": b.astype(workload.dtype)}
    if workload.kind == "function":
        z = 3 * random.standard_normal(settings["shape"])
        return {"z": (abs(z) if settings["function"] == "log1p" else z).astype(workload.dtype)}
    layers = settings["layers"]
    arrays: Arrays = {}
    begin = reference.initialise(layers, seed=1, gain=2**0.5, dtype=workload.dtype)
    for i, (W, b) in enumerate(begin):
        arrays |= {f"W{i}": W, f"b{i}": b}
    if workload.kind in ("full_batch", "gram"):
        from purrceptron.data import drawn_cats

        drawings = drawn_cats(PHOTOS, seed=1)
        X = (drawings.x / 255).astype(workload.dtype)
        return {**arrays, "X": X, "y": drawings.y}
    rows = settings.get("rows", 1)
    X = random.standard_normal((rows, layers[0]))
    # labels that a network of this form can learn in part
    noise = 0.5 * random.standard_normal((rows, layers[-1]))
    teacher = random.standard_normal((layers[0], layers[-1])) / layers[0] ** 0.5
    return {**arrays, "X": X.astype(workload.dtype), "y": np.argmax(X @ teacher + noise, axis=1)}


def operands(workload: Workload, arrays: Arrays) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the two factors of a product, laid out as the workload says."""
    a, b = (
        arrays[name].T if layout == "t" else arrays[name]
        for name, layout in zip("ab", workload.settings["layout"], strict=True)
    )
    return a, b


def start(arrays: Arrays) -> reference.Parameters:
    """Take the parameters that a fit starts from out of a workload's arrays."""
    count = sum(name.startswith("W") for name in arrays)
    return [(arrays[f"W{i}"], arrays[f"b{i}"]) for i in range(count)]


def loss(parameters: reference.Parameters, arrays: Arrays) -> float:
    """Measure in float64, the same way for every competitor, where a fit has come to.

    One output is a sigmoid, several are a softmax; the loss is the mean cross-entropy.
    """
    exact = [(W.astype(np.float64), b.astype(np.float64)) for W, b in parameters]
    X, y = arrays["X"].astype(np.float64), arrays["y"]
    logits, _ = reference.forward(reference.linear_forward(X, *exact[0]), exact[1:])
    if logits.shape[1] == 1:
        return reference.cross_entropy(logits, y[:, None])
    logits = logits - logits.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(y)), y]))
