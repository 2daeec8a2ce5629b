"""The reference in the documentation has every public name, and no other."""

import re
from pathlib import Path

import pytest

import purrceptron as pc
from purrceptron import data, kernels, losses, schedules

sklearn = pytest.importorskip("purrceptron.sklearn", exc_type=ImportError)

PAGES = Path(__file__).parents[2] / "docs" / "api"
MODULES = (pc, data, kernels, losses, schedules, sklearn)
PUBLIC = {f"{module.__name__}.{name}" for module in MODULES for name in module.__all__} | {
    sklearn.__name__
}

DIRECTIVE = re.compile(r"^\.\. (currentmodule|auto[a-z]+):: (\S+?)(?:\(\))?$", re.MULTILINE)
METHOD = re.compile(r"^   \.\. auto(?:method|property):: (\w+)$", re.MULTILINE)
ENTRY = re.compile(r"^   ([a-z]+\.)?(\w+)$", re.MULTILINE)


def documented():
    """Return the full names of what the pages document, in their order."""
    names = []
    for page in PAGES.glob("*.rst"):
        module = ""
        for kind, name in DIRECTIVE.findall(page.read_text("utf-8")):
            if kind == "currentmodule":
                module = f"{name}."
            else:
                names.append(name if kind == "automodule" else module + name)
    return names


def test_every_public_name_is_documented_once():
    assert sorted(documented()) == sorted(PUBLIC)


def test_the_overview_lists_what_can_be_called():
    _, _, tables = (PAGES / "index.rst").read_text("utf-8").partition("Networks\n---")
    listed = sorted(f"purrceptron.{module}{name}" for module, name in ENTRY.findall(tables))
    constants = {"purrceptron.__version__", "purrceptron.data.IMAGE_SHAPE"}
    modules = {f"purrceptron.{name}" for name in ("data", "kernels", "losses", "schedules")}
    assert listed == sorted(PUBLIC - constants - modules - {sklearn.__name__})


@pytest.mark.parametrize("estimator", [sklearn.MLPClassifier, sklearn.MLPRegressor])
def test_every_method_of_an_estimator_is_documented(estimator):
    _, _, text = (PAGES / "sklearn.rst").read_text("utf-8").partition(estimator.__name__)
    text, _, _ = text.partition("autoclass")
    ours = {
        name
        for base in estimator.__mro__
        if base.__module__.startswith("purrceptron.")
        for name in vars(base)
        if not name.startswith(("_", "set_"))  # scikit-learn adds set_fit_request and the like
    }
    assert set(METHOD.findall(text)) == ours
