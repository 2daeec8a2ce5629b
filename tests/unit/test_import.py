"""``import purrceptron`` is light: it loads what it needs, and no more."""

import subprocess
import sys

HEAVY = ("h5py", "PIL", "matplotlib", "pooch", "typer", "rich", "jinja2", "sklearn", "scipy")

SCRIPT = """
import sys
import numpy
numpys = set(sys.modules)
import purrceptron as pc
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - numpys}))
net = pc.Network([3, 4, 1], seed=0)
X, y = numpy.eye(3), [0, 1, 1]
pc.train(net, X, y, epochs=2, validation_data=(X, y), callbacks=[pc.EarlyStopping()])
net.predict(X)
pc.kernels.relu(X)
pc.evaluate(net, X, y)
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - numpys}))
"""


def run(*arguments):
    ended = subprocess.run(
        [sys.executable, "-W", "error", *arguments], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_neither_the_import_nor_training_loads_an_optional_package():
    imported, used = (set(line.split()) for line in run("-c", SCRIPT).splitlines())
    assert "purrceptron" in imported
    assert not imported & set(HEAVY)
    assert not used & set(HEAVY)
    # of what is not Python's own there is NumPy alone
    assert used - set(sys.stdlib_module_names) <= {"purrceptron", "numpy"}


def test_the_names_that_are_offered_are_there():
    run(
        "-c",
        "import purrceptron as pc; [getattr(pc, name) for name in pc.__all__];"
        "assert set(pc.__all__) <= set(dir(pc)); assert pc.data.drawn_cats",
    )


def test_a_name_that_is_not_there_is_an_attribute_error():
    run(
        "-c",
        "import purrceptron as pc\n"
        "try: pc.dogs\n"
        "except AttributeError as error: assert 'dogs' in str(error)\n"
        "else: raise SystemExit('there are dogs')",
    )
