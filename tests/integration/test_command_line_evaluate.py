"""``purrceptron evaluate`` and ``predict``: what a trained model is good for."""

import numpy as np
import pytest

import purrceptron as pc
from command_line import complaint, write_pair
from purrceptron._app import main

Image = pytest.importorskip("PIL.Image")


def test_evaluate_scores_the_test_half_a_file_or_all(trained, pair, capsys):
    model = str(trained / "model.safetensors")
    for data, extra, number in (
        (pair, [], 6),
        (pair / "train_catvnoncat.h5", [], 16),
        (pair, ["--all"], 22),
    ):
        assert main(["evaluate", model, str(data), *extra]) == 0
        said = capsys.readouterr().out
        assert f"{number} of {number} right (100.0%), precision 1.000, recall 1.000" in said
        assert said.splitlines()[-1].split() == ["is", "day", "0", str(number // 2)]


def test_what_was_held_out_of_a_folder_matters_to_folders_alone(pair, tmp_path, capsys):
    for name, colour in (("night", "blue"), ("day", "red")):
        (tmp_path / "sky" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("RGB", (9, 9), colour).save(tmp_path / "sky" / name / f"{number}.png")
    arguments = ["train", str(tmp_path / "sky"), "--test-fraction", "0.5", "--layers", "4"]
    out = tmp_path / "run"
    assert main([*arguments, "--epochs", "20", "--quiet", "--out", str(out)]) == 0
    assert main(["evaluate", str(out / "model.safetensors"), str(pair)]) == 0
    assert "Scored on 6 from test_catvnoncat.h5" in capsys.readouterr().out


def test_evaluate_takes_models_whatever_their_owner_wrote_into_them(pair, tmp_path, capsys):
    net = pc.Network([12288, 1], seed=1)
    net.training = {"data": "photos of the sky"}
    net.save(tmp_path / "model.safetensors")
    assert main(["evaluate", str(tmp_path / "model.safetensors"), str(pair)]) == 0
    assert "Scored on 6 from test_catvnoncat.h5" in capsys.readouterr().out


def test_evaluate_refuses_other_classes(trained, tmp_path, capsys):
    write_pair(tmp_path, ["dog", "cat"])
    assert main(["evaluate", str(trained / "model.safetensors"), str(tmp_path)]) == 2
    assert complaint(capsys) == (
        "the model knows night, day, but test_catvnoncat.h5 holds dog, cat"
    )


def test_evaluate_goes_by_the_names_of_the_classes(trained, tmp_path, capsys):
    """The same colours with their names exchanged: now all is wrong."""
    write_pair(tmp_path, ["day", "night"])
    assert main(["evaluate", str(trained / "model.safetensors"), str(tmp_path)]) == 0
    assert "0 of 6 right" in capsys.readouterr().out


def test_predict_says_a_line_a_photo(trained, photo_files, capsys):
    assert main(["predict", str(trained / "model.safetensors"), *photo_files]) == 0
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    net = pc.load(trained / "model.safetensors")
    x = np.stack([pc.data.load_photo(photo) for photo in photo_files])
    night, day = net.predict_proba(x)[:, 0]
    assert [[part.strip() for part in line if part] for line in lines] == [
        [photo_files[0], "night", f"{1 - night:.3f}"],
        [photo_files[1], "day", f"{day:.3f}"],
    ]


def test_predict_goes_on_past_a_bad_photo(trained, photo_files, tmp_path, capsys):
    bad = tmp_path / "bad.jpg"
    bad.write_text("no image")
    assert main(["predict", str(trained / "model.safetensors"), str(bad), *photo_files]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert str(bad) in said.err
    assert [line.split()[0] for line in said.out.splitlines()] == photo_files


def test_predict_takes_names_for_classes(trained, photo_files, capsys):
    model = str(trained / "model.safetensors")
    assert main(["predict", model, photo_files[1], "--classes", "moon, sun"]) == 0
    assert "  sun  " in capsys.readouterr().out
    assert main(["predict", model, photo_files[1], "--classes", "sun"]) == 2
    assert complaint(capsys) == "--classes: the model has 2 classes, 1 names came"
