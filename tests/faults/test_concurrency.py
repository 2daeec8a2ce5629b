"""Fits and predictions in several threads at once: equal to those in turn, or refused.

The numbers of the sections are those of the list of faults that a release is tested with.
"""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import purrceptron as pc
from small_fits import bits, problem


@pytest.fixture
def eager_threads():
    """Let threads take turns often, so that they meet at many places."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


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
