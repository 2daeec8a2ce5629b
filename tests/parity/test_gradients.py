"""Every derivative, against central differences of the loss and against the NumPy network."""

import numpy as np
import pytest

import purrceptron as pc
from purrceptron import _reference as reference


def network_of(output, n_out, hidden=(5, 4)):
    random = np.random.default_rng(7)
    net = pc.Network([6, *hidden, n_out], output=output, dtype="float64", seed=2)
    net.set_parameters([(W, random.standard_normal(b.shape) / 10) for W, b in net.parameters])
    return net


def problem(output, n_out, m=11):
    random = np.random.default_rng(5)
    X = random.standard_normal((m, 6))
    if output == "softmax":
        return X, random.integers(0, n_out, m)
    if output == "sigmoid":
        return X, random.integers(0, 2, (m, n_out))
    return X, random.standard_normal((m, n_out))


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("l2", [0.0, 0.8])
@pytest.mark.parametrize("hidden", [(), (5,), (5, 4)])
@pytest.mark.parametrize(
    ("output", "n_out"),
    [
        ("sigmoid", 1),
        ("sigmoid", 3),
        ("softmax", 2),
        ("softmax", 4),
        ("identity", 1),
        ("identity", 2),
    ],
)
def test_central_differences(output, n_out, hidden, l2, weighted):
    net = network_of(output, n_out, hidden)
    X, y = problem(output, n_out)
    weights = np.random.default_rng(1).uniform(0, 2, len(X)) if weighted else None
    settings = {"l2": l2, "sample_weight": weights}
    gradients = net.gradients(X, y, **settings)
    parameters = net.parameters
    h = 1e-6
    for layer, derivatives in zip(parameters, gradients, strict=True):
        for values, slopes in zip(layer, derivatives, strict=True):
            for i in np.ndindex(values.shape):
                kept = values[i]
                sides = []
                for moved in (kept + h, kept - h):
                    values[i] = moved
                    net.set_parameters(parameters)
                    sides.append(net.loss(X, y, **settings))
                values[i] = kept
                assert slopes[i] == pytest.approx((sides[0] - sides[1]) / (2 * h), abs=5e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_numpy_network_has_the_same_gradients(network, dtype):
    random = np.random.default_rng(0)
    X, y = random.standard_normal((33, 70)).astype(dtype), random.integers(0, 2, 33)
    parameters = reference.initialise([70, 21, 7, 1], seed=1, gain=2**0.5, dtype=dtype)
    logits, expected = reference.gradients(X, y[:, None], parameters)
    net = network(parameters)
    rtol = 1e-4 if dtype == "float32" else 1e-12
    assert net.loss(X, y, l2=0.5) == pytest.approx(
        reference.cost(logits, y[:, None], parameters, 0.5), rel=rtol
    )
    for (dW, db), (W, _), (expected_dW, expected_db) in zip(
        net.gradients(X, y, l2=0.5), parameters, expected, strict=True
    ):
        assert dW.dtype == db.dtype == np.dtype(dtype)
        np.testing.assert_allclose(dW, expected_dW + 0.5 / 33 * W, rtol=rtol, atol=rtol / 10)
        np.testing.assert_allclose(db, expected_db, rtol=rtol, atol=rtol / 10)


@pytest.mark.parametrize("l2", [0.0, 0.8])
@pytest.mark.parametrize("hidden", [(), (5, 4)])
def test_central_differences_through_a_step_in_the_space_of_examples(hidden, l2):
    # A step of gradient descent is W - W' = η dW: what the Gram form takes for dW can be read off.
    random = np.random.default_rng(3)
    X, y = random.standard_normal((7, 30)), random.integers(0, 2, 7)
    start = pc.Network([30, *hidden, 1], hidden="tanh", dtype="float64", seed=2)
    before, rate = start.parameters, 0.25
    stepped = pc.Network([30, *hidden, 1], hidden="tanh", dtype="float64", seed=2)
    pc.train(stepped, X, y, optimizer=pc.SGD(rate), epochs=1, l2=l2, first_layer="gram")
    slopes = (before[0][0] - stepped.parameters[0][0]) / rate
    moved, h = start.parameters, 1e-6
    for i in np.ndindex(slopes.shape):
        sides = []
        for step in (h, -h):
            moved[0][0][i] = before[0][0][i] + step
            start.set_parameters(moved)
            sides.append(start.loss(X, y, l2=l2))
        moved[0][0][i] = before[0][0][i]
        assert slopes[i] == pytest.approx((sides[0] - sides[1]) / (2 * h), abs=5e-9)
