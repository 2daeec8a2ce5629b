"""Every optimiser, step by step, against its published formula in NumPy, and against PyTorch."""

import math

import numpy as np
import pytest

import purrceptron as pc
from twins.optimizers import SGD, Adam, RMSProp

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((12, 5))
Y = RANDOM.integers(0, 2, 12)
STEPS = 25


CASES = [
    (pc.SGD(0.1), SGD(0.1)),
    (pc.SGD(0.1, momentum=0.9), SGD(0.1, 0.9)),
    (pc.SGD(0.1, momentum=0.9, nesterov=True), SGD(0.1, 0.9, True)),
    (pc.RMSProp(), RMSProp()),
    (pc.RMSProp(0.02, rho=0.8, epsilon=1e-3), RMSProp(0.02, 0.8, 1e-3)),
    (pc.RMSProp(0.02, momentum=0.5), RMSProp(0.02, momentum=0.5)),
    (pc.Adam(), Adam()),
    (pc.Adam(0.03, beta1=0.7, beta2=0.9, epsilon=1e-4), Adam(0.03, 0.7, 0.9, 1e-4)),
    (pc.Adam(0.03, beta1=0.0, beta2=0.0), Adam(0.03, 0.0, 0.0)),
    (pc.AdamW(), Adam(weight_decay=0.01)),
    (pc.AdamW(0.03, weight_decay=0.5), Adam(0.03, weight_decay=0.5)),
    (pc.AdamW(0.03, weight_decay=0.0), Adam(0.03)),
]

EACH = pytest.mark.parametrize(
    ("optimizer", "twin"), CASES, ids=[repr(optimizer) for optimizer, _ in CASES]
)


def network(dtype="float64"):
    net = pc.Network([5, 7, 4, 1], hidden="tanh", dtype=dtype, seed=1)
    net.set_parameters([(W, b + 0.1) for W, b in net.parameters])
    return net


def steps(net, twin, l2=0.0):
    """Return the parameters after each of so many steps in NumPy; only gradients are the core's."""
    memory = [[twin.fresh() for _ in layer] for layer in net.parameters]
    results = []
    for _ in range(STEPS):
        stepped = [
            tuple(each.step(w, g) for each, w, g in zip(*layers, strict=True))
            for layers in zip(memory, net.parameters, net.gradients(X, Y, l2=l2), strict=True)
        ]
        net.set_parameters(stepped)
        results.append(net.parameters)
    return results


class Record:
    def __init__(self):
        self.seen = []

    def on_epoch_end(self, net, history):
        self.seen.append(net.parameters)


@pytest.mark.parametrize("l2", [0.0, 0.6])
@EACH
def test_every_step_is_the_formula(optimizer, twin, l2):
    record = Record()
    pc.train(network(), X, Y, optimizer=optimizer, epochs=STEPS, l2=l2, callbacks=[record])
    for seen, expected in zip(record.seen, steps(network(), twin, l2), strict=True):
        for layer, expected_layer in zip(seen, expected, strict=True):
            for a, b in zip(layer, expected_layer, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


@EACH
def test_steps_in_one_call_and_in_batches_of_everything_are_the_same(optimizer, twin):
    expected = steps(network(), twin)[-1]
    for settings in ({}, {"batch_size": len(X)}):
        net = network()
        pc.train(net, X, Y, optimizer=optimizer, epochs=STEPS, **settings)
        for layer, expected_layer in zip(net.parameters, expected, strict=True):
            for a, b in zip(layer, expected_layer, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@EACH
def test_float32_follows_float64(optimizer, twin):
    net = network("float32")
    pc.train(net, X, Y, optimizer=optimizer, epochs=STEPS)
    for layer, expected_layer in zip(net.parameters, steps(network(), twin)[-1], strict=True):
        for a, b in zip(layer, expected_layer, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize(
    ("optimizer", "name", "settings"),
    [
        (pc.SGD(0.1), "SGD", {"lr": 0.1}),
        (pc.SGD(0.1, momentum=0.9), "SGD", {"lr": 0.1, "momentum": 0.9}),
        (
            pc.SGD(0.1, momentum=0.9, nesterov=True),
            "SGD",
            {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        ),
        (pc.RMSProp(), "RMSprop", {}),
        (
            pc.RMSProp(0.02, rho=0.8, epsilon=1e-3, momentum=0.5),
            "RMSprop",
            {"lr": 0.02, "alpha": 0.8, "eps": 1e-3, "momentum": 0.5},
        ),
        (pc.Adam(), "Adam", {}),
        (
            pc.Adam(0.03, beta1=0.7, beta2=0.9, epsilon=1e-4),
            "Adam",
            {"lr": 0.03, "betas": (0.7, 0.9), "eps": 1e-4},
        ),
        (pc.AdamW(), "AdamW", {}),
        (pc.AdamW(0.03, weight_decay=0.5), "AdamW", {"lr": 0.03, "weight_decay": 0.5}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pytorch_ends_with_the_same_weights(optimizer, name, settings):
    torch = pytest.importorskip("torch")
    net = network()
    layers = []
    for W, b in net.parameters:
        layers += [torch.nn.Linear(W.shape[1], W.shape[0], dtype=torch.float64), torch.nn.Tanh()]
        with torch.no_grad():
            layers[-2].weight.copy_(torch.from_numpy(W))
            layers[-2].bias.copy_(torch.from_numpy(b))
    model = torch.nn.Sequential(*layers[:-1])
    steps = getattr(torch.optim, name)(model.parameters(), **settings)
    x, y = torch.from_numpy(X), torch.from_numpy(Y[:, None].astype(float))
    losses = []
    for _ in range(STEPS):
        steps.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x), y)
        loss.backward()
        steps.step()
        losses.append(loss.item())
    history = pc.train(net, X, Y, optimizer=optimizer, epochs=STEPS)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-10)
    for (W, b), layer in zip(net.parameters, model[::2], strict=True):
        np.testing.assert_allclose(W, layer.weight.detach().numpy(), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(b, layer.bias.detach().numpy(), rtol=1e-9, atol=1e-12)


# Settings


def test_optimizers_are_immutable_settings():
    adam = pc.Adam(0.01)
    assert adam == pc.Adam(learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8)
    assert adam != pc.AdamW(0.01)
    assert {adam, pc.Adam(0.01)} == {adam}
    assert repr(pc.SGD(0.1)) == "SGD(learning_rate=0.1, momentum=0.0, nesterov=False)"
    with pytest.raises(AttributeError):
        adam.learning_rate = 1.0


@pytest.mark.parametrize(
    ("optimizer", "sentence"),
    [
        (pc.SGD(0), "learning_rate is 0, expected a finite number above 0"),
        (pc.SGD(-0.1), "learning_rate is -0.1, expected a finite number above 0"),
        (pc.SGD(math.nan), "learning_rate is NaN, expected a finite number above 0"),
        (pc.SGD(math.inf), "learning_rate is inf, expected a finite number above 0"),
        (pc.SGD("fast"), "learning_rate is 'fast', expected a number"),
        (pc.SGD(None), "learning_rate is None, expected a number"),
        (pc.SGD(0.1, momentum=1.0), "momentum is 1, expected a number from 0 up to, but not"),
        (pc.SGD(0.1, momentum=-0.1), "momentum is -0.1, expected a number from 0 up to, but not"),
        (pc.SGD(0.1, momentum="a"), "momentum is 'a', expected a number"),
        (pc.SGD(0.1, nesterov=True), "momentum is 0, expected a number above 0, because nesterov"),
        (pc.RMSProp(rho=1.0), "rho is 1, expected a number from 0 up to, but not"),
        (pc.RMSProp(epsilon=0.0), "epsilon is 0, expected a finite number above 0"),
        (pc.RMSProp(momentum=2.0), "momentum is 2, expected a number from 0 up to, but not"),
        (pc.Adam(beta1=1.0), "beta1 is 1, expected a number from 0 up to, but not"),
        (pc.Adam(beta2=-1.0), "beta2 is -1, expected a number from 0 up to, but not"),
        (pc.Adam(epsilon=math.nan), "epsilon is NaN, expected a finite number above 0"),
        (pc.AdamW(weight_decay=-1.0), "weight_decay is -1, expected a finite number"),
        ("adam", "optimizer is 'adam', expected one such as SGD(learning_rate=0.01), or Adam()"),
        (pc.Adam, "optimizer is <class 'purrceptron._optimizers.Adam'>, expected one such as SGD("),
        (None, "optimizer is None, expected one such as SGD(learning_rate=0.01), or Adam()"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused_when_a_fit_begins(optimizer, sentence):
    net = network()
    before = net.parameters
    with pytest.raises(ValueError) as caught:
        pc.train(net, X, Y, optimizer=optimizer)
    assert str(caught.value).startswith(sentence)
    np.testing.assert_array_equal(net.parameters[0][0], before[0][0])
    assert pc.train(net, X, Y, epochs=1).epochs == 1
