"""Mini-batches follow a NumPy twin, with the order of the rows drawn by a twin of the generator."""

import numpy as np
import pytest

import purrceptron as pc
from purrceptron import _reference as reference
from twins.generator import chacha8, mask, order_of_rows


def test_the_generator_is_chacha():
    # draft-strombergson-chacha-test-vectors-01, TC1: 8 rounds, a key and a stream of zeros
    words = chacha8([0] * 8, 0)
    stream = b"".join(next(words).to_bytes(4, "little") for _ in range(4))
    assert stream.hex() == "3e00ef2f895f40d67f5bb8e81f09a5a1"


@pytest.mark.parametrize("l2", [0.0, 0.4])
@pytest.mark.parametrize("batch_size", [1, 7, 16, 50])
def test_mini_batches(network, batch_size, l2):
    random = np.random.default_rng(0)
    X, y = random.standard_normal((50, 12)), random.integers(0, 2, 50)
    begin = reference.initialise([12, 9, 1], seed=1, gain=2**0.5)
    seed, epochs, learning_rate = 2**40 + 5, 4, 0.05

    parameters, costs = begin, []
    for epoch in range(epochs):
        order, total = order_of_rows(50, seed, epoch), 0.0
        for i in range(0, 50, batch_size):
            rows = order[i : i + batch_size]
            parameters, (cost,) = reference.train(
                X[rows], y[rows], parameters, learning_rate, iterations=1, l2=l2
            )
            total += len(rows) * cost
        costs.append(total / 50)

    net = network(begin)
    history = pc.train(
        net,
        X,
        y,
        optimizer=pc.SGD(learning_rate=learning_rate),
        epochs=epochs,
        batch_size=batch_size,
        l2=l2,
        seed=seed,
    )
    np.testing.assert_allclose(history.loss, costs, rtol=0, atol=1e-12)
    for (W, b), (expected_W, expected_b) in zip(net.parameters, parameters, strict=True):
        np.testing.assert_allclose(W, expected_W, rtol=0, atol=1e-12)
        np.testing.assert_allclose(b, expected_b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("l2", [0.0, 0.4])
@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([30, 64, 41, 1], id="in two halves"),
        pytest.param([40, 75, 1], id="in two halves, one hidden layer"),
        pytest.param([30, 16, 40, 40, 1], id="in lanes"),
        pytest.param([30, 100, 100, 100, 1], id="each product shared out"),
    ],
)
def test_small_layers(network, sizes, l2):
    """Batches of 64 rows and one of 37, in each of the ways in which threads share a network."""
    random = np.random.default_rng(1)
    X, y = random.standard_normal((165, sizes[0])), random.integers(0, 2, 165)
    begin = reference.initialise(sizes, seed=2, gain=2**0.5)
    parameters, costs = begin, []
    for epoch in range(3):
        order, total = order_of_rows(165, 5, epoch), 0.0
        for i in range(0, 165, 64):
            rows = order[i : i + 64]
            parameters, (cost,) = reference.train(
                X[rows], y[rows], parameters, 0.1, iterations=1, l2=l2
            )
            total += len(rows) * cost
        costs.append(total / 165)

    net = network(begin)
    history = pc.train(
        net, X, y, optimizer=pc.SGD(learning_rate=0.1), epochs=3, batch_size=64, l2=l2, seed=5
    )
    np.testing.assert_allclose(history.loss, costs, rtol=0, atol=1e-12)
    for (W, b), (expected_W, expected_b) in zip(net.parameters, parameters, strict=True):
        np.testing.assert_allclose(W, expected_W, rtol=0, atol=1e-12)
        np.testing.assert_allclose(b, expected_b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("hidden", ["gelu", "tanh", ["elu", "silu"]])
def test_gradients_of_small_layers_by_central_differences(hidden):
    """`gelu` and `silu` are differentiated from their input, which is shared out as well."""
    random = np.random.default_rng(3)
    X, y = random.standard_normal((70, 20)), random.integers(0, 3, 70)
    net = pc.Network([20, 40, 30, 3], hidden=hidden, output="softmax", dtype="float64", seed=4)
    weights = random.uniform(0.5, 2.0, 70)
    assert pc.check_gradients(net, X, y, sample_weight=weights).error < 1e-7


def test_dropout_draws_its_masks_from_the_generator():
    """One example of ones: a weight whose input is left out of the step does not move."""
    n, rate, seed = 300, 0.35, 2**33 + 7
    net = pc.Network([n, 4, 1], hidden="identity", output="identity", dtype="float64", seed=1)
    before = net.parameters
    pc.train(
        net,
        np.ones((1, n)),
        [5.0],
        optimizer=pc.SGD(1e-3),
        epochs=3,
        batch_size=1,
        seed=seed,
        input_dropout=rate,
        dropout=0.5,
    )
    stayed = (net.parameters[0][0] == before[0][0]).all(axis=0)
    out = [
        mask((1, n), rate, seed=seed, step=step, layer=0, layers=2)[0] == 0 for step in (1, 2, 3)
    ]
    np.testing.assert_array_equal(stayed, np.all(out, axis=0))
    assert 0 < stayed.sum() < n
