"""What the command line calls DATA is found, whichever way it is given."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from purrceptron.data import Split, _open, drawn_cats, open_data, open_test_data


def h5(path: Path, m: int) -> Path:
    part = path.name.partition("_")[0]
    with h5py.File(path, "w") as file:
        file[f"{part}_set_x"] = np.zeros((m, 2, 2, 3), np.uint8)
        file[f"{part}_set_y"] = np.arange(m) % 2
        file["list_classes"] = np.array([b"non-cat", b"cat"])
    return path


@pytest.fixture
def h5_pair(tmp_path: Path) -> tuple[Path, Path]:
    return h5(tmp_path / "train_cats.h5", 3), h5(tmp_path / "test_cats.h5", 2)


@pytest.fixture
def csv_pair(tmp_path: Path) -> tuple[Path, Path]:
    train, test = tmp_path / "training_set.csv", tmp_path / "test_set.csv"
    train.write_text("0,1,y\n1,2,0\n3,4,1\n5,6,1\n")
    test.write_text("0,1,y\n7,8,0\n9,9,1\n")
    return train, test


def sizes(split: Split) -> tuple[int, int]:
    return len(split.train), len(split.test)


@pytest.mark.parametrize("spec", [None, [], ()])
def test_nothing_is_the_drawn_cats(spec, monkeypatch):
    monkeypatch.setattr(_open, "DRAWN_TRAIN", 6)
    monkeypatch.setattr(_open, "DRAWN_TEST", 4)
    train, test = open_data(spec, seed=3)
    drawings = drawn_cats(10, seed=3)
    np.testing.assert_array_equal(train.x, drawings.x[:6])
    np.testing.assert_array_equal(test.x, drawings.x[6:])
    assert train.drawn
    assert test.drawn
    np.testing.assert_array_equal(open_test_data(spec, seed=3).x, test.x)


@pytest.mark.parametrize("kind", ["h5_pair", "csv_pair"])
def test_a_pair_can_be_given_in_four_ways(kind, request):
    train, test = request.getfixturevalue(kind)
    for spec in (train.parent, str(train.parent), [train.parent], [train, test], train, [test]):
        assert sizes(open_data(spec)) == (3, 2), spec


@pytest.mark.parametrize("kind", ["h5_pair", "csv_pair"])
def test_to_evaluate_on_is_the_test_half_or_the_one_file_named(kind, request):
    train, test = request.getfixturevalue(kind)
    assert len(open_test_data(train.parent)) == 2
    assert len(open_test_data([train, test])) == 2
    assert len(open_test_data(train)) == 3
    assert len(open_test_data([str(test)])) == 2


def test_to_evaluate_on_one_file_needs_no_partner(csv_pair):
    train, test = csv_pair
    train.unlink()
    assert len(open_test_data(test.rename(test.with_name("mine.csv")))) == 2


def test_catvnoncat_is_fetched_unless_a_folder_has_that_name(h5_pair, tmp_path, monkeypatch):
    photos = open_data(tmp_path)
    monkeypatch.setattr(_open, "fetch_cats", lambda: photos)
    monkeypatch.chdir(tmp_path)
    assert open_data("catvnoncat") is photos
    assert open_data(["catvnoncat"]) is photos
    (tmp_path / "catvnoncat").mkdir()
    h5(tmp_path / "catvnoncat" / "train_cats.h5", 4)
    h5(tmp_path / "catvnoncat" / "test_cats.h5", 4)
    assert sizes(open_data("catvnoncat")) == (4, 4)


def test_a_folder_of_photos_is_divided(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(5):
            image.new("RGB", (4, 4), (i, 0, 0)).save(tmp_path / name / f"{i}.png")
    split = open_data(tmp_path, seed=1)
    assert sizes(split) == (8, 2)
    assert split.train.classes == ("dog", "cat")
    np.testing.assert_array_equal(open_test_data(tmp_path, seed=1).x, split.test.x)


def test_external_links_can_be_allowed(h5_pair):
    train, test = h5_pair
    with h5py.File(train, "a") as file:
        file.move("train_set_x", "x")
        file["train_set_x"] = h5py.SoftLink("/x")
    with pytest.raises(ValueError, match="soft link"):
        open_data([train, test])
    assert sizes(open_data([train, test], allow_external=True)) == (3, 2)
    assert len(open_test_data(train, allow_external=True)) == 3


def test_what_is_not_there_is_said_with_what_could_be(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no .*nothing; DATA is nothing \(drawn"):
        open_data(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="there is no"):
        open_test_data(tmp_path / "nothing")


def test_half_a_pair_asks_for_the_other(h5_pair):
    train, test = h5_pair
    test.unlink()
    with pytest.raises(ValueError, match=r"train_cats\.h5 is one file of a pair"):
        open_data(train)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "cats.txt").write_text("cats")
    message = r"cats\.txt: expected \.h5 or \.csv files; DATA is"
    for call in (open_data, open_test_data):
        with pytest.raises(ValueError, match=message):
            call(tmp_path / "cats.txt")


def test_a_mixed_pair_is_refused(h5_pair, csv_pair):
    with pytest.raises(ValueError, match=r"expected \.h5 or \.csv files"):
        open_data([h5_pair[0], csv_pair[1]])


def test_three_files_are_refused(csv_pair):
    with pytest.raises(ValueError, match="DATA takes two files at most, got 3"):
        open_data([*csv_pair, "more.csv"])


def test_an_empty_folder_says_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match="one sub-folder of photos for each of two classes"):
        open_data(tmp_path)
