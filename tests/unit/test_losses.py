"""Losses with settings, class weights, counts: by hand, by central differences, by PyTorch."""

import numpy as np
import pytest

import purrceptron as pc

RANDOM = np.random.default_rng(3)
M = 17
X = RANDOM.standard_normal((M, 4))
TARGETS = {
    "sigmoid": RANDOM.integers(0, 2, (M, 3)),
    "softmax": RANDOM.integers(0, 3, M),
    "identity": 2 * RANDOM.standard_normal((M, 3)),
    "exp": RANDOM.integers(0, 5, (M, 3)),
}
WEIGHTS = RANDOM.uniform(0.5, 2.0, M)

LOSSES = [
    pc.losses.BinaryCrossEntropy(),
    pc.losses.BinaryCrossEntropy(label_smoothing=0.3),
    pc.losses.CategoricalCrossEntropy(),
    pc.losses.CategoricalCrossEntropy(label_smoothing=0.3),
    pc.losses.SquaredError(),
    pc.losses.AbsoluteError(),
    pc.losses.Huber(),
    pc.losses.Huber(delta=0.3),
    pc.losses.Poisson(),
]


def network(loss, dtype="float64"):
    return pc.Network([4, 6, 3], hidden="tanh", output=loss.output, dtype=dtype, seed=1)


@pytest.mark.parametrize("penalty", [{}, {"l2": 0.4, "l1": 0.7}], ids=["", "penalties"])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_every_loss_by_central_differences(loss, penalty):
    y = TARGETS[loss.output]
    check = pc.check_gradients(network(loss), X, y, loss=loss, sample_weight=WEIGHTS, **penalty)
    assert check.checked == 4 * 6 + 6 + 6 * 3 + 3
    assert check.error < 1e-8, check


def test_the_penalties_are_sums_over_the_weights():
    net = network(pc.losses.SquaredError())
    y, weights = TARGETS["identity"], [W for W, _ in net.parameters]
    plain = net.loss(X, y)
    l1 = sum(np.abs(W).sum() for W in weights)
    l2 = sum((W**2).sum() for W in weights)
    expected = plain + 0.4 / (2 * M) * l2 + 0.7 / M * l1
    assert net.loss(X, y, l2=0.4, l1=0.7) == pytest.approx(expected, rel=1e-14)
    history = pc.train(net, X, y, l2=0.4, l1=0.7, epochs=1)
    assert history.loss[0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_pytorch_has_the_same_losses(loss):
    torch = pytest.importorskip("torch")
    net, y = network(loss), TARGETS[loss.output]
    a = torch.from_numpy(net.forward(X))
    logits = {
        "sigmoid": torch.logit(a),
        "softmax": torch.log(a),
        "identity": a,
        "exp": torch.log(a),
    }[loss.output]
    targets = torch.from_numpy(np.asarray(y)).to(torch.int64 if y.ndim == 1 else torch.float64)
    f = torch.nn.functional
    expected = {
        "binary_cross_entropy": lambda: f.binary_cross_entropy_with_logits(
            logits,
            targets * (1 - loss.label_smoothing) + loss.label_smoothing / 2,
            reduction="sum",
        ),
        "categorical_cross_entropy": lambda: f.cross_entropy(
            logits, targets, reduction="sum", label_smoothing=loss.label_smoothing
        ),
        "squared_error": lambda: f.mse_loss(logits, targets, reduction="sum") / 2,
        "absolute_error": lambda: f.l1_loss(logits, targets, reduction="sum"),
        "huber": lambda: f.huber_loss(logits, targets, reduction="sum", delta=loss.delta),
        # PyTorch leaves out what the network does not change.
        "poisson": lambda: (
            f.poisson_nll_loss(logits, targets, reduction="sum")
            + torch.special.xlogy(targets, targets).sum()
            - targets.sum()
        ),
    }[loss.name]()
    assert net.loss(X, y, loss=loss) == pytest.approx(float(expected) / M, rel=1e-12)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_loss_trains(loss, dtype):
    net, y = network(loss, dtype), TARGETS[loss.output]
    stopped = pc.train(
        net, X, y, loss=loss, optimizer=pc.Adam(0.05), epochs=60, validation_data=(X, y)
    )
    assert stopped.loss[-1] < 0.7 * stopped.loss[0]
    assert stopped.val_loss[-1] == pytest.approx(net.loss(X, y, loss=loss), rel=1e-5)
    assert len(stopped.val_accuracy) == (60 if loss.output in ("sigmoid", "softmax") else 0)
    assert net.training["loss"] == loss.name


def test_smoothing_keeps_the_accuracy_of_the_labels():
    net, y = network(pc.losses.CategoricalCrossEntropy()), TARGETS["softmax"]
    loss = pc.losses.CategoricalCrossEntropy(label_smoothing=0.2)
    history = pc.train(net, X, y, loss=loss, epochs=3, validation_data=(X, y))
    assert history.val_accuracy[-1] == np.mean(net.predict(X) == y)


def test_a_name_is_the_loss_with_its_defaults():
    net, y = network(pc.losses.Huber()), TARGETS["identity"]
    assert net.loss(X, y, loss="huber") == net.loss(X, y, loss=pc.losses.Huber(1.0))
    assert net.loss(X, y, loss="huber") != net.loss(X, y, loss=pc.losses.Huber(0.5))
    assert net.loss(X, y) == net.loss(X, y, loss="squared_error")


def test_counts_have_expectations_above_zero():
    y = RANDOM.poisson(3.0, M)
    net = pc.Network([4, 5, 1], output="exp", seed=1)
    pc.train(net, X, y, optimizer=pc.Adam(0.05), epochs=100)
    expected = net.predict(X)
    assert expected.shape == (M,)
    assert (expected > 0).all()
    assert expected.sum() == pytest.approx(y.sum(), rel=0.1)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: pc.losses.Huber(0), "delta is 0, expected a finite number above 0"),
        (lambda: pc.losses.Huber("1"), "delta is '1', expected a number"),
        (
            lambda: pc.losses.CategoricalCrossEntropy(1.0),
            "label_smoothing is 1.0, expected a number from 0 up to, but not including, 1",
        ),
        (
            lambda: pc.losses.BinaryCrossEntropy(label_smoothing=-0.1),
            "label_smoothing is -0.1, expected a number from 0 up to, but not including, 1",
        ),
        (
            lambda: network(pc.losses.Poisson()).loss(X, TARGETS["exp"] - 1),
            "y is -1 at row",
        ),
        (
            lambda: network(pc.losses.Poisson()).loss(X, TARGETS["exp"], pc.losses.Huber()),
            "loss is huber, expected one that goes with the output exp; huber goes with the output",
        ),
        (
            lambda: network(pc.losses.SquaredError()).loss(
                X, TARGETS["identity"], pc.losses.CategoricalCrossEntropy(0.1)
            ),
            "loss is categorical_cross_entropy, expected one that goes with the output identity",
        ),
        (
            lambda: network(pc.losses.SquaredError()).loss(X, TARGETS["identity"], l1=-1),
            "l1 is -1, expected a finite number from 0 on",
        ),
        (
            lambda: pc.Network([4, 1], output="softmax"),
            'output is "softmax", expected sigmoid with one output: a softmax of one class is',
        ),
    ],
    ids=range(9),
)
def test_what_does_not_fit_is_refused(make, sentence):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value).startswith(sentence)


# Class weights


def fit(output, y, **settings):
    n_out = 1 if output == "sigmoid" else 3
    net = pc.Network([4, 5, n_out], output=output, dtype="float64", seed=2)
    history = pc.train(net, X, y, epochs=4, **settings)
    return history.loss, net.parameters


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_class_weights_are_sample_weights(output):
    y = TARGETS["softmax"] if output == "softmax" else TARGETS["sigmoid"][:, 0]
    given = {0: 0.5, 1: 2.0, 2: 3.0} if output == "softmax" else {0: 0.5, 1: 2.0}
    of_rows = np.array([given[label] for label in y.tolist()])
    for weights in (None, WEIGHTS):
        loss, parameters = fit(output, y, class_weight=given, sample_weight=weights)
        by_hand = of_rows if weights is None else of_rows * weights
        expected_loss, expected = fit(output, y, sample_weight=by_hand)
        assert loss == expected_loss
        for (W, b), (V, c) in zip(parameters, expected, strict=True):
            np.testing.assert_array_equal(W, V)
            np.testing.assert_array_equal(b, c)


def test_balanced_weights_are_those_of_scikit_learn():
    utils = pytest.importorskip("sklearn.utils.class_weight")
    y = np.where(np.arange(M) < 13, 2, 0)  # a class of three does not occur
    weights = utils.compute_sample_weight("balanced", y)
    loss, _ = fit("softmax", y, class_weight="balanced")
    assert loss == fit("softmax", y, sample_weight=weights)[0]


@pytest.mark.parametrize(
    ("class_weight", "sentence"),
    [
        ({0: 1.0, 2: 1.0}, "class_weight has no weight for class 1, which y holds"),
        ({0: 1, 1: 1, 2: 1, 3: 1}, "class_weight names class 3, but the classes are 0 to 2"),
        ({"cat": 1}, "class_weight names class 'cat', but the classes are 0 to 2"),
        ({0: 1, 1: -1, 2: 1}, "class_weight[1] is -1, expected a finite number from 0 on"),
        ({0: 1, 1: np.nan, 2: 1}, "class_weight[1] is nan, expected a finite number from 0 on"),
        ("even", "class_weight is 'even', expected a dict {class: weight} or 'balanced'"),
        ([1, 2, 3], "class_weight is [1, 2, 3], expected a dict {class: weight} or 'balanced'"),
        ({0: 0, 1: 0, 2: 0}, "sample_weight is zero everywhere, expected a positive number"),
    ],
    ids=str,
)
def test_class_weights_that_do_not_fit_are_refused(class_weight, sentence):
    with pytest.raises(ValueError) as caught:
        fit("softmax", TARGETS["softmax"], class_weight=class_weight)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("output", ["sigmoid", "identity"])
def test_class_weights_want_one_class_an_example(output):
    net = pc.Network([4, 3], output=output)
    with pytest.raises(ValueError, match=r"^class_weight wants one class an example, and this net"):
        pc.train(net, X, TARGETS[output], class_weight="balanced", epochs=1)
