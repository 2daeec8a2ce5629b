"""What is in `examples/` runs, and ends as it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

EXAMPLES = Path(__file__).parents[2] / "examples"
SWITCH = "switch/before.py", "switch/after.py"

SAYS = {
    "switch/before.py": "accuracy 0.9",
    "switch/after.py": "accuracy 0.9",
    "digits.py": "it says the same: True",
    "class_weights.py": "balanced",
    "learning_rate.py": "the loss is lowest at a rate of",
    "huber.py": "huber",
    "cats_with_dropout.py": "mirrored, with dropout",
}
"""What each example prints, among other things."""


def run(name):
    ended = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p)),
    )
    assert ended.returncode == 0, ended.stderr
    assert not ended.stderr
    return ended.stdout


def test_every_example_is_run():
    found = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.py")}
    assert found == set(SAYS)


@pytest.mark.parametrize("name", sorted(set(SAYS) - set(SWITCH)))
def test_an_example_runs(name):
    assert SAYS[name] in run(name)


def test_the_switch_from_scikit_learn_is_a_line_and_changes_nothing_that_is_printed():
    before, after = ((EXAMPLES / name).read_text().splitlines() for name in SWITCH)
    changed = [pair for pair in zip(before[1:], after[1:], strict=True) if pair[0] != pair[1]]
    assert changed == [
        (
            "from sklearn.neural_network import MLPClassifier",
            "from purrceptron.sklearn import MLPClassifier",
        )
    ]
    assert run(SWITCH[0]) == run(SWITCH[1])


def rows(name):
    """Return the numbers in each line that an example prints, by the line's first word."""
    return {line.split()[0]: line for line in run(name).splitlines()}


def test_the_examples_show_what_they_claim():
    weighted = rows("class_weights.py")

    def found(line):
        return float(weighted[line].split("finds")[1].split("%")[0])

    assert found("balanced") > found("None") + 10
    robust = rows("huber.py")
    errors = {loss: float(robust[loss].split("off by")[1].split()[0]) for loss in robust}
    assert errors["huber"] < errors["squared_error"] / 3
    cats = [float(line.split()[-4][:-1]) for line in run("cats_with_dropout.py").splitlines()]
    assert min(cats[1:]) > cats[0] + 1
    *_, slow, quick = run("learning_rate.py").splitlines()
    assert float(quick.split()[-1]) > float(slow.split()[-1]) + 0.1
