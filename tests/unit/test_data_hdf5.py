"""The HDF5 files of the cat course are read whole and exactly."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from purrceptron.data import load_cats, load_cats_pair


def write_cats(path: Path, m: int = 4, side: int = 64, part: str = "train") -> Path:
    pixels = np.random.default_rng(m).integers(0, 256, (m, side, side, 3), dtype=np.uint8)
    with h5py.File(path, "w") as file:
        file[f"{part}_set_x"] = pixels
        file[f"{part}_set_y"] = np.arange(m) % 2
        file["list_classes"] = np.array([b"non-cat", b"cat"])
    return path


def test_a_file_comes_back_as_it_was_written(tmp_path):
    path = write_cats(tmp_path / "train_cats.h5")
    cats = load_cats(path)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(cats.x, file["train_set_x"][:].reshape(4, 12288))
    assert cats.x.dtype == np.uint8
    assert cats.y.tolist() == [0, 1, 0, 1]
    assert cats.y.dtype == np.int64
    assert cats.classes == ("non-cat", "cat")
    assert cats.shape == (64, 64, 3)
    assert cats.source == "train_cats.h5"
    assert not cats.drawn


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint64, ">i2"])
def test_labels_may_be_any_integers(tmp_path, dtype):
    path = write_cats(tmp_path / "cats.h5")
    with h5py.File(path, "a") as file:
        del file["train_set_y"]
        file["train_set_y"] = np.array([0, 1, 1, 0], dtype=dtype)
    assert load_cats(path).y.tolist() == [0, 1, 1, 0]


def test_class_names_may_be_text_of_any_length(tmp_path):
    path = write_cats(tmp_path / "cats.h5")
    with h5py.File(path, "a") as file:
        del file["list_classes"]
        file["list_classes"] = ["kein Kätzchen", "猫"]
    assert load_cats(path).classes == ("kein Kätzchen", "猫")


def test_compressed_and_chunked_files_are_read(tmp_path):
    path = tmp_path / "cats.h5"
    plain = load_cats(write_cats(tmp_path / "plain.h5"))
    with h5py.File(path, "w") as file:
        file.create_dataset("train_set_x", data=plain.images, compression="gzip", shuffle=True)
        file.create_dataset("train_set_y", data=plain.y, compression="lzf")
        file["list_classes"] = np.array([b"non-cat", b"cat"])
    np.testing.assert_array_equal(load_cats(path).x, plain.x)


def test_a_pair_is_found_in_its_folder(tmp_path):
    write_cats(tmp_path / "train_catvnoncat.h5", 6)
    write_cats(tmp_path / "test_catvnoncat.h5", 2, part="test")
    train, test = load_cats_pair(tmp_path)
    assert (len(train), len(test)) == (6, 2)


def test_a_pair_can_be_named_file_by_file(tmp_path):
    a = write_cats(tmp_path / "a.h5", 6)
    b = write_cats(tmp_path / "b.h5", 2, part="test")
    train, test = load_cats_pair(a, b)
    assert (len(train), len(test)) == (6, 2)


def test_a_folder_without_a_pair_says_what_it_has(tmp_path):
    write_cats(tmp_path / "train_cats.h5")
    write_cats(tmp_path / "more.h5")
    with pytest.raises(ValueError, match=r"its \.h5 files are: more\.h5, train_cats\.h5$"):
        load_cats_pair(tmp_path)


def test_halves_of_different_picture_size_are_refused(tmp_path):
    a = write_cats(tmp_path / "train.h5")
    b = write_cats(tmp_path / "test.h5", side=32, part="test")
    with pytest.raises(ValueError, match=r"differ in size: 12288 .* train\.h5, 3072 in test\.h5"):
        load_cats_pair(a, b)


@pytest.mark.photos
def test_the_real_photos(photo_pair, photos):
    train, test = load_cats_pair(photo_pair)
    np.testing.assert_array_equal(train.x, photos.X)
    np.testing.assert_array_equal(test.y, photos.y_test)
    assert train.counts() == {"non-cat": 137, "cat": 72}
    assert test.counts() == {"non-cat": 17, "cat": 33}
