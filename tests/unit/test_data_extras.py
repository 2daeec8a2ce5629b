"""What wants a package that is not installed says which ``pip install`` brings it."""

import subprocess
import sys

import pytest

from purrceptron._errors import MissingExtraError
from purrceptron._extras import require
from purrceptron.data import fetch_cats, load_photo


def test_a_module_that_is_there_is_returned():
    assert require("xml.dom", extra="app", purpose="this").__name__ == "xml.dom"


@pytest.mark.parametrize(
    ("module", "call", "message"),
    [
        (
            "PIL",
            lambda: load_photo(__file__),
            "reading photos needs Pillow, which is not installed: pip install 'purrceptron[app]'",
        ),
        (
            "pooch",
            fetch_cats,
            "fetching the cat photos needs pooch, which is not installed: "
            "pip install 'purrceptron[app]'",
        ),
    ],
)
def test_a_missing_package_is_named_with_its_extra(module, call, message, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing(module), *sys.meta_path])
    with pytest.raises(MissingExtraError) as caught:
        call()
    assert str(caught.value) == message
    assert isinstance(caught.value, ImportError)
    assert caught.value.name == module


class Missing:
    """A finder that says of one package that it is not installed."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_a_broken_package_keeps_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import a_module_that_nobody_has")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_module_that_nobody_has") as caught:
        require("broken_package", extra="app", purpose="this")
    assert not isinstance(caught.value, MissingExtraError)


def test_importing_the_data_module_loads_no_extra():
    script = (
        "import sys, purrceptron.data; "
        "print(*{'h5py', 'PIL', 'pooch', 'requests', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")
