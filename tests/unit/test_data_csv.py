"""The series' CSV files are read exactly, and what is wrong with one is said with its line."""

import re
from pathlib import Path

import numpy as np
import pytest

from purrceptron.data import load_csv, load_csv_pair


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "train.csv", "0,1,2,y\n0,128,255,1\n7,8,9,0\n")


def test_a_file_comes_back_as_it_was_written(path):
    data = load_csv(path)
    assert data.x.tolist() == [[0, 128, 255], [7, 8, 9]]
    assert data.x.dtype == np.uint8
    assert data.y.tolist() == [1, 0]
    assert data.y.dtype == np.int64
    assert data.classes == ("non-cat", "cat")
    assert data.shape is None
    assert data.source == "train.csv"


def test_whole_pictures_know_their_shape(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (3, 12288), dtype=np.uint8)
    header = ",".join([*map(str, range(12288)), "y"])
    rows = "\n".join(",".join(map(str, [*row, 1])) for row in pixels)
    data = load_csv(write(tmp_path / "cats.csv", f"{header}\n{rows}"))
    assert data.shape == (64, 64, 3)
    np.testing.assert_array_equal(data.x, pixels)


def test_the_row_numbers_that_pandas_writes_are_left_out(tmp_path):
    text = ",0,1,y\n0,5,6,1\n1,7,8,0\n999,9,10,1\n"
    data = load_csv(write(tmp_path / "pandas.csv", text))
    assert data.x.tolist() == [[5, 6], [7, 8], [9, 10]]
    assert data.y.tolist() == [1, 0, 1]


def test_windows_line_ends_byte_order_mark_and_blank_lines_do_no_harm(tmp_path):
    path = tmp_path / "windows.csv"
    path.write_bytes(b"\xef\xbb\xbf0,1,y\r\n1,2,0\r\n\r\n3,4,1\r\n")
    assert load_csv(path).x.tolist() == [[1, 2], [3, 4]]


def test_other_classes_can_be_named(tmp_path):
    path = write(tmp_path / "pets.csv", "0,y\n1,2\n2,0\n")
    assert load_csv(path, classes=("cat", "dog", "bird")).counts() == {
        "cat": 1,
        "dog": 0,
        "bird": 1,
    }


def test_a_pair_is_found_in_its_folder(path):
    write(path.with_name("test_set.csv"), "0,1,2,y\n1,1,1,1\n")
    assert [len(half) for half in load_csv_pair(path.parent)] == [2, 1]
    assert [len(half) for half in load_csv_pair(path, path.with_name("test_set.csv"))] == [2, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1,y\n1,2,0\n1,2\n", "line 3 has 2 values, expected 3"),
        ("0,1,y\n1,2,0\n1,2,0,4\n", "line 3 has 4 values, expected 3"),
        ("0,1,y\n1,2,0,1\n1,2,0,4\n", "line 2 has 4 values, expected 3"),
        (
            "0,1,y\n1,2,0\n1,256,0\n",
            "line 3, column 2: expected an integer from 0 to 255, got '256'",
        ),
        ("0,1,y\n1,-2,0\n", "line 2, column 2: expected an integer from 0 to 255, got '-2'"),
        ("0,1,y\n1,2.5,0\n", "line 2, column 2: expected an integer from 0 to 255, got '2.5'"),
        ("0,1,y\n1,,0\n", "line 2, column 2: expected an integer from 0 to 255, got ''"),
        ("0,1,y\n1,nan,0\n", "line 2, column 2: expected an integer from 0 to 255, got 'nan'"),
        ("0,1,y\n1,cat,0\n", "line 2, column 2: expected an integer from 0 to 255, got 'cat'"),
        ("0,1,y\n1,99999999999999999999,0\n", "line 2, column 2: expected an integer from 0"),
        ("0,1,y\n\n\n1,x,0\n", "line 4, column 2"),
        (",0,1,y\n0,1,300,0\n", "line 2, column 3: expected an integer from 0 to 255, got '300'"),
        ("0,1,y\n1,2,2\n", "column y: labels must be 0 or 1, but the one of example 0 is 2"),
        ("0,1,y\n", "there is a header but no rows"),
        ("1,2,0\n3,4,1\n", "line 1 must be a header '0,1,...,y' whose last column is y"),
        ("y\n1\n", "line 1 must be a header"),
        ("0;1;y\n1;2;0\n", "line 1 must be a header"),
        ("\n", "line 1 must be a header"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, message):
    path = write(tmp_path / "bad.csv", text)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        load_csv(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "photo.csv"
    path.write_bytes(b"\xff\xd8\xff\xe0 not text")
    with pytest.raises(ValueError, match=r"photo\.csv is not a text file in UTF-8"):
        load_csv(path)


def test_bytes_that_are_no_text_further_down_are_found(tmp_path):
    path = tmp_path / "spoilt.csv"
    path.write_bytes(b"0,1,y\n1,2,0\n1,\xff,0\n")
    with pytest.raises(ValueError, match="line 3, column 2"):
        load_csv(path)


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(OSError, match=r"e\.csv is empty"):
        load_csv(write(tmp_path / "e.csv", ""))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no\.csv does not exist"):
        load_csv(tmp_path / "no.csv")


@pytest.mark.photos
def test_the_series_own_file_holds_the_test_photos(photo_data, photos):
    data = load_csv(photo_data / "catvnoncat" / "test_set.csv")
    np.testing.assert_array_equal(data.x, photos.X_test)
    np.testing.assert_array_equal(data.y, photos.y_test)
