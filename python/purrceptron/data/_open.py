"""From what a user writes on the command line to a training set and a test set."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from purrceptron.data._csv import load_csv, load_csv_pair
from purrceptron.data._dataset import Dataset, Split
from purrceptron.data._drawn import drawn_cats
from purrceptron.data._fetch import fetch_cats
from purrceptron.data._hdf5 import load_cats, load_cats_pair
from purrceptron.data._paths import is_test_file, partner
from purrceptron.data._photos import load_folder_split

PathLike: TypeAlias = str | os.PathLike[str]

DRAWN_TRAIN = 700
"""How many drawings the default training set has."""

DRAWN_TEST = 1000
"""How many drawings are held out."""


def open_data(
    spec: PathLike | Sequence[PathLike] | None = None,
    *,
    seed: int = 1,
    allow_external: bool = False,
) -> Split:
    """Open what the command line calls DATA.

    Parameters
    ----------
    spec : path, sequence of path, or None
        - None: the drawn cats, 700 to train on and 1000 held out;
        - ``"catvnoncat"``: the photos, fetched once;
        - a folder that holds a pair of ``.h5`` files, or a pair of ``.csv`` files, one whose name
          begins with ``train`` and one with ``test``;
        - such a pair itself: two paths, or one of them if the other lies beside it;
        - a folder of photos with one sub-folder a class.
    seed : int
        Of the drawings; also chooses which photos of a folder are set aside for testing.
    allow_external : bool
        As in `load_cats`.

    Returns
    -------
    Split
        A training set and a test set.

    Raises
    ------
    OSError, ValueError
        If there is no such data, or something is wrong with it; see the loaders.
    MissingExtraError
        If the data wants a package that is not installed.
    """
    paths = _paths(spec)
    if not paths:
        return _drawn_split(seed)
    if len(paths) == 1:
        path = paths[0]
        if _is_catvnoncat(path):
            return fetch_cats()
        if path.is_dir():
            return _open_folder(path, seed, allow_external)
        if not path.exists():
            raise FileNotFoundError(f"there is no {path}; {_CHOICES}")
        _is_csv(path)  # refuses a file of any other kind
        other = partner(path)
        if other is None:
            raise ValueError(
                f"{path} is one file of a pair, and its other half does not lie beside it: name "
                "both, the training file first"
            )
        paths = [other, path] if is_test_file(path) else [path, other]
    if len(paths) != 2:
        raise ValueError(f"DATA takes two files at most, got {len(paths)}")
    train, test = paths
    if _is_csv(train, test):
        return load_csv_pair(train, test)
    return load_cats_pair(train, test, allow_external=allow_external)


def open_test_data(
    spec: PathLike | Sequence[PathLike] | None = None,
    *,
    seed: int = 1,
    allow_external: bool = False,
) -> Dataset:
    """Open the examples to evaluate a model on.

    Parameters
    ----------
    spec : path, sequence of path, or None
        As in `open_data`, of which this is the test set; one ``.h5`` or ``.csv`` file alone is
        taken as it is, whatever its name.
    seed, allow_external : int, bool
        As in `open_data`.

    Returns
    -------
    Dataset
        The examples.

    Raises
    ------
    OSError, ValueError, MissingExtraError
        As `open_data`.
    """
    paths = _paths(spec)
    if len(paths) == 1 and paths[0].is_file():
        if _is_csv(paths[0]):
            return load_csv(paths[0])
        return load_cats(paths[0], allow_external=allow_external)
    return open_data(paths, seed=seed, allow_external=allow_external).test


_CHOICES = (
    "DATA is nothing (drawn cats), catvnoncat (the photos), a pair of .h5 or .csv files or the "
    "folder that holds it, or a folder of photos with one sub-folder a class"
)


def _paths(spec: PathLike | Sequence[PathLike] | None) -> list[Path]:
    if spec is None:
        return []
    if isinstance(spec, str | os.PathLike):
        return [Path(spec)]
    return [Path(path) for path in spec]


def _is_catvnoncat(path: Path) -> bool:
    """Say whether the word is meant; a folder of that name comes first."""
    return str(path) == "catvnoncat" and not path.exists()


def _drawn_split(seed: int) -> Split:
    drawings = drawn_cats(DRAWN_TRAIN + DRAWN_TEST, seed=seed)
    rows = range(len(drawings))
    return Split(drawings.take(rows[:DRAWN_TRAIN]), drawings.take(rows[DRAWN_TRAIN:]))


def _open_folder(folder: Path, seed: int, allow_external: bool) -> Split:
    if is_photo_folder(folder):
        return load_folder_split(folder, seed=seed)
    if ".h5" in _suffixes(folder):
        return load_cats_pair(folder, allow_external=allow_external)
    return load_csv_pair(folder)


def is_photo_folder(path: Path) -> bool:
    """Say whether photos are looked for there: a folder that holds no ``.h5`` or ``.csv`` file."""
    return path.is_dir() and not {".h5", ".csv"} & _suffixes(path)


def _suffixes(folder: Path) -> set[str]:
    return {path.suffix.lower() for path in folder.iterdir() if path.is_file()}


def _is_csv(*paths: Path) -> bool:
    """Say whether these are CSV files rather than HDF5 files; anything else is refused."""
    kinds = {path.suffix.lower() for path in paths}
    if kinds == {".csv"} or kinds <= {".h5", ".hdf5"}:
        return kinds == {".csv"}
    raise ValueError(f"{' and '.join(map(str, paths))}: expected .h5 or .csv files; {_CHOICES}")
