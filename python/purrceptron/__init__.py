"""Dense neural networks trained from scratch: kernels in Rust, called from Python.

>>> import purrceptron as pc
>>> cats = pc.data.drawn_cats(200, seed=1)
>>> net = pc.Network([12288, 20, 7, 5, 1], seed=1)
>>> history = pc.train(net, cats.x, cats.y, epochs=100)
>>> history.loss[-1] < history.loss[0]
True
"""

import importlib as _importlib
from typing import TYPE_CHECKING

from . import kernels, losses, schedules
from ._callbacks import Callback, EarlyStopping
from ._check_gradients import GradientCheck, check_gradients
from ._checkpoint import Checkpoint
from ._core import __version__, get_num_threads, set_num_threads
from ._errors import CheckpointError, DivergenceError, MissingExtraError
from ._evaluate import Evaluation, evaluate
from ._history import History, State
from ._model_file import load
from ._network import Network
from ._normalization import Normalization
from ._optimizers import SGD, Adam, AdamW, Optimizer, RMSProp
from ._train import train

if TYPE_CHECKING:
    from . import data

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Callback",
    "Checkpoint",
    "CheckpointError",
    "DivergenceError",
    "EarlyStopping",
    "Evaluation",
    "GradientCheck",
    "History",
    "MissingExtraError",
    "Network",
    "Normalization",
    "Optimizer",
    "RMSProp",
    "State",
    "__version__",
    "check_gradients",
    "data",
    "evaluate",
    "get_num_threads",
    "kernels",
    "load",
    "losses",
    "schedules",
    "set_num_threads",
    "train",
]

_LAZY = frozenset({"data", "sklearn"})
"""Submodules that are imported when first used, to keep ``import purrceptron`` quick."""


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return _importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
