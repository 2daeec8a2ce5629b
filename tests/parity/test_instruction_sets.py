"""Every instruction set that this machine has trains the network that NumPy trains."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from purrceptron import _core
from purrceptron import _reference as reference

FIT = """
import json, sys
import numpy as np
import purrceptron as pc
from purrceptron import _core

given = np.load(sys.argv[1])
parameters = [(given[f"W{i}"], given[f"b{i}"]) for i in range(3)]
net = pc.Network([301, 23, 6, 1], dtype="float64", init="zeros")
net.set_parameters(parameters)
history = pc.train(net, given["X"], given["y"], optimizer=pc.SGD(learning_rate=0.05), epochs=60,
                   l2=0.2, first_layer="direct")
products = [float(pc.kernels.matmul(x, y).sum()) for x in (given["X"], given["X"].astype("f4"))
            for y in (x.T, x.T.copy())]
print(json.dumps({"isa": _core.isa(), "loss": history.loss, "products": products,
                  "bits": [W.tobytes().hex()[:64] for W, _ in net.parameters]}))
"""


def run(isa, script, *arguments):
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=os.environ | {"PURRCEPTRON_ISA": isa},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("isa", _core.available_isas())
def test_each_follows_numpy(isa, tmp_path):
    random = np.random.default_rng(0)
    X, y = random.standard_normal((67, 301)), random.integers(0, 2, 67)
    begin = reference.initialise([301, 23, 6, 1], seed=1, gain=2**0.5)
    _, costs = reference.train(X, y, begin, 0.05, iterations=60, l2=0.2)
    arrays = {f"{name}{i}": a for i, (W, b) in enumerate(begin) for name, a in (("W", W), ("b", b))}
    np.savez(tmp_path / "given.npz", X=X, y=y, **arrays)

    ended = run(isa, FIT, str(tmp_path / "given.npz"))
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    assert answer["isa"] == isa  # the variable was obeyed
    np.testing.assert_allclose(answer["loss"], costs, rtol=0, atol=1e-11)
    exact = (X @ X.T).sum()
    np.testing.assert_allclose(answer["products"][:2], exact, rtol=1e-11)
    np.testing.assert_allclose(answer["products"][2:], exact, rtol=1e-3)

    again = json.loads(run(isa, FIT, str(tmp_path / "given.npz")).stdout)
    assert again == answer


def test_one_that_the_machine_lacks_is_an_error():
    ended = run("abacus", "from purrceptron import kernels; kernels.relu([1.0])")
    assert ended.returncode != 0
    message = ended.stderr.strip().splitlines()[-1]
    assert "abacus" in message
    assert "PURRCEPTRON_ISA" in message
    assert all(isa in message for isa in _core.available_isas())
