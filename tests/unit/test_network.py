"""The network as Python sees it: what it is made of, what it answers, what it refuses."""

import copy
import math
import pickle

import numpy as np
import pytest

import purrceptron as pc

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((9, 4))
Y = RANDOM.integers(0, 2, 9)

erf = np.vectorize(math.erf, otypes=[float])
SELU = (1.0507009873554804934193349852946, 1.6732632423543772848170429916717)

ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "selu": lambda z: SELU[0] * np.where(z > 0, z, SELU[1] * np.expm1(z)),
    "gelu": lambda z: z / 2 * (1 + erf(z / math.sqrt(2))),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "softplus": lambda z: np.logaddexp(0, z),
}


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


OUTPUTS = {"sigmoid": ACTIVATIONS["sigmoid"], "softmax": softmax, "identity": lambda z: z}


def network(sizes=(4, 6, 5, 3), **settings):
    """Make a float64 network whose biases are not zero."""
    net = pc.Network(sizes, **{"dtype": "float64", "seed": 1} | settings)
    random = np.random.default_rng(2)
    net.set_parameters([(W, random.standard_normal(b.shape)) for W, b in net.parameters])
    return net


def logits(net, x):
    """Return what goes into the output activation, in NumPy."""
    *layers, (W, b) = net.parameters
    for (V, c), name in zip(layers, net.hidden, strict=True):
        x = ACTIVATIONS[name](x @ V.T + c)
    return x @ W.T + b


def flat(net):
    return np.concatenate([a.ravel() for layer in net.parameters for a in layer])


# What it is


def test_a_network_says_what_it_is():
    net = pc.Network([4, 6, 5, 3], hidden=["relu", "tanh"], output="softmax", dtype=np.float64)
    assert net.layer_sizes == (4, 6, 5, 3)
    assert net.hidden == ("relu", "tanh")
    assert net.output == "softmax"
    assert net.dtype == np.float64
    assert net.uint8_scale == 1 / 255
    assert net.class_names is None
    assert net.training == {}
    expected = "Network([4, 6, 5, 3], hidden=['relu', 'tanh'], output='softmax', dtype='float64')"
    assert repr(net) == expected


def test_the_defaults_are_the_series():
    net = pc.Network([12288, 20, 7, 5, 1])
    assert repr(net) == (
        "Network([12288, 20, 7, 5, 1], hidden='relu', output='sigmoid', dtype='float32')"
    )
    assert [W.shape for W, _ in net.parameters] == [(20, 12288), (7, 20), (5, 7), (1, 5)]
    assert [b.shape for _, b in net.parameters] == [(20,), (7,), (5,), (1,)]


@pytest.mark.parametrize("sizes", [[3, 2], (3, 2), np.array([3, 2]), range(3, 1, -1)], ids=repr)
def test_sizes_may_be_any_sequence(sizes):
    net = pc.Network(sizes)
    assert net.layer_sizes == (3, 2)
    assert all(type(n) is int for n in net.layer_sizes)


@pytest.mark.parametrize("dtype", ["float32", "float64", np.float32, float, np.dtype(">f8")])
def test_dtypes_by_any_name(dtype):
    net = pc.Network([3, 1], dtype=dtype)
    assert net.dtype == np.dtype(dtype).newbyteorder("=")
    assert net.dtype.isnative


@pytest.mark.parametrize(
    "attribute", ["layer_sizes", "hidden", "output", "dtype", "uint8_scale", "parameters", "cats"]
)
def test_attributes_cannot_be_overwritten(attribute):
    with pytest.raises(AttributeError):
        setattr(pc.Network([3, 1]), attribute, "anything")


def test_class_names():
    net = pc.Network([3, 1])
    net.class_names = ["non-cat", "cat"]
    assert net.class_names == ("non-cat", "cat")
    with pytest.raises(ValueError, match=r"^class_names is \['cat'\], expected 2 names$"):
        net.class_names = ["cat"]
    for wrong in ("ab", 3, ["a", "b", "c"]):
        with pytest.raises(ValueError, match=r"^class_names is .*, expected 2 names$"):
            net.class_names = wrong
    assert net.class_names == ("non-cat", "cat")
    net.class_names = None
    assert net.class_names is None
    several = pc.Network([3, 4], output="softmax")
    several.class_names = list("abcd")
    assert several.class_names == tuple("abcd")


# Parameters


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


# What it answers


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_forward_is_what_numpy_says(hidden, output):
    net = network(hidden=hidden, output=output)
    expected = OUTPUTS[output](logits(net, X))
    result = net.forward(X)
    assert result.shape == (9, 3)
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(net.predict_proba(X), result)


def test_hidden_layers_of_several_kinds():
    net = network(hidden=("tanh", "softplus"))
    np.testing.assert_allclose(net.forward(X), OUTPUTS["sigmoid"](logits(net, X)), rtol=1e-12)


def test_no_hidden_layer_is_logistic_regression():
    net = network((4, 1))
    assert net.hidden == ()
    ((W, b),) = net.parameters
    np.testing.assert_allclose(net.forward(X), OUTPUTS["sigmoid"](X @ W.T + b), rtol=1e-12)


def test_predict_gives_the_form_of_the_labels():
    one = network((4, 5, 1))
    labels = one.predict(X)
    assert (labels.shape, labels.dtype) == ((9,), np.int64)
    np.testing.assert_array_equal(labels, one.forward(X)[:, 0] > 0.5)
    assert set(labels) == {0, 1}

    several = network((4, 5, 3))
    labels = several.predict(X)
    assert (labels.shape, labels.dtype) == ((9, 3), np.int64)
    np.testing.assert_array_equal(labels, several.forward(X) > 0.5)

    classes = network((4, 5, 3), output="softmax")
    labels = classes.predict(X)
    assert (labels.shape, labels.dtype) == ((9,), np.int64)
    np.testing.assert_array_equal(labels, classes.forward(X).argmax(axis=1))
    np.testing.assert_allclose(classes.predict_proba(X).sum(axis=1), 1, rtol=1e-12)

    values = network((4, 5, 3), output="identity")
    np.testing.assert_array_equal(values.predict(X), values.forward(X))
    value = network((4, 5, 1), output="identity")
    np.testing.assert_array_equal(value.predict(X), value.forward(X)[:, 0])


def test_half_is_not_a_cat():
    np.testing.assert_array_equal(pc.Network([4, 1], init="zeros").predict(X), 0)


def test_a_row_alone_gets_the_answer_it_gets_among_others():
    net = network((4, 40, 30, 1))
    together = net.forward(np.tile(X, (100, 1)))
    for i in range(9):
        np.testing.assert_allclose(net.forward(X[i : i + 1])[0], together[i], rtol=1e-13)


def test_answers_are_arrays_of_their_own():
    net = network()
    given = X.copy()
    first = net.forward(given)
    first[...] = 7
    np.testing.assert_array_equal(given, X)
    assert not np.array_equal(net.forward(given), first)


# Loss and gradients


@pytest.mark.parametrize("l2", [0, 0.7])
def test_loss_is_what_numpy_says(l2):
    def penalty(net):
        return l2 / 18 * sum((W**2).sum() for W, _ in net.parameters)

    one = network((4, 5, 1))
    a = one.forward(X)[:, 0]
    expected = -np.mean(Y * np.log(a) + (1 - Y) * np.log(1 - a)) + penalty(one)
    for y in (Y, Y[:, None], Y.astype(bool), Y.tolist(), Y.astype("f4"), Y.astype(">i2")):
        assert one.loss(X, y, l2=l2) == pytest.approx(expected, rel=1e-12)

    several = network((4, 5, 3))
    labels = np.random.default_rng(3).integers(0, 2, (9, 3))
    a = several.forward(X)
    expected = -np.sum(labels * np.log(a) + (1 - labels) * np.log(1 - a)) / 9 + penalty(several)
    assert several.loss(X, labels, l2=l2) == pytest.approx(expected, rel=1e-12)

    classes = network((4, 5, 3), output="softmax")
    labels = np.random.default_rng(3).integers(0, 3, 9)
    a = classes.forward(X)
    expected = -np.mean(np.log(a[range(9), labels])) + penalty(classes)
    for y in (labels, labels[:, None], labels.astype(float), labels.astype("u1")):
        assert classes.loss(X, y, l2=l2) == pytest.approx(expected, rel=1e-12)

    values = network((4, 5, 3), output="identity")
    targets = np.random.default_rng(3).standard_normal((9, 3))
    expected = np.sum((values.forward(X) - targets) ** 2) / 2 / 9 + penalty(values)
    assert values.loss(X, targets, l2=l2) == pytest.approx(expected, rel=1e-12)


def test_the_loss_by_its_name_is_the_loss_that_fits():
    for output, loss, y in [
        ("sigmoid", "binary_cross_entropy", Y[:, None] ^ [0, 1, 0]),
        ("softmax", "categorical_cross_entropy", Y),
        ("identity", "squared_error", X[:, :3]),
    ]:
        net = network(output=output)
        assert net.loss(X, y, loss=loss) == net.loss(X, y)


def test_the_loss_stays_finite_where_the_sigmoid_saturates():
    net = pc.Network([1, 1], dtype="float64", init="zeros")
    net.set_parameters([([[1.0]], [0.0])])
    assert net.loss([[800.0], [-800.0]], [0, 1]) == 800.0
    assert net.loss([[800.0], [-800.0]], [1, 0]) == 0.0
    ((dW, db),) = net.gradients([[800.0], [-800.0]], [0, 1])
    assert dW[0, 0] == 800.0
    assert db[0] == 0.0


def test_weights_of_samples_count_like_copies_of_them():
    net = network((4, 5, 1))
    times = np.array([2, 1, 0, 3, 1, 1, 0, 2, 1])
    copies_X, copies_y = np.repeat(X, times, axis=0), np.repeat(Y, times)
    for l2 in (0.0, 0.5):
        assert net.loss(X, Y, l2=l2, sample_weight=times) == pytest.approx(
            net.loss(copies_X, copies_y, l2=l2), rel=1e-13
        )
        for (dW, db), (expected_W, expected_b) in zip(
            net.gradients(X, Y, l2=l2, sample_weight=times),
            net.gradients(copies_X, copies_y, l2=l2),
            strict=True,
        ):
            np.testing.assert_allclose(dW, expected_W, rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(db, expected_b, rtol=1e-12, atol=1e-15)


def test_gradients_have_the_form_of_the_parameters_and_change_nothing():
    net = network()
    before = flat(net)
    y = Y[:, None] ^ [0, 1, 0]
    for (dW, db), (W, b) in zip(net.gradients(X, y), net.parameters, strict=True):
        assert dW.shape == W.shape
        assert db.shape == b.shape
        assert dW.dtype == db.dtype == net.dtype
    np.testing.assert_array_equal(flat(net), before)


# Bytes


def test_bytes_are_multiplied_by_the_scale():
    pixels = np.arange(36, dtype=np.uint8).reshape(9, 4) * 7
    for scale in (1 / 255, 0.5, -3.0):
        net = network((4, 5, 1), uint8_scale=scale)
        np.testing.assert_array_equal(net.forward(pixels), net.forward(pixels * scale))
        assert net.loss(pixels, Y) == net.loss(pixels * scale, Y)


@pytest.mark.parametrize("call", ["forward", "predict", "predict_proba", "loss", "gradients"])
def test_bytes_that_never_exceed_1_are_warned_of_at_the_callers_line(call):
    net = network((4, 5, 1))
    arguments = (np.ones((9, 4), np.uint8), Y)[: 2 if call in ("loss", "gradients") else 1]
    with pytest.warns(UserWarning, match="^X is uint8 and never exceeds 1, .*=0.003922") as caught:
        getattr(net, call)(*arguments)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_bytes_of_a_network_that_does_not_shrink_them_are_not_warned_of():
    network((4, 5, 1), uint8_scale=1.0).forward(np.ones((9, 4), np.uint8))


# What it refuses


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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_copies_and_pickles_predict_the_same(dtype):
    net = pc.Network([3, 4, 2], hidden="tanh", output="softmax", dtype=dtype, seed=1)
    net.class_names = ("cat", "dog")
    X = np.linspace(-1, 1, 12).reshape(4, 3)
    for other in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net), copy.copy(net)):
        np.testing.assert_array_equal(other.forward(X), net.forward(X))
        assert (other.class_names, other.dtype) == (net.class_names, net.dtype)
        pc.train(other, X, [0, 1, 0, 1], epochs=3)
        assert not np.array_equal(other.forward(X), net.forward(X))
