"""Callbacks: when they are called, what they may do, and which weights EarlyStopping keeps."""

import numpy as np
import pytest

import purrceptron as pc

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((20, 6))
Y = (X[:, 0] + X[:, 1] > 0).astype(np.int64)
X_VAL = RANDOM.standard_normal((15, 6))
Y_VAL = (X_VAL[:, 0] > 0).astype(np.int64)


def network(**settings):
    return pc.Network(**{"layer_sizes": [6, 5, 1], "dtype": "float64", "seed": 1} | settings)


def flat(net):
    return np.concatenate([a.ravel() for layer in net.parameters for a in layer])


class Record(pc.Callback):
    """Remembers the weights before the first epoch and after each."""

    def on_train_begin(self, net, history):
        self.weights = [flat(net)]

    def on_epoch_end(self, net, history):
        self.weights.append(flat(net))


# When they are called


def test_each_is_told_what_happens_in_turn():
    told = []

    class Listener:
        def __init__(self, name):
            self.name = name

        def on_train_begin(self, net, history):
            told.append((self.name, "begin", history.epochs))

        def on_epoch_end(self, net, history):
            told.append((self.name, "epoch", history.epochs, len(history.loss)))

        def on_train_end(self, net, history):
            told.append((self.name, "end", history.epochs, history.state.epoch))

    net = network()
    history = pc.train(net, X, Y, epochs=2, callbacks=(Listener("a"), Listener("b")))
    assert history.epochs == 2
    assert told == [
        ("a", "begin", 0),
        ("b", "begin", 0),
        ("a", "epoch", 1, 1),
        ("b", "epoch", 1, 1),
        ("a", "epoch", 2, 2),
        ("b", "epoch", 2, 2),
        ("a", "end", 2, 2),
        ("b", "end", 2, 2),
    ]


@pytest.mark.parametrize("event", ["on_train_begin", "on_epoch_end", "on_train_end"])
def test_any_object_with_one_of_the_methods_will_do(event):
    told = []
    listener = type("Listener", (), {event: lambda self, net, history: told.append((net, history))})
    net = network()
    history = pc.train(net, X, Y, epochs=3, callbacks=[listener()])
    assert len(told) == (3 if event == "on_epoch_end" else 1)
    assert all(a is net and b is history for a, b in told)


def test_the_base_class_does_nothing():
    net, twin = network(), network()
    assert pc.train(net, X, Y, epochs=5, callbacks=[pc.Callback()]).epochs == 5
    pc.train(twin, X, Y, epochs=5)
    np.testing.assert_array_equal(flat(net), flat(twin))


@pytest.mark.parametrize(
    ("answer", "stops"),
    [
        (True, True), (np.True_, True), (False, False), (np.False_, False), (None, False),
        (1, False), (0.5, False), ("stop", False),
    ],
    ids=repr,
)  # fmt: skip
def test_true_stops_the_fit_after_the_epoch(answer, stops):
    class Answer:
        def on_epoch_end(self, net, history):
            return answer if history.epochs == 4 else None

    other = Record()
    net, twin = network(), network()
    history = pc.train(net, X, Y, epochs=9, callbacks=[Answer(), other])
    assert history.epochs == history.state.epoch == (4 if stops else 9)
    assert len(other.weights) == history.epochs + 1  # the others were still told
    pc.train(twin, X, Y, epochs=history.epochs)
    np.testing.assert_array_equal(flat(net), flat(twin))


def test_who_does_not_want_each_epoch_is_called_less_and_the_history_is_whole():
    class Now(pc.Callback):
        each_epoch = False

        def __init__(self):
            self.seen = []

        def on_epoch_end(self, net, history):
            assert len(history.loss) == history.epochs
            self.seen.append(history.epochs)

    now, each = Now(), Record()
    net = network()
    history = pc.train(net, X, Y, epochs=3000, callbacks=[now])
    assert len(history.loss) == history.epochs == now.seen[-1] == 3000
    assert now.seen == sorted(set(now.seen))
    assert len(now.seen) < 1500
    twin = network()
    again = pc.train(twin, X, Y, epochs=3000, callbacks=[each])
    assert len(each.weights) == 3001
    assert again.loss == history.loss  # how many epochs a call has changes nothing
    np.testing.assert_array_equal(flat(net), flat(twin))


def test_a_callback_sees_the_weights_of_its_epoch():
    record = Record()
    pc.train(network(), X, Y, epochs=4, callbacks=[record])
    for epochs, weights in enumerate(record.weights):
        twin = network()
        pc.train(twin, X, Y, epochs=epochs)
        np.testing.assert_array_equal(weights, flat(twin))


def test_a_callback_may_set_the_weights_and_training_goes_on_from_there():
    other = network(seed=2)

    class Set:
        def on_epoch_end(self, net, history):
            if history.epochs == 3:
                net.set_parameters(other.parameters)

    net = network()
    history = pc.train(net, X, Y, epochs=5, callbacks=[Set()])
    expected = pc.train(other, X, Y, epochs=2)
    assert history.loss[3:] == expected.loss
    np.testing.assert_array_equal(flat(net), flat(other))


def test_a_callback_may_predict_and_judge():
    class Judge:
        def on_epoch_end(self, net, history):
            assert net.predict(X).shape == (20,)
            self.loss = net.loss(X, Y)

    judge = Judge()
    net = network()
    history = pc.train(net, X, Y, epochs=6, callbacks=[judge])
    again = pc.train(net, X, Y, epochs=1)
    assert again.loss[0] == pytest.approx(judge.loss, rel=1e-13)
    assert history.epochs == 6


# EarlyStopping

BUMPY = {"optimizer": pc.SGD(5.0), "epochs": 60}
"""A fit whose loss goes up and down, with labels that nothing explains."""
NOISE = np.random.default_rng(5).integers(0, 2, 20)


def test_in_a_full_batch_the_weights_before_the_update_are_the_best():
    for settings in ({}, {"batch_size": 20, "seed": 1}):  # a batch of all rows is one as well
        record, stopper = Record(), pc.EarlyStopping("loss", patience=100)
        net = network()
        history = pc.train(net, X, NOISE, callbacks=[record, stopper], **BUMPY, **settings)
        best = int(np.argmin(history.loss))
        assert 0 < best < 59
        assert stopper.best_epoch == best + 1
        assert stopper.best == history.loss[best] == min(history.loss)
        np.testing.assert_array_equal(flat(net), record.weights[best])
        assert net.loss(X, NOISE) == pytest.approx(min(history.loss), rel=1e-12)


def test_with_mini_batches_the_weights_after_the_epoch_are_the_best():
    record, stopper = Record(), pc.EarlyStopping("loss", patience=100)
    net = network()
    history = pc.train(net, X, NOISE, callbacks=[record, stopper], batch_size=5, seed=1, **BUMPY)
    best = int(np.argmin(history.loss))
    assert 0 < best < 59
    np.testing.assert_array_equal(flat(net), record.weights[best + 1])


@pytest.mark.parametrize("batch_size", [None, 5])
@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_validation_judges_the_weights_after_the_epoch(monitor, batch_size):
    record, stopper = Record(), pc.EarlyStopping(monitor, patience=100)
    net = network()
    history = pc.train(
        net,
        X,
        NOISE,
        validation_data=(X_VAL, Y_VAL),
        callbacks=[record, stopper],
        batch_size=batch_size,
        seed=1,
        **BUMPY,
    )
    values = getattr(history, monitor)
    best = int(np.argmin(values) if monitor == "val_loss" else np.argmax(values))
    assert best < 59
    assert len(set(values)) > 2
    assert (stopper.best, stopper.best_epoch) == (values[best], best + 1)
    np.testing.assert_array_equal(flat(net), record.weights[best + 1])
    if monitor == "val_loss":
        assert net.loss(X_VAL, Y_VAL) == min(history.val_loss)
    else:
        assert np.mean(net.predict(X_VAL) == Y_VAL) == max(history.val_accuracy)


class Fixed(pc.Callback):
    """Replaces what was measured by a list made up beforehand."""

    def __init__(self, monitor, values):
        self.monitor, self.values = monitor, values

    def on_epoch_end(self, net, history):
        getattr(history, self.monitor)[-1] = self.values[history.epochs - 1]


def stopped(values, monitor="loss", **settings):
    """Return after how many epochs a fit with these values ends, and the best one."""
    stopper = pc.EarlyStopping(monitor, **settings)
    history = pc.train(
        network(),
        X,
        Y,
        epochs=len(values),
        validation_data=(X_VAL, Y_VAL),
        callbacks=[Fixed(monitor, values), stopper],
    )
    return history.epochs, stopper.best_epoch


def test_patience():
    falling_once = [5, 4, 4, 4, 4, 4, 4, 4]
    assert stopped(falling_once, patience=0) == (3, 2)
    assert stopped(falling_once, patience=1) == (4, 2)
    assert stopped(falling_once, patience=3) == (6, 2)
    assert stopped(falling_once, patience=6) == (8, 2)
    assert stopped([5, 6, 4, 6, 3, 6, 2, 6], patience=1) == (8, 7)  # each improvement begins anew
    assert stopped([5, 6, 4, 6, 3, 6, 2, 6], patience=0) == (2, 1)


def test_the_smallest_gain_that_counts():
    values = [5, 4.75, 4.5, 4.25, 4, 3.75, 3.5, 3.25]
    assert stopped(values, patience=0, min_delta=0.25) == (2, 1)  # it must be more
    assert stopped(values, patience=1, min_delta=0.25) == (8, 7)  # than the best so far
    assert stopped(values, patience=2, min_delta=0.2) == (8, 8)
    assert stopped(values, patience=7, min_delta=9) == (8, 1)


def test_accuracy_should_rise():
    values = [0.25, 0.5, 0.5, 0.75, 0.5, 0.5, 0.5, 0.9]
    assert stopped(values, "val_accuracy", patience=1) == (6, 4)
    assert stopped(values, "val_accuracy", patience=3) == (8, 8)
    assert stopped(values, "val_accuracy", patience=1, min_delta=0.25) == (3, 1)
    assert stopped([0, 0, 0, 0], "val_accuracy", patience=1) == (3, 1)  # even 0 is a beginning


def test_the_last_weights_are_kept_if_asked():
    record = Record()
    net = network()
    pc.train(
        net,
        X,
        NOISE,
        callbacks=[record, pc.EarlyStopping("loss", patience=3, restore_best=False)],
        **BUMPY,
    )
    assert len(record.weights) < 61
    np.testing.assert_array_equal(flat(net), record.weights[-1])


def test_one_object_may_watch_many_fits():
    stopper = pc.EarlyStopping("loss", patience=2)
    results = []
    for _ in range(2):
        net = network()
        history = pc.train(net, X, NOISE, callbacks=[stopper], **BUMPY)
        assert history.epochs < 60
        results.append((history.loss, flat(net).tobytes(), stopper.best, stopper.best_epoch))
    assert results[0] == results[1]


def test_nothing_to_judge_is_refused_before_the_first_epoch():
    net = network()
    before = flat(net)
    for monitor in ("val_loss", "val_accuracy"):
        with pytest.raises(ValueError) as caught:
            pc.train(net, X, Y, callbacks=[pc.EarlyStopping(monitor)])
        assert str(caught.value) == (
            f"EarlyStopping watches {monitor!r}, which wants validation_data"
        )
    np.testing.assert_array_equal(flat(net), before)
    assert net.training == {}
    values = network(output="identity")
    with pytest.raises(ValueError, match="'val_accuracy', which a regression has not"):
        pc.train(
            values,
            X,
            X[:, 0],
            validation_data=(X, X[:, 0]),
            callbacks=[pc.EarlyStopping("val_accuracy")],
        )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"monitor": "accuracy"},
            "monitor is 'accuracy', expected one of: 'val_loss', 'loss', 'val_accuracy'",
        ),
        ({"patience": -1}, "patience is -1, expected an integer from 0 on"),
        ({"patience": 1.5}, "patience is 1.5, expected an integer from 0 on"),
        ({"patience": None}, "patience is None, expected an integer from 0 on"),
        ({"min_delta": -0.1}, "min_delta is -0.1, expected a finite number from 0 on"),
        ({"min_delta": np.nan}, "min_delta is nan, expected a finite number from 0 on"),
        ({"min_delta": "small"}, "min_delta is 'small', expected a number"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings, sentence):
    with pytest.raises(ValueError) as caught:
        pc.EarlyStopping(**settings)
    assert str(caught.value) == sentence
