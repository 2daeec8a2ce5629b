"""Signals, requests and exceptions in the middle of a fit: it ends, and the network is usable.

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
from purrceptron import _core
from small_fits import bits, problem

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


def interrupted(script, *arguments):
    ended = subprocess.run(
        [sys.executable, "-c", script, json.dumps(arguments)],
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
    answer = interrupted(INTERRUPTED, 2_000_000, [300, 300], batch_size)
    assert answer["caught"] == "KeyboardInterrupt"
    # 0.2 s is what is meant; the whole epoch is much longer, but the machine may be slow and busy
    assert answer["took"] < 10
    assert answer["epochs"] == 0
    assert answer["same"]  # nothing of the unfinished epoch is in the network
    assert answer["finite"]
    assert answer["again"] == 3


LONG_CALL = """
import json, os, signal, sys, threading, time
import numpy as np
import purrceptron as pc

(what,) = json.loads(sys.argv[1])
X = np.broadcast_to(np.linspace(0, 1, 300, dtype=np.float32), (5_000_000, 300))
y = np.zeros(len(X))
net = pc.Network([300, 3000, 3000, 1], seed=1)  # 100 Tflop forward: a minute on sixteen cores
calls = {
    "forward": lambda: net.forward(X),
    "loss": lambda: net.loss(X, y),
    "gradients": lambda: net.gradients(X, y),
    "evaluate": lambda: pc.evaluate(net, X, y),
    "validation": lambda: pc.train(net, X[:100], y[:100], validation_data=(X, y)),
}
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
began = time.perf_counter()
try:
    calls[what]()
    caught = "nothing"
except KeyboardInterrupt:
    caught = "KeyboardInterrupt"
print(json.dumps({"caught": caught, "took": time.perf_counter() - began}))
"""


@pytest.mark.skipif(os.name == "nt", reason="a process of Windows cannot send itself Ctrl-C")
@pytest.mark.parametrize("what", ["forward", "loss", "gradients", "evaluate", "validation"])
def test_ctrl_c_within_a_long_call(what):
    answer = interrupted(LONG_CALL, what)
    assert answer["caught"] == "KeyboardInterrupt"
    assert answer["took"] < 20  # minutes, uninterrupted


@pytest.mark.skipif(os.name == "nt", reason="a process of Windows cannot send itself Ctrl-C")
@pytest.mark.parametrize("batch_size", [None, 10])
def test_ctrl_c_between_many_short_epochs(batch_size):
    answer = interrupted(INTERRUPTED, 50, [4], batch_size)
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


# 69


@pytest.mark.parametrize("batch_size", [None, 50])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_panic_in_the_core_is_an_exception_and_the_next_call_works(threads, batch_size, capfd):
    """Nothing that a user can pass makes one; a class number that changes behind its back does."""
    before = pc.get_num_threads()
    X, _ = problem(m=20_000)
    y = np.zeros(len(X), np.uint32)
    net = pc.Network([30, 50, 2], output="softmax", seed=0)
    settings = {"momentum": 0.0, "nesterov": 0.0}
    net._core.begin_fit()
    try:
        pc.set_num_threads(threads)
        trainer = _core.Trainer(
            net._core, X, y, None, 9, "sgd", settings, 0.1, None, 0.0, batch_size, 0, "direct"
        )
        trainer.run(1)
        weights = bits(net)
        y[7] = 99
        with pytest.raises(BaseException, match="class 99, but there are 2 outputs") as caught:
            trainer.run(1)
        assert type(caught.value).__name__ == "PanicException"
        assert bits(net) == weights
    finally:
        net._core.end_fit()
        pc.set_num_threads(before)
    assert np.isfinite(net.forward(X)).all()
    assert len(pc.train(net, X, np.zeros(len(X)), epochs=2).loss) == 2


# 71

LEAVE = """
import threading, time
import numpy as np
import purrceptron as pc
X = np.random.default_rng(0).normal(size=(5000, 50))
net = pc.Network([50, 100, 100, 1], seed=1)
begun = threading.Event()
class Begin:
    def on_train_begin(self, net, history):
        begun.set()
threading.Thread(target=pc.train, args=(net, X, X[:, 0] > 0), daemon=True,
                 kwargs={"epochs": 10**9, "callbacks": [Begin()]}).start()
begun.wait()
time.sleep(0.1)
"""


def test_the_interpreter_may_exit_during_a_fit():
    ended = subprocess.run(
        [sys.executable, "-c", LEAVE], capture_output=True, text=True, check=False, timeout=100
    )
    assert (ended.returncode, ended.stderr) == (0, "")
