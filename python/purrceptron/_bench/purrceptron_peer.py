"""purrceptron, through the calls that its users make."""

from typing import Any

import numpy as np

import purrceptron as pc
from purrceptron import _core
from purrceptron._bench.peer import Task, Unsupported
from purrceptron._bench.workloads import LEARNING_RATE, Arrays, Workload, operands, start

NAME = "purrceptron"
BOUND = "fused multiply-adds on registers"


def version() -> str:
    """Return the version, and the instruction set in use."""
    return f"{pc.__version__} ({_core.isa()})"


def peak(dtype: str) -> float:
    """Return the flop/s that multiply-adds on registers reach."""
    return _core.fma_peak(dtype)


def bandwidth() -> float:
    """Return the bytes/s, read and written, that copies in memory reach."""
    return _core.memory_bandwidth()


def task(workload: Workload, arrays: Arrays) -> Task:
    """Get ready to do the workload."""
    if workload.kind == "matmul":
        a, b = operands(workload, arrays)
        out = np.empty((a.shape[0], b.shape[1]), a.dtype)
        return Task(lambda: pc.kernels.matmul(a, b, out=out), result=lambda: out)
    if workload.kind == "function":
        function, z = getattr(pc.kernels, workload.settings["function"]), arrays["z"]
        return Task(lambda: function(z), result=lambda: function(z))
    if workload.kind == "predict":
        net, X = network(workload, arrays), arrays["X"]
        return Task(lambda: net.predict_proba(X))
    if workload.kind == "mini_batch":
        optimizer = pc.Adam(learning_rate=workload.settings["learning_rate"])
        batch, epochs = workload.settings["batch"], workload.settings["epochs"]
        steps = epochs * (workload.settings["rows"] // batch)
        return fit(workload, arrays, steps, optimizer=optimizer, epochs=epochs, batch_size=batch)
    iterations, sgd = workload.settings["iterations"], pc.SGD(learning_rate=LEARNING_RATE)
    if workload.kind == "full_batch":
        settings = {"optimizer": sgd, "epochs": iterations, "first_layer": "direct"}
        return fit(workload, arrays, iterations, **settings)
    try:
        pc.train(
            network(workload, arrays),
            arrays["X"],
            arrays["y"],
            optimizer=sgd,
            epochs=0,
            first_layer="gram",
        )
    except ValueError as refusal:
        raise Unsupported(str(refusal)) from None
    return fit(workload, arrays, 1, optimizer=sgd, epochs=iterations, first_layer="gram")


def network(workload: Workload, arrays: Arrays) -> Any:
    """Make the network of a workload, with the parameters that it starts from."""
    layers = workload.settings["layers"]
    net = pc.Network(
        list(layers), output="sigmoid" if layers[-1] == 1 else "softmax", dtype=workload.dtype
    )
    net.set_parameters(start(arrays))
    return net


def fit(workload: Workload, arrays: Arrays, steps: int, **settings: Any) -> Task:
    """Train from the given parameters."""
    net = network(workload, arrays)
    begin = start(arrays)
    return Task(
        lambda: pc.train(net, arrays["X"], arrays["y"], seed=0, **settings),
        steps,
        reset=lambda: net.set_parameters(begin),
        parameters=lambda: net.parameters,
    )
