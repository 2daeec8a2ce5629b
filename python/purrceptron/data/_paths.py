"""What every loader asks of a path before it opens it."""

import os
import re
from pathlib import Path


def readable_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a regular file, or raise the ``OSError`` that says why it is none."""
    file_path = Path(path)
    if not file_path.exists():
        raise FileNotFoundError(f"{file_path} does not exist")
    if file_path.is_dir():
        raise IsADirectoryError(f"{file_path} is a folder, not a file")
    if not file_path.is_file():  # a pipe or a device would never end
        raise OSError(f"{file_path} is not a regular file")
    if file_path.stat().st_size == 0:
        raise OSError(f"{file_path} is empty")
    return file_path


def partner(path: Path) -> Path | None:
    """Return the other file of a pair: ``train_x.h5`` for ``test_x.h5``, and the reverse.

    None if no such file lies beside it, or if the name says neither ``train`` nor ``test``.
    """
    match = re.match(r"(training|train|test)(?=[^a-z]|$)", path.name, re.IGNORECASE)
    if match is None:
        return None
    others = ("train", "training") if match[0].lower() == "test" else ("test",)
    for other in others:
        candidate = path.with_name(other + path.name[match.end() :])
        if candidate.is_file():
            return candidate
    return None


def is_test_file(path: Path) -> bool:
    """Say whether the name of a file calls it the test half of a pair."""
    return re.match(r"test(?=[^a-z]|$)", path.name, re.IGNORECASE) is not None


def find_pair(folder: Path, suffix: str) -> tuple[Path, Path]:
    """Find the training and the test file with this suffix in a folder.

    Raises
    ------
    OSError
        If the folder is missing or is none.
    ValueError
        If there is not exactly one of each.
    """
    if not folder.exists():
        raise FileNotFoundError(f"{folder} does not exist")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    files = sorted(
        p for p in folder.iterdir() if p.suffix.lower() == suffix and not p.name.startswith(".")
    )
    test = [p for p in files if is_test_file(p)]
    train = [p for p in files if re.match(r"train(ing)?(?=[^a-z]|$)", p.name, re.IGNORECASE)]
    if len(train) != 1 or len(test) != 1:
        found = ", ".join(p.name for p in files) or "none"
        raise ValueError(
            f"{folder} must hold one {suffix} file whose name begins with 'train' and one that "
            f"begins with 'test', but its {suffix} files are: {found}"
        )
    return train[0], test[0]
