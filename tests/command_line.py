"""What the tests of the command line share; without what it needs, they skip."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

for package in ("typer", "rich", "jinja2", "matplotlib", "PIL"):
    pytest.importorskip(package)

FILES = ["history.csv", "model.safetensors", "report.html"]


def write_pair(folder, classes):
    """Write a few images in blue and in red, which any network tells apart."""
    rng = np.random.default_rng(0)
    for name, m in (("train", 16), ("test", 6)):
        y = np.arange(m) % 2
        x = rng.integers(0, 60, (m, 64, 64, 3))
        x[..., 0] += 180 * y[:, None, None]
        x[..., 2] += 180 * (1 - y[:, None, None])
        with h5py.File(folder / f"{name}_catvnoncat.h5", "w") as file:
            file[f"{name}_set_x"] = x.astype(np.uint8)
            file[f"{name}_set_y"] = y.astype(np.int64)
            file["list_classes"] = np.array(classes, dtype="S")
    return folder


def complaint(capsys):
    """Return what stderr holds: one line, and no traceback."""
    said = capsys.readouterr().err
    assert said.startswith("purrceptron: ")
    assert said.count("\n") == 1
    return said.removeprefix("purrceptron: ").rstrip("\n")


def start(*arguments, cwd):
    """Start the command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "purrceptron", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
