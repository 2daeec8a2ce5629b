"""``purrceptron train``: what it writes, what it says, what its options do."""

import csv
import html
import io
import re

import numpy as np
import pytest

import purrceptron as pc
from command_line import FILES, complaint
from purrceptron._app import main

Image = pytest.importorskip("PIL.Image")


def test_train_writes_model_history_and_report(pair, tmp_path, capsys):
    arguments = ["train", str(pair), "--layers", "4", "--epochs", "250", "--learning-rate", "0.005"]
    assert main([*arguments, "--out", str(tmp_path / "a" / "b")]) == 0
    out = tmp_path / "a" / "b"
    assert sorted(path.name for path in out.iterdir()) == FILES
    said = capsys.readouterr().out
    assert "16 from train_catvnoncat.h5 (8 night, 8 day) to learn from, 6 held out" in said
    assert "12288-4-1, 250 epochs of sgd, learning rate 0.005, seed 1" in said
    assert "Training: 16 of 16 right" in said
    assert "Test: 6 of 6 right (100.0%)" in said
    assert "drawings" not in said

    rows = list(csv.DictReader(io.StringIO((out / "history.csv").read_text())))
    assert [int(row["epoch"]) for row in rows] == list(range(250))
    losses = [float(row["loss"]) for row in rows]
    assert losses[-1] < losses[0]
    lines = [line for line in said.splitlines() if line.startswith("Cost")]
    assert lines == [f"Cost after epoch {e}: {losses[e]:.6f}" for e in (0, 100, 200, 249)]

    net = pc.load(out / "model.safetensors")
    assert net.layer_sizes == (12288, 4, 1)
    assert net.class_names == ("night", "day")
    data = pc.data.open_data(pair)
    assert pc.evaluate(net, data.test.x, data.test.y).right == 6
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "Day or night?" in report
    assert f"--out {out}" in report


def test_the_same_seed_gives_the_same_model(pair, tmp_path):
    models = []
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        arguments = ["train", str(pair), "--layers", "4,3", "--epochs", "5", "--quiet"]
        assert main([*arguments, "--seed", seed, "--out", str(tmp_path / name)]) == 0
        models.append(pc.load(tmp_path / name / "model.safetensors").parameters)
    first, again, other = models
    for (w, b), (w_again, b_again) in zip(first, again, strict=True):
        np.testing.assert_array_equal(w, w_again)
        np.testing.assert_array_equal(b, b_again)
    assert not np.array_equal(first[0][0], other[0][0])


def test_options_reach_the_training(pair, tmp_path):
    arguments = ["train", str(pair), "--quiet", "--out", str(tmp_path), "--layers", "none"]
    more = ["--epochs", "3", "--dtype", "float64", "--init", "zeros", "--l2", "0.5"]
    assert main([*arguments, *more, "--batch-size", "5", "--first-layer", "direct"]) == 0
    net = pc.load(tmp_path / "model.safetensors")
    assert net.layer_sizes == (12288, 1)
    assert net.dtype == np.float64
    data = pc.data.open_data(pair).train
    twin = pc.Network([12288, 1], dtype="float64", init="zeros", seed=1)
    pc.train(
        twin,
        data.x,
        data.y,
        optimizer=pc.SGD(learning_rate=0.0075),
        epochs=3,
        batch_size=5,
        l2=0.5,
        seed=1,
        first_layer="direct",
    )
    np.testing.assert_array_equal(net.parameters[0][0], twin.parameters[0][0])


def test_the_first_layer_in_the_space_of_examples(pair, tmp_path, capsys):
    arguments = ["train", str(pair), "--layers", "2", "--epochs", "1", "--out", str(tmp_path)]
    assert main([*arguments, "--first-layer", "gram"]) == 0
    assert "First layer: gram: asked for" in capsys.readouterr().out
    assert main([*arguments, "--first-layer", "gram", "--optimizer", "adam"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("purrceptron: --first-layer is gram, expected direct or auto: ")


@pytest.mark.filterwarnings("default")
def test_a_warning_is_one_line_too(pair, tmp_path, capsys):
    arguments = ["train", str(pair), "--layers", "2", "--epochs", "1", "--out", str(tmp_path)]
    assert main([*arguments, "--batch-size", "100"]) == 0
    assert complaint(capsys) == (
        "warning: --batch-size is 100, but X has 16 rows: a batch holds them all"
    )


def test_a_terminal_gets_a_bar_that_goes_away(pair, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # which rich takes for a terminal
    arguments = ["train", str(pair), "--layers", "2", "--epochs", "150"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "epoch 150 of 150" in said
    assert "Cost after epoch" not in said
    hidden, shown = said.rindex("\x1b[?25l"), said.rindex("\x1b[?25h")  # the cursor
    assert hidden < shown < said.index("Trained in")


def test_training_in_python_shows_the_same_lines(capsys):
    x = np.array([[0.0], [1.0]])
    history = pc.train(pc.Network([1, 1], seed=1), x, [0, 1], epochs=120, progress=True)
    lines = [f"Cost after epoch {e}: {history.loss[e]:.6f}" for e in (0, 100, 119)]
    assert capsys.readouterr().out.splitlines() == lines


def test_quiet_says_nothing(pair, tmp_path, capsys):
    arguments = ["train", str(pair), "--layers", "2", "--epochs", "1", "--quiet"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


def test_drawn_cats_are_called_drawings(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("purrceptron.data._open.DRAWN_TRAIN", 20)
    monkeypatch.setattr("purrceptron.data._open.DRAWN_TEST", 10)
    assert main(["train", "--epochs", "1", "--layers", "2"]) == 0
    said = capsys.readouterr().out
    assert (
        "These are drawings. `purrceptron train catvnoncat` fetches and uses real photos." in said
    )
    report = (tmp_path / "runs" / "cats" / "report.html").read_text(encoding="utf-8")
    assert "drawings that a program made, not photos" in report
    assert main(["evaluate", "runs/cats/model.safetensors"]) == 0
    assert "These are drawings." in capsys.readouterr().out


def test_a_folder_of_photos_with_three_classes(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for channel, name in enumerate(("blue & dark", "green", "red")):
        (tmp_path / "colours" / name).mkdir(parents=True)
        for number in range(6):
            pixels = rng.integers(0, 50, (20, 30, 3), dtype=np.uint8)
            pixels[..., 2 - channel] += 200
            Image.fromarray(pixels).save(tmp_path / "colours" / name / f"{number}.png")
    arguments = ["train", str(tmp_path / "colours"), "--test-fraction", "0.5", "--layers", "8"]
    more = ["--optimizer", "adam", "--epochs", "60", "--out", str(tmp_path / "run")]
    assert main([*arguments, *more]) == 0
    assert "Test: 9 of 9 right" in capsys.readouterr().out
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "called blue &amp; dark" in report
    # The model remembers what was held out.
    model = str(tmp_path / "run" / "model.safetensors")
    assert main(["evaluate", model, str(tmp_path / "colours")]) == 0
    assert "Scored on 9 " in capsys.readouterr().out
    assert main(["evaluate", model, str(tmp_path / "colours"), "--all"]) == 0
    assert "Scored on 18 " in capsys.readouterr().out


def test_the_code_in_the_report_runs(trained, photo_files, tmp_path, monkeypatch):
    """As printed, with a photo of that name in the folder."""
    report = (trained / "report.html").read_text(encoding="utf-8")
    [code] = re.findall(r"<code>(import .*?)</code>", report, flags=re.DOTALL)
    code = html.unescape(re.sub(r"<[^>]*>", "", code))
    monkeypatch.chdir(tmp_path)
    Image.open(photo_files[1]).save("photo.jpg")
    names = {}
    exec(code + "\nlabel, probability = net.predict(X), net.predict_proba(X)", names)
    assert names["label"].tolist() == [1]
    assert names["probability"].shape == (1, 1)
    assert names["X"][0].shape == (12288,)
