"""Malformed model files in the series' JSON: one sentence that names the file."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purrceptron import _series_json
from purrceptron._errors import CheckpointError
from purrceptron._model_file import load

W1 = {"v": 1, "dim": [1, 2], "data": [0.5, 1]}
b1 = {"v": 1, "dim": [1, 1], "data": [0.0]}


def series(**changes: Any) -> str:
    return json.dumps({"W1": W1, "b1": b1} | changes)


def assert_refused(path: Path, problem: str) -> None:
    with pytest.raises(CheckpointError) as raised:
        load(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert re.search(problem, message), message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty"),
        ("{", "its JSON is not valid"),
        (series()[:-10], "its JSON is not valid"),
        (series() + "x", "its JSON is not valid"),
        ("[" * 100_000, "its JSON is nested too deeply"),
        ("[]", "no model in the series' form"),
        ("{}", "no model in the series' form"),
        ("3", "no model in the series' form"),
        ('{"W1": 1, "W1": 2}', "the key 'W1' twice"),
        (json.dumps({"W1": W1}), "'b1' is missing"),
        (json.dumps({"W2": W1, "b2": b1}), "'W1' is missing"),
        (series(extra=1), "'W2' is missing"),
        (series(W3=W1, b3=b1), "'W2' is missing"),
        (series(W1=[0.5, 1]), "W1 is not"),
        (series(W1=W1 | {"more": 1}), "W1 is not"),
        (series(W1={"dim": [1, 2], "data": [0.5, 1]}), "W1 is not"),
        (series(W1=W1 | {"v": 2}), "W1 has v 2, and only v 1 is known"),
        (series(W1=W1 | {"v": True}), "W1 has v True"),
        (series(W1=W1 | {"dim": [2]}), "W1 has dim"),
        (series(W1=W1 | {"dim": [1, 2.0]}), "W1 has dim"),
        (series(W1=W1 | {"dim": [-1, -2]}), "W1 has dim"),
        (series(W1=W1 | {"dim": [0, 2], "data": []}), "W1 has dim"),
        (series(W1=W1 | {"dim": [1, True]}), "W1 has dim"),
        (series(W1=W1 | {"dim": [10**12, 10**12]}), "but 2 numbers"),
        (series(W1=W1 | {"data": [1]}), "but 1 numbers"),
        (series(W1=W1 | {"data": "ab"}), "data that are not a list of numbers"),
        (series(W1=W1 | {"data": [1, "2"]}), "data that are not a list of numbers"),
        (series(W1=W1 | {"data": [1, None]}), "data that are not a list of numbers"),
        (series(W1=W1 | {"data": [1, True]}), "data that are not a list of numbers"),
        (series(W1=W1 | {"data": [1, [2]]}), "data that are not a list of numbers"),
        (series(W1=W1 | {"data": [1, 10**400]}), "an integer beyond every float"),
        (series(b1=b1 | {"dim": [2, 1], "data": [0, 0]}), "b1 has dim .2, 1., but W1"),
        (series(W2=W1, b2=b1), "W2 has dim .1, 2. and does not follow W1 with dim .1, 2."),
        (series(W1=W1 | {"data": [1, float("nan")]}), "holds NaN"),
        (series(W1=W1 | {"data": [1, float("inf")]}), "holds Infinity"),
        (series().replace("0.5", "1e999"), r"layers\.0\.weight is inf at \(0, 0\)"),
        (series().replace("0.5", "1e39"), r"layers\.0\.weight is inf at \(0, 0\)"),
        (series().replace("0.5", "9" * 5000), "its JSON is not valid"),
        (series().replace("0.5", "0x1p3"), "its JSON is not valid"),
    ],
)
def test_a_malformed_series_file(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    assert_refused(path, problem)


def test_a_series_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(series().encode()[:20] + b"\xff" + series().encode()[20:])
    assert_refused(path, "its JSON is not UTF-8")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["W1", "b1", "W2", "v", "dim", "data"]), inner)
    ),
)


@given(json_values | st.fixed_dictionaries({"W1": json_values, "b1": json_values}))
def test_whatever_json_it_is_the_only_error_is_ours(value: Any) -> None:
    with contextlib.suppress(CheckpointError):
        _series_json.decode(json.dumps(value).encode())


@given(st.binary())
def test_whatever_bytes_they_are_the_only_error_is_ours(data: bytes) -> None:
    with pytest.raises(CheckpointError):
        _series_json.decode(data)
