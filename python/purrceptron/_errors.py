"""The exceptions that purrceptron adds to Python's own.

Their ``__module__`` is the one that users import them from: a traceback names it.
"""


class DivergenceError(FloatingPointError, ValueError):
    """Training left the finite numbers: a loss or a weight became NaN or infinite.

    The message names the epoch. The network keeps the last finite weights that
    were published, so it can still predict and be saved.
    """

    __module__ = "purrceptron"


class CheckpointError(ValueError):
    """A model file is damaged, inconsistent, or newer than this version reads."""

    __module__ = "purrceptron"


class MissingExtraError(ImportError):
    """A feature wants an optional package; the message says which ``pip install`` brings it."""

    __module__ = "purrceptron"
