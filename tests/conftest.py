"""What tests of every level share: the real photos, on a machine that has them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray


@dataclass(frozen=True)
class Photos:
    """The cat photos as rows of bytes, with 1 for a cat: 209 to train on and 50 to test on."""

    X: NDArray[np.uint8]
    y: NDArray[np.int64]
    X_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]


@pytest.fixture(scope="session")
def photo_data() -> Path:
    """The folder that holds ``catvnoncat/`` and ``photos/``; a test that wants it skips without."""
    folder = os.environ.get("PURRCEPTRON_TEST_DATA")
    if not folder:
        pytest.skip("the real photos are not here: PURRCEPTRON_TEST_DATA is not set")
    return Path(folder)


@pytest.fixture(scope="session")
def photos(photo_data: Path) -> Photos:
    h5py = pytest.importorskip("h5py")

    def read(half: str) -> tuple[Any, Any]:
        with h5py.File(photo_data / "catvnoncat" / f"{half}_catvnoncat.h5") as file:
            images = file[f"{half}_set_x"][:]
            return images.reshape(len(images), -1), file[f"{half}_set_y"][:]

    return Photos(*read("train"), *read("test"))
