"""Checkpoints during a fit: when they are written, and which weights are in them."""

import numpy as np
import pytest

import purrceptron as pc

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((40, 5))
Y = RANDOM.integers(0, 2, 40)
SETTINGS = {"optimizer": pc.SGD(2.0), "epochs": 25, "validation_data": (X[::2], Y[::2])}


def network():
    return pc.Network([5, 6, 1], hidden="tanh", dtype="float64", seed=1)


def flat(net):
    return np.concatenate([a.ravel() for layer in net.parameters for a in layer])


class Record:
    def __init__(self):
        self.seen = []

    def on_train_begin(self, net, history):
        self.seen.append(flat(net))

    def on_epoch_end(self, net, history):
        self.seen.append(flat(net))


@pytest.mark.parametrize("first_layer", ["direct", "gram"])
def test_every_so_many_epochs_a_file_of_its_own(tmp_path, first_layer):
    record, saver = Record(), pc.Checkpoint(tmp_path / "net-{epoch}.safetensors", every=10)
    net = network()
    pc.train(net, X, Y, callbacks=[record, saver], first_layer=first_layer, **SETTINGS)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "net-10.safetensors",
        "net-20.safetensors",
    ]
    assert saver.last == str(tmp_path / "net-20.safetensors")
    for epoch in (10, 20):
        saved = pc.load(tmp_path / f"net-{epoch}.safetensors")
        np.testing.assert_array_equal(flat(saved), record.seen[epoch])
        assert saved.training == net.training


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("first_layer", ["direct", "gram"])
@pytest.mark.parametrize("monitor", ["loss", "val_loss", "val_accuracy"])
def test_at_the_best(tmp_path, monitor, first_layer, batch_size):
    record, saver = Record(), pc.Checkpoint(tmp_path / "best.safetensors", monitor=monitor)
    net = network()
    net.class_names = ("no", "yes")
    history = pc.train(
        net,
        X,
        Y,
        callbacks=[record, saver],
        first_layer=first_layer,
        batch_size=batch_size,
        seed=1,
        **SETTINGS,
    )
    values = getattr(history, monitor)
    best = int(np.argmax(values) if monitor == "val_accuracy" else np.argmin(values))
    # The loss of a full batch is that of the weights before the epoch's update.
    weights = record.seen[best + (0 if monitor == "loss" and batch_size is None else 1)]
    saved = pc.load(tmp_path / "best.safetensors")
    np.testing.assert_array_equal(flat(saved), weights)
    assert saved.class_names == ("no", "yes")
    if monitor == "loss" and batch_size is None:
        assert saved.loss(X, Y) == pytest.approx(min(values), rel=1e-12)
    np.testing.assert_array_equal(flat(net), record.seen[-1])


def test_only_the_epochs_that_are_looked_at_count(tmp_path):
    saver = pc.Checkpoint(tmp_path / "{epoch}.safetensors", every=4, monitor="val_loss")
    history = pc.train(network(), X, Y, callbacks=[saver], **SETTINGS)
    best, expected = np.inf, []
    for epoch in range(4, 26, 4):
        if history.val_loss[epoch - 1] < best:
            best = history.val_loss[epoch - 1]
            expected.append(f"{epoch}.safetensors")
    assert {p.name for p in tmp_path.iterdir()} == set(expected)


def test_what_is_remembered_of_batches_is_saved_too(tmp_path):
    net = pc.Network([5, 6, 1], normalization="batch", seed=1)
    saver = pc.Checkpoint(tmp_path / "best.safetensors", monitor="val_loss")
    history = pc.train(net, X, Y, callbacks=[saver], **SETTINGS)
    saved = pc.load(tmp_path / "best.safetensors")
    assert saved.loss(X[::2], Y[::2]) == pytest.approx(min(history.val_loss), rel=1e-6)


def test_a_fit_whose_file_can_not_be_written_fails_and_keeps_its_weights(tmp_path):
    saver = pc.Checkpoint(tmp_path / "nowhere" / "net.safetensors", every=3)
    net = network()
    with pytest.raises(OSError):
        pc.train(net, X, Y, callbacks=[saver], **SETTINGS)
    twin = network()
    pc.train(twin, X, Y, **(SETTINGS | {"epochs": 3}))
    np.testing.assert_array_equal(flat(net), flat(twin))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: pc.Checkpoint("net.pkl"), "path is 'net.pkl', but must end in .safetensors or"),
        (lambda: pc.Checkpoint("n.json", every=0), "every is 0, expected an integer from 1 on"),
        (lambda: pc.Checkpoint("n.json", monitor="f1"), "monitor is 'f1', expected one of: 'val_"),
        (
            lambda: pc.train(
                network(), X, Y, callbacks=[pc.Checkpoint("n.json", monitor="val_loss")], epochs=1
            ),
            "Checkpoint watches 'val_loss', which wants validation_data",
        ),
    ],
    ids=range(4),
)
def test_what_does_not_fit_is_refused(make, sentence):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value).startswith(sentence)
