"""Photos of any size, made into the 64 x 64 x 3 pictures that the networks here read."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from purrceptron._extras import require
from purrceptron.data._dataset import IMAGE_SHAPE, Dataset, Split, split_dataset
from purrceptron.data._paths import readable_file

if TYPE_CHECKING:
    from PIL.Image import Image

# Decoders worth trusting with a stranger's file. Pillow knows more; some start other programs.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")
) | {".ppm", ".pgm", ".avif"}


def load_photo(path: str | os.PathLike[str]) -> npt.NDArray[np.uint8]:
    """Read one photo as an example: (12288,) uint8 in (height, width, channel) order.

    It is turned as its EXIF orientation says, laid over white where it is transparent, converted
    to RGB and stretched to 64 x 64 without a crop (bicubic). Of an animation it is the first
    picture.

    Parameters
    ----------
    path : path
        A JPEG, PNG, WebP, GIF, BMP, TIFF, PPM or AVIF file.

    Raises
    ------
    OSError
        If the file is missing, empty, truncated or no image.
    ValueError
        If the image declares more pixels than Pillow deems sane (about 90 million).
    MissingExtraError
        If Pillow is not installed.
    """
    image_module = require("PIL.Image", extra="app", purpose="reading photos")
    file_path = readable_file(path)
    image_module.init()  # until then Pillow does not know which formats it was built with
    formats = [name for name in _FORMATS if name in image_module.OPEN]
    try:
        with warnings.catch_warnings():
            # Pillow warns from 90 million pixels on and raises from 180; here both are refused.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", image_module.DecompressionBombWarning)
            with image_module.open(file_path, formats=formats) as image:
                return _as_example(image)
    except (image_module.DecompressionBombError, image_module.DecompressionBombWarning) as error:
        raise ValueError(f"{file_path} declares too many pixels to be a photo: {error}") from error
    except image_module.UnidentifiedImageError as error:
        raise OSError(f"{file_path} is not an image that can be read") from error
    except MemoryError:
        raise
    except Exception as error:  # the decoders raise whatever they like on a damaged file
        raise OSError(f"{file_path} is a damaged image: {error}") from error


def load_folder(path: str | os.PathLike[str], *, classes: Sequence[str] | None = None) -> Dataset:
    """Read a folder of photos that has one sub-folder a class.

    Hidden files, and files whose suffix is not that of an image, are left out.

    Parameters
    ----------
    path : path
        The folder, such as ``pets`` with the photos in ``pets/cat`` and ``pets/dog``.
    classes : sequence of str, optional
        The sub-folders to read, in the order of their labels. By default all of them, sorted by
        name; but of two the one called ``cat`` or ``cats`` gets label 1, as in the series.

    Returns
    -------
    Dataset
        ``x`` (m, 12288) uint8 as from `load_photo`, sorted by class and file name.

    Raises
    ------
    OSError
        If the folder is missing, or a photo can not be read (the message names it).
    ValueError
        If there are fewer than two classes, or no photo in one of them.
    MissingExtraError
        If Pillow is not installed.
    """
    folder = Path(path)
    if not folder.exists():
        raise FileNotFoundError(f"{folder} does not exist")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    names = _class_names(folder) if classes is None else tuple(classes)
    if len(names) < 2:
        found = f"only {names[0]}" if names else "none"
        raise ValueError(
            f"{folder} must hold one sub-folder of photos for each of two classes or more, "
            f"but it has {found}"
        )
    photos = [(_photos(folder / name), label) for label, name in enumerate(names)]
    labels = [label for files, label in photos for _ in files]
    rows = [load_photo(file) for files, _ in photos for file in files]
    return Dataset(
        np.stack(rows), np.array(labels, dtype=np.int64), names, IMAGE_SHAPE, f"photos in {folder}"
    )


def load_folder_split(
    path: str | os.PathLike[str], *, test_fraction: float = 0.2, seed: int = 0
) -> Split:
    """Read a folder of photos as a training set and a test set.

    Parameters
    ----------
    path : path
        A folder as for `load_folder`, of whose photos a share is set aside for testing; or one
        that holds two such folders, ``train`` and ``test``.
    test_fraction, seed : float, int
        As in `split_dataset`; not used where ``train`` and ``test`` are there.

    Returns
    -------
    Split
        The two data sets.

    Raises
    ------
    OSError, ValueError, MissingExtraError
        As `load_folder` and `split_dataset`.
    """
    folder = Path(path)
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        train = load_folder(folder / "train")
        return Split(train, load_folder(folder / "test", classes=train.classes))
    return split_dataset(load_folder(folder), test_fraction=test_fraction, seed=seed)


def _as_example(image: "Image") -> npt.NDArray[np.uint8]:
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_8_bits(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(white, layer)
    height, width, _ = IMAGE_SHAPE
    image = image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.uint8).reshape(-1)


def _to_8_bits(image: "Image") -> "Image":
    """Scale grey values of 16 bits to 8; Pillow itself would cut them off at 255."""
    from PIL import Image

    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers, not colours")
    values = np.asarray(image).astype(np.int64)
    return Image.fromarray((np.clip(values, 0, 65535) // 257).astype(np.uint8), "L")


def _class_names(folder: Path) -> tuple[str, ...]:
    names = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if len(names) == 2 and names[0].lower() in ("cat", "cats"):
        names.reverse()
    return tuple(names)


def _photos(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} does not exist, or is not a folder")
    files = sorted(
        p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES and not p.name.startswith(".")
    )
    if not files:
        raise ValueError(f"{folder} holds no photos (files such as .jpg or .png)")
    return files
