"""The model file of the series "Deep Neural Network from Scratch in Rust".

``{"W1": A, "b1": A, ..., "WL": A, "bL": A}`` in any order, where A is an ndarray
as its serde writes it: ``{"v": 1, "dim": [rows, cols], "data": [row-major f32]}``.
``W_l`` is (n_l, n_{l-1}) and ``b_l`` is (n_l, 1). The architecture is not in the
file: it is always ReLU with a sigmoid output, on pixels / 255.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from purrceptron import _strict_json
from purrceptron._errors import CheckpointError
from purrceptron._stored_model import StoredModel

PIXEL_SCALE = 1 / 255


def encode(model: StoredModel) -> bytes:
    """Return the bytes of the file: each number is the shortest that reads back the same.

    Parameters are rounded to float32; class names and training settings have no
    place in this form.

    Raises
    ------
    ValueError
        The network is not one that this form can hold.
    """
    for problem in _problems(model):
        raise ValueError(
            f"the series' JSON holds ReLU networks with a sigmoid output on pixels / 255 only, "
            f"and this network has {problem}: save it as .safetensors"
        )
    arrays = []
    for i, (weight, bias) in enumerate(model.parameters, start=1):
        arrays += [_array_to_json(f"W{i}", weight), _array_to_json(f"b{i}", bias[:, np.newaxis])]
    return f"{{{','.join(arrays)}}}\n".encode()


def decode(data: bytes) -> StoredModel:
    """Take the file apart, or raise `CheckpointError` with one sentence."""
    file = _strict_json.parse(data)
    if not isinstance(file, dict) or not file:
        raise CheckpointError('it is no model in the series\' form, {"W1": ..., "b1": ..., ...}')
    layers = (len(file) + 1) // 2
    names = [f"{part}{i}" for i in range(1, layers + 1) for part in "Wb"]
    for name in names:
        if name not in file:
            raise CheckpointError(
                f"its keys are {_shown(file)}: {name!r} is missing from W1, b1, W2, b2, ..."
            )
    arrays = {name: _array_from_json(name, file[name]) for name in names}
    weights = [arrays[f"W{i}"] for i in range(1, layers + 1)]
    biases = [arrays[f"b{i}"] for i in range(1, layers + 1)]
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True), start=1):
        if bias.shape != (len(weight), 1):
            raise CheckpointError(
                f"b{i} has dim {list(bias.shape)}, but W{i} with dim {list(weight.shape)} "
                f"wants {[len(weight), 1]}"
            )
        if i > 1 and weight.shape[1] != len(weights[i - 2]):
            raise CheckpointError(
                f"W{i} has dim {list(weight.shape)} and does not follow W{i - 1} with dim "
                f"{list(weights[i - 2].shape)}"
            )
    return StoredModel(
        layer_sizes=(weights[0].shape[1], *(len(weight) for weight in weights)),
        hidden=("relu",) * (layers - 1),
        output="sigmoid",
        dtype="float32",
        uint8_scale=PIXEL_SCALE,
        parameters=[(w, b[:, 0]) for w, b in zip(weights, biases, strict=True)],
    )


def _problems(model: StoredModel) -> Iterator[str]:
    """Say what of `model` has no place in the file."""
    for i, name in enumerate(model.hidden, start=1):
        if name != "relu":
            yield f"{name} in hidden layer {i}"
    for i, kind in enumerate(model.kinds, start=1):
        if kind is not None:
            yield f"{kind} normalisation in hidden layer {i}"
    if model.output != "sigmoid":
        yield f"a {model.output} output"
    if not math.isclose(model.uint8_scale, PIXEL_SCALE, rel_tol=1e-7):
        yield f"an uint8_scale of {model.uint8_scale}"
    with np.errstate(over="ignore"):
        finite = all(np.isfinite(a.astype(np.float32)).all() for p in model.parameters for a in p)
    if not finite:
        yield "parameters that are not finite in float32"


def _array_to_json(name: str, array: npt.NDArray[Any]) -> str:
    # str() of a NumPy float is the shortest decimal that reads back as that float.
    data = ",".join(map(str, array.astype(np.float32).ravel()))
    rows, columns = array.shape
    return f'"{name}":{{"v":1,"dim":[{rows},{columns}],"data":[{data}]}}'


def _array_from_json(name: str, value: object) -> npt.NDArray[np.float32]:
    if not isinstance(value, dict) or value.keys() != {"v", "dim", "data"}:
        raise CheckpointError(f'{name} is not {{"v": 1, "dim": [rows, columns], "data": [...]}}')
    version, dim, data = value["v"], value["dim"], value["data"]
    if type(version) is not int or version != 1:
        raise CheckpointError(f"{name} has v {version!r}, and only v 1 is known")
    if not isinstance(dim, list) or [type(n) for n in dim] != [int, int] or min(dim) < 1:
        raise CheckpointError(f"{name} has dim {dim!r}, not two positive numbers [rows, columns]")
    if not isinstance(data, list) or not set(map(type, data)) <= {int, float}:
        raise CheckpointError(f"{name} has data that are not a list of numbers")
    if len(data) != dim[0] * dim[1]:
        raise CheckpointError(f"{name} has dim {dim} but {len(data)} numbers")
    try:
        with np.errstate(over="ignore"):  # an infinity is found with the other checks
            return np.array(data, np.float64).astype(np.float32).reshape(dim)
    except OverflowError:
        raise CheckpointError(f"{name} holds an integer beyond every float") from None


def _shown(file: dict[str, Any]) -> str:
    keys = [repr(key) for key in list(file)[:8]]
    return ", ".join(keys) + (", ..." if len(file) > 8 else "")
