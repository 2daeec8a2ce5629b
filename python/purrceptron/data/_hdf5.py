"""The HDF5 files of the cat course: ``train_catvnoncat.h5`` and ``test_catvnoncat.h5``.

A file holds ``train_set_x`` or ``test_set_x`` (m, height, width, channels) uint8, the labels
``..._set_y`` (m,) of 0 and 1, and ``list_classes``, the names of the labels. HDF5 lets a small
file ask for a great deal: terabytes of zeros, pixels kept in other files, unknown compression.
Everything that a file declares is therefore looked at before any value is read.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from purrceptron.data._dataset import Dataset, Split, label_problem
from purrceptron.data._paths import find_pair, readable_file

_MAX_BYTES = 1 << 30  # 87 000 pictures of 64 x 64; the course's files hold 209 and 50
_MAX_RATIO = 100  # pictures deflate by 2 or 3; beyond this it is emptiness, or a trap
_SMALL_BYTES = 1 << 26  # below this even a trap does no harm
_MAX_CLASSES = 1000
_MAX_LISTED = 20  # names in an error message
_MAX_NAME = 1000  # bytes in the name of a class


def load_cats(path: str | os.PathLike[str], *, allow_external: bool = False) -> Dataset:
    """Read one ``.h5`` file of the cat course.

    Parameters
    ----------
    path : path
        The file. It holds ``train_set_x`` or ``test_set_x`` (m, height, width, channels) uint8,
        ``train_set_y`` or ``test_set_y`` (m,) of 0 and 1, and ``list_classes``.
    allow_external : bool
        Follow soft and external links, external storage and virtual datasets, through which a
        file can have other files of this machine read. Refused by default.

    Returns
    -------
    Dataset
        ``x`` (m, height * width * channels) uint8, ``y`` (m,) int64.

    Raises
    ------
    OSError
        If the file is missing, empty, truncated, damaged, not HDF5, or compressed in a way
        that this machine does not know.
    ValueError
        If what it holds is not what is described above, if it declares more than 1 GiB or
        unpacks to more than a hundred times what it stores, or if it leads to other files.

    Notes
    -----
    The HDF5 library itself has crashed on files made to crash it, and no check made through it
    can prevent that: open only files that you trust.

    Examples
    --------
    >>> cats = load_cats("train_catvnoncat.h5")  # doctest: +SKIP
    >>> cats.x.shape, cats.classes  # doctest: +SKIP
    ((209, 12288), ('non-cat', 'cat'))
    """
    import h5py  # type: ignore[import-untyped]

    file_path = readable_file(path)
    with _hdf5_errors(file_path, "is not a readable HDF5 file"):
        file = h5py.File(file_path, "r")
    with file:
        return _File(file, file_path, allow_external).dataset()


def load_cats_pair(
    train: str | os.PathLike[str],
    test: str | os.PathLike[str] | None = None,
    *,
    allow_external: bool = False,
) -> Split:
    """Read the training and the test file of the cat course.

    Parameters
    ----------
    train, test : path
        The two files; or a folder alone, which holds one ``.h5`` file whose name begins with
        ``train`` and one that begins with ``test``.
    allow_external : bool
        As in `load_cats`, whose errors are raised here too.

    Returns
    -------
    Split
        The two data sets.

    Raises
    ------
    OSError, ValueError
        As `load_cats`; also if the folder does not hold exactly one pair, or if the two files
        differ in the size of their pictures or in their classes.
    """
    if test is None:
        train, test = find_pair(Path(train), ".h5")
    return Split(
        load_cats(train, allow_external=allow_external),
        load_cats(test, allow_external=allow_external),
    )


@dataclass(frozen=True)
class _Declared:
    """What a dataset says of itself, known without reading one value of it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stored_bytes: int
    chunk_bytes: int
    is_virtual: bool
    is_external: bool
    missing_filter: str | None

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


class _File:
    """An open file, whose datasets are described, checked and only then read."""

    def __init__(self, file: Any, path: Path, allow_external: bool) -> None:
        self._file = file
        self._path = path
        self._allow_external = allow_external
        with self._reading():
            self._keys = sorted(file)

    def dataset(self) -> Dataset:
        """Check everything that the file declares, then read it."""
        part = self._part()
        x_name, y_name = f"{part}_set_x", f"{part}_set_y"
        declared = {name: self._describe(name) for name in (x_name, y_name, "list_classes")}
        x, y, names = declared.values()

        if len(x.shape) != 4 or x.dtype != np.uint8:
            raise self._wrong(x_name, x, "uint8 of shape (m, height, width, channels)")
        if len(y.shape) != 1 or y.dtype.kind not in "iu":
            raise self._wrong(y_name, y, "integers of shape (m,)")
        if len(names.shape) != 1 or not _is_text(names.dtype):
            raise self._wrong("list_classes", names, "strings of shape (classes,)")
        if x.shape[0] != y.shape[0]:
            raise ValueError(
                f"{self._path}: {x_name} has {x.shape[0]} pictures but {y_name} has "
                f"{y.shape[0]} labels"
            )
        if 0 in x.shape:
            raise ValueError(f"{self._path}: {x_name} is empty, its shape is {x.shape}")
        if names.shape[0] > _MAX_CLASSES or names.dtype.itemsize > _MAX_NAME:
            raise self._wrong("list_classes", names, f"at most {_MAX_CLASSES} short strings")
        for name, one in declared.items():
            self._check_storage(name, one)

        pixels = self._read(x_name).reshape(x.shape[0], -1)
        labels = self._labels(y_name)
        classes = self._class_names()
        problem = label_problem(labels, classes)
        if problem:
            raise ValueError(f"{self._path}: {y_name}: {problem}")
        return Dataset(pixels, labels, classes, x.shape[1:], self._path.name)

    def _part(self) -> str:
        parts = [part for part in ("train", "test") if f"{part}_set_x" in self._keys]
        if len(parts) == 1:
            return parts[0]
        expected = "one of train_set_x and test_set_x" if parts else "train_set_x or test_set_x"
        raise ValueError(f"{self._path} must hold {expected}, but it holds {self._contents()}")

    def _describe(self, name: str) -> _Declared:
        import h5py

        if name not in self._keys:
            raise ValueError(f"{self._path} has no {name}; it holds {self._contents()}")
        with self._reading():
            link = self._file.get(name, getlink=True)
        # Looked at before the link is followed: opening its target may already read elsewhere.
        if not isinstance(link, h5py.HardLink) and not self._allow_external:
            kind = "an external" if isinstance(link, h5py.ExternalLink) else "a soft"
            target = f"{getattr(link, 'filename', '')} {getattr(link, 'path', '')}".strip()
            raise self._refused(name, f"is {kind} link to {target}")
        with self._reading():
            node = self._file[name]
        if not isinstance(node, h5py.Dataset):
            raise ValueError(f"{self._path}: {name} is a group, not a dataset")
        if node.shape is None:
            raise ValueError(f"{self._path}: {name} has a type but no shape and no values")
        with self._reading():
            creation = node.id.get_create_plist()
            return _Declared(
                shape=node.shape,
                dtype=node.dtype,
                stored_bytes=node.id.get_storage_size(),
                chunk_bytes=math.prod(node.chunks or ()) * node.dtype.itemsize,
                is_virtual=node.is_virtual,
                is_external=creation.get_external_count() > 0,
                missing_filter=_missing_filter(creation),
            )

    def _check_storage(self, name: str, one: _Declared) -> None:
        if one.is_external and not self._allow_external:
            raise self._refused(name, "keeps its values in another file")
        if one.is_virtual and not self._allow_external:
            raise self._refused(name, "is a virtual dataset, put together from other files")
        if one.missing_filter:
            raise OSError(
                f"{self._path}: {name} is compressed with {one.missing_filter}, a filter that is "
                "not installed here"
            )
        declared = max(one.nbytes, one.chunk_bytes)
        if declared > _MAX_BYTES:
            raise ValueError(
                f"{self._path}: {name} declares {_size(declared)}, more than the "
                f"{_size(_MAX_BYTES)} that is read from one file; its shape is {one.shape}"
            )
        if one.is_external or one.is_virtual:
            return
        if one.stored_bytes == 0:
            raise ValueError(f"{self._path}: {name} declares shape {one.shape} but stores nothing")
        if declared > max(_SMALL_BYTES, _MAX_RATIO * one.stored_bytes):
            raise ValueError(
                f"{self._path}: {name} would unpack {_size(one.stored_bytes)} to "
                f"{_size(declared)}, more than {_MAX_RATIO} times as much"
            )

    def _labels(self, name: str) -> npt.NDArray[np.int64]:
        # A uint64 too large for an int64 becomes negative, so it is still refused.
        return self._read(name).astype(np.int64)

    def _class_names(self) -> tuple[str, ...]:
        values = self._read("list_classes").tolist()
        return tuple(
            value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            for value in values
        )

    def _read(self, name: str) -> npt.NDArray[Any]:
        with self._reading():
            return np.asarray(self._file[name][()])

    def _contents(self) -> str:
        """List what is there, in one line however much it is and whatever it is called."""
        shown = [key if key.isprintable() else repr(key) for key in self._keys[:_MAX_LISTED]]
        more = len(self._keys) - len(shown)
        return (", ".join(shown) or "nothing") + (f" and {more} more" if more else "")

    def _reading(self) -> Any:
        return _hdf5_errors(self._path, "is damaged")

    def _wrong(self, name: str, got: _Declared, expected: str) -> ValueError:
        return ValueError(
            f"{self._path}: {name} must be {expected}, got {got.dtype} of shape {got.shape}; "
            f"the file holds {self._contents()}"
        )

    def _refused(self, name: str, what: str) -> ValueError:
        return ValueError(
            f"{self._path}: {name} {what}, which is refused: pass allow_external=True if you "
            "trust this file"
        )


@contextmanager
def _hdf5_errors(path: Path, problem: str) -> Iterator[None]:
    """Turn whatever h5py raises on a damaged file into an ``OSError`` that names the path."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        cause = str(error.args[0]) if error.args else type(error).__name__
        raise OSError(f"{path} {problem}: {cause}") from error


def _missing_filter(creation: Any) -> str | None:
    """Name the first filter of a dataset's pipeline that is not installed."""
    import h5py

    for i in range(creation.get_nfilters()):
        code, _, _, name = creation.get_filter(i)
        if not h5py.h5z.filter_avail(code):
            label = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
            return f"{label} (number {code})" if label else f"number {code}"
    return None


def _is_text(dtype: np.dtype[Any]) -> bool:
    import h5py

    return h5py.check_string_dtype(dtype) is not None


def _size(nbytes: int) -> str:
    amount = float(nbytes)
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError
