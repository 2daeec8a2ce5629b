"""Gradient clipping and the penalty l1 in a fit: by hand, and against PyTorch."""

import numpy as np
import pytest

import purrceptron as pc

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((25, 6))
Y = RANDOM.integers(0, 3, 25)
OPTIMIZERS = [pc.SGD(0.3, momentum=0.9), pc.Adam(0.05)]


def network(dtype="float64"):
    return pc.Network([6, 8, 3], hidden="tanh", output="softmax", dtype=dtype, seed=1)


def flat(layers):
    return np.concatenate([a.ravel() for layer in layers for a in layer])


def test_the_whole_gradient_is_shortened_and_keeps_its_direction():
    settings = {"l2": 0.5, "l1": 0.3}
    gradient = flat(network().gradients(X, Y, **settings))
    norm = np.linalg.norm(gradient)
    for most in (norm / 10, norm * 0.999, norm * 1.001):
        net = network()
        before = flat(net.parameters)
        pc.train(net, X, Y, optimizer=pc.SGD(1.0), epochs=1, clip_norm=most, **settings)
        step = before - flat(net.parameters)
        np.testing.assert_allclose(step, gradient * min(1, most / norm), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_limit_that_is_never_reached_changes_nothing_but_rounding(optimizer, batch_size):
    results = []
    for most in (None, 1e9):
        net = network()
        history = pc.train(
            net,
            X,
            Y,
            optimizer=optimizer,
            batch_size=batch_size,
            clip_norm=most,
            l2=0.1,
            epochs=10,
            seed=1,
        )
        results.append((history.loss, flat(net.parameters)))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-10)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_pytorch_clips_alike(optimizer):
    torch = pytest.importorskip("torch")
    net = network()
    parameters = [torch.tensor(a, requires_grad=True) for layer in net.parameters for a in layer]
    make = {
        "sgd": lambda: torch.optim.SGD(parameters, lr=0.3, momentum=0.9),
        "adam": lambda: torch.optim.Adam(parameters, lr=0.05),
    }[optimizer.name]
    theirs, x, y = make(), torch.from_numpy(X), torch.from_numpy(Y)
    losses = []
    for _ in range(20):
        theirs.zero_grad()
        W1, b1, W2, b2 = parameters
        logits = torch.tanh(x @ W1.T + b1) @ W2.T + b2
        penalty = 0.8 / 25 * (W1.abs().sum() + W2.abs().sum())
        loss = torch.nn.functional.cross_entropy(logits, y) + penalty
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 0.2)
        theirs.step()
        losses.append(loss.item())
    history = pc.train(net, X, Y, optimizer=optimizer, epochs=20, l1=0.8, clip_norm=0.2)
    # PyTorch adds 1e-6 to the norm before it divides.
    np.testing.assert_allclose(history.loss, losses, rtol=2e-5)


def test_l1_makes_weights_small_that_are_of_no_use():
    x = RANDOM.standard_normal((200, 5))
    y = 3 * x[:, 0] - 2 * x[:, 1]
    weights = []
    for l1 in (0.0, 30.0):
        net = pc.Network([5, 1], output="identity", dtype="float64", seed=1)
        rate = pc.schedules.Cosine(0.1, epochs=500)
        pc.train(net, x, y, optimizer=pc.SGD(rate), epochs=500, l1=l1)
        weights.append(np.abs(net.parameters[0][0][0]))
    np.testing.assert_allclose(weights[0], [3, 2, 0, 0, 0], atol=1e-3)
    # Each is pulled to zero by l1/m = 0.15, and those that are of no use stay there.
    assert (weights[1][2:] < 1e-3).all()
    assert (weights[1][:2] < weights[0][:2] - 0.05).all()


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"l1": 0.1}, "the penalty l1 pulls at each weight by itself"),
        ({"clip_norm": 1.0}, "clip_norm wants the first layer's gradient itself"),
    ],
    ids=["l1", "clip_norm"],
)
def test_the_space_of_examples_says_why_not(settings, why):
    x = RANDOM.standard_normal((20, 2000))
    y = RANDOM.integers(0, 2, 20)
    net = pc.Network([2000, 20, 1], seed=1)
    assert pc.train(net, x, y, epochs=300).first_layer.startswith("gram")
    history = pc.train(net, x, y, epochs=300, **settings)
    assert history.first_layer == f"direct: {why}"
    with pytest.raises(ValueError) as caught:
        pc.train(net, x, y, epochs=3, first_layer="gram", **settings)
    assert str(caught.value) == f"first_layer is gram, expected direct or auto: {why}"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"clip_norm": 0}, "clip_norm is 0, expected a finite number above 0"),
        ({"clip_norm": np.inf}, "clip_norm is inf, expected a finite number above 0"),
        ({"clip_norm": "1"}, "clip_norm is '1', expected a number"),
        ({"l1": -0.5}, "l1 is -0.5, expected a finite number from 0 on"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings, sentence):
    net = network()
    with pytest.raises(ValueError) as caught:
        pc.train(net, X, Y, epochs=1, **settings)
    assert str(caught.value) == sentence
