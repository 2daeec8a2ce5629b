"""What a user of the command line does wrong: one line, status 2, and nothing written."""

import sys

import pytest

import purrceptron as pc
from command_line import complaint
from purrceptron._app import main


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
        (["bench", "--json", "."], ". is a folder, expected a file"),
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
def test_a_model_that_is_not_one_of_photos(network, said, pair, photo_files, tmp_path, capsys):
    path = tmp_path / "model.safetensors"
    pc.Network(**{"layer_sizes": [12288, 1]} | network, seed=1).save(path)
    for command in (["evaluate", str(path), str(pair)], ["predict", str(path), *photo_files]):
        assert main(command) == 2
        assert complaint(capsys) == said


def test_a_model_of_more_classes_than_the_data(pair, tmp_path, capsys):
    path = tmp_path / "model.safetensors"
    pc.Network([12288, 3], output="softmax", seed=1).save(path)
    assert main(["evaluate", str(path), str(pair)]) == 2
    assert complaint(capsys) == (
        "the model knows class 0, class 1, class 2, but test_catvnoncat.h5 holds night, day"
    )


def test_a_damaged_model(trained, tmp_path, capsys):
    whole = (trained / "model.safetensors").read_bytes()
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(whole[: len(whole) // 2])
    assert main(["predict", str(damaged), "photo.jpg"]) == 2
    complaint(capsys)


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
