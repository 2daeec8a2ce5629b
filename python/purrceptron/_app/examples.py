"""From what follows a command to the examples it works on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from purrceptron import data
from purrceptron.data import Dataset, Split
from purrceptron.data._open import is_photo_folder


def open_split(paths: Sequence[str] | None, seed: int, test_fraction: float | None) -> Split:
    """Open the training and test halves of DATA."""
    if test_fraction is None:
        return data.open_data(paths, seed=seed)
    if not of_photos(paths):
        raise ValueError("--test-fraction is for a folder of photos; other data has its test half")
    return data.load_folder_split(paths[0], test_fraction=test_fraction, seed=seed)


def of_photos(paths: Sequence[str] | None) -> TypeGuard[Sequence[str]]:
    """Say whether DATA is a folder of photos, of which a share is held out."""
    return paths is not None and len(paths) == 1 and is_photo_folder(Path(paths[0]))


def open_test(
    paths: Sequence[str] | None, seed: int, test_fraction: float | None, everything: bool
) -> Dataset:
    """Open the test half of DATA, or both halves in one."""
    if everything:
        train, test = open_split(paths, seed, test_fraction)
        return Dataset(
            np.concatenate([train.x, test.x]),
            np.concatenate([train.y, test.y]),
            train.classes,
            train.shape,
            train.source if train.source == test.source else f"{train.source} and {test.source}",
            train.drawn,
        )
    if test_fraction is not None:
        return open_split(paths, seed, test_fraction).test
    return data.open_test_data(paths, seed=seed)


def labels_for(names: Sequence[str], examples: Dataset) -> NDArray[np.int64]:
    """Return the labels of the examples in a model's numbering of the classes."""
    if sorted(names) != sorted(examples.classes):
        raise ValueError(
            f"the model knows {', '.join(names)}, but {examples.source} holds "
            f"{', '.join(examples.classes)}"
        )
    places = np.array([names.index(name) for name in examples.classes], dtype=np.int64)
    return places[examples.y]


def counts(examples: Dataset) -> str:
    """Say how many there are, of what and from where."""
    parts = ", ".join(f"{number} {name}" for name, number in examples.counts().items())
    return f"{len(examples)} from {examples.source} ({parts})"


def short_name(paths: Sequence[str] | None) -> str:
    """Name the data, for the folder of a run: ``cats``, ``catvnoncat``, ``pets``."""
    if not paths:
        return "cats"
    path = Path(paths[0]).resolve()
    return path.parent.name if path.is_file() else path.name
