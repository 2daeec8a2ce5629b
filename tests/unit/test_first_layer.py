"""The first layer trained in the space of examples: nobody can tell but by the time it takes.

Its weights are formed when somebody asks for them. Whoever asks, and whenever, in a callback, in
another thread, after a failure, must get those of the last epoch, and must change nothing.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import purrceptron as pc

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((24, 200))
Y = RANDOM.integers(0, 2, 24)
CLASSES = np.arange(24) % 3
VALIDATION = (RANDOM.standard_normal((10, 200)), RANDOM.integers(0, 2, 10))

SGDS = [pc.SGD(0.02), pc.SGD(0.02, momentum=0.9), pc.SGD(0.02, momentum=0.9, nesterov=True)]
each_sgd = pytest.mark.parametrize("optimizer", SGDS, ids=["plain", "momentum", "nesterov"])
each_batch = pytest.mark.parametrize("batch_size", [None, 7])


def network(dtype="float64", **settings):
    return pc.Network([200, 6, 1], dtype=dtype, **{"seed": 1} | settings)


def fit(net, *, first_layer="gram", **settings):
    return pc.train(net, X, Y, first_layer=first_layer, **{"epochs": 20, "seed": 3} | settings)


def flat(net):
    return np.concatenate([a.ravel() for layer in net.parameters for a in layer])


class Record(pc.Callback):
    def __init__(self):
        self.weights = []

    def on_epoch_end(self, net, history):
        self.weights.append(flat(net))


@each_batch
@each_sgd
def test_every_epoch_is_that_of_direct_training(optimizer, batch_size):
    settings = {"optimizer": optimizer, "batch_size": batch_size, "validation_data": VALIDATION}
    settings |= {"l2": 0.3, "sample_weight": np.linspace(0, 2, 24)}
    gram, direct = Record(), Record()
    history = fit(network(), callbacks=[gram], **settings)
    expected = fit(network(), callbacks=[direct], first_layer="direct", **settings)
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-10)
    np.testing.assert_allclose(history.val_loss, expected.val_loss, rtol=1e-10)
    assert history.val_accuracy == expected.val_accuracy
    for weights, expected_weights in zip(gram.weights, direct.weights, strict=True):
        np.testing.assert_allclose(weights, expected_weights, rtol=1e-9, atol=1e-12)
    assert history.first_layer.startswith("gram")
    assert expected.first_layer.startswith("direct")


@each_batch
@each_sgd
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_asking_for_the_weights_changes_no_bit(dtype, optimizer, batch_size):
    settings = {"optimizer": optimizer, "batch_size": batch_size}
    asked, unasked = network(dtype), network(dtype)
    history = fit(asked, callbacks=[Record()], validation_data=VALIDATION, **settings)
    expected = fit(unasked, **settings)
    assert history.loss == expected.loss
    np.testing.assert_array_equal(flat(asked), flat(unasked))


@each_batch
@each_sgd
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_resumed_fit_is_the_longer_fit_bit_for_bit(dtype, optimizer, batch_size):
    settings = {"optimizer": optimizer, "batch_size": batch_size, "l2": 0.1}
    whole, parts = network(dtype), network(dtype)
    expected = fit(whole, epochs=20, **settings)
    first = fit(parts, epochs=9, **settings)
    second = fit(parts, epochs=11, resume=first.state, **settings)
    assert first.loss + second.loss == expected.loss
    np.testing.assert_array_equal(flat(parts), flat(whole))


@pytest.mark.parametrize("ways", [("gram", "direct"), ("direct", "gram")], ids="-".join)
@each_sgd
def test_a_fit_may_be_resumed_the_other_way(optimizer, ways):
    net, twin = network(), network()
    history = fit(net, optimizer=optimizer, epochs=9, first_layer=ways[0])
    again = fit(net, optimizer=optimizer, epochs=11, first_layer=ways[1], resume=history.state)
    expected = fit(twin, optimizer=optimizer, first_layer="direct")
    np.testing.assert_allclose(history.loss + again.loss, expected.loss, rtol=1e-9)
    np.testing.assert_allclose(flat(net), flat(twin), rtol=1e-8, atol=1e-11)


@each_sgd
def test_a_callback_may_set_the_weights_and_training_goes_on_from_there(optimizer):
    class Set:
        def on_epoch_end(self, net, history):
            if history.epochs == 8:
                net.set_parameters(network(seed=2).parameters)

    net, twin = network(), network()
    history = fit(net, optimizer=optimizer, callbacks=[Set()])
    expected = fit(twin, optimizer=optimizer, callbacks=[Set()], first_layer="direct")
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-9)
    np.testing.assert_allclose(flat(net), flat(twin), rtol=1e-8, atol=1e-11)


def test_early_stopping_restores_the_weights_of_the_best_loss():
    # a rate that overshoots after a while
    settings = {"optimizer": pc.SGD(0.9, momentum=0.5), "epochs": 40}
    stopper, record = pc.EarlyStopping("loss", patience=100), Record()
    net = network(init="glorot_normal")
    history = pc.train(
        net, X, RANDOM.integers(0, 2, 24), first_layer="gram", callbacks=[record, stopper],
        **settings,
    )  # fmt: skip
    best = int(np.argmin(history.loss))
    assert stopper.best == history.loss[best]
    if best:
        np.testing.assert_array_equal(flat(net), record.weights[best - 1])
    stopper = pc.EarlyStopping("val_loss", patience=100)
    record, net = Record(), network()
    history = fit(net, validation_data=VALIDATION, callbacks=[record, stopper], epochs=100)
    best = int(np.argmin(history.val_loss))
    np.testing.assert_array_equal(flat(net), record.weights[best])
    assert net.loss(*VALIDATION) == pytest.approx(min(history.val_loss), rel=1e-12)


def test_the_weights_outlive_the_samples():
    net, twin = network(), network()
    samples = X.copy()
    pc.train(net, samples, Y, epochs=20, first_layer="gram")
    samples[...] = np.nan
    del samples
    pc.train(twin, X, Y, epochs=20, first_layer="gram")
    np.testing.assert_array_equal(flat(net), flat(twin))
    np.testing.assert_array_equal(net.predict_proba(X), twin.predict_proba(X))


@each_batch
def test_a_stopped_fit_has_the_weights_of_its_history(batch_size):
    class Stop:
        each_epoch = False

        def on_train_begin(self, net, history):
            threading.Timer(0.05, net.stop_training).start()

    net, twin = network(), network()
    history = fit(net, batch_size=batch_size, epochs=10**9, callbacks=[Stop()])
    assert history.epochs == len(history.loss)
    if history.state is not None:
        assert history.state.epoch == history.epochs
    expected = fit(twin, batch_size=batch_size, epochs=history.epochs)
    assert history.loss == expected.loss
    np.testing.assert_array_equal(flat(net), flat(twin))


@each_batch
def test_divergence_leaves_the_last_good_weights(batch_size):
    record, net = Record(), pc.Network([200, 1], output="identity", dtype="float64", seed=1)
    y = X[:, 0]
    settings = {"optimizer": pc.SGD(1e4), "batch_size": batch_size, "first_layer": "gram"}
    with pytest.raises(pc.DivergenceError, match=r"^training diverged in epoch \d+: ") as caught:
        pc.train(net, X, y, epochs=1000, callbacks=[record], seed=3, **settings)
    assert f"epoch {len(record.weights) + 1}:" in str(caught.value)
    np.testing.assert_array_equal(flat(net), record.weights[-1])
    assert np.isfinite(flat(net)).all()
    # many epochs a call: where the call began
    net = pc.Network([200, 1], output="identity", dtype="float64", seed=1)
    with pytest.raises(pc.DivergenceError):
        pc.train(net, X, y, epochs=1000, seed=3, **settings)
    states = [
        flat(pc.Network([200, 1], output="identity", dtype="float64", seed=1)), *record.weights
    ]  # fmt: skip
    assert any(np.array_equal(flat(net), weights) for weights in states)
    assert np.isfinite(net.predict(X)).all()


def test_a_callback_that_fails_leaves_the_weights_of_its_epoch():
    class Fail(Record):
        def on_epoch_end(self, net, history):
            if history.epochs == 6:
                raise RuntimeError("a bug")

    net, twin = network(), network()
    with pytest.raises(RuntimeError, match="a bug"):
        fit(net, callbacks=[Fail()])
    fit(twin, epochs=6)
    np.testing.assert_array_equal(flat(net), flat(twin))


def test_other_threads_see_the_weights_of_finished_epochs():
    record = Record()
    fit(network(), callbacks=[record], epochs=100)
    states = {w.tobytes() for w in [flat(network()), *record.weights]}
    outputs = set()
    for weights in map(np.frombuffer, states):
        net = network()
        W, V = weights[:1200].reshape(6, 200), weights[1206:1212].reshape(1, 6)
        net.set_parameters([(W, weights[1200:1206]), (V, weights[1212:])])
        outputs.add(net.predict_proba(X[:1]).tobytes())

    net, done = network(), threading.Event()

    def look():
        seen_states, seen_outputs = set(), set()
        while not done.is_set():
            seen_states.add(flat(net).tobytes())
            seen_outputs.add(net.predict_proba(X[:1]).tobytes())
        return seen_states, seen_outputs

    with ThreadPoolExecutor() as pool:
        looking = [pool.submit(look) for _ in range(3)]
        try:
            fit(net, epochs=100)
        finally:
            done.set()
        for each in looking:
            seen_states, seen_outputs = each.result(timeout=60)
            assert seen_states <= states
            assert seen_outputs <= outputs
    assert flat(net).tobytes() == record.weights[-1].tobytes()


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "bool"])
def test_samples_of_any_type(dtype):
    samples = (abs(X) * 50).astype(dtype)
    net, twin = network(), network()
    pc.train(net, samples, Y, epochs=20, first_layer="gram")
    pc.train(twin, samples, Y, epochs=20, first_layer="direct")
    np.testing.assert_allclose(flat(net), flat(twin), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    "layout",
    [np.asfortranarray, lambda x: x[::-1].copy()[::-1], lambda x: np.repeat(x, 2, axis=1)[:, ::2]],
    ids=["fortran", "reversed", "strided"],
)
def test_how_the_samples_lie_changes_no_bit(layout):
    net, twin = network(), network()
    pc.train(net, layout(X), Y, epochs=20, first_layer="gram")
    fit(twin)
    np.testing.assert_array_equal(flat(net), flat(twin))


# What was chosen


def test_the_choice_is_told_with_its_reason():
    wide = fit(network(), first_layer="auto", epochs=2500).first_layer
    assert wide.startswith("gram: 24 examples of 200 features")
    narrow = pc.train(pc.Network([3, 1]), X[:, :3], Y, epochs=50).first_layer
    assert narrow.startswith("direct: 24 examples of 3 features")
    adam = fit(network(), first_layer="auto", epochs=2500, optimizer=pc.Adam()).first_layer
    assert adam.startswith("direct: ")


@pytest.mark.parametrize("optimizer", [pc.Adam(), pc.AdamW(), pc.RMSProp()], ids=repr)
def test_optimisers_that_scale_each_weight_are_refused(optimizer):
    net = network()
    before = flat(net)
    with pytest.raises(ValueError, match=r"^first_layer is gram, expected direct or auto: \S"):
        fit(net, optimizer=optimizer)
    np.testing.assert_array_equal(flat(net), before)
    assert fit(net, epochs=1).epochs == 1


def test_more_examples_than_memory_has_room_for_are_a_memory_error():
    many = np.broadcast_to(np.float32(1), (2**20, 2))
    with pytest.raises(MemoryError, match=r"^not enough memory for \d+ bytes of the Gram matrix$"):
        pc.train(pc.Network([2, 1]), many, np.zeros(len(many)), epochs=1, first_layer="gram")


def test_a_state_of_other_samples_is_refused():
    state = fit(network(), epochs=3).state
    net = network()
    before = flat(net)
    with pytest.raises(ValueError, match=r"^resume is the state of other samples or layers\b"):
        pc.train(
            net, X[:10], Y[:10], first_layer="gram", epochs=1, resume=state,
            optimizer=pc.SGD(learning_rate=0.0075),
        )  # fmt: skip
    np.testing.assert_array_equal(flat(net), before)


@each_sgd
def test_a_batch_of_all_rows(optimizer):
    net, twin = network(), network()
    fit(net, optimizer=optimizer, batch_size=24)
    fit(twin, optimizer=optimizer, batch_size=24, first_layer="direct")
    np.testing.assert_allclose(flat(net), flat(twin), rtol=1e-9, atol=1e-12)


def test_another_thread_sees_the_weights_change_during_the_fit():
    net = network()
    seen = set()

    def look():
        until = time.monotonic() + 30
        while len(seen) < 4 and time.monotonic() < until:
            seen.add(flat(net).tobytes())
        net.stop_training()

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        fit(net, epochs=10**9)
        looking.result()
    assert len(seen) >= 4
