"""The command line as a user meets it: what it writes, what it says, how it ends."""

from __future__ import annotations

import csv
import html
import io
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

for package in ("typer", "rich", "jinja2", "matplotlib", "PIL"):
    pytest.importorskip(package)

import h5py  # noqa: E402
from PIL import Image  # noqa: E402

import purrceptron as pc  # noqa: E402
from purrceptron._app import main  # noqa: E402

FILES = ["history.csv", "model.safetensors", "report.html"]


def write_pair(folder, classes):
    """Write a few images in blue and in red, which any network tells apart."""
    rng = np.random.default_rng(0)
    for name, m in (("train", 16), ("test", 6)):
        y = np.arange(m) % 2
        x = rng.integers(0, 60, (m, 64, 64, 3))
        x[..., 0] += 180 * y[:, None, None]
        x[..., 2] += 180 * (1 - y[:, None, None])
        with h5py.File(folder / f"{name}_catvnoncat.h5", "w") as file:
            file[f"{name}_set_x"] = x.astype(np.uint8)
            file[f"{name}_set_y"] = y.astype(np.int64)
            file["list_classes"] = np.array(classes, dtype="S")
    return folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_pair(tmp_path_factory.mktemp("night and day"), ["night", "day"])


@pytest.fixture(scope="module")
def trained(pair, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "here"
    arguments = ["train", str(pair), "--layers", "4", "--epochs", "250", "--quiet"]
    assert main([*arguments, "--learning-rate", "0.005", "--out", str(out)]) == 0
    return out


@pytest.fixture
def photos(tmp_path):
    paths = []
    for name, colour in (("night.png", "blue"), ("day.jpg", "red")):
        Image.new("RGB", (90, 40), colour).save(tmp_path / name)
        paths.append(str(tmp_path / name))
    return paths


def complaint(capsys):
    """Return what stderr holds: one line, and no traceback."""
    said = capsys.readouterr().err
    assert said.startswith("purrceptron: ")
    assert said.count("\n") == 1
    return said.removeprefix("purrceptron: ").rstrip("\n")


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


def test_the_help_names_every_initialiser(capsys):
    with pytest.raises(ValueError, match="expected one of") as caught:
        pc.Network([2, 1], init="magic")
    assert main(["train", "--help"]) == 0
    shown = set(re.findall(r"\w+", capsys.readouterr().out))
    assert set(re.findall(r"\w+", str(caught.value).partition("one of: ")[2])) <= shown


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


def test_quiet_says_nothing(trained, capsys):
    assert capsys.readouterr() == ("", "")
    assert sorted(path.name for path in trained.iterdir()) == FILES


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


def test_predict_says_a_line_a_photo(trained, photos, capsys):
    assert main(["predict", str(trained / "model.safetensors"), *photos]) == 0
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    net = pc.load(trained / "model.safetensors")
    x = np.stack([pc.data.load_photo(photo) for photo in photos])
    night, day = net.predict_proba(x)[:, 0]
    assert [[part.strip() for part in line if part] for line in lines] == [
        [photos[0], "night", f"{1 - night:.3f}"],
        [photos[1], "day", f"{day:.3f}"],
    ]


def test_predict_goes_on_past_a_bad_photo(trained, photos, tmp_path, capsys):
    bad = tmp_path / "bad.jpg"
    bad.write_text("no image")
    assert main(["predict", str(trained / "model.safetensors"), str(bad), *photos]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert str(bad) in said.err
    assert [line.split()[0] for line in said.out.splitlines()] == photos


def test_predict_takes_names_for_classes(trained, photos, capsys):
    model = str(trained / "model.safetensors")
    assert main(["predict", model, photos[1], "--classes", "moon, sun"]) == 0
    assert "  sun  " in capsys.readouterr().out
    assert main(["predict", model, photos[1], "--classes", "sun"]) == 2
    assert complaint(capsys) == "--classes: the model has 2 classes, 1 names came"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "No such command 'trian'"),
        (["train", "--epoch", "3"], "No such option: --epoch"),
        (["train", "--epochs", "many"], "'--epochs'"),
        (["train", "--layers", "20,x"], "--layers: expected widths such as 20,7,5, or none"),
        (["train", "--layers", "0"], "--layers: expected widths such as 20,7,5, or none"),
        (["train", "--optimizer", "magic"], "'magic' is not one of 'sgd'"),
        (["train", "PAIR", "--epochs", "-1"], "--epochs is -1, expected an integer from 1 on"),
        (["train", "PAIR", "--epochs", "0"], "--epochs is 0, expected an integer from 1 on"),
        (["train", "PAIR", "--learning-rate", "-1"], "--learning-rate is -1, expected"),
        (["train", "PAIR", "--learning-rate", "nan"], "--learning-rate is NaN, expected"),
        (["train", "PAIR", "--l2", "-1"], "--l2 is -1.0, expected"),
        (["train", "PAIR", "--batch-size", "0"], "--batch-size is 0, expected"),
        (["train", "PAIR", "--threads", "0"], "--threads is 0, expected"),
        (["train", "PAIR", "--init", "magic"], '--init is "magic", expected one of: he_normal'),
        (["train", "PAIR", "--seed", "-1"], "--seed is -1, expected"),
        (["train", "--test-fraction", "0.5"], "--test-fraction is for a folder of photos"),
        (["train", "PAIR", "--test-fraction", "0.5"], "--test-fraction is for a folder of photos"),
        (["train", "nothing here"], "nothing here"),
        (["evaluate"], "Missing argument 'MODEL'"),
        (["evaluate", "nothing here"], "nothing here"),
        (["evaluate", "PAIR"], "MODEL is "),
        (["bench", "--json", "nowhere/bench.json"], "nowhere/bench.json: its folder is missing"),
        (["predict", "nothing here", "photo.jpg"], "nothing here"),
        (["predict", "nothing here"], "Missing argument 'PHOTO'"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(arguments, said, pair, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = [str(pair) if argument == "PAIR" else argument for argument in arguments]
    assert main([*arguments, "--quiet"] if "train" in arguments else arguments) == 2
    assert said in complaint(capsys)
    assert list(tmp_path.rglob("*.*")) == []


def test_an_output_folder_that_is_a_file(pair, tmp_path, capsys):
    (tmp_path / "taken").write_text("mine")
    for out in (tmp_path / "taken", tmp_path / "taken" / "run"):
        assert main(["train", str(pair), "--out", str(out)]) == 2
        assert complaint(capsys) == f"--out: there is a file where {out} would be"
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"layer_sizes": [30, 1]}, "the model reads 30 values, not 64 x 64 x 3 photos"),
        ({"output": "identity"}, "the model does not give each photo one class"),
        ({"output": "exp"}, "the model does not give each photo one class"),
        ({"layer_sizes": [12288, 3]}, "the model does not give each photo one class"),
    ],
)
def test_a_model_that_is_not_one_of_photos(network, said, pair, photos, tmp_path, capsys):
    path = tmp_path / "model.safetensors"
    pc.Network(**{"layer_sizes": [12288, 1]} | network, seed=1).save(path)
    for command in (["evaluate", str(path), str(pair)], ["predict", str(path), *photos]):
        assert main(command) == 2
        assert complaint(capsys) == said


def test_a_model_of_more_classes_than_the_data(pair, tmp_path, capsys):
    path = tmp_path / "model.safetensors"
    pc.Network([12288, 3], output="softmax", seed=1).save(path)
    assert main(["evaluate", str(path), str(pair)]) == 2
    assert complaint(capsys) == (
        "the model knows class 0, class 1, class 2, but test_catvnoncat.h5 holds night, day"
    )


def test_an_instruction_set_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("PURRCEPTRON_ISA", "magic")
    with start("train", cwd=tmp_path) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said.startswith('purrceptron: PURRCEPTRON_ISA is "magic", but this machine has: ')
    assert said.count("\n") == 1


def test_a_damaged_model(trained, tmp_path, capsys):
    whole = (trained / "model.safetensors").read_bytes()
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(whole[: len(whole) // 2])
    assert main(["predict", str(damaged), "photo.jpg"]) == 2
    complaint(capsys)


def test_the_code_in_the_report_runs(trained, photos, tmp_path, monkeypatch):
    """As printed, with a photo of that name in the folder."""
    report = (trained / "report.html").read_text(encoding="utf-8")
    [code] = re.findall(r"<code>(import .*?)</code>", report, flags=re.DOTALL)
    code = html.unescape(re.sub(r"<[^>]*>", "", code))
    monkeypatch.chdir(tmp_path)
    Image.open(photos[1]).save("photo.jpg")
    names = {}
    exec(code + "\nlabel, probability = net.predict(X), net.predict_proba(X)", names)
    assert names["label"].tolist() == [1]
    assert names["probability"].shape == (1, 1)
    assert names["X"][0].shape == (12288,)


def test_divergence_is_one_line_and_writes_nothing(pair, tmp_path, capsys):
    arguments = ["train", str(pair), "--quiet", "--out", str(tmp_path / "run"), "--layers", "4"]
    assert main([*arguments, "--learning-rate", "1e30", "--epochs", "50"]) == 2
    said = complaint(capsys)
    assert "epoch" in said
    assert "try a smaller --learning-rate" in said
    assert "learning_rate" not in said
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("package", ["typer", "rich", "jinja2", "PIL", "matplotlib"])
def test_a_missing_package_names_the_extra(package, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["train"]) == 2
    assert "pip install 'purrceptron[app]'" in complaint(capsys)


def test_a_mistake_of_ours_is_not_hidden(pair, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def broken(*_, **__):
        raise RuntimeError("ours")

    monkeypatch.setattr(pc, "train", broken)
    with pytest.raises(RuntimeError, match="ours"):
        main(["train", str(pair), "--quiet"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Usage: purrceptron"),
        (["--help"], "Usage: purrceptron"),
        (["train", "-h"], "--learning-rate"),
        (["evaluate", "--help"], "--all"),
        (["predict", "--help"], "PHOTO"),
        (["bench", "--help"], "--quick"),
        (["--version"], f"purrceptron {pc.__version__}"),
    ],
)
def test_help_and_version(arguments, said, capsys):
    assert main(arguments) == 0
    assert said in capsys.readouterr().out


def start(*arguments, cwd):
    return subprocess.Popen(
        [sys.executable, "-m", "purrceptron", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to a child on Windows")
def test_ctrl_c_ends_with_130_and_writes_nothing(pair, tmp_path):
    with start(
        "train", str(pair), "--epochs", "100000000", "--out", "run", cwd=tmp_path
    ) as process:
        for line in process.stdout:
            if line.startswith("Cost"):
                break
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "purrceptron: interrupted\n"
    assert list((tmp_path / "run").iterdir()) == []


def test_a_reader_that_has_had_enough_ends_it_quietly(trained, photos, tmp_path):
    with start(
        "predict", str(trained / "model.safetensors"), *photos * 200, cwd=tmp_path
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 1
    assert said == ""
