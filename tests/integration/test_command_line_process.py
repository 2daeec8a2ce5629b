"""The command line as a process: its help, its signals, how it ends."""

import os
import re
import signal
import time

import pytest

import purrceptron as pc
from command_line import start
from purrceptron._app import main


def test_the_help_names_every_initialiser(capsys):
    with pytest.raises(ValueError, match="expected one of") as caught:
        pc.Network([2, 1], init="magic")
    assert main(["train", "--help"]) == 0
    shown = set(re.findall(r"\w+", capsys.readouterr().out))
    assert set(re.findall(r"\w+", str(caught.value).partition("one of: ")[2])) <= shown


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


def test_an_instruction_set_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("PURRCEPTRON_ISA", "magic")
    with start("train", cwd=tmp_path) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said.startswith('purrceptron: PURRCEPTRON_ISA is "magic", but this machine has: ')
    assert said.count("\n") == 1


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


def test_a_reader_that_has_had_enough_ends_it_quietly(trained, photo_files, tmp_path):
    with start(
        "predict", str(trained / "model.safetensors"), *photo_files * 200, cwd=tmp_path
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 1
    assert said == ""
