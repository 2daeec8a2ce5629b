"""A labelled set of examples, and the pair of a training set and a test set."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IMAGE_SHAPE = (64, 64, 3)
"""Height, width and channels of every picture here, as in the series."""

IMAGE_SIZE = 64 * 64 * 3


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples as rows, with their labels.

    Attributes
    ----------
    x : (m, n) uint8
        One example a row; a picture is flattened in (height, width, channel) order.
    y : (m,) int64
        Labels, from 0 to ``len(classes) - 1``.
    classes : tuple of str
        The name of each label; with two classes label 1 is the positive one (the cat).
    shape : tuple of int or None
        Shape of one example, such as ``(64, 64, 3)``; None if it is no picture.
    source : str
        Where it came from, for people to read: ``"drawn cats, seed 1"``.
    drawn : bool
        True for drawings, which are not photos and must not be taken for them.

    Raises
    ------
    ValueError
        If the sizes, the dtypes or the labels do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> Dataset(np.zeros((2, 3), np.uint8), np.array([0, 1]), ("non-cat", "cat"), None, "nowhere")
    Dataset(2 examples of 3 values from nowhere: 1 non-cat, 1 cat)
    """

    x: npt.NDArray[np.uint8]
    y: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    shape: tuple[int, ...] | None
    source: str
    drawn: bool = False

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or self.x.dtype != np.uint8:
            raise ValueError(f"x must be a 2-D array of uint8, got {_kind(self.x)}")
        if self.y.ndim != 1 or self.y.dtype != np.int64:
            raise ValueError(f"y must be a 1-D array of int64, got {_kind(self.y)}")
        if len(self.x) != len(self.y):
            raise ValueError(f"x has {len(self.x)} rows but y has {len(self.y)} labels")
        if len(self.x) == 0:
            raise ValueError("x and y hold no examples")
        if self.shape is not None and int(np.prod(self.shape)) != self.x.shape[1]:
            raise ValueError(f"shape {self.shape} does not fit rows of {self.x.shape[1]} values")
        problem = label_problem(self.y, self.classes)
        if problem:
            raise ValueError(problem)

    @property
    def images(self) -> npt.NDArray[np.uint8]:
        """The examples as pictures, (m, height, width, channels), without a copy."""
        if self.shape is None:
            raise ValueError("these examples are not pictures: their shape is None")
        return self.x.reshape(-1, *self.shape)

    def counts(self) -> dict[str, int]:
        """Return how many examples each class has."""
        numbers = np.bincount(self.y, minlength=len(self.classes))
        return dict(zip(self.classes, numbers.tolist(), strict=True))

    def take(self, rows: npt.ArrayLike) -> "Dataset":
        """Return the data set of these rows, in this order."""
        rows = np.asarray(rows, dtype=np.intp)
        return Dataset(
            self.x[rows], self.y[rows], self.classes, self.shape, self.source, self.drawn
        )

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.shape)) if self.shape else f"{self.x.shape[1]} values"
        parts = ", ".join(f"{number} {name}" for name, number in self.counts().items())
        return f"Dataset({len(self)} examples of {size} from {self.source}: {parts})"


@dataclass(frozen=True, eq=False)
class Split:
    """A training set and a test set of the same kind; unpacks as ``train, test = split``.

    Raises
    ------
    ValueError
        If the two differ in the length of their rows or in their classes.
    """

    train: Dataset
    test: Dataset

    def __post_init__(self) -> None:
        train, test = self.train, self.test
        if train.x.shape[1] != test.x.shape[1]:
            raise ValueError(
                f"training and test examples differ in size: {train.x.shape[1]} values a row in "
                f"{train.source}, {test.x.shape[1]} in {test.source}"
            )
        if train.classes != test.classes:
            raise ValueError(
                f"training and test classes differ: {', '.join(train.classes)} in "
                f"{train.source}, {', '.join(test.classes)} in {test.source}"
            )

    def __iter__(self) -> Iterator[Dataset]:
        return iter((self.train, self.test))


def split_dataset(data: Dataset, *, test_fraction: float = 0.2, seed: int = 0) -> Split:
    """Set a share of every class aside for testing, the same for the same seed.

    Parameters
    ----------
    data : Dataset
        The examples to divide; each class needs two at least.
    test_fraction : float
        The share of each class, between 0 and 1, that goes to the test set (one example
        at least, and at least one stays for training).
    seed : int
        Chooses which; at least 0.

    Raises
    ------
    ValueError
        If the fraction is not between 0 and 1, the seed is negative, or a class has fewer than two
        examples.
    """
    if not 0 < test_fraction < 1:
        raise ValueError(f"test_fraction must lie between 0 and 1, got {test_fraction}")
    if operator.index(seed) < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    # Sorting the raw random numbers is a shuffle that no NumPy release can change.
    order = np.argsort(np.random.Generator(np.random.PCG64(seed)).random(len(data)), kind="stable")
    chosen = np.zeros(len(data), dtype=bool)
    for label, name in enumerate(data.classes):
        rows = order[data.y[order] == label]
        if len(rows) < 2:
            raise ValueError(
                f"class {name!r} of {data.source} has {len(rows)} example"
                f"{'' if len(rows) == 1 else 's'}; dividing it takes two at least"
            )
        chosen[rows[: min(max(1, round(test_fraction * len(rows))), len(rows) - 1)]] = True
    return Split(data.take(np.flatnonzero(~chosen)), data.take(np.flatnonzero(chosen)))


def label_problem(y: npt.NDArray[np.int64], classes: tuple[str, ...]) -> str | None:
    """Say what is wrong with the labels, or return None."""
    if len(classes) < 2:
        return f"there must be two classes at least, got {len(classes)}: {', '.join(classes)}"
    if len(set(classes)) != len(classes):
        return f"class names must differ from one another, got {', '.join(classes)}"
    for name in classes:
        if not name.strip() or not name.isprintable():
            return f"class names must be printable and not empty, got {name[:20]!r}"
    bad = np.flatnonzero((y < 0) | (y >= len(classes)))
    if not len(bad):
        return None
    span = "0 or 1" if len(classes) == 2 else f"0 to {len(classes) - 1}"
    return f"labels must be {span}, but the one of example {bad[0]} is {y[bad[0]]}"


def _kind(array: npt.NDArray[np.generic]) -> str:
    return f"{array.ndim}-D {array.dtype}"
