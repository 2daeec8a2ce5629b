"""What the command line is tested on: blue and red images, a model of them, two photos."""

import pytest

# `command_line` skips what imports it where the command line cannot run, and this file is for all
# tests of this folder: so it is imported by those fixtures alone that need it.


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """Return a folder with a training and a test file."""
    from command_line import write_pair

    return write_pair(tmp_path_factory.mktemp("night and day"), ["night", "day"])


@pytest.fixture(scope="session")
def trained(pair, tmp_path_factory):
    """Return the folder that a training on the pair wrote into."""
    from purrceptron._app import main

    out = tmp_path_factory.mktemp("run") / "here"
    arguments = ["train", str(pair), "--layers", "4", "--epochs", "250", "--quiet"]
    assert main([*arguments, "--learning-rate", "0.005", "--out", str(out)]) == 0
    return out


@pytest.fixture
def photo_files(tmp_path):
    """Return the paths of a blue and of a red photo."""
    from PIL import Image

    paths = []
    for name, colour in (("night.png", "blue"), ("day.jpg", "red")):
        Image.new("RGB", (90, 40), colour).save(tmp_path / name)
        paths.append(str(tmp_path / name))
    return paths
