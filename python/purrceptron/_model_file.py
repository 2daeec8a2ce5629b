"""Models on disk: the suffix says the format, and reading never runs code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from purrceptron._errors import CheckpointError
from purrceptron._files import atomic_write

if TYPE_CHECKING:
    from purrceptron._network import Network
    from purrceptron._stored_model import StoredModel


class _Format(Protocol):
    def encode(self, model: StoredModel) -> bytes: ...
    def decode(self, data: bytes) -> StoredModel: ...


def save(net: Network, path: str | os.PathLike[str]) -> None:
    """Write `net` to `path`, whole or not at all.

    Parameters
    ----------
    net : Network
        The network; it is not changed.
    path : path-like
        ``.safetensors`` keeps everything: parameters, architecture,
        ``uint8_scale``, training settings and class names. ``.json`` is the form
        of the series "Deep Neural Network from Scratch in Rust": float32
        parameters of a ReLU-and-sigmoid network on pixels / 255, and nothing else.

    Raises
    ------
    ValueError
        The suffix is another one, or the network is not one that the series'
        form can hold.
    OSError
        The file cannot be written; an old one at `path` is intact.
    """
    form = _format_of(path)

    from purrceptron._stored_model import StoredModel

    atomic_write(path, form.encode(StoredModel.of(net)))


def load(path: str | os.PathLike[str], *, allow_nonfinite: bool = False) -> Network:
    """Read a network that `Network.save` or the series' own code has written.

    Parameters
    ----------
    path : path-like
        A ``.safetensors`` file, or a ``.json`` in the series' form.
    allow_nonfinite : bool
        Take weights that are NaN or infinite, say to look into a fit that went wrong.

    Returns
    -------
    Network
        With the parameters, settings and class names of the file.

    Raises
    ------
    CheckpointError
        The file is damaged or inconsistent, was written by a newer version, or
        holds weights that are not finite. The message names the file.
    ValueError
        The suffix is another one.
    OSError
        The file cannot be read.
    """
    form = _format_of(path)
    data = Path(path).read_bytes()
    try:
        if not data:
            raise CheckpointError("the file is empty")
        model = form.decode(data)
        model.check(allow_nonfinite=allow_nonfinite)
        return model.network()
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{os.fspath(path)}: {error}") from error


def check_path(path: str | os.PathLike[str]) -> None:
    """Fail unless the suffix is that of a model file."""
    _format_of(path)


def _format_of(path: str | os.PathLike[str]) -> _Format:
    # Imported when a model file is first touched, to keep `import purrceptron` quick.
    from purrceptron import _safetensors, _series_json

    formats: dict[str, _Format] = {".safetensors": _safetensors, ".json": _series_json}
    suffix = Path(path).suffix.lower()
    if suffix not in formats:
        raise ValueError(
            f"path is {os.fspath(path)!r}, but must end in .safetensors or .json: "
            "these are the formats of a model file"
        )
    return formats[suffix]
