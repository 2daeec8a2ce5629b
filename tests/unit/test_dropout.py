"""Dropout: its statistics, its formula in a fit, its reproducibility."""

import numpy as np
import pytest

import purrceptron as pc

RANDOM = np.random.default_rng(4)
X = RANDOM.standard_normal((30, 6))
Y = RANDOM.integers(0, 2, 30)


def flat(net):
    return np.concatenate([a.ravel() for layer in net.parameters for a in layer])


def test_input_dropout_by_its_formula():
    """One row of ones: each weight moves by the learning rate times its factor, or stays."""
    n, p = 4000, 0.3
    net = pc.Network([n, 1], output="identity", init="zeros", dtype="float64")
    settings = {"loss": "absolute_error", "optimizer": pc.SGD(1.0), "seed": 5}
    pc.train(net, np.ones((1, n)), [1e9], epochs=1, input_dropout=p, **settings)
    factors = net.parameters[0][0][0]
    kept = factors != 0
    np.testing.assert_allclose(factors[kept], 1 / (1 - p), rtol=1e-9)
    assert abs(kept.mean() - (1 - p)) < 5 * np.sqrt(p * (1 - p) / n)
    # Another step, another mask: both keep a weight with probability (1 - p)².
    net = pc.Network([n, 1], output="identity", init="zeros", dtype="float64")
    pc.train(net, np.ones((1, n)), [1e9], epochs=2, input_dropout=p, **settings)
    twice = net.parameters[0][0][0] > 1.5 / (1 - p)
    assert abs(twice.mean() - (1 - p) ** 2) < 0.05


def test_a_step_is_that_of_the_thinned_network():
    """The mask is found out from what stays still, and the step then done in NumPy."""
    net = pc.Network([6, 40, 1], hidden="tanh", output="identity", dtype="float64", seed=1)
    (W, b), (V, c) = net.parameters
    x, y, p = X[:1], 3.0, 0.5
    pc.train(net, x, [y], optimizer=pc.SGD(0.1), epochs=1, dropout=p, seed=2)
    (W1, b1), (V1, c1) = net.parameters
    a = np.tanh(x @ W.T + b)
    M = (V1 != V) / (1 - p)  # (1, 40): a unit that is left out has no gradient
    assert 5 < (M > 0).sum() < 35
    dz2 = a * M @ V.T + c - y
    dz1 = dz2 @ V * M * (1 - a**2)
    np.testing.assert_allclose(V1, V - 0.1 * dz2.T @ (a * M), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(c1, c - 0.1 * dz2[0], rtol=1e-12)
    np.testing.assert_allclose(W1, W - 0.1 * dz1.T @ x, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(b1, b - 0.1 * dz1[0], rtol=1e-12, atol=1e-15)


def test_the_loss_of_many_masks_has_the_expected_mean():
    """Through a linear network the expectation of the output is that without dropout."""
    net = pc.Network([6, 50, 1], hidden="identity", output="identity", dtype="float64", seed=1)
    n = 40_000
    x = np.tile(X[:1], (n, 1))
    history = pc.train(
        net, x, np.zeros(n), optimizer=pc.SGD(1e-12), epochs=1, dropout=0.4, input_dropout=0.2
    )
    (W, _), (V, _) = net.parameters
    # E[(Σ v a)²] from the variances of the masks: p / (1 - p) for each factor.
    z = W @ X[0]
    variance_of_z = (0.2 / 0.8) * (W * X[0]) @ (W * X[0]).T
    second = np.outer(z, z) + variance_of_z
    variance = V[0] @ second @ V[0] + (0.4 / 0.6) * np.sum(V[0] ** 2 * np.diag(second))
    assert history.loss[0] == pytest.approx(variance / 2, rel=0.03)


@pytest.mark.parametrize("hidden", ["relu", "tanh", "gelu", "selu"])
@pytest.mark.parametrize("batch_size", [None, 64])
def test_the_same_bits_for_any_number_of_threads(hidden, batch_size):
    before = pc.get_num_threads()
    x, y = RANDOM.standard_normal((3000, 20)), RANDOM.integers(0, 2, 3000)
    results = []
    try:
        for threads in (1, 2, 5):
            pc.set_num_threads(threads)
            net = pc.Network([20, 70, 30, 1], hidden=hidden, seed=1)
            pc.train(
                net, x, y, epochs=2, seed=7, batch_size=batch_size, dropout=0.3, input_dropout=0.1
            )
            results.append(flat(net).tobytes())
    finally:
        pc.set_num_threads(before)
    assert results[0] == results[1] == results[2]


def test_seeds_and_steps_differ_and_predictions_do_not():
    weights = []
    for seed in (1, 1, 2):
        net = pc.Network([6, 20, 1], seed=1)
        pc.train(net, X, Y, epochs=3, seed=seed, dropout=0.5)
        weights.append(flat(net))
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[0] != weights[2]).any()
    np.testing.assert_array_equal(net.forward(X), net.forward(X))


def test_none_at_all_is_the_fit_without():
    nets = [pc.Network([6, 20, 9, 1], seed=1) for _ in range(2)]
    pc.train(nets[0], X, Y, epochs=5, dropout=[0, 0.0], input_dropout=0)
    pc.train(nets[1], X, Y, epochs=5)
    np.testing.assert_array_equal(flat(nets[0]), flat(nets[1]))


def test_hidden_units_may_be_left_out_in_the_space_of_examples_too():
    x, y = RANDOM.standard_normal((20, 400)), RANDOM.integers(0, 2, 20)
    losses = []
    for first_layer in ("direct", "gram"):
        net = pc.Network([400, 9, 5, 1], hidden="tanh", dtype="float64", seed=1)
        history = pc.train(
            net, x, y, epochs=40, dropout=[0.3, 0.2], seed=3, first_layer=first_layer
        )
        losses.append(history.loss)
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-9)


def test_input_dropout_does_not_go_with_the_space_of_examples():
    why = "dropout of the input changes the examples in every step"
    x, y = RANDOM.standard_normal((20, 400)), RANDOM.integers(0, 2, 20)
    net = pc.Network([400, 9, 1])
    assert pc.train(net, x, y, epochs=2, input_dropout=0.1).first_layer == f"direct: {why}"
    with pytest.raises(ValueError) as caught:
        pc.train(net, x, y, epochs=2, input_dropout=0.1, first_layer="gram")
    assert str(caught.value) == f"first_layer is gram, expected direct or auto: {why}"


def test_dropout_holds_back_a_network_that_learns_by_heart():
    x = RANDOM.standard_normal((40, 30))
    y = RANDOM.integers(0, 2, 40)  # nothing to be learnt
    losses = []
    for dropout in (0.0, 0.6):
        net = pc.Network([30, 60, 1], seed=1)
        pc.train(net, x, y, optimizer=pc.Adam(0.01), epochs=100, dropout=dropout, seed=1)
        losses.append(net.loss(x, y))
    assert losses[1] > 3 * losses[0]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"dropout": 1.0}, "dropout is 1.0, expected a number from 0 up to, but not including, 1"),
        ({"dropout": -0.1}, "dropout is -0.1, expected a number from 0 up to"),
        ({"dropout": "half"}, "dropout is 'half', expected a number"),
        ({"dropout": None}, "dropout is None, expected a number"),
        ({"dropout": [0.5]}, "dropout is [0.5], expected 2 numbers: one a hidden layer"),
        ({"dropout": [0.5, np.nan]}, "dropout is nan, expected a number from 0 up to"),
        ({"input_dropout": 1}, "input_dropout is 1, expected a number from 0 up to, but not"),
        ({"input_dropout": [0.1]}, "input_dropout is [0.1], expected a number"),
    ],
    ids=str,
)
def test_probabilities_that_do_not_fit_are_refused(settings, sentence):
    net = pc.Network([6, 5, 4, 1])
    before = flat(net)
    with pytest.raises(ValueError) as caught:
        pc.train(net, X, Y, epochs=1, **settings)
    assert str(caught.value).startswith(sentence)
    np.testing.assert_array_equal(before, flat(net))
