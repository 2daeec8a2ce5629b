"""Turns what users pass as arrays into what the core takes, or says what is wrong with it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array = Any  # whatever numpy.asarray takes; spelled out in docstrings
"""Anything that ``numpy.asarray`` takes."""

NATIVE = frozenset("?bBhHiIlLqQfd")
"""The type codes of arrays that the core reads itself, a block of rows at a time."""


def as_samples(X: Array, n_in: int | None = None, *, name: str = "X") -> NDArray[Any]:
    """Return `X` as a (m, n) array that the core reads: native, aligned, copied if need be.
    need be.

    Parameters
    ----------
    X : array-like of shape (m, n)
        Any real numeric type. Object arrays of numbers are converted to float64, and so is
        longdouble, with a warning; float16 becomes float32.
    n_in : int, optional
        The number of columns it must have.
    name : str
        The argument's name, for errors.

    Raises
    ------
    ValueError
        If `X` is not a matrix of real numbers with at least one row and one column, or has not
        `n_in` columns. NaN and infinity are the core's to find.
    TypeError
        If `X` holds objects that are not numbers.
    """
    if type(X) is not np.ndarray:
        X = _as_plain_array(X, name)
    if X.ndim != 2:
        raise ValueError(
            f"{name} must be a matrix with an example a row, but it has {X.ndim} "
            f"dimension{'s' * (X.ndim != 1)}: shape {X.shape}" + _reshape_hint(X)
        )
    if X.dtype.char not in NATIVE or not X.dtype.isnative or not X.flags.aligned:
        X = as_native(X, name)
    m, n = X.shape
    if m == 0 or n == 0:
        what = "row" if m == 0 else "column"
        raise ValueError(f"{name} has no {what}s: shape {X.shape}")
    if n_in is not None and n != n_in:
        raise ValueError(f"{name} has {n} columns, but the network takes {n_in} inputs")
    checked: NDArray[Any] = X
    return checked


def _reshape_hint(X: NDArray[Any]) -> str:
    if X.ndim == 1:
        return "; use X.reshape(1, -1) for a single example"
    if X.ndim > 2:
        return "; use X.reshape(len(X), -1) to lay each example out in a row"
    return ""


def _as_plain_array(X: Array, name: str) -> NDArray[Any]:
    """Return `X` as a plain ndarray, of whatever type."""
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise ValueError(
            f"{name} is a sparse matrix, which is not read here: pass {name}.toarray()"
        )
    if isinstance(X, np.ma.MaskedArray):
        if np.ma.is_masked(X):
            raise ValueError(
                f"{name} is a masked array with masked values: fill or drop them first"
            )
        return np.asarray(X.data)
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array: {error}") from None


def as_native(X: NDArray[Any], name: str) -> NDArray[Any]:
    """Return `X` with a native, aligned type code of `NATIVE`, or say why it cannot be."""
    kind = X.dtype.kind
    if kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {X.dtype}")
    if kind == "V":
        raise ValueError(f"{name} is a structured array with dtype {X.dtype}: pass plain numbers")
    if kind in "mM":
        raise ValueError(f"{name} holds dates or times (dtype {X.dtype}): convert them to numbers")
    if kind in "USaT":
        raise ValueError(f"{name} holds text (dtype {X.dtype}), expected numbers")
    if kind == "O":
        return _from_objects(X, name)
    if X.dtype.char == "g" and np.dtype("g").itemsize > 8:
        warnings.warn(f"{name} is longdouble: it is rounded to float64", UserWarning, stacklevel=4)
        with np.errstate(over="ignore"):
            return X.astype(np.float64)
    if X.dtype.char == "e":
        return X.astype(np.float32)
    return np.require(X.astype(X.dtype.newbyteorder("="), copy=False), requirements="A")


def _from_objects(X: NDArray[Any], name: str) -> NDArray[np.float64]:
    for place, value in np.ndenumerate(X):
        if isinstance(value, (str, bytes)):
            raise ValueError(f"{name} holds the text {value!r} at {place}, expected numbers")
        if isinstance(value, complex):
            raise ValueError(f"Complex data not supported: {name} holds {value!r} at {place}")
        if value is None:
            raise ValueError(f"{name} holds None at {place}, expected numbers")
    return X.astype(np.float64)


def as_targets(
    y: Array, *, rows: int, n_out: int, output: str, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return targets as the core takes them.

    Parameters
    ----------
    y : array-like
        For a softmax (m,) class numbers; else (m, n_out), or (m,) if `n_out` is 1.
    rows : int
        The number of examples, m.
    n_out : int
        The number of outputs.
    output : {"sigmoid", "softmax", "identity"}
        The output activation.
    dtype : dtype
        The network's.

    Returns
    -------
    ndarray
        (m,) uint32 for a softmax, else (m, n_out) of `dtype`.

    Raises
    ------
    ValueError
        If `y` does not fit.
    """
    if type(y) is not np.ndarray:
        y = _as_plain_array(y, "y")
    if y.dtype.char not in NATIVE or not y.dtype.isnative or not y.flags.aligned:
        y = as_native(y, "y")
    if y.ndim == 2 and y.shape[1] == 1 and (output == "softmax" or n_out == 1):
        y = y[:, 0]
    if y.shape[:1] != (rows,):
        came = f"{len(y)} rows" if y.ndim else "no rows"
        raise ValueError(f"X has {rows} rows, but y has {came}")
    if output == "softmax":
        return _as_classes(y, n_out)
    if y.ndim == 1 and n_out == 1:
        y = y[:, np.newaxis]
    if y.shape != (rows, n_out):
        raise ValueError(f"y has shape {y.shape}, but the network has {n_out} outputs")
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(y, dtype=dtype)


def _as_classes(y: NDArray[Any], n_out: int) -> NDArray[np.uint32]:
    if y.ndim != 1:
        raise ValueError(f"y must be class numbers of shape (m,) for a softmax, not {y.shape}")
    wrong = ~((y >= 0) & (y < n_out) & (y == np.floor(y)))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"y holds {y[row]} at row {row}, expected class numbers from 0 to {n_out - 1}"
        )
    return y.astype(np.uint32)


def as_weights(sample_weight: Array | None, dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Return sample weights as a contiguous (m,) array of that dtype; None stays None."""
    if sample_weight is None:
        return None
    weights = as_native(_as_plain_array(sample_weight, "sample_weight"), "sample_weight")
    if weights.ndim != 1:
        raise ValueError(f"sample_weight must have shape (m,), not {weights.shape}")
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(weights, dtype=dtype)


def as_floats(names: tuple[str, ...], arrays: tuple[Array, ...]) -> tuple[NDArray[Any], ...]:
    """Return the arguments of a kernel as arrays of one float type.

    Integers, bools and float16 take the type of the floats beside them, else float64 (float16:
    float32); float32 beside float64 is refused, because a kernel computes in one of them.

    Raises
    ------
    TypeError
        If float32 and float64 meet.
    ValueError
        If something is not an array of real numbers.
    """
    plain = [_as_plain_array(a, name) for name, a in zip(names, arrays, strict=True)]
    native = [as_native(a, name) for name, a in zip(names, plain, strict=True)]
    floats = {
        n: a.dtype
        for n, a, p in zip(names, native, plain, strict=True)
        if a.dtype.char in "fd" and p.dtype.char != "e"
    }
    if len(set(floats.values())) > 1:
        found = " and ".join(f"{name} is {dtype}" for name, dtype in floats.items())
        raise TypeError(f"{found}: convert them to one type, this kernel computes in either")
    if floats:
        dtype = next(iter(floats.values()))
    else:
        dtype = np.dtype(np.float64 if any(a.dtype.char != "f" for a in native) else np.float32)
    return tuple(np.require(a, dtype=dtype, requirements="A") for a in native)
