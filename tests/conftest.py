"""What tests of every level share: the real photos, on a machine that has them."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

WANTS_PHOTOS = "wants the cat photos"
PAIR = ("train_catvnoncat.h5", "test_catvnoncat.h5")


@dataclass(frozen=True)
class Photos:
    """The cat photos as rows of bytes, with 1 for a cat: 209 to train on and 50 to test on."""

    X: NDArray[np.uint8]
    y: NDArray[np.int64]
    X_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]


# Started in the background, a process is born deaf to Ctrl-C, and so are its children; the tests
# of Ctrl-C want children that hear.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def photo_data() -> Path:
    """The folder that holds ``catvnoncat/`` and ``photos/``; a test that wants it skips without."""
    folder = os.environ.get("PURRCEPTRON_TEST_DATA")
    if not folder:
        pytest.skip(f"{WANTS_PHOTOS} and what lies beside them: PURRCEPTRON_TEST_DATA is not set")
    return Path(folder)


@pytest.fixture(scope="session")
def photo_pair() -> Path:
    """The folder of the two HDF5 files: the one named, else where ``fetch_cats`` keeps them."""
    if folder := os.environ.get("PURRCEPTRON_TEST_DATA"):
        return Path(folder) / "catvnoncat"
    try:
        import pooch
    except ImportError:
        pytest.skip(f"{WANTS_PHOTOS}: PURRCEPTRON_TEST_DATA is not set, pooch is not installed")
    cache = Path(pooch.os_cache("purrceptron"))
    if not all((cache / name).is_file() for name in PAIR):
        pytest.skip(f"{WANTS_PHOTOS}: PURRCEPTRON_TEST_DATA is not set, and none were fetched")
    return cache


@pytest.fixture(scope="session")
def photos(photo_pair: Path) -> Photos:
    import h5py

    def read(name: str) -> tuple[Any, Any]:
        half = name.partition("_")[0]
        with h5py.File(photo_pair / name) as file:
            images = file[f"{half}_set_x"][:]
            return images.reshape(len(images), -1), file[f"{half}_set_y"][:]

    (X, y), (X_test, y_test) = map(read, PAIR)
    return Photos(X, y, X_test, y_test)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """End the run, after all other summaries, by saying what it left out for want of data."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    missing = sum(
        isinstance(report.longrepr, tuple) and WANTS_PHOTOS in report.longrepr[2]
        for report in skipped
    )
    if missing:
        tests = "1 test" if missing == 1 else f"{missing} tests"
        terminalreporter.write_line(
            f"{tests} skipped for want of data: set PURRCEPTRON_TEST_DATA to a folder that holds "
            "catvnoncat/ and photos/, or fetch the photos with purrceptron.data.fetch_cats()",
            yellow=True,
        )
    else:
        terminalreporter.write_line("no test skipped for want of data")
