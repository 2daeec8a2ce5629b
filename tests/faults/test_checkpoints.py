"""Damaged, foreign, hostile and newer model files: one sentence, and nothing executed."""

import hashlib
import json
import os
import pickle
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from purrceptron import _core, _safetensors
from purrceptron._errors import CheckpointError
from purrceptron._model_file import load, save
from purrceptron._network import Network

Header = dict[str, Any]


@pytest.fixture
def net() -> Network:
    net = Network([3, 2, 1], seed=1)
    net.class_names = ("non-cat", "cat")
    net.training = {"epochs": 3}
    return net


@pytest.fixture
def path(tmp_path: Path, net: Network) -> Path:
    path = tmp_path / "model.safetensors"
    save(net, path)
    return path


def take_apart(path: Path) -> tuple[Header, bytes]:
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), data[end:]


def put_together(path: Path, header: Header | bytes, rest: bytes) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + rest)


def edit(path: Path, change: Callable[[Header], None], rest: bytes | None = None) -> None:
    """Change the header as someone would who knows the format: no checksum is left wrong."""
    header, old_rest = take_apart(path)
    header["__metadata__"].pop("tensors_sha256", None)
    header["__metadata__"].pop("metadata_sha256", None)
    change(header)
    put_together(path, header, old_rest if rest is None else rest)


def edit_json(key: str, **values: Any) -> Callable[[Header], None]:
    """A change of the JSON object under `key` in the metadata."""

    def change(header: Header) -> None:
        metadata = header["__metadata__"]
        metadata[key] = json.dumps(json.loads(metadata[key]) | values)

    return change


def assert_refused(path: Path, problem: str, **options: Any) -> None:
    with pytest.raises(CheckpointError) as raised:
        load(path, **options)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert re.search(problem, message), message
    assert "\n" not in message


# The container


def test_no_bytes(path: Path) -> None:
    path.write_bytes(b"")
    assert_refused(path, "the file is empty")


def test_every_truncation_is_refused(path: Path) -> None:
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert_refused(path, "the file (is empty|ends|is not as long)")


def test_a_header_over_100_mb(path: Path) -> None:
    path.write_bytes((100_000_001).to_bytes(8, "little") + path.read_bytes()[8:])
    assert_refused(path, "a header of more than 100 MB")


def test_a_header_that_is_not_utf_8(path: Path) -> None:
    header, rest = take_apart(path)
    text = json.dumps(header).encode().replace(b"architecture", b"\xff\xfe\xfd" + b"x" * 9)
    put_together(path, text, rest)
    assert_refused(path, "the header is not UTF-8")


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b"null", b"{'a': 1}", b'{"a": NaN}', b"[" * 100_000, b'{"a": 1}', b" "]
)
def test_a_header_that_is_not_the_json_of_a_container(path: Path, text: bytes) -> None:
    put_together(path, text, take_apart(path)[1])
    assert_refused(path, "the header is not valid")


def move(name: str, start: int, stop: int) -> Callable[[Header], None]:
    def change(header: Header) -> None:
        header[name]["data_offsets"] = [start, stop]

    return change


def test_tensors_that_overlap(path: Path) -> None:
    edit(path, move("layers.0.weight", 4, 28))
    assert_refused(path, r'"layers\.0\.weight" does not begin where the one before it ends')


def test_a_hole_between_tensors(path: Path) -> None:
    header, rest = take_apart(path)
    assert header["layers.1.weight"]["data_offsets"] == [36, 44]
    edit(path, move("layers.1.weight", 40, 48), rest[:36] + b"hole" + rest[36:])
    assert_refused(path, r'"layers\.1\.weight" does not begin where the one before it ends')


def test_bytes_after_the_last_tensor(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    assert_refused(path, "something follows it")


def test_a_shape_that_does_not_fit_its_bytes(path: Path) -> None:
    edit(path, lambda header: header["layers.0.weight"].update(shape=[2, 4]))
    assert_refused(path, "a tensor's shape does not fit")


def test_a_shape_whose_product_overflows(path: Path) -> None:
    edit(path, lambda header: header["layers.0.weight"].update(shape=[2**62, 2**62]))
    assert_refused(path, "a tensor's shape does not fit")


def test_offsets_that_are_negative_or_not_numbers(path: Path) -> None:
    for offsets in ([-8, 16], [0, "24"], [0, 1e30], [0]):
        edit(path, lambda header, o=offsets: header["layers.0.weight"].update(data_offsets=o))
        assert_refused(path, "the header is not valid")


@pytest.mark.parametrize(
    ("key", "other_value"),
    [
        ('"layers.0.weight"', '{"dtype": "F32", "shape": [2, 3], "data_offsets": [8, 32]}'),
        ('"shape"', "[3]"),
        ('"__metadata__"', "{}"),
        ('"uint8_scale"', '"1.0"'),
        (r"\"layer_sizes\"", "[1, 1]"),
    ],
)
def test_a_key_that_stands_twice(path: Path, key: str, other_value: str) -> None:
    edit(path, lambda header: None)
    header, rest = take_apart(path)
    text = json.dumps(header)
    twice = text.replace(f"{key}: ", f"{key}: {other_value}, {key}: ", 1)
    assert twice != text
    put_together(path, twice.encode(), rest)
    assert_refused(path, "has the key .* twice|duplicate field")


@given(st.binary(), st.binary())
def test_whatever_bytes_they_are_the_only_error_is_ours(header: bytes, rest: bytes) -> None:
    for data in (header, len(header).to_bytes(8, "little") + header + rest):
        with pytest.raises(CheckpointError):
            _safetensors.decode(data)


# What stands in it


def test_a_flipped_bit_in_a_tensor(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert_refused(path, "its tensors are not those that were saved: their checksum")


def test_any_flipped_bit_is_refused_or_harmless(path: Path) -> None:
    data = path.read_bytes()
    model = _safetensors.decode(data)
    harmless = 0
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            again = _safetensors.decode(bytes(flipped))
            again.check()
        except CheckpointError:
            continue
        # It hit the name of a checksum, so that there was none, and nothing else.
        harmless += 1
        assert str(again) == str(model)
    assert harmless <= 8 * len("metadata_sha256")


def test_files_without_checksums_load(path: Path, net: Network) -> None:
    edit(path, lambda header: None)
    assert "sha256" not in path.read_bytes().decode("latin-1")
    np.testing.assert_array_equal(load(path).parameters[0][0], net.parameters[0][0])


def test_metadata_that_was_edited(path: Path) -> None:
    header, rest = take_apart(path)
    header["__metadata__"]["uint8_scale"] = "1.0"
    put_together(path, header, rest)
    assert_refused(path, "its metadata are not those that were saved: their checksum")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", ["weight", "bias"])
def test_weights_that_are_not_finite_need_an_opt_in(path: Path, part: str, value: float) -> None:
    header, rest = take_apart(path)
    stop = header[f"layers.0.{part}"]["data_offsets"][1]
    rest = rest[: stop - 4] + np.array(value, "<f4").tobytes() + rest[stop:]
    header["__metadata__"]["tensors_sha256"] = hashlib.sha256(rest).hexdigest()
    del header["__metadata__"]["metadata_sha256"]
    put_together(path, header, rest)
    where = r"\(1, 2\)" if part == "weight" else r"\(1,\)"
    assert_refused(path, rf"layers\.0\.{part} is {value} at {where}; .*allow_nonfinite=True")
    weight, bias = load(path, allow_nonfinite=True).parameters[0]
    np.testing.assert_array_equal((weight if part == "weight" else bias).ravel()[-1], value)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"layer_sizes": [4, 2, 1]}, r"layers\.0\.weight has shape \(2, 3\), but .* want \(2, 4\)"),
        ({"layer_sizes": [3, 2, 2]}, r"layers\.1\.weight has shape \(1, 2\), but .* want \(2, 2\)"),
        ({"layer_sizes": [3, 2]}, r"a tensor 'layers\.1\.bias', for which .* no place"),
        ({"layer_sizes": [3, 2, 1, 1]}, r"a tensor 'layers\.2\.weight', which is not there"),
        ({"layer_sizes": [3]}, "for which its architecture has no place"),
        ({"layer_sizes": []}, "for which its architecture has no place"),
        ({"layer_sizes": [3, 2, True]}, "'layer_sizes' is True, not of type int"),
        ({"layer_sizes": "3-2-1"}, "'layer_sizes' is '3-2-1', not of type list"),
        ({"layer_sizes": [3, 2.0, 1]}, "'layer_sizes' is 2.0, not of type int"),
        ({"layer_sizes": [-3, 2, 1]}, "its layer sizes, -3-2-1, make no network"),
        ({"hidden": []}, "names 0 hidden activations"),
        ({"hidden": ["relu", "relu"]}, "names 2 hidden activations"),
        ({"hidden": ["os.system"]}, "os.system"),
        ({"output": "eval"}, "eval"),
        ({"dtype": "float64"}, "is F32, but the network is float64"),
        ({"dtype": "object"}, "its dtype is 'object'"),
    ],
)
def test_an_architecture_that_does_not_fit(
    path: Path, values: dict[str, Any], problem: str
) -> None:
    edit(path, edit_json("architecture", **values))
    assert_refused(path, problem)


def test_an_absurd_architecture_is_refused_before_memory_is_taken(path: Path) -> None:
    for sizes in ([10**12, 10**12, 1], [3, 10**30, 1], [3, 2, 2**63]):
        edit(path, edit_json("architecture", layer_sizes=sizes))
        assert_refused(path, r"layers\.\d\.\w+ has shape")


@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        ("uint8_scale", "NaN", "NaN, which is not a number in JSON"),
        ("uint8_scale", "0.0", "uint8_scale is 0.0"),
        ("uint8_scale", "1e999", "uint8_scale is inf"),
        ("uint8_scale", '"1"', "'uint8_scale' is '1', not of type float"),
        ("architecture", "{", "its JSON is not valid"),
        ("architecture", "[" * 100_000, "its JSON is nested too deeply"),
        ("architecture", "[]", r"'architecture' is \[\], not of type dict"),
        ("class_names", '["cat", 1]', "'class_names' is 1, not of type str"),
        ("class_names", '["cat"]', "class_names .* expected 2 names"),
        ("training", "3", "'training' is 3, not of type dict"),
        ("format_version", "one", "'format_version' is 'one', not a positive number"),
        ("format_version", "0", "'format_version' is '0', not a positive number"),
        ("format_version", "-1", "'format_version' is '-1', not a positive number"),
    ],
)
def test_a_metadata_entry_that_is_not_what_it_should_be(
    path: Path, key: str, text: str, problem: str
) -> None:
    edit(path, lambda header: header["__metadata__"].update({key: text}))
    assert_refused(path, problem)


@pytest.mark.parametrize("key", ["architecture", "uint8_scale"])
def test_a_metadata_entry_that_is_missing(path: Path, key: str) -> None:
    edit(path, lambda header: header["__metadata__"].pop(key))
    assert_refused(path, f"{key!r} is None")


def test_a_newer_format_names_both_versions(path: Path) -> None:
    # Whatever else is new in it, the version is what the reader hears of.
    def newer(header: Header) -> None:
        header["layers.0.weight"]["dtype"] = "I32"
        header["__metadata__"] |= {"format_version": "7", "written_by": "purrceptron 9.1.0"}
        header["__metadata__"]["architecture"] = "something else"

    edit(path, newer)
    version = re.escape(_core.__version__)
    assert_refused(
        path, rf"version 7 \(written by purrceptron 9\.1\.0\), and purrceptron {version} reads .* 2"
    )


def test_unknown_metadata_is_ignored(path: Path) -> None:
    edit(path, lambda header: header["__metadata__"].update(note="a later version may add this"))
    assert load(path).layer_sizes == (3, 2, 1)


def test_a_safetensors_file_of_someone_else(path: Path) -> None:
    edit(path, lambda header: header.pop("__metadata__"))
    assert_refused(path, "no purrceptron model")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_a_renamed_pickle_is_refused_and_nothing_executed(
    tmp_path: Path, suffix: str, protocol: int
) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "executed"),)

    path = tmp_path / f"model{suffix}"
    path.write_bytes(pickle.dumps(Trap(), protocol))
    assert_refused(path, "not a safetensors file" if suffix == ".safetensors" else "JSON is not")
    assert not (tmp_path / "executed").exists()


def test_two_writers_leave_one_complete_model(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    nets = [Network([50, 20, 1], seed=seed) for seed in (1, 2)]
    start = threading.Barrier(2)

    def write(net: Network) -> None:
        start.wait()
        for _ in range(10):
            try:
                save(net, path)
            except PermissionError:
                # Windows may refuse a rename while the other one takes place.
                if os.name != "nt":
                    raise

    writers = [threading.Thread(target=write, args=(net,)) for net in nets]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    weight = load(path).parameters[0][0]
    assert any(np.array_equal(weight, net.parameters[0][0]) for net in nets)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
