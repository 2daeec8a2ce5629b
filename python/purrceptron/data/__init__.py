"""Data sets: the cat photos, drawings of cats, and one's own pictures."""

from purrceptron.data._csv import load_csv, load_csv_pair
from purrceptron.data._dataset import IMAGE_SHAPE, Dataset, Split, split_dataset
from purrceptron.data._drawn import drawn_cats
from purrceptron.data._fetch import cats_cache, fetch_cats
from purrceptron.data._hdf5 import load_cats, load_cats_pair
from purrceptron.data._open import open_data, open_test_data
from purrceptron.data._photos import load_folder, load_folder_split, load_photo

__all__ = [
    "IMAGE_SHAPE",
    "Dataset",
    "Split",
    "cats_cache",
    "drawn_cats",
    "fetch_cats",
    "load_cats",
    "load_cats_pair",
    "load_csv",
    "load_csv_pair",
    "load_folder",
    "load_folder_split",
    "load_photo",
    "open_data",
    "open_test_data",
    "split_dataset",
]
