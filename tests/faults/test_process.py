"""Signals, threads and exceptions in the middle of a fit: it ends, and the network is usable.

Nothing here is timed but Ctrl-C, generously, in an epoch that would last long. The numbers of
the sections are those of the list of faults that a release is tested with.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import purrceptron as pc


@pytest.fixture
def eager_threads():
    """Let threads take turns often, so that they meet at many places."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def bits(net):
    return b"".join(a.tobytes() for layer in net.parameters for a in layer)


def problem(m=200, n=30):
    random = np.random.default_rng(0)
    X = random.standard_normal((m, n)).astype(np.float32)
    return X, (X[:, 0] * X[:, 1] > 0).astype(np.int64)


# 59

INTERRUPTED = """
import json, os, signal, sys, threading, time
import numpy as np
import purrceptron as pc

rows, hidden, batch_size = json.loads(sys.argv[1])
X = np.broadcast_to(np.linspace(-1, 1, 100, dtype=np.float32), (rows, 100))
y = np.zeros(rows)
net = pc.Network([100, *hidden, 1], seed=1)
before = [a.tobytes() for layer in net.parameters for a in layer]
sent = []

class Begin:
    def on_train_begin(self, net, history):
        self.history = history
        threading.Timer(0.1, self.interrupt).start()

    def interrupt(self):
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

begin = Begin()
try:
    pc.train(net, X, y, epochs=10**6, batch_size=batch_size, callbacks=[begin])
    caught = "nothing"
except KeyboardInterrupt:
    took = time.perf_counter() - sent[0]
    caught = "KeyboardInterrupt"
after = [a.tobytes() for layer in net.parameters for a in layer]
history = pc.train(net, X[:50], y[:50], epochs=3)
print(json.dumps({
    "caught": caught,
    "took": took,
    "epochs": begin.history.epochs,
    "same": after == before,
    "finite": bool(np.isfinite(net.predict_proba(X[:50])).all()),
    "again": history.epochs,
}))
"""


def interrupted(rows, hidden, batch_size):
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, json.dumps([rows, hidden, batch_size])],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.skipif(os.name == "nt", reason="a process of Windows cannot send itself Ctrl-C")
@pytest.mark.parametrize("batch_size", [None, 100])
def test_ctrl_c_within_a_long_epoch(batch_size):
    answer = interrupted(2_000_000, [300, 300], batch_size)
    assert answer["caught"] == "KeyboardInterrupt"
    # 0.2 s is what is meant; the whole epoch is much longer, but the machine may be slow and busy
    assert answer["took"] < 10
    assert answer["epochs"] == 0
    assert answer["same"]  # nothing of the unfinished epoch is in the network
    assert answer["finite"]
    assert answer["again"] == 3


@pytest.mark.skipif(os.name == "nt", reason="a process of Windows cannot send itself Ctrl-C")
@pytest.mark.parametrize("batch_size", [None, 10])
def test_ctrl_c_between_many_short_epochs(batch_size):
    answer = interrupted(50, [4], batch_size)
    assert answer["caught"] == "KeyboardInterrupt"
    assert answer["took"] < 10
    assert answer["epochs"] > 1
    assert not answer["same"]  # what the finished epochs learned is kept
    assert answer["finite"]
    assert answer["again"] == 3


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_the_exception_of_a_signal_handler_comes_through():
    def enough(*_):
        raise TimeoutError("enough")

    X, y = problem()
    net = pc.Network([30, 20, 1], seed=1)
    before = signal.signal(signal.SIGALRM, enough)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(TimeoutError, match="enough"):
            pc.train(net, X, y, epochs=10**9)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert pc.train(net, X, y, epochs=2).epochs == 2


# 60


@pytest.mark.parametrize("batch_size", [None, 100])
def test_a_fit_in_a_worker_thread_is_stopped_within_its_first_epoch(batch_size):
    rows = 2_000_000  # an epoch that lasts long
    X = np.broadcast_to(np.linspace(-1, 1, 100, dtype=np.float32), (rows, 100))
    net = pc.Network([100, 300, 300, 1], seed=1)
    begun, before = threading.Event(), bits(net)

    class Begin:
        def on_train_begin(self, net, history):
            begun.set()

    with ThreadPoolExecutor() as pool:
        fit = pool.submit(
            pc.train, net, X, np.zeros(rows), batch_size=batch_size, callbacks=[Begin()]
        )
        assert begun.wait(60)
        time.sleep(0.05)
        net.stop_training()
        history = fit.result(timeout=60)
    assert history.epochs == 0
    assert history.loss == []
    assert history.state.epoch == history.state.step == 0
    assert bits(net) == before


@pytest.mark.parametrize("optimizer", [pc.SGD(0.01), pc.Adam()], ids=["sgd", "adam"])
def test_a_stopped_fit_ends_with_the_weights_of_its_history(optimizer):
    X, y = problem()
    net = pc.Network([30, 20, 1], dtype="float64", seed=1)
    begun = threading.Event()

    class Begin:
        def on_train_begin(self, net, history):
            begun.set()

    with ThreadPoolExecutor() as pool:
        fit = pool.submit(
            pc.train, net, X, y, optimizer=optimizer, epochs=10**9, callbacks=[Begin()]
        )
        assert begun.wait(60)
        time.sleep(0.1)
        net.stop_training()
        history = fit.result(timeout=60)
    assert history.epochs == len(history.loss) > 0
    twin = pc.Network([30, 20, 1], dtype="float64", seed=1)
    again = pc.train(twin, X, y, optimizer=optimizer, epochs=history.epochs)
    assert again.loss == history.loss
    assert bits(twin) == bits(net)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": pc.Adam(), "batch_size": 16, "dropout": 0.2},
        {"optimizer": pc.RMSProp(momentum=0.5)},
        {"optimizer": pc.SGD(0.01, momentum=0.9), "batch_size": 16, "first_layer": "gram"},
    ],
    ids=["adam", "rmsprop", "gram"],
)
def test_a_stopped_fit_resumes_bit_for_bit_wherever_it_was_stopped(settings):
    X, y = problem(m=2000)
    net, epochs = pc.Network([30, 40, 1], seed=1), 0
    state = None
    for wait in (0.0, 0.003, 0.01, 0.02, 0.03):
        timer = threading.Timer(wait, net.stop_training)

        class Begin:
            def on_train_begin(self, net, history, timer=timer):
                timer.start()

        goes_on = {"seed": 7} if state is None else {"resume": state}
        history = pc.train(net, X, y, epochs=10**9, callbacks=[Begin()], **settings, **goes_on)
        timer.join()
        epochs, state = epochs + history.epochs, history.state
        assert state.epoch == epochs
        assert len(history.loss) == history.epochs
    pc.train(net, X, y, epochs=3, resume=state, **settings)
    twin = pc.Network([30, 40, 1], seed=1)
    pc.train(twin, X, y, epochs=epochs + 3, seed=7, **settings)
    assert bits(net) == bits(twin)


def test_a_callback_may_stop_the_fit_through_the_network():
    class Stop:
        def on_epoch_end(self, net, history):
            if history.epochs == 3:
                net.stop_training()

    X, y = problem()
    net = pc.Network([30, 20, 1], seed=1)
    history = pc.train(net, X, y, epochs=100, callbacks=[Stop()])
    assert history.epochs == 3
    assert history.state.epoch == 3
    # the request is used up: the next fit runs
    assert pc.train(net, X, y, epochs=5).epochs == 5


def test_a_request_to_stop_before_a_fit_is_forgotten():
    X, y = problem()
    net = pc.Network([30, 1], seed=1)
    net.stop_training()
    assert pc.train(net, X, y, epochs=5).epochs == 5


# 61


@pytest.mark.parametrize("event", ["on_train_begin", "on_epoch_end", "on_train_end"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_an_exception_of_a_callback_comes_through(event, error):
    X, y = problem()
    epochs_done = {"on_train_begin": 0, "on_epoch_end": 3, "on_train_end": 5}[event]

    class Fail:
        each_epoch = True

    def fail(self, net, history):
        if history.epochs == epochs_done:
            raise error("a bug in the callback")

    setattr(Fail, event, fail)
    net = pc.Network([30, 20, 1], seed=1)
    with pytest.raises(error, match="a bug in the callback"):
        pc.train(net, X, y, epochs=5, callbacks=[Fail()])
    twin = pc.Network([30, 20, 1], seed=1)
    pc.train(twin, X, y, epochs=epochs_done)
    assert bits(net) == bits(twin)  # the weights of the epochs that were finished
    assert pc.train(net, X, y, epochs=2).epochs == 2  # and it can be trained again
    assert net.training["epochs"] == 2


def test_a_fit_that_never_began_leaves_the_record_of_the_last():
    class Fail:
        def on_train_begin(self, net, history):
            raise RuntimeError("no")

    X, y = problem()
    net = pc.Network([30, 1], seed=1)
    pc.train(net, X, y, epochs=2)
    with pytest.raises(RuntimeError, match="no"):
        pc.train(net, X, y, epochs=7, callbacks=[Fail()])
    assert net.training["epochs"] == 2


def test_a_fit_that_fails_takes_its_progress_bar_away(monkeypatch):
    progress = pytest.importorskip("purrceptron._app.progress")
    left = []

    class Bar(progress.ProgressBar):
        def __exit__(self, kind, error, traceback):
            left.append(kind)
            return super().__exit__(kind, error, traceback)

    class Fail:
        def on_epoch_end(self, net, history):
            raise ZeroDivisionError("a bug in the callback")

    monkeypatch.setattr(progress, "ProgressBar", Bar)
    net = pc.Network([30, 1], seed=1)
    with pytest.raises(ZeroDivisionError):
        pc.train(net, *problem(), epochs=5, callbacks=[Fail()], progress=True)
    assert left == [ZeroDivisionError]


# 63


def test_eight_fits_at_once_are_eight_fits_in_turn():
    X, y = problem()

    def fit(seed):
        net = pc.Network([30, 24, 8, 1], seed=seed)
        optimizer = [pc.SGD(0.05), pc.Adam(), pc.RMSProp(), pc.SGD(0.05, momentum=0.9)][seed % 4]
        batch_size = None if seed < 4 else 32
        history = pc.train(
            net, X, y, optimizer=optimizer, epochs=40, batch_size=batch_size, seed=seed
        )
        return history.loss, bits(net), net.predict_proba(X).tobytes()

    one_by_one = [fit(seed) for seed in range(8)]
    barrier = threading.Barrier(8)

    def fit_with_the_others(seed):
        barrier.wait(60)
        return fit(seed)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fit_with_the_others, range(8))) == one_by_one


def test_a_second_fit_of_the_same_network_is_refused():
    X, y = problem()
    net = pc.Network([30, 20, 1], seed=1)
    begun = threading.Event()

    class Begin:
        def on_train_begin(self, net, history):
            begun.set()

    with ThreadPoolExecutor() as pool:
        fit = pool.submit(pc.train, net, X, y, epochs=10**9, callbacks=[Begin()])
        assert begun.wait(60)
        for _ in range(3):
            with pytest.raises(RuntimeError, match="is being trained already"):
                pc.train(net, X, y, epochs=1)
        assert not fit.done()  # and the first goes on
        net.stop_training()
        history = fit.result(timeout=60)
    twin = pc.Network([30, 20, 1], seed=1)
    pc.train(twin, X, y, epochs=history.epochs)
    assert bits(net) == bits(twin)
    assert pc.train(net, X, y, epochs=1).epochs == 1


def test_a_fit_within_a_callback_of_itself_is_refused():
    class Again:
        def on_epoch_end(self, net, history):
            pc.train(net, *problem(), epochs=1)

    net = pc.Network([30, 1], seed=1)
    with pytest.raises(RuntimeError, match="is being trained already"):
        pc.train(net, *problem(), epochs=2, callbacks=[Again()])
    assert pc.train(net, *problem(), epochs=1).epochs == 1


# 64


@pytest.mark.parametrize("batch_size", [None, 16])
def test_predictions_during_a_fit_are_those_of_finished_epochs(eager_threads, batch_size):
    random = np.random.default_rng(0)
    X = random.standard_normal((64, 200)).astype(np.float32)
    y = random.integers(0, 2, 64)
    row = X[:1]
    settings = {"optimizer": pc.SGD(0.05), "epochs": 30, "batch_size": batch_size, "seed": 3}

    def network():
        return pc.Network([200, 80, 60, 1], seed=1)

    # Because training is the same bit for bit, every state that may be seen is known beforehand.
    states, outputs = {bits(network())}, {network().predict_proba(row).tobytes()}

    class Record:
        def on_epoch_end(self, net, history):
            states.add(bits(net))
            outputs.add(net.predict_proba(row).tobytes())

    pc.train(network(), X, y, callbacks=[Record()], **settings)
    assert len(outputs) > 20

    net, done = network(), threading.Event()
    looks = 0

    def look():
        nonlocal looks
        seen_states, seen_outputs = set(), set()
        while not done.is_set():
            seen_states.add(bits(net))
            seen_outputs.add(net.predict_proba(row).tobytes())
            looks += 1
        return seen_states, seen_outputs

    class EachEpoch:
        def on_epoch_end(self, net, history):
            # wait for the others to look once more, but not for the dead
            before = looks
            while looks == before and not any(each.done() for each in looking):
                time.sleep(1e-4)

    with ThreadPoolExecutor() as pool:
        looking = [pool.submit(look) for _ in range(2)]
        try:
            pc.train(net, X, y, callbacks=[EachEpoch()], **settings)
        finally:
            done.set()
        seen = [each.result(timeout=60) for each in looking]
    seen_states = set().union(*(a for a, _ in seen))
    seen_outputs = set().union(*(b for _, b in seen))
    assert seen_states <= states
    assert seen_outputs <= outputs
    assert len(seen_states) > 1  # they did look while it changed
    assert len(seen_outputs) > 1


def test_parameters_set_from_another_thread_are_seen_whole(eager_threads):
    net = pc.Network([300, 200, 1], output="identity", seed=1)
    row = np.ones((1, 300), np.float32)
    shapes = [(W.shape, b.shape) for W, b in net.parameters]
    forms = [[(np.full(W, v), np.full(b, v)) for W, b in shapes] for v in (0.01, 0.02, 0.03)]
    allowed = set()
    for form in forms:
        net.set_parameters(form)
        allowed.add(net.forward(row).item())
    assert len(allowed) == 3
    done = threading.Event()

    def change():
        while not done.is_set():
            for form in forms:
                net.set_parameters(form)

    with ThreadPoolExecutor() as pool:
        changing = [pool.submit(change) for _ in range(1)]
        try:
            seen = set()
            for turn in range(10**6):
                seen.add(net.forward(row).item())
                if turn >= 400 and len(seen) == 3:
                    break
            whole = [
                {float(v) for layer in net.parameters for a in layer for v in (a.min(), a.max())}
                for _ in range(100)
            ]
        finally:
            done.set()
        for each in changing:
            each.result(timeout=60)
    assert seen == allowed
    assert all(len(values) == 1 for values in whole)
