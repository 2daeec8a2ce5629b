"""A network's weights and biases: copies out, any type in, and how they begin."""

import math

import numpy as np
import pytest

import purrceptron as pc

erf = np.vectorize(math.erf, otypes=[float])


def flat(net):
    return np.concatenate([a.ravel() for layer in net.parameters for a in layer])


def network(sizes=(4, 6, 5, 3), **settings):
    """Make a float64 network whose biases are not zero."""
    net = pc.Network(sizes, **{"dtype": "float64", "seed": 1} | settings)
    random = np.random.default_rng(2)
    net.set_parameters([(W, random.standard_normal(b.shape)) for W, b in net.parameters])
    return net


def test_parameters_are_copies():
    net = network()
    before = flat(net)
    for W, b in net.parameters:
        W[...] = 7
        b[...] = 7
    np.testing.assert_array_equal(flat(net), before)
    given = net.parameters
    net.set_parameters(given)
    given[0][0][...] = 7
    np.testing.assert_array_equal(flat(net), before)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", ">f4", "int64", "bool"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_of_any_type_are_cast(kind, dtype):
    net = pc.Network([4, 3, 2], dtype=dtype)
    given = [((abs(W) * 3).astype(kind), (b + 1).astype(kind)) for W, b in net.parameters]
    net.set_parameters(given)
    for (W, b), (given_W, given_b) in zip(net.parameters, given, strict=True):
        assert W.dtype == b.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(W, given_W.astype(dtype))
        np.testing.assert_array_equal(b, given_b.astype(dtype))


def test_parameters_may_lie_anywhere_in_memory():
    net, twin = network(), network()
    net.set_parameters(
        [(np.asfortranarray(W)[::1], b[::-1].copy()[::-1]) for W, b in twin.parameters]
    )
    np.testing.assert_array_equal(flat(net), flat(twin))
    net.set_parameters([[W.tolist(), b.tolist()] for W, b in twin.parameters])
    np.testing.assert_array_equal(flat(net), flat(twin))


W0, B0 = np.ones((3, 4)), np.ones(3)
SECOND = (np.ones((1, 3)), np.ones(1))


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        (None, "parameters is None, expected 2 pairs (W, b)"),
        ([], "parameters has 0 layers, expected 2 pairs (W, b)"),
        ([SECOND], "parameters has 1 layer, expected 2 pairs (W, b)"),
        ([W0, SECOND], "parameters[0] is not a pair (W, b)"),
        ([3, SECOND], "parameters[0] is not a pair (W, b)"),
        ([(W0.T, B0), SECOND], "W of parameters[0] has shape (4, 3), expected (3, 4)"),
        ([(W0, B0[:, None]), SECOND], "b of parameters[0] has shape (3, 1), expected (3,)"),
        (
            [(W0, B0), (SECOND[0] * np.nan, SECOND[1])],
            "W of parameters[1] holds nan at row 0, column 0; only finite numbers can be used",
        ),
        (
            [(W0, np.array([1, np.inf, 1])), SECOND],
            "b of parameters[0] holds inf at row 1; only finite numbers can be used",
        ),
        (
            [(W0 * 1e300, B0), SECOND],
            "W of parameters[0] holds 1e+300 at row 0, column 0, too large for float32",
        ),
        (
            [(W0 * 1j, B0), SECOND],
            "Complex data not supported: W of parameters[0] has dtype complex128",
        ),
        ([([[1, 2], [1]], B0), SECOND], "W of parameters[0] is not rectangular"),
        ([(np.ma.masked_less(W0, 2), B0), SECOND], "W of parameters[0] is a masked array"),
        ([(W0.astype(str), B0), SECOND], "W of parameters[0] holds text"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(parameters, sentence):
    net = pc.Network([4, 3, 1], seed=0)
    before = flat(net)
    with pytest.raises(ValueError) as caught:
        net.set_parameters(parameters)
    assert str(caught.value).startswith(sentence)
    np.testing.assert_array_equal(flat(net), before)


@pytest.mark.parametrize(
    ("init", "deviation", "limit"),
    [
        ("he_normal", math.sqrt(2 / 400), math.inf),
        ("he_uniform", math.sqrt(2 / 400), math.sqrt(6 / 400)),
        ("glorot_normal", math.sqrt(2 / 700), math.inf),
        ("glorot_uniform", math.sqrt(2 / 700), math.sqrt(6 / 700)),
        ("lecun_normal", math.sqrt(1 / 400), math.inf),
        ("lecun_uniform", math.sqrt(1 / 400), math.sqrt(3 / 400)),
        ("series", math.sqrt(1 / 1200), math.sqrt(1 / 400)),
        ("zeros", 0.0, 0.0),
    ],
)
def test_initialisers(init, deviation, limit):
    net = pc.Network([400, 300, 1], init=init, seed=5, dtype="float64")
    (W, b), (V, c) = net.parameters
    assert W.std() == pytest.approx(deviation, rel=0.02)
    assert abs(W.mean()) <= 0.02 * deviation
    assert abs(W).max() <= limit
    if limit < math.inf:
        assert abs(W).max() >= 0.999 * limit
    assert not b.any()
    assert not c.any()
    if init != "zeros":
        assert len(np.unique(W)) == W.size
        assert not np.isin(V, W).any()  # a layer has random numbers of its own


def test_normal_weights_are_normal():
    (W, _), *_ = pc.Network([400, 300, 1], seed=6, dtype="float64").parameters
    z = np.sort(W, axis=None) / math.sqrt(2 / 400)
    below = (1 + erf(z / math.sqrt(2))) / 2
    # Kolmogorov and Smirnov: a distance of 2 / sqrt(n) has a chance of 1 in 1000
    assert abs(below - (np.arange(z.size) + 0.5) / z.size).max() < 2 / math.sqrt(z.size)


def test_the_same_seed_gives_the_same_weights_and_another_others():
    np.testing.assert_array_equal(
        flat(pc.Network([5, 4, 1], seed=8)), flat(pc.Network([5, 4, 1], seed=np.int64(8)))
    )
    seeds = [0, 1, 2, 2**32, 2**32 + 1, 2**63, 2**64 - 1, None, None]
    assert len({flat(pc.Network([5, 4, 1], seed=seed)).tobytes() for seed in seeds}) == len(seeds)


def test_a_wider_layer_or_another_type_draws_the_same_numbers():
    single, double = pc.Network([5, 4, 1], seed=8), pc.Network([5, 4, 1], seed=8, dtype="float64")
    np.testing.assert_array_equal(flat(single), flat(double).astype(np.float32))
