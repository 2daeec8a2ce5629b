"""The code in the README and the documentation runs, and says what it is said to say."""

import shlex
from pathlib import Path

import pytest
from sybil import Document
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

pytest.importorskip("sklearn")

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WITHOUT_PYTHON = {"architecture", "gram", "guide", "inside", "performance"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_python_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # pages write files
    examples = list(Document.parse(str(page), PythonCodeBlockParser()))
    assert bool(examples) != (page.stem in WITHOUT_PYTHON)
    for example in examples:
        example.evaluate()


def commands():
    for page in PAGES:
        document = Document.parse(str(page), CodeBlockParser("sh", lambda example: None))
        for example in document:
            for line in example.parsed.splitlines():
                if line.startswith("purrceptron "):
                    yield shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize("arguments", list(commands()), ids=" ".join)
def test_every_command_line_is_understood(arguments):
    typer = pytest.importorskip("typer")
    from purrceptron._app.commands import app

    group = typer.main.get_command(app)
    with group.make_context("purrceptron", list(arguments)) as context:
        name, command, rest = group.resolve_command(context, arguments)
        with command.make_context(name, rest, parent=context):
            pass
