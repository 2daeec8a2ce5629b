"""Checks arguments that are not arrays, and says what came and what was expected."""

from __future__ import annotations

import math
import operator
import os
import sys
import warnings
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike


def counted(n: int, noun: str) -> str:
    """Return "1 row", "2 rows"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def checked_count(name: str, value: object, *, least: int) -> int:
    """Return `value` as an int; fail unless it is an integer of at least `least`."""
    try:
        count = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        count = least - 1
    if count < least:
        raise ValueError(f"{name} is {value!r}, expected an integer from {least} on")
    return count


def checked_number(name: str, value: Any) -> float:
    """Return `value` as a float, of whatever size; fail unless it is a number."""
    try:
        if not isinstance(value, (str, bytes)):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{name} is {value!r}, expected a number")


def checked_penalty(name: str, value: Any) -> float:
    """Return `value` as a float; fail unless it is finite and not negative."""
    number = checked_number(name, value)
    if not 0 <= number < math.inf:
        raise ValueError(f"{name} is {value!r}, expected a finite number from 0 on")
    return number


def checked_name(name: str, value: object) -> str:
    """Return `value`; fail unless it is text. Whether it names anything is for others to say."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, expected a name in quotes")
    return value


def checked_hidden(hidden: str | Sequence[str], layers: int) -> tuple[str, ...]:
    """Return a name for each of so many hidden layers; fail if there are more, or fewer."""
    try:
        names = (hidden,) * layers if isinstance(hidden, str) else tuple(hidden)
    except TypeError:
        names = (hidden,)  # type: ignore[assignment]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"hidden is {hidden!r}, expected a name in quotes, or a sequence of them")
    if len(names) != layers:
        raise ValueError(
            f"hidden is {list(names)}, expected {counted(layers, 'name')}: one a layer"
        )
    return names


def checked_dropout(
    dropout: float | Sequence[float], input_dropout: float, hidden: int
) -> list[float]:
    """Return the probability for what enters each layer, or nothing where all are 0."""
    try:
        of_hidden = [dropout] * hidden if np.ndim(dropout) == 0 else list(dropout)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        of_hidden = [dropout]
    if len(of_hidden) != hidden:
        raise ValueError(
            f"dropout is {dropout!r}, expected {counted(hidden, 'number')}: one a hidden layer"
        )
    rates = []
    for name, value in [
        ("input_dropout", input_dropout),
        *(("dropout", each) for each in of_hidden or [dropout]),
    ]:
        rate = checked_number(name, value)
        if not 0 <= rate < 1:
            raise ValueError(
                f"{name} is {value!r}, expected a number from 0 up to, but not including, 1"
            )
        rates.append(rate)
    rates = rates[: hidden + 1]
    return rates if any(rates) else []


def checked_sizes(layer_sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes; fail unless they are those of a network whose weights can be counted."""
    try:
        sizes = tuple(operator.index(n) for n in layer_sizes)
    except TypeError:
        raise ValueError(
            f"layer_sizes is {layer_sizes!r}, expected a sequence of integers"
        ) from None
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(
            f"layer_sizes is {list(sizes)}, expected at least an input and an output size, "
            "each at least 1"
        )
    if sum(n_in * n_out for n_in, n_out in pairwise(sizes)) > 2**56:
        raise ValueError(f"layer_sizes is {list(sizes)}: no memory holds so many weights")
    return sizes


def checked_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return float32 or float64; fail if it is neither."""
    try:
        checked = np.dtype(dtype).newbyteorder("=")
    except TypeError:
        checked = np.dtype(object)
    if dtype is None or checked not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"dtype is {dtype!r}, expected 'float32' or 'float64'")
    return checked


def checked_seed(seed: int | None) -> int:
    """Return `seed`, or a random one for None; fail unless it is from 0 to 2**64 - 1."""
    if seed is None:
        return int.from_bytes(os.urandom(8), "little") >> 1
    try:
        value = operator.index(seed)
    except TypeError:
        value = -1
    if not 0 <= value < 2**64:
        raise ValueError(f"seed is {seed!r}, expected an integer from 0 to 2**64 - 1, or None")
    return value


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that called the package, however deep in it the reason was found."""
    package = __name__.partition(".")[0]
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
