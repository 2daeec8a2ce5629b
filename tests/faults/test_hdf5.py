"""Faults 40 to 44: hostile and damaged HDF5 files are refused by name, before any value is read."""

import re
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from purrceptron.data import load_cats


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sound file, for a test to spoil."""
    path = tmp_path / "train_cats.h5"
    pixels = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    with h5py.File(path, "w") as file:
        file["train_set_x"] = pixels
        file["train_set_y"] = np.array([0, 1, 0, 1])
        file["list_classes"] = np.array([b"non-cat", b"cat"])
    return path


def replace(path: Path, name: str, **settings: object) -> None:
    with h5py.File(path, "a") as file:
        del file[name]
        if settings:
            file.create_dataset(name, **settings)


def refusal(path: Path, error: type[Exception], **options: bool) -> str:
    """Load the file, which must fail with one sentence that names it; return the sentence."""
    with pytest.raises(error, match=re.escape(str(path))) as caught:
        load_cats(path, **options)
    assert type(caught.value) is error or issubclass(error, OSError)
    message = str(caught.value)
    assert "\n" not in message
    return message


# 40: empty, foreign, truncated


def test_a_missing_file_is_named(tmp_path):
    assert refusal(tmp_path / "no.h5", FileNotFoundError).endswith("does not exist")


def test_a_folder_is_no_file(tmp_path):
    assert "is a folder" in refusal(tmp_path, IsADirectoryError)


def test_an_empty_file_is_refused(path):
    path.write_bytes(b"")
    assert refusal(path, OSError).endswith("is empty")


@pytest.mark.parametrize("content", [b"PK\x03\x04 not HDF5", b"\x00" * 5000, b"0,1,y\n1,2,0\n"])
def test_a_foreign_file_is_refused(path, content):
    path.write_bytes(content)
    assert "is not a readable HDF5 file" in refusal(path, OSError)


@pytest.mark.parametrize("share", [0.999, 0.9, 0.5, 0.1, 0.01])
def test_a_truncated_file_is_refused(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refusal(path, OSError)


def test_a_file_cut_inside_its_pixels_is_refused(path):
    """With the length that HDF5 wrote down put right, so that only reading can notice."""
    with h5py.File(path) as file:
        start = file["train_set_x"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[start + 100 :] = b""
    length = len(path.read_bytes()).to_bytes(8, "little")
    at = bytes(content).index(length)
    content[at : at + 8] = len(content).to_bytes(8, "little")
    path.write_bytes(bytes(content))
    refusal(path, OSError)


def test_flipped_bytes_never_crash_and_never_hide_the_path(path):
    """A few hundred damaged copies in a process of their own: HDF5 may refuse, never die."""
    script = """
import sys, random
from pathlib import Path
from purrceptron.data import load_cats
path = Path(sys.argv[1]); sound = path.read_bytes(); rng = random.Random(1)
for _ in range(400):
    damaged = bytearray(sound)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(4096) if rng.random() < 0.8 else rng.randrange(len(sound))
        damaged[at] = rng.randrange(256)
    path.write_bytes(bytes(damaged))
    try:
        load_cats(path)
    except (OSError, ValueError) as error:
        assert str(path) in str(error), error
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


# 41: missing, wrong dtype, wrong rank


def test_a_missing_dataset_lists_what_is_there(path):
    replace(path, "train_set_y")
    message = refusal(path, ValueError)
    assert message.endswith("has no train_set_y; it holds list_classes, train_set_x")


def test_a_file_without_pictures_lists_what_is_there(path):
    replace(path, "train_set_x")
    message = refusal(path, ValueError)
    assert message.endswith(
        "must hold train_set_x or test_set_x, but it holds list_classes, train_set_y"
    )


def test_a_file_with_nothing_in_it_is_refused(path):
    h5py.File(path, "w").close()
    assert refusal(path, ValueError).endswith("but it holds nothing")


def test_a_file_with_both_halves_is_ambiguous(path):
    with h5py.File(path, "a") as file:
        file["test_set_x"] = file["train_set_x"][:]
    assert "must hold one of train_set_x and test_set_x" in refusal(path, ValueError)


def test_a_crowd_of_datasets_is_not_listed_whole_nor_in_two_lines(path):
    with h5py.File(path, "w") as file:
        for i in range(1000):
            file.create_group(f"{i:03}\n")
    message = refusal(path, ValueError)
    assert message.endswith("'018\\n', '019\\n' and 980 more")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("train_set_x", np.zeros((4, 64, 64, 3)), "uint8 of shape (m, height, width, channels)"),
        ("train_set_x", np.zeros((4, 12288), np.uint8), "uint8 of shape"),
        ("train_set_x", np.uint8(3), "uint8 of shape"),
        ("train_set_y", np.zeros(4), "integers of shape (m,), got float64 of shape (4,)"),
        ("train_set_y", np.zeros((4, 1), np.int64), "integers of shape (m,)"),
        ("list_classes", np.zeros(2), "strings of shape (classes,)"),
        ("list_classes", np.array([[b"a", b"b"]]), "strings of shape (classes,)"),
    ],
)
def test_a_wrong_dtype_or_rank_says_what_came_and_what_is_there(path, name, value, expected):
    replace(path, name, data=value)
    message = refusal(path, ValueError)
    assert f"{name} must be {expected}" in message
    assert message.endswith("the file holds list_classes, train_set_x, train_set_y")


def test_a_compound_type_is_refused(path):
    replace(path, "train_set_y", data=np.zeros(4, dtype=[("a", "i4"), ("b", "i4")]))
    assert "train_set_y must be integers" in refusal(path, ValueError)


def test_class_names_of_variable_length_numbers_are_refused(path):
    replace(path, "list_classes", shape=(2,), dtype=h5py.vlen_dtype(np.int32))
    assert "list_classes must be strings" in refusal(path, ValueError)


def test_a_dataset_without_extent_is_refused(path):
    replace(path, "train_set_x", data=h5py.Empty("u1"))
    assert "train_set_x" in refusal(path, ValueError)


def test_a_group_in_the_place_of_a_dataset_is_refused(path):
    replace(path, "train_set_x")
    with h5py.File(path, "a") as file:
        file.create_group("train_set_x")
    assert refusal(path, ValueError).endswith("train_set_x is a group, not a dataset")


def test_sizes_that_disagree_are_refused(path):
    replace(path, "train_set_y", data=np.array([0, 1, 0]))
    assert "train_set_x has 4 pictures but train_set_y has 3 labels" in refusal(path, ValueError)


def test_no_pictures_at_all_are_refused(path):
    replace(path, "train_set_x", data=np.zeros((0, 64, 64, 3), np.uint8))
    replace(path, "train_set_y", data=np.zeros(0, np.int64))
    assert "is empty" in refusal(path, ValueError)


@pytest.mark.parametrize("label", [2, -1, 2**40])
def test_labels_other_than_0_and_1_are_refused(path, label):
    replace(path, "train_set_y", data=np.array([0, 1, label, 1]))
    message = refusal(path, ValueError)
    assert f"train_set_y: labels must be 0 or 1, but the one of example 2 is {label}" in message


def test_an_unsigned_label_does_not_wrap_round(path):
    replace(path, "train_set_y", data=np.array([0, 1, 2**64 - 1, 1], dtype=np.uint64))
    assert "labels must be 0 or 1" in refusal(path, ValueError)


def test_one_class_name_is_not_enough(path):
    replace(path, "list_classes", data=np.array([b"cat"]))
    assert "two classes at least" in refusal(path, ValueError)


def test_a_class_name_that_would_spoil_the_terminal_is_refused(path):
    replace(path, "list_classes", data=np.array([b"cat", b"\x1b[31mdog"]))
    assert "class names must be printable" in refusal(path, ValueError)


# 42: shape bomb, gzip bomb


def reads_little(path: Path) -> str:
    """Return the refusal, which must come without the memory that the file asks for."""
    tracemalloc.start()
    try:
        message = refusal(path, ValueError)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 22
    return message


def test_a_shape_bomb_is_refused_before_reading(path):
    m = 10**12
    replace(path, "train_set_x", shape=(m, 64, 64, 3), dtype="u1", chunks=(1, 64, 64, 3))
    replace(path, "train_set_y", shape=(m,), dtype="i8", chunks=(1024,))
    assert "declares 11175.9 TiB, more than the 1.0 GiB" in reads_little(path)


def test_labels_alone_can_be_no_bomb_either(path):
    """Zero-width pictures: their product is zero bytes, whatever the number of rows."""
    replace(path, "train_set_x", shape=(10**12, 0, 64, 3), dtype="u1", maxshape=(None,) * 4)
    replace(path, "train_set_y", shape=(10**12,), dtype="i8", chunks=(1024,))
    reads_little(path)


def test_a_gzip_bomb_is_refused_before_reading(path):
    m, rows = 8000, 1000
    replace(
        path, "train_set_x", shape=(m, 64, 64, 3), dtype="u1", compression="gzip",
        chunks=(rows, 64, 64, 3),
    )  # fmt: skip
    replace(path, "train_set_y", data=np.zeros(m, np.int64))
    with h5py.File(path, "a") as file:
        nothing = zlib.compress(bytes(rows * 12288))
        for start in range(0, m, rows):
            file["train_set_x"].id.write_direct_chunk((start, 0, 0, 0), nothing)
    assert path.stat().st_size < 1 << 20
    message = reads_little(path)
    assert re.search(r"would unpack \d+\.\d KiB to 93\.8 MiB, more than 100 times", message)


def test_a_chunk_larger_than_its_dataset_is_a_bomb_too(path):
    replace(
        path, "train_set_x", shape=(4, 64, 64, 3), dtype="u1", compression="gzip",
        maxshape=(None, 64, 64, 3), chunks=(100_000, 64, 64, 3),
    )  # fmt: skip
    assert "declares 1.1 GiB" in reads_little(path)


def test_what_was_declared_but_never_written_is_refused(path):
    replace(path, "train_set_x", shape=(4, 64, 64, 3), dtype="u1")
    message = refusal(path, ValueError)
    assert message.endswith("train_set_x declares shape (4, 64, 64, 3) but stores nothing")


def test_a_million_class_names_are_refused(path):
    replace(path, "list_classes", data=np.zeros(10**6, "S1"))
    assert "list_classes must be at most 1000 short strings" in refusal(path, ValueError)


def test_endless_class_names_are_refused(path):
    replace(path, "list_classes", shape=(2,), dtype="S1000000")
    assert "list_classes must be at most 1000 short strings" in refusal(path, ValueError)


# 43: what leads out of the file, unless opted in


@pytest.fixture
def elsewhere(path: Path) -> Path:
    """Another file of this machine, which the pictures could be taken from."""
    other = path.with_name("other.h5")
    with h5py.File(path) as file, h5py.File(other, "w") as target:
        target["x"] = file["train_set_x"][:]
    replace(path, "train_set_x")
    return other


def opted_in(path: Path, other: Path) -> None:
    with h5py.File(other) as file:
        expected = file["x"][:].reshape(4, -1)
    np.testing.assert_array_equal(load_cats(path, allow_external=True).x, expected)


def test_an_external_link_is_refused_unless_opted_in(path, elsewhere):
    with h5py.File(path, "a") as file:
        file["train_set_x"] = h5py.ExternalLink(elsewhere.name, "/x")
    message = refusal(path, ValueError)
    assert "train_set_x is an external link to other.h5 /x, which is refused" in message
    assert "allow_external=True" in message
    opted_in(path, elsewhere)


def test_a_soft_link_is_refused_unless_opted_in(path):
    with h5py.File(path, "a") as file:
        file.move("train_set_x", "hidden")
        file["train_set_x"] = h5py.SoftLink("/hidden")
    assert "train_set_x is a soft link to /hidden, which is refused" in refusal(path, ValueError)
    assert len(load_cats(path, allow_external=True)) == 4


def test_a_soft_link_to_nowhere_is_refused(path):
    replace(path, "train_set_x")
    with h5py.File(path, "a") as file:
        file["train_set_x"] = h5py.SoftLink("/nowhere")
    refusal(path, ValueError)
    refusal(path, OSError, allow_external=True)


def test_a_virtual_dataset_is_refused_unless_opted_in(path, elsewhere):
    layout = h5py.VirtualLayout(shape=(4, 64, 64, 3), dtype="u1")
    layout[:] = h5py.VirtualSource(elsewhere, "x", shape=(4, 64, 64, 3))
    with h5py.File(path, "a") as file:
        file.create_virtual_dataset("train_set_x", layout)
    assert "train_set_x is a virtual dataset" in refusal(path, ValueError)
    opted_in(path, elsewhere)


def test_external_storage_is_refused_unless_opted_in(path):
    replace(path, "train_set_x")
    secret = path.with_name("secret.bin")
    secret.write_bytes(bytes(range(256)) * 192)
    with h5py.File(path, "a") as file:
        file.create_dataset(
            "train_set_x", shape=(4, 64, 64, 3), dtype="u1", external=[(secret, 0, 49152)]
        )
    assert "train_set_x keeps its values in another file" in refusal(path, ValueError)
    assert load_cats(path, allow_external=True).x[0, :4].tolist() == [0, 1, 2, 3]


def test_opting_in_still_refuses_a_bomb(path, elsewhere):
    layout = h5py.VirtualLayout(shape=(10**9, 64, 64, 3), dtype="u1")
    layout[:4] = h5py.VirtualSource(elsewhere, "x", shape=(4, 64, 64, 3))
    replace(path, "train_set_y", shape=(10**9,), dtype="i8", chunks=(1024,))
    with h5py.File(path, "a") as file:
        file.create_virtual_dataset("train_set_x", layout)
    assert "declares" in refusal(path, ValueError, allow_external=True)


# 44: unknown filter


def test_an_unknown_filter_is_named(path):
    unknown = 305
    assert not h5py.h5z.filter_avail(unknown)
    with h5py.File(path, "a") as file:
        pixels = file["train_set_x"][:]
        del file["train_set_x"]
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((4, 64, 64, 3))
        creation.set_filter(unknown, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple(pixels.shape)
        dataset = h5py.h5d.create(file.id, b"train_set_x", h5py.h5t.STD_U8LE, space, creation)
        dataset.write_direct_chunk((0, 0, 0, 0), pixels.tobytes(), 0)
    message = refusal(path, OSError)
    assert re.search(r"train_set_x is compressed with .*305.*, a filter that is not", message)


# 46: what can not be prevented is documented


def test_the_documentation_warns_of_hostile_files():
    assert "open only files that you trust" in (load_cats.__doc__ or "")
