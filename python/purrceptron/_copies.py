"""Networks made again: copies and pickles, in another dtype, with weights of another moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._arguments import checked_dtype
from ._network import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike

    from . import _core
    from ._network import Parameters
    from ._normalization import Normalization


def rebuild(
    settings: tuple[Any, ...],
    parameters: Parameters,
    class_names: tuple[str, ...] | None,
    training: dict[str, Any],
    normalization: Sequence[Normalization | None],
) -> Network:
    """Make a network again from what `Network.__reduce__` gave."""
    net = bare_network(*settings)
    net._core.set_parameters(parameters)
    net.set_normalization(normalization)
    net.class_names = class_names
    net.training = training
    return net


def with_dtype(net: Network, dtype: DTypeLike) -> Network:
    """Return a copy of the network that computes in that dtype."""
    sizes, hidden, output, _, *others = net._settings()
    copy = bare_network(sizes, hidden, output, checked_dtype(dtype).name, *others)
    copy.set_parameters(net.parameters)
    copy.set_normalization(net.normalization)
    return copy


def with_snapshot(net: Network, snapshot: _core.Snapshot) -> Network:
    """Return a copy of the network as it was when the snapshot was taken."""
    copy = bare_network(*net._settings())
    copy._core.restore(snapshot)
    copy.class_names = net.class_names
    copy.training = dict(net.training)
    return copy


def bare_network(
    sizes: Any, hidden: Any, output: Any, dtype: str, uint8_scale: float, normalization: Any
) -> Network:
    """Return a network of those settings, as `Network._settings` has them; its weights are 0."""
    return Network(sizes, hidden, output, dtype, "zeros", 0, uint8_scale, normalization)
