"""The series' CSV: a header ``0,1,...,12287,y``, then one picture a row as integers 0 to 255."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from purrceptron.data._dataset import IMAGE_SHAPE, IMAGE_SIZE, Dataset, Split, label_problem
from purrceptron.data._paths import find_pair, readable_file

_CLASSES = ("non-cat", "cat")
_MAX_HEADER = 1 << 24  # characters; two million columns


def load_csv(path: str | os.PathLike[str], *, classes: Sequence[str] = _CLASSES) -> Dataset:
    """Read one CSV file of the series.

    Parameters
    ----------
    path : path
        The file: a header whose last column is ``y``, then one example a row: integers from 0
        to 255, in (height, width, channel) order, and the label. An unnamed first column, the
        row number that pandas writes, is left out.
    classes : sequence of str
        The names of the labels 0, 1, ..., which the file does not hold.

    Returns
    -------
    Dataset
        ``x`` (m, columns - 1) uint8, ``y`` (m,) int64; ``shape`` is (64, 64, 3) where the row
        has the 12288 values for it.

    Raises
    ------
    OSError
        If the file is missing or empty.
    ValueError
        If the header or a row is not as described; the message names the line.
    """
    file_path = readable_file(path)
    columns, numbered = _header(file_path)
    table = _table(file_path, columns, numbered)
    x, y = table[:, :-1].astype(np.uint8), table[:, -1].astype(np.int64)
    problem = label_problem(y, tuple(classes))
    if problem:
        raise ValueError(f"{file_path}: column y: {problem}")
    shape = IMAGE_SHAPE if x.shape[1] == IMAGE_SIZE else None
    return Dataset(x, y, tuple(classes), shape, file_path.name)


def load_csv_pair(
    train: str | os.PathLike[str],
    test: str | os.PathLike[str] | None = None,
    *,
    classes: Sequence[str] = _CLASSES,
) -> Split:
    """Read the training and the test file of the series.

    Parameters
    ----------
    train, test : path
        The two files; or a folder alone, which holds one ``.csv`` file whose name begins with
        ``train`` and one that begins with ``test``.
    classes : sequence of str
        As in `load_csv`, whose errors are raised here too.

    Returns
    -------
    Split
        The two data sets.

    Raises
    ------
    OSError, ValueError
        As `load_csv`; also if the folder does not hold exactly one pair, or if the rows of the
        two files differ in length.
    """
    if test is None:
        train, test = find_pair(Path(train), ".csv")
    return Split(load_csv(train, classes=classes), load_csv(test, classes=classes))


def _header(path: Path) -> tuple[int, int]:
    """Return how many columns there are, and how many of them, 0 or 1, hold row numbers."""
    with path.open("rb") as file:
        line = file.readline(_MAX_HEADER)
    try:
        names = [name.strip().strip('"') for name in line.decode("utf-8-sig").split(",")]
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a text file in UTF-8") from None
    numbered = int(names[0] == "")
    if len(names) < 2 + numbered or names[-1] != "y":
        raise ValueError(
            f"{path}: line 1 must be a header '0,1,...,y' whose last column is y, "
            f"but it begins {','.join(names)[:30]!r} and ends in {names[-1][-20:]!r}"
        )
    return len(names), numbered


def _table(path: Path, columns: int, numbered: int) -> npt.NDArray[np.int32]:
    """Parse all rows at C speed, (m, values + 1); where that fails, find the line at fault."""
    cause: Exception | None = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # no rows at all; an integer written as a float
            table = np.loadtxt(
                path, np.int32, delimiter=",", skiprows=1, comments=None, ndmin=2, encoding="utf-8"
            )
    except (ValueError, Warning) as error:
        cause = error
    else:
        values = table[:, numbered:]
        if table.shape[1] == columns and values.min() >= 0 and values.max() <= 255:
            return values
    raise ValueError(f"{path}: {_fault(path, columns, numbered) or cause}") from cause


def _fault(path: Path, columns: int, numbered: int) -> str | None:
    """Read line by line, slowly, and describe the first line that is wrong."""
    rows = 0
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        next(file)
        for number, line in enumerate(file, start=2):
            if not line.strip():
                continue
            rows += 1
            cells = [cell.strip() for cell in line.split(",")]
            if len(cells) != columns:
                return f"line {number} has {len(cells)} values, expected {columns}"
            for i, cell in enumerate(cells[numbered:], start=numbered + 1):
                if not (cell.isascii() and cell.isdigit() and int(cell[:9]) <= 255):
                    return (
                        f"line {number}, column {i}: expected an integer from 0 to 255, "
                        f"got {cell[:20]!r}"
                    )
    return None if rows else "there is a header but no rows"
