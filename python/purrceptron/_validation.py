"""Turns what users pass as arrays into what the core takes, or says what is wrong with it."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arguments import counted, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Array = Any  # whatever numpy.asarray takes; spelled out in docstrings
"""Anything that ``numpy.asarray`` takes."""

NATIVE = frozenset("?bBhHiIlLqQfd")
"""The type codes of arrays that the core reads itself, a block of rows at a time."""


def as_samples(X: Array, n_in: int | None = None, *, name: str = "X") -> NDArray[Any]:
    """Return `X` as a (m, n) array that the core reads: native, aligned, copied if need be.

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
        X = as_plain_array(X, name)
    if X.ndim != 2:
        raise ValueError(
            f"{name} has shape {X.shape}, expected a matrix with one example a row"
            + _reshape_hint(X, name)
        )
    if X.dtype.char not in NATIVE or not X.dtype.isnative or not X.flags.aligned:
        X = as_native(X, name)
    m, n = X.shape
    if m == 0 or n == 0:
        what = "row" if m == 0 else "column"
        raise ValueError(f"{name} has no {what}s: shape {X.shape}")
    if n_in is not None and n != n_in:
        raise ValueError(
            f"{name} has {counted(n, 'column')}, but the network takes {counted(n_in, 'input')}"
        )
    checked: NDArray[Any] = X
    return checked


def _reshape_hint(X: NDArray[Any], name: str) -> str:
    if X.ndim == 1:
        return f": a single example is {name}.reshape(1, -1)"
    if X.ndim > 2:
        return f": {name}.reshape(len({name}), -1) lays each example out in a row"
    return ""


def as_plain_array(X: Array, name: str) -> NDArray[Any]:
    """Return `X` as a plain ndarray, of whatever type."""
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise ValueError(f"{name} is sparse, expected a dense array: pass {name}.toarray()")
    if isinstance(X, np.ma.MaskedArray):
        if np.ma.is_masked(X):
            raise ValueError(
                f"{name} is a masked array with masked values: fill or drop them first"
            )
        return np.asarray(X.data)
    try:
        plain = np.asarray(X)
    except ValueError as error:
        if "inhomogeneous" in str(error):
            raise ValueError(f"{name} is not rectangular: its rows differ in length") from None
        raise ValueError(f"{name} cannot be made an array: {error}") from None
    if plain.ndim == 0 and plain.dtype.kind in "OUS":
        raise ValueError(f"{name} is {reprlib.repr(X)}, expected an array of numbers")
    return plain


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
        warn(f"{name} is longdouble: it is rounded to float64")
        with np.errstate(over="ignore"):
            return X.astype(np.float64)
    if X.dtype.char == "e":
        return X.astype(np.float32)
    return np.require(X.astype(X.dtype.newbyteorder("="), copy=False), requirements="A")


def _from_objects(X: NDArray[Any], name: str) -> NDArray[np.float64]:
    numbers = np.empty(X.shape)
    for place, value in np.ndenumerate(X):
        came = f"{name} holds {reprlib.repr(value)} at {spoken(place)}"
        if value is None or isinstance(value, (str, bytes)):
            raise ValueError(f"{came}, expected numbers")
        if isinstance(value, (complex, np.complexfloating)):
            raise ValueError(f"Complex data not supported: {came}")
        try:
            numbers[place] = float(value)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{came}: {error}") from None
        except OverflowError:
            raise ValueError(f"{came}, too large for float64") from None
    return numbers


def spoken(place: Sequence[int]) -> str:
    """Return "row 3, column 0", or "row 3" in a vector."""
    return ", ".join(f"{what} {i}" for what, i in zip(("row", "column"), place, strict=False))


def as_type(values: NDArray[Any], dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    """Return `values` contiguous and of that float type; fail where one is too large for it."""
    with np.errstate(over="ignore"):
        cast = np.ascontiguousarray(values, dtype=dtype)
    if values.dtype.char == "d" and dtype.char == "f":
        lost = np.isinf(cast) & np.isfinite(values)
        if lost.any():
            place = tuple(np.argwhere(lost)[0])
            raise ValueError(
                f"{name} holds {values[place]} at {spoken(place)}, too large for float32"
            )
    return cast


def as_layers(
    layers: Sequence[tuple[Array, Array]],
    sizes: Sequence[int],
    dtype: np.dtype[Any],
    name: str,
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Return `(W, b)` of each layer, (n_out, n_in) and (n_out,), finite and of that dtype."""
    expected = f"expected {counted(len(sizes) - 1, 'pair')} (W, b)"
    try:
        layers = list(layers)
    except TypeError:
        raise ValueError(f"{name} is {layers!r}, {expected}") from None
    if len(layers) != len(sizes) - 1:
        raise ValueError(f"{name} has {counted(len(layers), 'layer')}, {expected}")
    cast = []
    for i, (pair, n_in, n_out) in enumerate(zip(layers, sizes, sizes[1:], strict=False)):
        try:
            W, b = pair
        except (TypeError, ValueError):
            raise ValueError(f"{name}[{i}] is not a pair (W, b)") from None
        cast.append(
            (
                as_parameter(W, (n_out, n_in), dtype, f"W of {name}[{i}]"),
                as_parameter(b, (n_out,), dtype, f"b of {name}[{i}]"),
            )
        )
    return cast


def as_parameter(
    values: Array, shape: tuple[int, ...], dtype: np.dtype[Any], name: str
) -> NDArray[Any]:
    """Return `values` finite, of that shape and dtype, or say what is wrong with them."""
    array = as_native(as_plain_array(values, name), name)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
    array = as_type(array, dtype, name)
    if not np.isfinite(array).all():
        place = tuple(np.argwhere(~np.isfinite(array))[0])
        raise ValueError(
            f"{name} holds {array[place]} at {spoken(place)}; only finite numbers can be used"
        )
    return array


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
    output : str
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
        y = as_plain_array(y, "y")
    if y.dtype.char not in NATIVE or not y.dtype.isnative or not y.flags.aligned:
        y = as_native(y, "y")
    if y.ndim == 2 and y.shape[1] == 1 and (output == "softmax" or n_out == 1):
        y = y[:, 0]
    if y.shape[:1] != (rows,):
        came = counted(len(y), "row") if y.ndim else "none: it is a single number"
        raise ValueError(f"X has {counted(rows, 'row')}, but y has {came}")
    if output == "softmax":
        return _as_classes(y, n_out)
    if y.ndim == 1 and n_out == 1:
        y = y[:, np.newaxis]
    if y.shape != (rows, n_out):
        raise ValueError(
            f"y has shape {y.shape}, expected {(rows, n_out)}: the network has "
            f"{counted(n_out, 'output')}"
        )
    if output == "sigmoid":
        _check_labels(y)
    return as_type(y, dtype, "y")


def _check_labels(y: NDArray[Any]) -> None:
    """Fail at the first number that is neither 0 nor 1; the core finds what is not finite."""
    labels = (y == 0) | (y == 1)
    if not labels.all():
        place = tuple(np.argwhere(~labels)[0])
        if np.isfinite(y[place]):
            raise ValueError(f"y is {y[place]} at {spoken(place)}, expected 0 or 1")


def _as_classes(y: NDArray[Any], n_out: int) -> NDArray[np.uint32]:
    if y.ndim != 1:
        hint = ": of one-hot rows they are y.argmax(axis=1)" if y.shape[1:] == (n_out,) else ""
        raise ValueError(
            f"y has shape {y.shape}, expected class numbers of shape ({len(y)},) for a softmax"
            + hint
        )
    wrong = ~((y >= 0) & (y < n_out) & (y == np.floor(y)))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"y holds {y[row]} at row {row}, expected class numbers from 0 to {n_out - 1}"
        )
    return y.astype(np.uint32)


def as_weights(
    sample_weight: Array | None, *, rows: int, dtype: np.dtype[Any]
) -> NDArray[Any] | None:
    """Return sample weights as a contiguous (rows,) array of that dtype; None stays None."""
    if sample_weight is None:
        return None
    name = "sample_weight"
    weights = as_native(as_plain_array(sample_weight, name), name)
    if weights.shape != (rows,):
        raise ValueError(f"{name} has shape {weights.shape}, expected ({rows},)")
    return as_type(weights, dtype, name)


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
    plain = [as_plain_array(a, name) for name, a in zip(names, arrays, strict=True)]
    native = [as_native(a, name) for name, a in zip(names, plain, strict=True)]
    # What the user gave as a float decides; the rest takes its type.
    given = {
        name: (n.dtype, p.dtype)
        for name, n, p in zip(names, native, plain, strict=True)
        if p.dtype.kind == "f" and p.dtype.char != "e"
    }
    types = {dtype for dtype, _ in given.values()}
    if len(types) > 1:
        found = " and ".join(f"{name} is {came}" for name, (_, came) in given.items())
        raise TypeError(f"{found}: convert them to one type, this kernel computes in either")
    if not types:
        types = {np.dtype(np.float32 if all(a.dtype.char == "f" for a in native) else np.float64)}
    dtype = types.pop()
    return tuple(np.require(a, dtype=dtype, requirements="A") for a in native)
