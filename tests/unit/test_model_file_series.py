"""The series' own JSON: its author's model gives the published labels, and ours reads like it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from purrceptron import _series_json
from purrceptron._model_file import load, save
from purrceptron._network import Network
from purrceptron._stored_model import StoredModel


def plain_forward(net: Network, X: NDArray[np.uint8]) -> NDArray[Any]:
    """The series' forward pass in NumPy, of nothing but the loaded parameters."""
    a = X / 255
    for w, b in net.parameters[:-1]:
        a = np.maximum(a @ w.T + b, 0)
    w, b = net.parameters[-1]
    return 1 / (1 + np.exp(-(a @ w.T + b)))


@pytest.fixture
def series_model(photo_data: Path) -> Path:
    return photo_data / "catvnoncat" / "series_model.json"


@pytest.mark.photos
def test_the_authors_model_labels_the_photos_as_it_does_in_numpy(
    series_model: Path, photos: Any
) -> None:
    net = load(series_model)
    assert net.layer_sizes == (12288, 20, 7, 5, 1)
    assert net.hidden == ("relu", "relu", "relu")
    assert net.output == "sigmoid"
    assert net.dtype == np.float32
    assert net.uint8_scale == 1 / 255
    for X, y, right in ((photos.X, photos.y, 209), (photos.X_test, photos.y_test, 37)):
        expected = plain_forward(net, X)
        assert ((expected[:, 0] > 0.5) == y).sum() == right
        assert (net.predict(X) == y).sum() == right
        np.testing.assert_allclose(net.predict_proba(X), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.photos
@pytest.mark.parametrize("name", ["again.json", "again.safetensors"])
def test_the_authors_model_survives_saving_bit_for_bit(
    series_model: Path, tmp_path: Path, name: str
) -> None:
    net = load(series_model)
    save(net, tmp_path / name)
    again = load(tmp_path / name)
    for (w, b), (other_w, other_b) in zip(net.parameters, again.parameters, strict=True):
        np.testing.assert_array_equal(w, other_w)
        np.testing.assert_array_equal(b, other_b)


def test_the_form_is_the_series_own(tmp_path: Path) -> None:
    net = Network([2, 2, 1])
    net.set_parameters(
        [(np.array([[1.0, 0.1], [-2.5, 1e-10]]), np.zeros(2)), (np.array([[3, 4]]), np.ones(1))]
    )
    save(net, tmp_path / "model.json")
    assert (tmp_path / "model.json").read_text() == (
        '{"W1":{"v":1,"dim":[2,2],"data":[1.0,0.1,-2.5,1e-10]},'
        '"b1":{"v":1,"dim":[2,1],"data":[0.0,0.0]},'
        '"W2":{"v":1,"dim":[1,2],"data":[3.0,4.0]},'
        '"b2":{"v":1,"dim":[1,1],"data":[1.0]}}\n'
    )


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_each_float32_is_written_with_the_fewest_digits_that_read_back(values: list[float]) -> None:
    array = np.array([values], np.float32)
    model = StoredModel(
        (len(values), 1), (), "sigmoid", "float32", 1 / 255, [(array, np.zeros(1, np.float32))]
    )
    data = _series_json.encode(model)
    ((weight, _),) = _series_json.decode(data).parameters
    np.testing.assert_array_equal(weight, array)
    texts = json.loads(data, parse_float=str)["W1"]["data"]
    for text, value in zip(texts, array[0], strict=True):
        digits = len(text.split("e")[0].lstrip("-0.").replace(".", "").strip("0"))
        assert digits <= 9
        shorter = np.float32(f"{value:.{max(digits - 2, 0)}e}")
        assert digits <= 1 or shorter != value


def test_keys_may_stand_in_any_order() -> None:
    net = Network([3, 2, 1], seed=1)
    file = json.loads(_series_json.encode(StoredModel.of(net)))
    backwards = json.dumps(dict(reversed(file.items()))).encode()
    for (w, b), (other_w, other_b) in zip(
        net.parameters, _series_json.decode(backwards).parameters, strict=True
    ):
        np.testing.assert_array_equal(w, other_w)
        np.testing.assert_array_equal(b, other_b)


def test_float64_parameters_are_rounded_to_float32(tmp_path: Path) -> None:
    net = Network([3, 1], dtype="float64", seed=1)
    save(net, tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert again.dtype == np.float32
    np.testing.assert_array_equal(again.parameters[0][0], net.parameters[0][0].astype(np.float32))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"hidden": ("relu", "tanh")}, "tanh in hidden layer 2"),
        ({"output": "softmax"}, "a softmax output"),
        ({"uint8_scale": 1.0}, "uint8_scale of 1.0"),
    ],
)
def test_a_network_that_the_form_cannot_hold_is_refused(
    change: dict[str, Any], problem: str
) -> None:
    layer = (np.ones((2, 2), np.float32), np.zeros(2, np.float32))
    settings: dict[str, Any] = {"hidden": ("relu", "relu"), "output": "sigmoid"}
    settings |= {"uint8_scale": 1 / 255} | change
    model = StoredModel(
        layer_sizes=(2, 2, 2, 2), dtype="float32", parameters=[layer] * 3, **settings
    )
    with pytest.raises(ValueError, match=f"the series' JSON holds .* this network has .*{problem}"):
        _series_json.encode(model)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_a_number_that_the_form_cannot_hold_is_refused(value: float) -> None:
    layer = (np.full((1, 2), value), np.zeros(1))
    model = StoredModel((2, 1), (), "sigmoid", "float64", 1 / 255, [layer])
    with pytest.raises(ValueError, match="not finite in float32"):
        _series_json.encode(model)
