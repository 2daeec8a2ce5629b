"""Settings, targets and weights of samples that fit no network: each is refused with a sentence."""

import math

import numpy as np
import pytest

import purrceptron as pc

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((9, 4))
Y = RANDOM.integers(0, 2, 9)


def network(sizes=(4, 6, 5, 3), **settings):
    """Make a float64 network whose biases are not zero."""
    net = pc.Network(sizes, **{"dtype": "float64", "seed": 1} | settings)
    random = np.random.default_rng(2)
    net.set_parameters([(W, random.standard_normal(b.shape)) for W, b in net.parameters])
    return net


def flat(net):
    return np.concatenate([a.ravel() for layer in net.parameters for a in layer])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"layer_sizes": [3]}, "layer_sizes is [3], expected at least an input and an output"),
        ({"layer_sizes": [3, 0, 1]}, "layer_sizes is [3, 0, 1], expected at least an input and an"),
        ({"layer_sizes": [3, -2, 1]}, "layer_sizes is [3, -2, 1], expected at least an input and"),
        ({"layer_sizes": [3, 1.5]}, "layer_sizes is [3, 1.5], expected a sequence of integers"),
        ({"layer_sizes": 3}, "layer_sizes is 3, expected a sequence of integers"),
        ({"layer_sizes": "31"}, "layer_sizes is '31', expected a sequence of integers"),
        ({"hidden": "rulu"}, 'hidden is "rulu", expected one of: identity, relu, sigmoid, tanh, '),
        ({"hidden": ["relu"] * 2}, "hidden is ['relu', 'relu'], expected 1 name: one a layer"),
        ({"hidden": []}, "hidden is [], expected 1 name: one a layer"),
        ({"hidden": None}, "hidden is None, expected a name in quotes, or a sequence of them"),
        ({"hidden": [3]}, "hidden is [3], expected a name in quotes, or a sequence of them"),
        ({"output": "sigmund"}, 'output is "sigmund", expected one of: '),
        ({"output": None}, "output is None, expected a name in quotes"),
        ({"init": "he"}, 'init is "he", expected one of: he_normal, he_uniform, glorot_normal, '),
        ({"init": None}, "init is None, expected a name in quotes"),
        ({"dtype": "float16"}, "dtype is 'float16', expected 'float32' or 'float64'"),
        ({"dtype": int}, "dtype is <class 'int'>, expected 'float32' or 'float64'"),
        ({"dtype": "cat"}, "dtype is 'cat', expected 'float32' or 'float64'"),
        ({"seed": -1}, "seed is -1, expected an integer from 0 to 2**64 - 1, or None"),
        ({"seed": 2**64}, "seed is 18446744073709551616, expected an integer from 0 to 2**64 - 1"),
        ({"seed": 1.0}, "seed is 1.0, expected an integer from 0 to 2**64 - 1, or None"),
        ({"uint8_scale": 0}, "uint8_scale is 0, expected a number other than 0"),
        ({"uint8_scale": math.nan}, "uint8_scale is nan, expected a number other than 0"),
        ({"uint8_scale": 1e-60}, "uint8_scale is 1e-60, expected a number other than 0 that float"),
        ({"uint8_scale": "1"}, "uint8_scale is '1', expected a number"),
    ],
    ids=str,
)
def test_settings_that_make_no_network_are_refused(settings, sentence):
    with pytest.raises(ValueError) as caught:
        pc.Network(**{"layer_sizes": [4, 3, 1]} | settings)
    assert str(caught.value).startswith(sentence)


ONE, SEVERAL = {"sizes": (4, 5, 1)}, {"sizes": (4, 5, 3)}
CLASSES = SEVERAL | {"output": "softmax"}
VALUES = SEVERAL | {"output": "identity"}


@pytest.mark.parametrize("call", [pc.Network.loss, pc.Network.gradients, pc.train])
@pytest.mark.parametrize(
    ("settings", "y", "sentence"),
    [
        (ONE, None, "y is None, expected an array of numbers"),
        (ONE, 1, "X has 9 rows, but y has none: it is a single number"),
        (ONE, Y[:8], "X has 9 rows, but y has 8 rows"),
        (ONE, Y[None], "X has 9 rows, but y has 1 row"),
        (ONE, np.ones((9, 2)), "y has shape (9, 2), expected (9, 1): the network has 1 output"),
        (ONE, np.ones((9, 1, 1)), "y has shape (9, 1, 1), expected (9, 1): the network has 1 out"),
        (ONE, [0, 1, 2, 0, 1, 0, 1, 0, 1], "y is 2 at row 2, column 0, expected 0 or 1"),
        (ONE, Y - 0.5, "y is "),
        (ONE, np.where(Y, np.nan, 0), "y holds NaN at row "),
        (ONE, np.where(Y, "cat", "dog"), "y holds text (dtype <U3), expected numbers"),
        (ONE, [None, *Y[1:]], "y holds None at row 0, expected numbers"),
        (ONE, Y * 1j, "Complex data not supported: y has dtype complex128"),
        (ONE, np.ma.masked_equal(Y, 1), "y is a masked array with masked values"),
        (SEVERAL, Y, "y has shape (9,), expected (9, 3): the network has 3 outputs"),
        (SEVERAL, np.full((9, 3), 2), "y is 2 at row 0, column 0, expected 0 or 1"),
        (CLASSES, Y + 2, "y holds 3 at row "),
        (CLASSES, Y - 1, "y holds -1 at row "),
        (CLASSES, Y + 0.5, "y holds "),
        (CLASSES, np.full(9, np.nan), "y holds nan at row 0, expected class numbers from 0 to 2"),
        (CLASSES, np.full(9, 2.0**40), "y holds 1099511627776.0 at row 0, expected class numbers"),
        (
            CLASSES,
            np.eye(3)[Y],
            "y has shape (9, 3), expected class numbers of shape (9,) for a softmax: of one-hot "
            "rows they are y.argmax(axis=1)",
        ),
        (CLASSES, np.ones((9, 2)), "y has shape (9, 2), expected class numbers of shape (9,)"),
        (VALUES, X[:, 0], "y has shape (9,), expected (9, 3): the network has 3 outputs"),
        (VALUES, np.full((9, 3), np.inf), "y holds inf at row 0, column 0; only finite numbers"),
    ],
)
def test_targets_that_do_not_fit_are_refused(call, settings, y, sentence):
    net = network(**settings)
    before = flat(net)
    with pytest.raises(ValueError) as caught:
        call(net, X, y)
    assert str(caught.value).startswith(sentence)
    np.testing.assert_array_equal(flat(net), before)


def test_a_target_too_large_for_float32_is_named_as_it_came():
    net = network(output="identity", dtype="float32")
    with pytest.raises(ValueError, match=r"^y holds 1e\+300 at row 4, column 1, too large for f"):
        net.loss(X, np.where(np.arange(27).reshape(9, 3) == 13, 1e300, 0))


@pytest.mark.parametrize("call", [pc.Network.loss, pc.Network.gradients, pc.train])
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"loss": "mse"}, "loss is 'mse', expected one of: binary_cross_entropy, categorical_cr"),
        (
            {"loss": "squared_error"},
            "loss is squared_error, expected one that goes with the output sig",
        ),
        ({"loss": 3}, "loss is 3, expected one of: binary_cross_entropy"),
        ({"l2": -1}, "l2 is -1, expected a finite number from 0 on"),
        ({"l2": math.nan}, "l2 is nan, expected a finite number from 0 on"),
        ({"l2": math.inf}, "l2 is inf, expected a finite number from 0 on"),
        ({"l2": "0.1"}, "l2 is '0.1', expected a number"),
        ({"l2": None}, "l2 is None, expected a number"),
        ({"sample_weight": np.ones(8)}, "sample_weight has shape (8,), expected (9,)"),
        ({"sample_weight": np.ones((9, 1))}, "sample_weight has shape (9, 1), expected (9,)"),
        ({"sample_weight": 1.0}, "sample_weight has shape (), expected (9,)"),
        ({"sample_weight": np.zeros(9)}, "sample_weight is zero everywhere, expected a positive"),
        ({"sample_weight": np.arange(9) - 1.0}, "sample_weight is -1 at row 0, expected no neg"),
        ({"sample_weight": [np.nan, *range(8)]}, "sample_weight holds NaN at row 0"),
        ({"sample_weight": ["1"] * 9}, "sample_weight holds text (dtype <U1), expected numbers"),
    ],
    ids=str,
)
def test_settings_of_the_cost_that_do_not_fit_are_refused(call, settings, sentence):
    net = network((4, 5, 1))
    before = flat(net)
    with pytest.raises(ValueError) as caught:
        call(net, X, Y, **settings)
    assert str(caught.value).startswith(sentence)
    np.testing.assert_array_equal(flat(net), before)
    assert net.training == {}
