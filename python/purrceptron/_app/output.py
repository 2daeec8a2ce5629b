"""What a training run leaves behind: the model, the costs, the report."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from purrceptron._app.report import Run, render
from purrceptron._files import atomic_write

if TYPE_CHECKING:
    from purrceptron._history import History

MODEL, HISTORY, REPORT = "model.safetensors", "history.csv", "report.html"


def prepare(folder: Path) -> None:
    """Make the folder, so that an hour of training does not end at one that cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise NotADirectoryError(f"--out: there is a file where {folder} would be") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"--out: the folder {folder} is not writable")


def write(folder: Path, run: Run) -> None:
    """Write the three files of a run, each whole or not at all; the model, dearest, comes first."""
    run.net.save(folder / MODEL)
    atomic_write(folder / HISTORY, history_csv(run.history).encode())
    atomic_write(folder / REPORT, render(run).encode())


def history_csv(history: History) -> str:
    """Return the history as CSV: a row an epoch, counted from 0, every digit kept.

    ``loss`` in the row of epoch e is the cost before its update, as in `train`.
    """
    columns = {"loss": history.loss, "val_loss": history.val_loss}
    columns["val_accuracy"] = history.val_accuracy
    columns = {name: values for name, values in columns.items() if len(values)}
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["epoch", *columns])
    for epoch, values in enumerate(zip(*columns.values(), strict=True)):
        rows.writerow([epoch, *map(repr, map(float, values))])
    return text.getvalue()
