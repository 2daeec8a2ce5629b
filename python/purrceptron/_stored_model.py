"""What a model file holds, whatever its format, and whether it fits together."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import numpy.typing as npt

from purrceptron._errors import CheckpointError
from purrceptron._normalization import Normalization

if TYPE_CHECKING:
    from purrceptron._network import Network

PARTS = ("gain", "shift", "mean", "variance")
"""The numbers of a normalisation, as `Normalization` has them."""

Parameters = list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]


@dataclass(frozen=True)
class StoredModel:
    """The settings and parameters of a network, as read from a file or to be written.

    Parameters
    ----------
    layer_sizes
        Widths from the input to the output.
    hidden
        The activation of each hidden layer.
    output
        The activation of the last layer.
    dtype
        ``"float32"`` or ``"float64"``.
    uint8_scale
        What uint8 inputs are multiplied by.
    parameters
        ``(W, b)`` of each layer: ``(n_out, n_in)`` and ``(n_out,)``.
    class_names
        What the classes are called, if anyone said.
    training
        The settings of the last fit.
    normalization
        Of each hidden layer, the numbers of its normalisation, or None; empty if none has one.
    """

    layer_sizes: tuple[int, ...]
    hidden: tuple[str, ...]
    output: str
    dtype: str
    uint8_scale: float
    parameters: Parameters
    class_names: tuple[str, ...] | None = None
    training: dict[str, Any] = field(default_factory=dict)
    normalization: tuple[Normalization | None, ...] = ()

    @classmethod
    def of(cls, net: "Network") -> Self:
        """Everything about `net` that a file can keep."""
        return cls(
            layer_sizes=net.layer_sizes,
            hidden=net.hidden,
            output=net.output,
            dtype=net.dtype.name,
            uint8_scale=net.uint8_scale,
            parameters=net.parameters,
            class_names=net.class_names,
            training=net.training,
            normalization=tuple(net.normalization) if any(net.normalization) else (),
        )

    def network(self) -> "Network":
        """Build the network; whatever it refuses is an error of the file."""
        from purrceptron._network import Network  # which imports us for `save`

        net = Network(
            self.layer_sizes,
            hidden=self.hidden,
            output=cast(Any, self.output),  # whatever the file says; Network knows its own
            dtype=self.dtype,
            uint8_scale=self.uint8_scale,
            init="zeros",
            normalization=self.kinds or None,
        )
        # Past `net.set_parameters`, which refuses what is not finite: `check` decides that.
        net._core.set_parameters(
            [
                (np.require(w, self.dtype, ["C", "A"]), np.require(b, self.dtype, ["C", "A"]))
                for w, b in self.parameters
            ]
        )
        if self.normalization:
            numbers = [
                None if each is None else tuple(np.require(a, self.dtype, ["C", "A"]) for a in each)
                for each in map(_numbers, self.normalization)
            ]
            net._core.set_normalization(cast(Any, numbers))
        net.class_names = self.class_names
        net.training = self.training
        return net

    @property
    def kinds(self) -> tuple[str | None, ...]:
        """How each hidden layer is normalised; empty if none is."""
        return tuple(None if each is None else each.kind for each in self.normalization)

    def check(self, *, allow_nonfinite: bool = False) -> None:
        """Raise `CheckpointError` unless sizes, shapes and values fit together.

        The parameters, which came with the file's own bytes, bound the sizes: a
        file that declares an enormous network is refused before one is made.
        """
        widths = "-".join(map(str, self.layer_sizes))
        if len(self.layer_sizes) < 2 or min(self.layer_sizes) < 1:
            raise CheckpointError(f"its layer sizes, {widths or 'none'}, make no network")
        if len(self.hidden) != len(self.layer_sizes) - 2:
            raise CheckpointError(
                f"it names {len(self.hidden)} hidden activations for the layers {widths}"
            )
        layers = zip(self.layer_sizes[1:], self.layer_sizes, self.parameters, strict=False)
        for i, (n_out, n_in, (weight, bias)) in enumerate(layers):
            _check_array(f"layers.{i}.weight", weight, (n_out, n_in), widths, allow_nonfinite)
            _check_array(f"layers.{i}.bias", bias, (n_out,), widths, allow_nonfinite)
        for i, (n_out, each) in enumerate(
            zip(self.layer_sizes[1:], self.normalization, strict=False)
        ):
            for part, array in zip(PARTS, _numbers(each) or (), strict=False):
                name = f"layers.{i}.normalization.{part}"
                _check_array(name, array, (n_out,), widths, allow_nonfinite)


def _numbers(each: Normalization | None) -> tuple[npt.NDArray[Any], ...] | None:
    if each is None:
        return None
    mean = np.zeros_like(each.gain) if each.mean is None else each.mean
    variance = np.ones_like(each.gain) if each.variance is None else each.variance
    return each.gain, each.shift, mean, variance


def _check_array(
    name: str,
    array: npt.NDArray[Any],
    shape: tuple[int, ...],
    widths: str,
    allow_nonfinite: bool,
) -> None:
    if array.shape != shape:
        raise CheckpointError(
            f"{name} has shape {array.shape}, but the layers {widths} want {shape}"
        )
    if not allow_nonfinite and not np.isfinite(array).all():
        index = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
        raise CheckpointError(
            f"{name} is {array[index]} at {index}; load it with allow_nonfinite=True "
            "if you want it nonetheless"
        )
