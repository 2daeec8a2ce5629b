"""PyTorch on the CPU: eager, with fused Adam."""

from typing import Any

import torch
from torch import nn

from purrceptron._bench.peer import Task, Unsupported
from purrceptron._bench.workloads import LEARNING_RATE, Arrays, Workload, operands, start

NAME = "PyTorch"


def version() -> str:
    return f"{torch.__version__}, {torch.get_num_threads()} threads"


def task(workload: Workload, arrays: Arrays) -> Task:
    if workload.kind == "matmul":
        a, b = map(torch.from_numpy, operands(workload, arrays))
        out = torch.empty((a.shape[0], b.shape[1]), dtype=a.dtype)
        return Task(lambda: torch.matmul(a, b, out=out), result=out.numpy)
    if workload.kind == "function":
        function, z = FUNCTIONS[workload.settings["function"]], torch.from_numpy(arrays["z"])
        return Task(lambda: function(z), result=lambda: function(z).numpy())
    if workload.kind == "predict":
        net, X = network(arrays), arrays["X"]
        probabilities = torch.inference_mode()(
            lambda: torch.softmax(net(torch.from_numpy(X)), dim=1).numpy()
        )
        return Task(probabilities)
    if workload.kind == "full_batch":
        return full_batch(workload, arrays)
    if workload.kind == "mini_batch":
        return mini_batch(workload, arrays)
    raise Unsupported(f"no PyTorch form of {workload.kind}")


def full_batch(workload: Workload, arrays: Arrays) -> Task:
    iterations = workload.settings["iterations"]
    net = network(arrays)
    X = torch.from_numpy(arrays["X"])
    y = torch.from_numpy(arrays["y"]).to(X.dtype)[:, None]
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE, fused=True)
    loss = nn.BCEWithLogitsLoss()

    def run() -> None:
        for _ in range(iterations):
            step(net, optimizer, loss, X, y)

    return Task(run, iterations, lambda: put(net, arrays), parameters=lambda: take(net))


def mini_batch(workload: Workload, arrays: Arrays) -> Task:
    batch, rows = workload.settings["batch"], workload.settings["rows"]
    epochs, rate = workload.settings["epochs"], workload.settings["learning_rate"]
    net = network(arrays)
    X, y = torch.from_numpy(arrays["X"]), torch.from_numpy(arrays["y"])
    loss = nn.CrossEntropyLoss()
    kept: dict[str, Any] = {}

    def reset() -> None:
        put(net, arrays)
        torch.manual_seed(0)
        kept["optimizer"] = torch.optim.Adam(net.parameters(), lr=rate, fused=True)

    def run() -> None:
        for _ in range(epochs):
            for chosen in torch.randperm(rows).split(batch):
                step(net, kept["optimizer"], loss, X[chosen], y[chosen])

    return Task(run, epochs * (rows // batch), reset, parameters=lambda: take(net))


def step(net: Any, optimizer: Any, loss: Any, X: torch.Tensor, y: torch.Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss(net(X), y).backward()
    optimizer.step()


def network(arrays: Arrays) -> nn.Sequential:
    """ReLU layers up to the logits."""
    layers: list[nn.Module] = []
    for W, _ in start(arrays):
        layers += [nn.Linear(W.shape[1], W.shape[0], dtype=torch.from_numpy(W).dtype), nn.ReLU()]
    net = nn.Sequential(*layers[:-1])
    put(net, arrays)
    return net


def put(net: nn.Sequential, arrays: Arrays) -> None:
    """Set the parameters that the fit starts from."""
    with torch.no_grad():
        linear = (layer for layer in net if isinstance(layer, nn.Linear))
        for layer, (W, b) in zip(linear, start(arrays), strict=True):
            layer.weight.copy_(torch.from_numpy(W))
            layer.bias.copy_(torch.from_numpy(b))


def take(net: nn.Sequential) -> list[Any]:
    """Return the parameters as arrays."""
    linear = (layer for layer in net if isinstance(layer, nn.Linear))
    return [(p.weight.detach().numpy(), p.bias.detach().numpy()) for p in linear]


FUNCTIONS: dict[str, Any] = {
    "exp": torch.exp,
    "log1p": torch.log1p,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softplus": nn.functional.softplus,
    "softmax": lambda z: torch.softmax(z, dim=1),
    "logsumexp": lambda z: torch.logsumexp(z, dim=1),
}
