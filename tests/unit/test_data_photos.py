"""Photos become pictures of 64 x 64 x 3 as the design says: turned, on white, stretched, RGB."""

from pathlib import Path

import numpy as np
import pytest

from purrceptron.data import load_folder, load_folder_split, load_photo

Image = pytest.importorskip("PIL.Image")


def picture(path: Path) -> np.ndarray:
    x = load_photo(path)
    assert x.shape == (12288,)
    assert x.dtype == np.uint8
    return x.reshape(64, 64, 3)


def write(path: Path, size=(8, 8), colour=(200, 30, 40), mode="RGB", **settings: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **settings)
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "tiff", "ppm", "webp"])
def test_every_format_is_read(tmp_path, suffix):
    path = write(tmp_path / f"photo.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    assert (picture(path) == [200, 30, 40]).all()


def test_a_jpeg_is_read(tmp_path):
    assert np.abs(picture(write(tmp_path / "a.jpg")) - [200.0, 30, 40]).max() <= 3


def test_a_picture_of_the_right_size_comes_back_byte_for_byte(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "same.png")
    np.testing.assert_array_equal(picture(tmp_path / "same.png"), pixels)


def test_it_is_stretched_without_a_crop_by_bicubic(tmp_path):
    pixels = np.random.default_rng(2).integers(0, 256, (30, 200, 3), dtype=np.uint8)
    wide = Image.fromarray(pixels)
    wide.save(tmp_path / "wide.png")
    expected = np.asarray(wide.resize((64, 64), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(picture(tmp_path / "wide.png"), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_applied(tmp_path, orientation):
    """The top left corner of the photo as taken is red; where a viewer shows it is known."""
    upright = np.zeros((64, 64, 3), np.uint8)
    upright[:16, :32] = (255, 0, 0)  # neither symmetric nor square
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(picture(tmp_path / "turned.png"), upright)


@pytest.mark.parametrize(
    ("mode", "colour"), [("RGBA", (10, 200, 30, 0)), ("LA", (10, 0)), ("PA", (0, 0))]
)
def test_what_is_transparent_is_white(tmp_path, mode, colour):
    path = tmp_path / "clear.png"
    image = Image.new(mode, (8, 8), colour)
    (image.convert("RGBA") if mode == "PA" else image).save(path)
    assert (picture(path) == 255).all()


def test_half_transparent_is_half_white(tmp_path):
    path = write(tmp_path / "half.png", mode="RGBA", colour=(0, 0, 0, 128))
    assert (picture(path) == 127).all()


def test_a_transparent_palette_colour_is_white(tmp_path):
    image = Image.new("P", (8, 8), 3)
    image.putpalette([9] * 768)
    image.save(tmp_path / "palette.gif", transparency=3)
    assert (picture(tmp_path / "palette.gif") == 255).all()


def test_grey_becomes_three_equal_channels(tmp_path):
    assert (picture(write(tmp_path / "grey.png", mode="L", colour=77)) == 77).all()


def test_black_and_white_is_0_and_255(tmp_path):
    assert (picture(write(tmp_path / "bits.png", mode="1", colour=1)) == 255).all()


def test_grey_of_16_bits_is_scaled_not_cut_off(tmp_path):
    values = np.full((64, 64), 257 * 100, dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    assert (picture(tmp_path / "deep.png") == 100).all()


def test_of_an_animation_it_is_the_first_picture(tmp_path):
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    first.save(tmp_path / "moving.gif", save_all=True, append_images=[second])
    assert (picture(tmp_path / "moving.gif") == [255, 0, 0]).all()


# folders


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    for i in range(5):
        write(tmp_path / "pets" / "cat" / f"{i}.png", colour=(200, i, 0))
        write(tmp_path / "pets" / "dog" / f"{i}.PNG", colour=(100, i, 0))
    return tmp_path / "pets"


def test_a_folder_has_one_class_a_sub_folder_and_cat_is_1(pets):
    data = load_folder(pets)
    assert data.classes == ("dog", "cat")
    assert data.y.tolist() == [0] * 5 + [1] * 5
    assert data.images[:, 0, 0, 0].tolist() == [100] * 5 + [200] * 5
    assert data.images[:, 0, 0, 1].tolist() == [0, 1, 2, 3, 4] * 2
    assert data.source == f"photos in {pets}"


def test_more_classes_are_sorted_by_name(pets):
    write(pets / "bird" / "a.png")
    assert load_folder(pets).classes == ("bird", "cat", "dog")


def test_the_order_of_classes_can_be_given(pets):
    write(pets / "bird" / "a.png")
    data = load_folder(pets, classes=["dog", "bird"])
    assert data.counts() == {"dog": 5, "bird": 1}


def test_hidden_files_and_what_is_no_image_by_its_name_are_left_out(pets):
    for name in (".hidden.png", "Thumbs.db", "notes.txt"):
        (pets / "cat" / name).write_bytes(b"not an image")
    (pets / ".git").mkdir()
    assert len(load_folder(pets)) == 10


def test_dividing_a_folder_is_fixed_by_the_seed(pets):
    train, test = load_folder_split(pets, test_fraction=0.4, seed=3)
    assert train.counts() == {"dog": 3, "cat": 3}
    assert test.counts() == {"dog": 2, "cat": 2}
    np.testing.assert_array_equal(load_folder_split(pets, test_fraction=0.4, seed=3).test.x, test.x)


def test_a_folder_with_train_and_test_is_taken_as_it_is(pets, tmp_path):
    (tmp_path / "all").mkdir()
    pets.rename(tmp_path / "all" / "train")
    write(tmp_path / "all" / "test" / "dog" / "x.png")
    write(tmp_path / "all" / "test" / "cat" / "x.png")
    train, test = load_folder_split(tmp_path / "all")
    assert (len(train), len(test)) == (10, 2)
    assert test.classes == ("dog", "cat")


def test_a_folder_without_classes_is_refused(tmp_path):
    write(tmp_path / "a.png")
    with pytest.raises(ValueError, match="one sub-folder of photos for each of two classes"):
        load_folder(tmp_path)
    write(tmp_path / "cat" / "a.png")
    with pytest.raises(ValueError, match="but it has only cat"):
        load_folder(tmp_path)


def test_a_class_without_photos_is_named(pets):
    (pets / "bird").mkdir()
    with pytest.raises(ValueError, match="bird holds no photos"):
        load_folder(pets)


def test_a_class_that_is_not_there_is_named(pets):
    with pytest.raises(FileNotFoundError, match="bird does not exist"):
        load_folder(pets, classes=["cat", "bird"])


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        load_folder(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match=r"a\.png is not a folder"):
        load_folder(write(tmp_path / "a.png"))


@pytest.mark.photos
def test_the_series_model_labels_the_series_photos(photo_data):
    """The pictures are those that the model was made for: bird 0, cat 1, cat2 1, cat3 1, dog 0."""
    import json

    stored = json.loads((photo_data / "catvnoncat" / "series_model.json").read_text())

    def tensor(name: str) -> np.ndarray:
        return np.reshape(stored[name]["data"], stored[name]["dim"])

    labels = {}
    for path in sorted((photo_data / "photos").iterdir()):
        a = load_photo(path)[:, None] / 255
        for layer in range(1, 5):
            z = tensor(f"W{layer}") @ a + tensor(f"b{layer}")
            a = np.maximum(z, 0)
        labels[path.stem] = int(z.item() > 0)
    assert labels == {"bird": 0, "cat": 1, "cat2": 1, "cat3": 1, "dog": 0}
