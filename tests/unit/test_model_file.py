"""Saving and loading gives the same network back, in a form that others can read."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from purrceptron import _safetensors
from purrceptron._model_file import load, save
from purrceptron._network import Network
from purrceptron._stored_model import StoredModel


def a_network(dtype: str = "float32", **settings: Any) -> Network:
    net = Network([4, 3, 2], dtype=dtype, seed=1, **settings)
    rng = np.random.default_rng(1)
    net.set_parameters(
        [(rng.standard_normal(w.shape), rng.standard_normal(b.shape)) for w, b in net.parameters]
    )
    return net


def assert_same(a: Network, b: Network) -> None:
    for name in ("layer_sizes", "hidden", "output", "dtype", "uint8_scale", "class_names"):
        assert getattr(a, name) == getattr(b, name), name
    assert a.training == b.training
    for (w, bias), (other_w, other_bias) in zip(a.parameters, b.parameters, strict=True):
        np.testing.assert_array_equal(w, other_w)
        np.testing.assert_array_equal(bias, other_bias)
        assert w.dtype == other_w.dtype == bias.dtype == other_bias.dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_safetensors_gives_everything_back(tmp_path: Path, dtype: str) -> None:
    net = a_network(dtype, uint8_scale=0.5)
    net.class_names = ("kein Kätzchen", 'cat "one"')
    net.training = {"epochs": 3, "optimizer": {"name": "SGD", "learning_rate": 0.0075}}
    save(net, tmp_path / "model.safetensors")
    assert_same(load(tmp_path / "model.safetensors"), net)


def test_a_network_without_names_and_training_loads(tmp_path: Path) -> None:
    net = a_network()
    save(net, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert again.class_names is None
    assert again.training == net.training


def test_logistic_regression_has_no_hidden_activations(tmp_path: Path) -> None:
    net = Network([4, 1], seed=1)
    for name in ("model.safetensors", "model.json"):
        save(net, tmp_path / name)
        assert_same(load(tmp_path / name), net)


def test_more_than_ten_layers_stay_in_order(tmp_path: Path) -> None:
    net = Network([2] * 13 + [1], seed=1)
    for name in ("model.safetensors", "model.json"):
        save(net, tmp_path / name)
        assert_same(load(tmp_path / name), net)


def test_the_file_is_what_the_published_format_says(tmp_path: Path) -> None:
    # Read with struct and json alone: length, header, tensors.
    net = a_network()
    net.class_names = ("non-cat", "cat")
    save(net, tmp_path / "model.safetensors")
    data = (tmp_path / "model.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    assert length % 8 == 0
    header = json.loads(data[8 : 8 + length])
    rest = data[8 + length :]

    metadata = header.pop("__metadata__")
    assert metadata["format_version"] == "1"
    assert json.loads(metadata["architecture"]) == {
        "layer_sizes": [4, 3, 2],
        "hidden": ["relu"],
        "output": "sigmoid",
        "dtype": "float32",
    }
    assert json.loads(metadata["uint8_scale"]) == 1 / 255
    assert json.loads(metadata["class_names"]) == ["non-cat", "cat"]
    assert metadata["tensors_sha256"] == hashlib.sha256(rest).hexdigest()

    for i, (weight, bias) in enumerate(net.parameters):
        for name, array in ((f"layers.{i}.weight", weight), (f"layers.{i}.bias", bias)):
            entry = header.pop(name)
            start, stop = entry["data_offsets"]
            assert entry["dtype"] == "F32"
            assert entry["shape"] == list(array.shape)
            assert rest[start:stop] == array.astype("<f4").tobytes()
    assert header == {}


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    net = a_network()
    net.training = {"b": 1, "a": [1, 2], "c": {"z": 0, "y": 1}}
    contents = set()
    for name in ("a.safetensors", "b.safetensors", "c.safetensors"):
        save(net, tmp_path / name)
        contents.add((tmp_path / name).read_bytes())
        net = load(tmp_path / name)
    assert len(contents) == 1


def test_numpy_numbers_among_the_training_settings_are_kept(tmp_path: Path) -> None:
    net = a_network()
    net.training = {"loss": np.float64(0.25), "epochs": np.int64(3)}
    save(net, tmp_path / "model.safetensors")
    assert load(tmp_path / "model.safetensors").training == {"loss": 0.25, "epochs": 3}


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=4))
def test_every_finite_float64_comes_back(values: list[float]) -> None:
    net = Network([3, 1], dtype="float64")
    net.set_parameters([(np.array([values[:3]]), np.array(values[3:]))])
    model = _safetensors.decode(_safetensors.encode(StoredModel.of(net)))
    ((weight, bias),) = model.parameters
    assert [*weight.ravel(), *bias] == values


@pytest.mark.parametrize("name", ["model.pkl", "model", "model.safetensors.bak"])
def test_another_suffix_is_refused_naming_both(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"but must end in \.safetensors or \.json"):
        save(a_network(), tmp_path / name)
    with pytest.raises(ValueError, match=r"but must end in \.safetensors or \.json"):
        load(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"model\.json"):
        load(tmp_path / "model.json")


def test_saving_does_not_change_the_network(tmp_path: Path) -> None:
    net, same = a_network(), a_network()
    save(net, tmp_path / "model.safetensors")
    save(net, tmp_path / "model.json")
    assert_same(net, same)
