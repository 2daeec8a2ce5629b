"""Turns samples, weights and targets into what the core takes, after scikit-learn's own checks.

What scikit-learn lets pass and should not, such as numbers in quotes or masked values, is refused
before; its errors for the rest are kept as they are.
"""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import _check_sample_weight, validate_data

from purrceptron._arguments import warn
from purrceptron._validation import as_samples, spoken

if TYPE_CHECKING:
    pass

FLOATS = (np.float64, np.float32)
"""What networks compute in; anything else is computed in the first."""

DENSE = (
    *FLOATS,
    *(np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64, np.bool_),
)
"""What the core reads as it is, a block of rows at a time."""


def checked_input(mlp: Any, X: Any, **settings: Any) -> Any:
    """Return `X`, or `X` and `y`, as scikit-learn's `validate_data` does with these settings.

    Samples keep their type if the core reads it, so that integers take no more memory than they
    have. Sparse samples become compressed sparse rows.

    Raises
    ------
    ValueError, TypeError
        If they cannot be used.
    """
    _refuse_kinds(X)
    if isinstance(X, np.ndarray) and not X.dtype.isnative:
        X = X.astype(X.dtype.newbyteorder("="))
    types = FLOATS if sparse.issparse(X) else DENSE
    try:
        return validate_data(mlp, X, accept_sparse="csr", dtype=types, **settings)
    except ValueError as error:
        if "Input X contains" in str(error) and (place := _first_non_finite(X)):
            raise ValueError(f"{error}\nThe first is at {place}.") from None
        raise


def is_plain(X: Any, mlp: Any) -> bool:
    """Say whether the core can judge by itself of samples for a fitted estimator.

    It spares a small prediction scikit-learn's checks, which take ten times as long as it.
    """
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == vars(mlp).get("n_features_in_")
        and (X.dtype == np.float64 or X.dtype == np.float32)
        and X.dtype.isnative
        and X.flags.aligned
        and "coefs_" in vars(mlp)
        and "feature_names_in_" not in vars(mlp)
    )


def _refuse_kinds(X: Any) -> None:
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise ValueError("X is a masked array with masked values: fill or drop them first")
    if isinstance(X, (list, tuple)):
        try:
            X = np.asarray(X)
        except ValueError:
            return  # ragged: scikit-learn says so
    if not isinstance(X, np.ndarray):
        return
    kind = X.dtype.kind
    if kind in "USaT":
        raise ValueError(f"X holds text (dtype {X.dtype}), expected numbers")
    if kind in "mM":
        raise ValueError(f"X holds dates or times (dtype {X.dtype}): convert them to numbers")
    if kind == "V":
        raise ValueError(f"X is a structured array with dtype {X.dtype}: pass plain numbers")
    if kind == "O":
        for place, value in np.ndenumerate(X):
            if isinstance(value, (str, bytes)):
                raise ValueError(
                    f"X holds {reprlib.repr(value)} at {spoken(place)}, expected numbers"
                )
    if X.dtype.char == "g" and X.dtype.itemsize > 8:
        warn("X is longdouble: it is rounded to float64")


def _first_non_finite(X: Any) -> str | None:
    try:
        numbers = X.toarray() if sparse.issparse(X) else np.asarray(X, dtype=np.float64)
        return spoken(tuple(np.argwhere(~np.isfinite(numbers))[0]))
    except (TypeError, ValueError, IndexError):
        return None


def as_rows(X: Any) -> Any:
    """Return checked samples as the core borrows them: a matrix, or the arrays of sparse rows."""
    if not sparse.issparse(X):
        return as_samples(X)
    X = X.tocsr()
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return (
        np.ascontiguousarray(X.indptr, dtype=np.int64),
        np.ascontiguousarray(X.indices, dtype=np.int32),
        np.ascontiguousarray(X.data),
        X.shape[1],
    )


def checked_weights(sample_weight: Any, X: Any, name: str = "sample_weight") -> Any:
    """Return weights of the samples in double precision, or None.

    Raises
    ------
    ValueError
        If they are not a number for each sample, one is negative or not finite, or all are zero.
    """
    if sample_weight is None:
        return None
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if (weights < 0).any():
        row = int(np.argmax(weights < 0))
        raise ValueError(f"{name} holds {weights[row]} at row {row}, expected no negative number")
    if not weights.any():
        raise ValueError(f"{name} is zero everywhere: no sample weights are above 0")
    return weights


def refuse_odd_labels(y: Any) -> None:
    """Fail where labels are missing, or text among numbers, with a `ValueError` that says so."""
    if sparse.issparse(y):
        return
    labels = y if hasattr(y, "dtype") else np.asarray(y, dtype=object)
    if labels.dtype != object:
        return
    kinds = set()
    for place, label in np.ndenumerate(np.asarray(labels)):
        if label is None or (isinstance(label, (float, np.floating)) and label != label):
            raise ValueError(f"Input y contains {label} at {spoken(place)}, expected a label")
        kinds.add(isinstance(label, (str, bytes)))
    if len(kinds) > 1:
        raise ValueError("y mixes text with other labels: pass labels of one type")
