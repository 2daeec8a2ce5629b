"""The code in the page for users of scikit-learn runs, and says what the page says."""

import doctest
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

PAGE = Path(__file__).parents[2] / "docs" / "sklearn.md"


def test_the_code_of_the_page_runs():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried >= 10
    assert failed == 0
