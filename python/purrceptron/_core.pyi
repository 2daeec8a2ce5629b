"""The extension module: what computes. Its Python side is the rest of the package."""

from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Network",
    "Objective",
    "Snapshot",
    "Trainer",
    "__version__",
    "available_isas",
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "exp",
    "fma_peak",
    "forward",
    "get_num_threads",
    "isa",
    "linear_backward",
    "linear_forward",
    "log1p",
    "logsumexp",
    "matmul",
    "memory_bandwidth",
    "read_safetensors",
    "relu",
    "relu_backward",
    "schedule_factor",
    "set_num_threads",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softplus",
    "tanh",
    "write_safetensors",
]

__version__: str

_Layers: TypeAlias = list[tuple[NDArray[Any], NDArray[Any]]]
_Sparse: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[Any], int]
"""Compressed sparse rows: index pointers, column numbers, float32 or float64 values, columns."""
_Samples: TypeAlias = NDArray[Any] | _Sparse
_Stages: TypeAlias = list[tuple[str, dict[str, float]]]
_Loss: TypeAlias = str | tuple[str, float] | None
_Normalization: TypeAlias = list[
    tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]] | None
]
_Gram: TypeAlias = tuple[
    list[NDArray[Any]], list[tuple[list[float], NDArray[Any]]], list[NDArray[Any]]
]

def set_num_threads(n: int) -> None: ...
def get_num_threads() -> int: ...
def isa() -> str: ...
def available_isas() -> list[str]: ...
def fma_peak(dtype: str) -> float: ...
def memory_bandwidth() -> float: ...
def schedule_factor(stages: _Stages, t: float) -> float: ...
def matmul(a: ArrayLike, b: ArrayLike, out: NDArray[Any] | None = None) -> NDArray[Any]: ...
def linear_forward(a: ArrayLike, w: ArrayLike, b: ArrayLike) -> NDArray[Any]: ...
def linear_backward(
    dz: ArrayLike, a: ArrayLike, w: ArrayLike
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]: ...
def exp(z: ArrayLike) -> NDArray[Any]: ...
def log1p(z: ArrayLike) -> NDArray[Any]: ...
def tanh(z: ArrayLike) -> NDArray[Any]: ...
def softplus(z: ArrayLike) -> NDArray[Any]: ...
def softmax(z: ArrayLike) -> NDArray[Any]: ...
def logsumexp(z: ArrayLike) -> NDArray[Any]: ...
def relu(z: ArrayLike) -> NDArray[Any]: ...
def relu_backward(da: ArrayLike, z: ArrayLike) -> NDArray[Any]: ...
def sigmoid(z: ArrayLike) -> NDArray[Any]: ...
def sigmoid_backward(da: ArrayLike, z: ArrayLike) -> NDArray[Any]: ...
def binary_cross_entropy(logits: ArrayLike, y: ArrayLike) -> float: ...
def binary_cross_entropy_backward(logits: ArrayLike, y: ArrayLike) -> NDArray[Any]: ...
def forward(x: _Samples, layers: _Layers, hidden: list[str], output: str) -> NDArray[Any]: ...

@final
class Snapshot: ...

@final
class Network:
    def __new__(
        cls,
        sizes: list[int],
        hidden: list[str],
        output: str,
        dtype: str,
        init: str,
        seed: int,
        uint8_scale: float,
        normalization: list[str | None] = ...,
    ) -> Network: ...
    def parameters(self) -> _Layers: ...
    def set_parameters(self, layers: _Layers) -> None: ...
    def normalization(self) -> _Normalization: ...
    def set_normalization(self, layers: _Normalization) -> None: ...
    def forward(self, x: _Samples) -> NDArray[Any]: ...
    def forward_as_is(self, x: object) -> NDArray[Any] | None: ...
    def activations(self, x: NDArray[Any]) -> list[NDArray[Any]]: ...
    def loss(
        self,
        x: _Samples,
        y: NDArray[Any],
        loss: _Loss,
        l2: float,
        sample_weight: NDArray[Any] | None,
        l1: float = 0.0,
    ) -> float: ...
    def gradients(
        self,
        x: _Samples,
        y: NDArray[Any],
        loss: _Loss,
        l2: float,
        sample_weight: NDArray[Any] | None,
        l1: float = 0.0,
    ) -> tuple[float, _Layers, _Normalization]: ...
    def snapshot(self) -> Snapshot: ...
    def restore(self, snapshot: Snapshot) -> None: ...
    def begin_fit(self) -> None: ...
    def end_fit(self) -> None: ...
    def stop_fit(self) -> None: ...
    def stopping(self) -> bool: ...

@final
class Objective:
    def __new__(
        cls,
        network: Network,
        x: _Samples,
        y: NDArray[Any],
        sample_weight: NDArray[Any] | None,
        loss: _Loss,
        l2: float,
    ) -> Objective: ...
    def theta(self) -> NDArray[np.float64]: ...
    def __call__(self, theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]: ...

@final
class Trainer:
    def __new__(
        cls,
        network: Network,
        x: _Samples,
        y: NDArray[Any],
        sample_weight: NDArray[Any] | None,
        epochs: int,
        optimizer: str,
        settings: dict[str, float],
        learning_rate: float,
        loss: _Loss,
        l2: float,
        batch_size: int | None,
        seed: int,
        first_layer: str,
        schedule: _Stages = ...,
        l1: float = 0.0,
        clip_norm: float | None = None,
        dropout: list[float] = ...,
    ) -> Trainer: ...
    def first_layer(self) -> tuple[str, str]: ...
    def run(self, epochs: int, orders: NDArray[np.uint32] | None = None) -> list[float] | None: ...
    def penalties(self) -> list[float]: ...
    def scale_velocity(self, factor: float) -> None: ...
    def judge(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[float, NDArray[Any]]: ...
    def set_learning_rate(self, learning_rate: float) -> None: ...
    def take_state(
        self,
    ) -> tuple[int, int, list[_Layers], _Gram | None, list[_Normalization]]: ...
    def set_state(
        self,
        epoch: int,
        step: int,
        slots: list[_Layers],
        gram: _Gram | None,
        normalization: list[_Normalization] = ...,
    ) -> None: ...

def read_safetensors(
    data: bytes,
) -> tuple[dict[str, tuple[str, list[int], int, int]], dict[str, str]]: ...
def write_safetensors(
    tensors: dict[str, tuple[str, list[int], bytes]], metadata: dict[str, str]
) -> bytes: ...
