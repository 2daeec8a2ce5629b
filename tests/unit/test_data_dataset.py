"""A data set holds together, and divides the same way each time."""

import numpy as np
import pytest

from purrceptron.data import Dataset, Split, split_dataset


def examples(m: int = 10, n: int = 12, shape: tuple[int, ...] | None = (2, 2, 3)) -> Dataset:
    x = np.arange(m * n, dtype=np.uint8).reshape(m, n)
    return Dataset(x, np.arange(m, dtype=np.int64) % 2, ("non-cat", "cat"), shape, "here")


def test_it_says_what_it_is():
    assert repr(examples()) == "Dataset(10 examples of 2 x 2 x 3 from here: 5 non-cat, 5 cat)"
    assert len(examples()) == 10
    assert examples().counts() == {"non-cat": 5, "cat": 5}


def test_images_are_a_view_of_the_rows():
    data = examples()
    assert data.images.shape == (10, 2, 2, 3)
    assert np.shares_memory(data.images, data.x)


def test_images_of_what_is_no_picture_are_refused():
    with pytest.raises(ValueError, match="not pictures"):
        _ = examples(shape=None).images


def test_take_keeps_the_order_asked_for():
    part = examples().take([3, 0])
    np.testing.assert_array_equal(part.x, examples().x[[3, 0]])
    np.testing.assert_array_equal(part.y, [1, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((10, 12))}, "x must be a 2-D array of uint8, got 2-D float64"),
        ({"x": np.zeros(10, np.uint8)}, "x must be a 2-D array of uint8, got 1-D uint8"),
        ({"y": np.zeros(10, np.int32)}, "y must be a 1-D array of int64, got 1-D int32"),
        ({"y": np.zeros(9, np.int64)}, "x has 10 rows but y has 9 labels"),
        ({"y": np.full(10, 2)}, "labels must be 0 or 1, but the one of example 0 is 2"),
        ({"y": np.full(10, -1)}, "labels must be 0 or 1, but the one of example 0 is -1"),
        ({"classes": ("a", "b", "c"), "y": np.full(10, 3)}, "labels must be 0 to 2"),
        ({"classes": ("cat",)}, "two classes at least, got 1: cat"),
        ({"classes": ("cat", "cat")}, "must differ"),
        ({"classes": ("cat", " ")}, "class names must be printable and not empty, got ' '"),
        ({"classes": ("cat", "d\nog")}, "class names must be printable"),
        ({"shape": (64, 64, 3)}, "does not fit rows of 12 values"),
        ({"x": np.zeros((0, 12), np.uint8), "y": np.zeros(0, np.int64)}, "no examples"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, message):
    fields = {name: getattr(examples(), name) for name in ("x", "y", "classes", "shape", "source")}
    with pytest.raises(ValueError, match=message):
        Dataset(**(fields | change))


def test_a_split_unpacks_and_its_halves_must_match():
    a, b = Split(examples(), examples(4))
    assert (len(a), len(b)) == (10, 4)
    with pytest.raises(ValueError, match="differ in size: 12 values a row in here, 3 in here"):
        Split(examples(), examples(n=3, shape=None))
    other = Dataset(examples().x, examples().y, ("dog", "cat"), None, "there")
    with pytest.raises(ValueError, match="classes differ: non-cat, cat in here, dog, cat in there"):
        Split(examples(), other)


def test_dividing_takes_a_share_of_every_class():
    x = np.arange(100, dtype=np.uint8)[:, None]
    data = Dataset(x, (np.arange(100) < 30).astype(np.int64), ("a", "b"), None, "here")
    train, test = split_dataset(data, test_fraction=0.2, seed=5)
    assert test.counts() == {"a": 14, "b": 6}
    assert train.counts() == {"a": 56, "b": 24}
    assert sorted([*train.x[:, 0], *test.x[:, 0]]) == list(range(100))


def test_dividing_is_fixed_by_the_seed():
    first, again, other = (split_dataset(examples(), seed=seed).test.x for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_dividing_leaves_something_on_both_sides():
    train, test = split_dataset(examples(4), test_fraction=0.99)
    assert train.counts() == test.counts() == {"non-cat": 1, "cat": 1}


@pytest.mark.parametrize("fraction", [0, 1, -0.5, float("nan")])
def test_an_impossible_share_is_refused(fraction):
    with pytest.raises(ValueError, match="test_fraction must lie between 0 and 1"):
        split_dataset(examples(), test_fraction=fraction)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        split_dataset(examples(), seed=-1)


def test_a_class_of_one_example_can_not_be_divided():
    with pytest.raises(ValueError, match="class 'cat' of here has 1 example; "):
        split_dataset(examples(3))
