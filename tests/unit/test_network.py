"""The network as Python sees it: what it is made of, what it answers."""

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


# Copies


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
