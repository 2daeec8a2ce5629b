"""The exceptions that purrceptron adds to Python's own."""


class DivergenceError(FloatingPointError, ValueError):
    """Training left the finite numbers: a loss or a weight became NaN or infinite.

    The message names the epoch. The network keeps the last finite weights that
    were published, so it can still predict and be saved.
    """


class CheckpointError(ValueError):
    """A model file is damaged, inconsistent, or newer than this version reads."""


class MissingExtraError(ImportError):
    """A feature wants an optional package; the message says which ``pip install`` brings it."""
