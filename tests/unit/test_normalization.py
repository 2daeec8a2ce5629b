"""Batch and layer normalisation: by central differences, by PyTorch, in files and copies."""

import copy
import pickle

import numpy as np
import pytest

import purrceptron as pc

RANDOM = np.random.default_rng(2)
X = RANDOM.standard_normal((37, 5)) * 3 + 1
Y = RANDOM.integers(0, 3, 37)
KINDS = ["batch", "layer", ["batch", "layer"], [None, "batch"], ["layer", None]]
OF_EACH = pytest.mark.parametrize("kind", KINDS, ids=str)


def network(kind, hidden="tanh", dtype="float64", seed=1):
    """Return a network whose normalisations and biases are not those that it begins with."""
    net = pc.Network(
        [5, 7, 6, 3], hidden=hidden, output="softmax", dtype=dtype, seed=seed, normalization=kind
    )
    random = np.random.default_rng(seed)
    net.set_parameters([(W, random.normal(size=b.shape) / 5) for W, b in net.parameters])
    net.set_normalization(
        [
            each
            and pc.Normalization(
                each.kind,
                random.uniform(0.5, 2, len(each.gain)),
                random.normal(size=len(each.gain)) / 3,
                None if each.mean is None else random.normal(size=len(each.gain)) / 3,
                None if each.variance is None else random.uniform(0.5, 2, len(each.gain)),
            )
            for each in net.normalization
        ]
    )
    return net


def flat(net):
    arrays = [a for layer in net.parameters for a in layer]
    for each in net.normalization:
        if each is not None:
            arrays += [
                a for a in (each.gain, each.shift, each.mean, each.variance) if a is not None
            ]
    return np.concatenate([a.ravel() for a in arrays])


@pytest.mark.parametrize("hidden", ["tanh", "gelu", "softplus"])
@OF_EACH
def test_every_derivative_is_a_central_difference(kind, hidden):
    weights = RANDOM.uniform(0.5, 2, len(X))
    check = pc.check_gradients(network(kind, hidden), X, Y, l2=0.3, sample_weight=weights)
    assert check.error < 1e-7, check
    assert check.checked > 5 * 7 + 7 + 7 * 6 + 6 + 6 * 3 + 3


def torch_twin(torch, net):
    """Return the same network in PyTorch."""
    layers = []
    for (W, b), each in zip(net.parameters, [*net.normalization, None], strict=True):
        linear = torch.nn.Linear(W.shape[1], W.shape[0], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W))
            linear.bias.copy_(torch.from_numpy(b))
        layers.append(linear)
        if each is not None:
            make = torch.nn.BatchNorm1d if each.kind == "batch" else torch.nn.LayerNorm
            norm = make(len(b), dtype=torch.float64)
            with torch.no_grad():
                norm.weight.copy_(torch.from_numpy(each.gain))
                norm.bias.copy_(torch.from_numpy(each.shift))
                if each.kind == "batch":
                    norm.running_mean.copy_(torch.from_numpy(each.mean))
                    norm.running_var.copy_(torch.from_numpy(each.variance))
            layers.append(norm)
        layers.append(torch.nn.Tanh())
    return torch.nn.Sequential(*layers[:-1])


@OF_EACH
def test_pytorch_trains_and_predicts_alike(kind):
    torch = pytest.importorskip("torch")
    net = network(kind)
    twin = torch_twin(torch, net)
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    twin.eval()
    softmax = torch.softmax(twin(x), dim=1).detach().numpy()
    np.testing.assert_allclose(net.forward(X), softmax, rtol=1e-10)
    twin.train()
    theirs = torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(15):
        theirs.zero_grad()
        loss = torch.nn.functional.cross_entropy(twin(x), y)
        loss.backward()
        theirs.step()
        losses.append(loss.item())
    history = pc.train(net, X, Y, optimizer=pc.SGD(0.1, momentum=0.9), epochs=15)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-9)
    twin.eval()
    softmax = torch.softmax(twin(x), dim=1).detach().numpy()
    np.testing.assert_allclose(net.forward(X), softmax, rtol=1e-8)
    norms = [m for m in twin if isinstance(m, (torch.nn.BatchNorm1d, torch.nn.LayerNorm))]
    for each, norm in zip([each for each in net.normalization if each], norms, strict=True):
        np.testing.assert_allclose(each.gain, norm.weight.detach().numpy(), rtol=1e-8)
        np.testing.assert_allclose(each.shift, norm.bias.detach().numpy(), rtol=1e-8, atol=1e-12)
        if each.kind == "batch":
            np.testing.assert_allclose(each.mean, norm.running_mean.numpy(), rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(each.variance, norm.running_var.numpy(), rtol=1e-9)


def test_activations_are_normalised():
    net = pc.Network([5, 8, 3], hidden="identity", output="softmax", normalization="layer", seed=1)
    (A,) = net.activations(X)
    np.testing.assert_allclose(A.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(A.var(axis=1), 1, rtol=1e-3)


def test_a_wide_layer_and_many_rows():
    """More units than a panel, more rows than a block of other networks."""
    x = RANDOM.standard_normal((3000, 4))
    y = RANDOM.integers(0, 2, 3000)
    net = pc.Network([4, 150, 1], hidden="silu", dtype="float64", seed=1, normalization="batch")
    (W, b), (V, c) = net.parameters
    z = x @ W.T + b
    z = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)
    logits = (z / (1 + np.exp(-z)) @ V.T + c)[:, 0]
    expected = np.mean(np.logaddexp(0, logits) - y * logits)
    assert net.loss(x, y, training=True) == pytest.approx(expected, rel=1e-12)
    history = pc.train(net, x, y, optimizer=pc.SGD(1e-9), epochs=1)
    assert history.loss[0] == pytest.approx(expected, rel=1e-12)


@OF_EACH
@pytest.mark.parametrize("batch_size", [None, 10])
def test_the_same_bits_on_any_number_of_threads_and_after_a_pause(kind, batch_size):
    """With everything switched on."""
    settings = {
        "optimizer": pc.AdamW(pc.schedules.WarmUp(pc.schedules.Cosine(0.05, epochs=6), epochs=2)),
        "loss": pc.losses.CategoricalCrossEntropy(label_smoothing=0.1),
        "batch_size": batch_size,
        "l2": 0.1,
        "l1": 0.05,
        "clip_norm": 1.0,
        "dropout": [0.2, 0.4],
        "input_dropout": 0.1,
        "class_weight": "balanced",
    }
    before = pc.get_num_threads()
    x = RANDOM.standard_normal((400, 5))
    y = RANDOM.integers(0, 3, 400)
    results = []
    try:
        for threads in (1, 2, 5):
            pc.set_num_threads(threads)
            net = network(kind, dtype="float32")
            history = pc.train(net, x, y, epochs=8, seed=3, **settings)
            results.append((history.loss, flat(net).tobytes()))
    finally:
        pc.set_num_threads(before)
    assert results[0] == results[1] == results[2]
    net = network(kind, dtype="float32")
    first = pc.train(net, x, y, epochs=3, seed=3, **settings)
    second = pc.train(
        net, x, y, epochs=5, resume=pickle.loads(pickle.dumps(first.state)), **settings
    )
    assert (first.loss + second.loss, flat(net).tobytes()) == results[0]


@OF_EACH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_files_copies_and_pickles_keep_everything(kind, dtype, tmp_path):
    net = network(kind, dtype=dtype)
    pc.train(net, X, Y, epochs=3)
    net.save(tmp_path / "model.safetensors")
    for twin in (
        pc.load(tmp_path / "model.safetensors"),
        copy.deepcopy(net),
        pickle.loads(pickle.dumps(net)),
    ):
        np.testing.assert_array_equal(twin.forward(X), net.forward(X))
        np.testing.assert_array_equal(flat(twin), flat(net))
        assert repr(twin) == repr(net)
        kinds = [each and each.kind for each in twin.normalization]
        assert kinds == [each and each.kind for each in net.normalization]
    with pytest.raises(ValueError, match=r"normalisation in hidden layer .: save it as"):
        pc.Network([5, 4, 4, 1], normalization=kind).save(tmp_path / "model.json")


def test_early_stopping_restores_what_is_remembered():
    net = network("batch")
    stopper = pc.EarlyStopping("val_loss", patience=3)
    rate = pc.SGD(3.0, momentum=0.9)
    history = pc.train(
        net, X, Y, optimizer=rate, epochs=60, callbacks=[stopper], validation_data=(X, 2 - Y)
    )
    assert history.epochs < 60
    assert net.loss(X, 2 - Y) == pytest.approx(stopper.best, rel=1e-12)


def test_biases_that_a_batch_takes_away_stay():
    net = network("batch")
    before = net.parameters
    pc.train(net, X, Y, optimizer=pc.AdamW(0.1, weight_decay=0.5), epochs=5, batch_size=9)
    for (_, b), (_, c) in list(zip(net.parameters, before, strict=True))[:2]:
        np.testing.assert_array_equal(b, c)
    assert (net.parameters[2][1] != before[2][1]).all()


def test_the_space_of_examples_says_why_not():
    net = pc.Network([500, 4, 1], normalization="layer")
    x, y = RANDOM.standard_normal((9, 500)), RANDOM.integers(0, 2, 9)
    why = "normalisation is not done in the space of examples"
    assert pc.train(net, x, y, epochs=2).first_layer == f"direct: {why}"
    with pytest.raises(ValueError, match=rf"^first_layer is gram, expected direct or auto: {why}$"):
        pc.train(net, x, y, epochs=2, first_layer="gram")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: network("group"), "normalization is 'group', expected 'batch', 'layer' or None"),
        (lambda: network(["batch"]), "normalization is ['batch'], expected 2 names or None: one a"),
        (lambda: network(3), "normalization is 3, expected 2 names or None: one a hidden layer"),
        (
            lambda: network("batch").set_normalization(network("layer").normalization),
            "normalization is of the kinds ['layer', 'layer'], expected ['batch', 'batch']",
        ),
        (
            lambda: network(["layer", None]).set_normalization(
                [pc.Normalization("layer", np.ones(6), np.ones(7)), None]
            ),
            "gain of normalization[0] has shape (6,), expected (7,)",
        ),
        (
            lambda: network([None, "batch"]).set_normalization(
                [None, pc.Normalization("batch", np.ones(6), np.ones(6), np.ones(6), -np.ones(6))]
            ),
            "variance of normalization[1] holds -1.0, below 0",
        ),
        (
            lambda: pc.train(network("batch"), X, Y, batch_size=1, epochs=1),
            "batch_size is 1, expected at least 2, for batch normalisation",
        ),
    ],
    ids=range(7),
)
def test_what_does_not_fit_is_refused(make, sentence):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value).startswith(sentence)
