"""Fault 47: image bombs, damaged and foreign images are refused by name; CMYK and alpha convert."""

import random
import re
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from purrceptron.data import load_folder, load_photo

Image = pytest.importorskip("PIL.Image")


def refusal(path: Path, error: type[Exception]) -> str:
    with pytest.raises(error, match=re.escape(str(path))) as caught:
        load_photo(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def png(path: Path, width: int, height: int) -> Path:
    """Write a PNG that declares a size and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
    return path


@pytest.fixture
def jpeg(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    path = tmp_path / "photo.jpg"
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("side", [10_000, 20_000, 2**31 - 1])
def test_an_image_bomb_is_refused_before_it_is_unpacked(tmp_path, side):
    path = png(tmp_path / "bomb.png", side, side)
    tracemalloc.start()
    try:
        message = refusal(path, ValueError)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "declares too many pixels to be a photo" in message
    assert peak < 1 << 22


@pytest.mark.parametrize("share", [0.99, 0.7, 0.3, 0.05])
def test_a_truncated_jpeg_is_refused(jpeg, share):
    content = jpeg.read_bytes()
    jpeg.write_bytes(content[: int(share * len(content))])
    refusal(jpeg, OSError)


def test_a_truncated_png_is_refused(tmp_path):
    assert "is a damaged image" in refusal(png(tmp_path / "short.png", 64, 64), OSError)


@pytest.mark.parametrize(
    "content", [b"not an image", b"\xff\xd8\xff", b"%!PS-Adobe-3.0 EPSF-3.0\n"]
)
def test_what_is_no_image_is_refused(tmp_path, content):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    assert refusal(path, OSError).endswith("is not an image that can be read")


def test_a_format_that_starts_another_program_is_no_photo(tmp_path):
    path = tmp_path / "photo.eps"
    Image.new("RGB", (8, 8)).save(path)
    refusal(path, OSError)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(b"")
    assert refusal(path, OSError).endswith("is empty")


def test_a_missing_photo_and_a_folder_are_named(tmp_path):
    refusal(tmp_path / "no.jpg", FileNotFoundError)
    refusal(tmp_path, IsADirectoryError)


def test_floating_point_pixels_are_refused(tmp_path):
    path = tmp_path / "heights.tiff"
    Image.fromarray(np.zeros((8, 8), np.float32)).save(path)
    assert "floating-point numbers, not colours" in refusal(path, OSError)


def test_a_damaged_photo_in_a_folder_is_named(tmp_path, jpeg):
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "pets" / name / "a.png")
    bad = tmp_path / "pets" / "dog" / "b.jpg"
    bad.write_bytes(jpeg.read_bytes()[:500])
    with pytest.raises(OSError, match=re.escape(str(bad))):
        load_folder(tmp_path / "pets")


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "tiff", "bmp"])
def test_flipped_bytes_end_in_a_picture_or_a_refusal(tmp_path, suffix):
    path = tmp_path / f"photo.{suffix}"
    rng = random.Random(suffix)
    pixels = np.random.default_rng(2).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    sound = path.read_bytes()
    for _ in range(60):
        damaged = bytearray(sound)
        for _ in range(3):
            damaged[rng.randrange(min(len(sound), 400))] = rng.randrange(256)
        path.write_bytes(bytes(damaged))
        try:
            outcome = f"{path} {load_photo(path).shape}"
        except (OSError, ValueError) as error:
            outcome = str(error)
        assert str(path) in outcome


def test_cmyk_is_converted(tmp_path):
    path = tmp_path / "print.jpg"
    Image.new("CMYK", (64, 64), (0, 255, 255, 0)).save(path, quality=95)
    red, green, blue = load_photo(path).reshape(64, 64, 3)[32, 32].tolist()
    assert red > 240
    assert green < 15
    assert blue < 15


def test_alpha_is_converted(tmp_path):
    path = tmp_path / "cut-out.png"
    Image.new("RGBA", (64, 64), (255, 0, 0, 51)).save(path)
    assert load_photo(path)[:3].tolist() == [255, 204, 204]
