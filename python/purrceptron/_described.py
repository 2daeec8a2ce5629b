"""What a network says of itself: its settings, in words, as a table, as HTML."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ._arguments import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

COLUMNS = ("layer", "units", "activation", "normalization", "weights", "biases")


class Described:
    """The settings of a network, without its numbers; the base of `Network`."""

    __slots__ = (
        "_class_names",
        "_dtype",
        "_hidden",
        "_layer_sizes",
        "_normalization",
        "_output",
        "_uint8_scale",
        "training",
    )

    _class_names: tuple[str, ...] | None
    _dtype: np.dtype[Any]
    _hidden: tuple[str, ...]
    _layer_sizes: tuple[int, ...]
    _normalization: tuple[str | None, ...]
    _output: str
    _uint8_scale: float
    training: dict[str, Any]
    """Settings of the last fit, for the record; saved with the model."""

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """``(n_0, ..., n_L)``."""
        return self._layer_sizes

    @property
    def hidden(self) -> tuple[str, ...]:
        """The activation of each hidden layer."""
        return self._hidden

    @property
    def output(self) -> str:
        """The output activation."""
        return self._output

    @property
    def dtype(self) -> np.dtype[Any]:
        """What the network computes in."""
        return self._dtype

    @property
    def uint8_scale(self) -> float:
        """What uint8 samples are multiplied by."""
        return self._uint8_scale

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """What the classes are called, if that has been set; saved with the model."""
        return self._class_names

    @class_names.setter
    def class_names(self, names: Sequence[str] | None) -> None:
        if names is None:
            self._class_names = None
            return
        n_out = self._layer_sizes[-1]
        expected = 2 if self._output == "sigmoid" and n_out == 1 else n_out
        try:
            given = () if isinstance(names, str) else tuple(str(name) for name in names)
        except TypeError:
            given = ()
        if len(given) != expected:
            raise ValueError(f"class_names is {names!r}, expected {counted(expected, 'name')}")
        self._class_names = given

    def summary(self) -> str:
        """Return a table of the layers, and how many parameters they have.

        Examples
        --------
        >>> import purrceptron as pc
        >>> print(pc.Network([12288, 20, 7, 5, 1]).summary())
        layer  units  activation  weights  biases
        1         20  relu        245,760      20
        2          7  relu            140       7
        3          5  relu             35       5
        4          1  sigmoid           5       1
        12,288 inputs, 245,973 parameters in float32: 0.984 MB
        """
        columns, rows = self._table()
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]

        def line(cells: Sequence[str]) -> str:
            aligned = (
                cell.ljust(width) if name in LEFT else cell.rjust(width)
                for name, cell, width in zip(columns, cells, widths, strict=True)
            )
            return "  ".join(aligned).rstrip()

        return "\n".join([*map(line, (columns, *rows)), self._total()])

    def _table(self) -> tuple[Sequence[str], list[Sequence[str]]]:
        """Return the names of the columns that say something, and a row for each layer."""
        rows = list(self._rows())
        told = [
            i
            for i, name in enumerate(COLUMNS)
            if name != "normalization" or any(r[i] for r in rows)
        ]
        return [COLUMNS[i] for i in told], [[row[i] for i in told] for row in rows]

    def _rows(self) -> Iterator[Sequence[str]]:
        activations = (*self._hidden, self._output)
        kinds = (*self._normalization, None)
        for i, (n_in, n_out) in enumerate(pairwise(self._layer_sizes)):
            numbers = (f"{n_in * n_out:,}", f"{n_out:,}")
            yield f"{i + 1}", f"{n_out:,}", activations[i], kinds[i] or "", *numbers

    def _total(self) -> str:
        sizes = self._layer_sizes
        count = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
        # Gain and shift are learnt like weights; what is remembered of batches is not.
        count += sum(2 * n for n, kind in zip(sizes[1:], self._normalization, strict=False) if kind)
        inputs = f"{sizes[0]:,} input" + "s" * (sizes[0] != 1)
        size = _spoken_bytes(count * self._dtype.itemsize)
        return f"{inputs}, {count:,} parameters in {self._dtype.name}: {size}"

    def __repr__(self) -> str:
        hidden = self._hidden
        same = len(set(hidden)) <= 1
        parts = [repr(list(self._layer_sizes))]
        if hidden:
            parts.append(f"hidden={(hidden[0] if same else list(hidden))!r}")
        parts += [f"output={self._output!r}", f"dtype={self._dtype.name!r}"]
        if any(self._normalization):
            kinds = self._normalization
            shown = kinds[0] if len(set(kinds)) == 1 else list(kinds)
            parts.append(f"normalization={shown!r}")
        return f"Network({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the summary as a table."""
        columns, rows = self._table()

        def line(tag: str, cells: Sequence[str]) -> str:
            aligned = zip(columns, cells, strict=True)
            return "".join(
                f'<{tag} style="text-align: {"left" if name in LEFT else "right"}">'
                f"{escape(cell)}</{tag}>"
                for name, cell in aligned
            )

        body = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
        classes = ""
        if self._class_names is not None:
            classes = f"<br>classes: {escape(', '.join(self._class_names))}"
        return (
            f"<table><caption><code>{escape(repr(self))}</code></caption>"
            f"<thead><tr>{line('th', columns)}</tr></thead><tbody>{body}</tbody></table>"
            f"<p>{escape(self._total())}{classes}</p>"
        )


LEFT = frozenset({"layer", "activation", "normalization"})
"""Columns of words, which begin at the left."""


def _spoken_bytes(count: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor / 10:
            return f"{count / factor:.3g} {unit}"
    return f"{count} bytes"
