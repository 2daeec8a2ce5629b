"""Our own model file: a safetensors container and what its tensors and metadata mean.

Tensors: ``layers.{i}.weight`` (n_out, n_in) and ``layers.{i}.bias`` (n_out,); for
normalised layers ``layers.{i}.normalization.{part}`` (n_out,), the parts being gain
and shift, and for batches mean and variance; all of the network's dtype. Metadata,
which the container wants as text:

===================  ======================================================
``format_version``   1, or 2 with normalised layers; a reader refuses a file whose
                     number is above its own
``written_by``       the library and its version
``architecture``     JSON: ``layer_sizes``, ``hidden``, ``output``, ``dtype``, and
                     from version 2 on ``normalization``
``uint8_scale``      JSON: what uint8 inputs are multiplied by
``training``         JSON: the settings of the last fit
``class_names``      JSON: a list, where the classes have names
``tensors_sha256``   of all bytes after the header
``metadata_sha256``  of the other entries, as JSON with sorted keys
===================  ======================================================

A reader ignores entries that it does not know: what may be ignored is added
under a new key, what may not comes with a new ``format_version``. Files without
the two checksums load.
"""

import hashlib
import json
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from purrceptron import _core, _strict_json
from purrceptron._errors import CheckpointError
from purrceptron._normalization import Normalization
from purrceptron._stored_model import PARTS, Parameters, StoredModel

FORMAT_VERSION = 2

T = TypeVar("T")

# numpy's name: (the container's name, the bytes in the file)
_DTYPES = {"float32": ("F32", "<f4"), "float64": ("F64", "<f8")}

_JSON_ENTRIES = ("architecture", "uint8_scale", "training", "class_names")

Places = dict[str, tuple[str, list[int], int, int]]


def encode(model: StoredModel) -> bytes:
    """Return the bytes of the file; equal models give equal bytes."""
    tensors = {}
    for i, (weight, bias) in enumerate(model.parameters):
        tensors[f"layers.{i}.weight"] = _tensor(weight, model.dtype)
        tensors[f"layers.{i}.bias"] = _tensor(bias, model.dtype)
    for i, each in enumerate(model.normalization):
        for part in _parts(None if each is None else each.kind):
            tensors[_place(i, part)] = _tensor(getattr(each, part), model.dtype)

    architecture: dict[str, Any] = {
        "layer_sizes": model.layer_sizes,
        "hidden": model.hidden,
        "output": model.output,
        "dtype": model.dtype,
    }
    if model.kinds:
        architecture["normalization"] = model.kinds
    metadata = {
        "format_version": "2" if model.kinds else "1",
        "written_by": f"purrceptron {_core.__version__}",
        "architecture": json.dumps(architecture),
        "uint8_scale": json.dumps(model.uint8_scale),
        "training": json.dumps(model.training, allow_nan=False, default=_plain),
        "tensors_sha256": _tensors_digest(_core.write_safetensors(tensors, {})),
    }
    if model.class_names is not None:
        metadata["class_names"] = json.dumps(model.class_names, ensure_ascii=False)
    metadata["metadata_sha256"] = _metadata_digest(metadata)
    return _core.write_safetensors(tensors, metadata)


def decode(data: bytes) -> StoredModel:
    """Take the file apart, or raise `CheckpointError` with one sentence."""
    try:
        places, metadata = _core.read_safetensors(data)
    except ValueError as error:
        raise CheckpointError(str(error)) from None
    _strict_json.parse(_header(data))  # the container lets the last of two equal keys win
    _check_version(metadata)
    _check_digests(data, metadata)

    values = {key: _strict_json.parse(metadata[key]) for key in _JSON_ENTRIES if key in metadata}
    architecture = _take(values, "architecture", dict)
    layer_sizes = _take_all(architecture, "layer_sizes", int)
    dtype = _take(architecture, "dtype", str)
    kinds = _take(architecture, "normalization", list) if "normalization" in architecture else []
    parameters, normalization = _arrays(data, places, len(layer_sizes) - 1, dtype, kinds)
    return StoredModel(
        layer_sizes=layer_sizes,
        hidden=_take_all(architecture, "hidden", str),
        output=_take(architecture, "output", str),
        dtype=dtype,
        uint8_scale=_take(values, "uint8_scale", float),
        parameters=parameters,
        normalization=normalization,
        class_names=_take_all(values, "class_names", str) if "class_names" in values else None,
        training=_take(values, "training", dict) if "training" in values else {},
    )


def _tensor(array: npt.NDArray[Any], dtype: str) -> tuple[str, list[int], bytes]:
    name, in_file = _DTYPES[dtype]
    return name, list(array.shape), array.astype(in_file).tobytes()


def _parts(kind: str | None) -> tuple[str, ...]:
    """Return the names of the numbers that such a normalisation has."""
    return {"batch": PARTS, "layer": PARTS[:2]}.get(kind or "", ())


def _place(layer: int, part: str) -> str:
    return f"layers.{layer}.normalization.{part}"


def _arrays(
    data: bytes, places: Places, layers: int, dtype: str, kinds: list[Any]
) -> tuple[Parameters, tuple[Normalization | None, ...]]:
    if kinds and (len(kinds) != layers - 1 or not set(kinds) <= {"batch", "layer", None}):
        raise CheckpointError(f"its 'normalization' is {kinds!r}, which does not fit its layers")
    wanted = [f"layers.{i}.{part}" for i in range(layers) for part in ("weight", "bias")]
    wanted += [_place(i, part) for i, kind in enumerate(kinds) for part in _parts(kind)]
    for name in wanted:
        if name not in places:
            raise CheckpointError(f"its architecture wants a tensor {name!r}, which is not there")
    for name in sorted(places.keys() - set(wanted)):
        raise CheckpointError(f"it has a tensor {name!r}, for which its architecture has no place")
    if dtype not in _DTYPES:
        raise CheckpointError(f"its dtype is {dtype!r}, neither 'float32' nor 'float64'")

    expected, in_file = _DTYPES[dtype]
    arrays = {}
    for name in wanted:
        stored, shape, start, _ = places[name]
        if stored != expected:
            raise CheckpointError(f"tensor {name!r} is {stored}, but the network is {dtype}")
        arrays[name] = np.ndarray(tuple(shape), in_file, buffer=data, offset=start)
    parameters = [(arrays[f"layers.{i}.weight"], arrays[f"layers.{i}.bias"]) for i in range(layers)]
    normalization = tuple(
        None
        if kind is None
        else Normalization(kind, *(arrays[_place(i, part)] for part in _parts(kind)))
        for i, kind in enumerate(kinds)
    )
    return parameters, normalization


def _check_version(metadata: dict[str, str]) -> None:
    text = metadata.get("format_version")
    if text is None:
        raise CheckpointError(
            "it is a safetensors file but no purrceptron model: "
            "its metadata has no 'format_version'"
        )
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise CheckpointError(f"its 'format_version' is {text!r}, not a positive number")
    if int(text) > FORMAT_VERSION:
        raise CheckpointError(
            f"its format is version {text} (written by {metadata.get('written_by', 'unknown')}), "
            f"and purrceptron {_core.__version__} reads version {FORMAT_VERSION}: "
            "a newer purrceptron is needed"
        )


def _check_digests(data: bytes, metadata: dict[str, str]) -> None:
    digests = {"tensors": _tensors_digest(data), "metadata": _metadata_digest(metadata)}
    for part, digest in digests.items():
        if metadata.get(f"{part}_sha256", digest) != digest:
            raise CheckpointError(
                f"its {part} are not those that were saved: their checksum is another one"
            )


def _header(data: bytes) -> bytes:
    return data[8 : 8 + int.from_bytes(data[:8], "little")]


def _tensors_digest(data: bytes) -> str:
    return hashlib.sha256(memoryview(data)[8 + len(_header(data)) :]).hexdigest()


def _metadata_digest(metadata: dict[str, str]) -> str:
    others = {key: text for key, text in metadata.items() if key != "metadata_sha256"}
    return hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    """Turn a NumPy number among the training settings into one that JSON knows."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"training settings must be JSON; got {value!r}")


def _take(table: dict[str, Any], key: str, kind: type[T]) -> T:
    value = table.get(key)
    if type(value) is not kind:  # isinstance would let True be an int
        raise CheckpointError(f"its {key!r} is {value!r}, not of type {kind.__name__}")
    return value


def _take_all(table: dict[str, Any], key: str, kind: type[T]) -> tuple[T, ...]:
    values = _take(table, key, list)
    return tuple(_take({key: value}, key, kind) for value in values)
