"""What a network shows of itself: hidden activations, its derivatives held against differences."""

import numpy as np
import pytest

import purrceptron as pc

RANDOM = np.random.default_rng(1)
X = RANDOM.standard_normal((3000, 5))
Y = RANDOM.integers(0, 2, 3000)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", ["relu", "tanh", "gelu"])
def test_activations_lead_to_the_output(hidden, dtype):
    net = pc.Network([5, 7, 4, 1], hidden=hidden, dtype=dtype, seed=1)
    first, second = net.activations(X)
    assert first.shape == (3000, 7)
    assert second.shape == (3000, 4)
    assert first.dtype == second.dtype == np.dtype(dtype)
    for n, A in enumerate((first, second), start=1):
        above = pc.Network(net.layer_sizes[n:], hidden=hidden, dtype=dtype)
        above.set_parameters(net.parameters[n:])
        np.testing.assert_allclose(above.forward(A), net.forward(X), rtol=1e-5)
    below = pc.Network([5, 7], output="identity", dtype=dtype)
    below.set_parameters(net.parameters[:1])
    if hidden == "relu":
        np.testing.assert_allclose(first, np.maximum(below.forward(X), 0), rtol=1e-6)


def test_without_hidden_layers_there_are_no_activations():
    assert pc.Network([5, 1]).activations(X) == []


def test_activations_want_what_forward_wants():
    with pytest.raises(ValueError, match=r"^X has 4 columns, but the network takes 5 inputs$"):
        pc.Network([5, 3, 1]).activations(X[:, :4])


# check_gradients


def test_derivatives_are_right_and_the_network_is_left_alone():
    net = pc.Network([5, 6, 1], hidden="silu", seed=3)
    before = net.parameters
    check = pc.check_gradients(net, X[:20], Y[:20], l2=0.3)
    assert check.error < 1e-8
    assert check.checked == 5 * 6 + 6 + 6 + 1
    for (W, b), (V, c) in zip(net.parameters, before, strict=True):
        np.testing.assert_array_equal(W, V)
        np.testing.assert_array_equal(b, c)


def test_a_wrong_derivative_is_found(monkeypatch):
    net = pc.Network([5, 6, 1], hidden="tanh", seed=3)
    right = pc.Network.gradients

    def wrong(self, *arguments, **settings):
        gradients = right(self, *arguments, **settings)
        gradients[0][0][4, 2] += 0.25
        return gradients

    monkeypatch.setattr(pc.Network, "gradients", wrong)
    check = pc.check_gradients(net, X[:20], Y[:20])
    assert check.where == "W[4, 2] of layer 1"
    assert check.analytic - check.numeric == pytest.approx(0.25, abs=1e-7)
    assert check.error == pytest.approx(0.25, abs=1e-7)


def test_some_parameters_of_each_array_are_enough():
    net = pc.Network([5, 30, 1], hidden="tanh", seed=3)
    check = pc.check_gradients(net, X[:20], Y[:20], at_most=10)
    assert check.checked == 10 + 10 + 10 + 1
    assert check.error < 1e-8


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"step": 0}, "step is 0, expected a finite number above 0"),
        ({"at_most": 0}, "at_most is 0, expected an integer from 1 on"),
        ({"loss": "huber"}, "loss is huber, expected one that goes with the output sigmoid; huber"),
    ],
    ids=str,
)
def test_arguments_that_do_not_fit_are_refused(settings, sentence):
    with pytest.raises(ValueError) as caught:
        pc.check_gradients(pc.Network([5, 1]), X, Y, **settings)
    assert str(caught.value).startswith(sentence)
    with pytest.raises(ValueError, match=r"^net is 'net', expected a Network$"):
        pc.check_gradients("net", X, Y)


# Initialisers


@pytest.mark.parametrize("shape", [(7, 3), (3, 7), (20, 20)])
def test_orthogonal_weights_keep_lengths(shape):
    W = pc.Network(shape, init="orthogonal", dtype="float64", seed=1).parameters[0][0]
    product = W @ W.T if shape[0] > shape[1] else W.T @ W
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-14)


def test_orthogonal_matrices_have_no_preference():
    """In the mean over seeds each entry is 0, and its square 1/n."""
    entries = np.array(
        [
            pc.Network([3, 3], init="orthogonal", dtype="float64", seed=seed).parameters[0][0]
            for seed in range(2000)
        ]
    )
    np.testing.assert_allclose(entries.mean(axis=0), 0, atol=0.06)
    np.testing.assert_allclose((entries**2).mean(axis=0), 1 / 3, atol=0.03)


def test_a_function_may_draw_the_weights():
    asked = []

    def draw(rng, n_out, n_in):
        asked.append((n_out, n_in))
        return rng.uniform(-1, 1, (n_out, n_in))

    net = pc.Network([4, 3, 2], init=draw, seed=5)
    assert asked == [(3, 4), (2, 3)]
    again = pc.Network([4, 3, 2], init=draw, seed=5)
    other = pc.Network([4, 3, 2], init=draw, seed=6)
    for (W, b), (V, _), (U, _) in zip(
        net.parameters, again.parameters, other.parameters, strict=True
    ):
        np.testing.assert_array_equal(W, V)
        assert (W != U).all()
        assert not b.any()


@pytest.mark.parametrize(
    ("init", "sentence"),
    [
        (lambda rng, n_out, n_in: np.zeros((n_in, n_out)), "W of init[0] has shape (4, 3), expec"),
        (lambda rng, n_out, n_in: np.full((n_out, n_in), np.nan), "W of init[0] holds nan at row"),
        ("magic", 'init is "magic", expected one of: he_normal'),
    ],
    ids=["shape", "nan", "name"],
)
def test_initialisers_that_do_not_fit_are_refused(init, sentence):
    with pytest.raises(ValueError) as caught:
        pc.Network([4, 3, 2], init=init)
    assert str(caught.value).startswith(sentence)
