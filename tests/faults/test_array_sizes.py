"""Arrays of every size, of huge numbers, or changing meanwhile: nothing breaks.

The numbers in the names of sections are those of the list of faults that a release is tested with.
"""

import re
import threading

import numpy as np
import pytest

import purrceptron as pc
from array_entries import COLUMNS, ROWS, Y, network, numbers
from purrceptron import kernels

# 19


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_size", [None, 2])
def test_huge_numbers_diverge_and_leave_the_last_good_weights(dtype, batch_size):
    net = network(dtype)
    pc.train(net, numbers(), Y, epochs=5)
    before = net.parameters
    huge = np.full((ROWS, COLUMNS), 1e308)
    with pytest.raises(pc.DivergenceError, match=r"^training diverged in epoch 1: ") as caught:
        pc.train(net, huge, Y, epochs=5, batch_size=batch_size)
    assert isinstance(caught.value, FloatingPointError)
    assert isinstance(caught.value, ValueError)
    for old, new in zip(before, net.parameters, strict=True):
        np.testing.assert_array_equal(new[0], old[0])
        np.testing.assert_array_equal(new[1], old[1])
    assert pc.train(net, numbers(), Y, epochs=5).epochs == 5  # it goes on


def test_divergence_names_the_epoch_and_keeps_the_weights_before_it():
    x = numbers()
    y = x[:, :1]
    net = pc.Network([COLUMNS, 1], output="identity", dtype="float64", seed=0)
    seen = []

    class Record:
        def on_epoch_end(self, net, history):
            seen.append(net.parameters)

    with pytest.raises(pc.DivergenceError) as caught:
        pc.train(net, x, y, optimizer=pc.SGD(learning_rate=1e9), epochs=1000, callbacks=[Record()])
    assert f"in epoch {len(seen) + 1}:" in str(caught.value)
    assert len(seen) > 3
    np.testing.assert_array_equal(net.parameters[0][0], seen[-1][0][0])
    assert np.isfinite(net.parameters[0][0]).all()
    # many epochs a call, as without a callback: still finite, still the network of some epoch
    net = pc.Network([COLUMNS, 1], output="identity", dtype="float64", seed=0)
    with pytest.raises(pc.DivergenceError, match=f"in epoch {len(seen) + 1}:"):
        pc.train(net, x, y, optimizer=pc.SGD(learning_rate=1e9), epochs=1000)
    kept = net.parameters[0][0].tobytes()
    assert kept in [parameters[0][0].tobytes() for parameters in seen]


def test_kernels_overflow_to_infinity_like_numpy():
    huge = np.full((2, 2), 1e308)
    assert np.isinf(kernels.matmul(huge, huge)).all()


# 20, 21


def test_no_rows_are_refused(refused):
    sentence = refused(np.zeros((0, COLUMNS)))
    assert "no rows" in sentence or "at least one row" in sentence
    assert "(0, 4)" in sentence


def test_no_columns_are_refused(refused):
    sentence = refused(np.zeros((ROWS, 0)))
    assert "no columns" in sentence or "one column" in sentence
    assert "(6, 0)" in sentence


# 22


def test_one_row_trains():
    net = network()
    history = pc.train(net, numbers()[:1], Y[:1], epochs=20)
    assert history.epochs == 20
    assert history.loss[-1] < history.loss[0]


# 23


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4), ()], ids=str)
def test_what_is_no_matrix_is_refused(refused, shape):
    assert "expected a matrix" in refused(np.ones(shape))


def test_the_way_to_a_matrix_is_told():
    net = network()
    with pytest.raises(ValueError, match=r"X\.reshape\(1, -1\)$"):
        net.predict(numbers()[0])
    with pytest.raises(ValueError, match=r"X\.reshape\(len\(X\), -1\) lays each example out"):
        net.predict(np.ones((2, 2, 2)))


# 24, 25


@pytest.mark.parametrize("rows", [1, 5, 7])
@pytest.mark.parametrize("call", [pc.train, pc.Network.loss, pc.Network.gradients])
def test_labels_of_another_length_are_refused(call, rows):
    came = "1 row" if rows == 1 else f"{rows} rows"
    with pytest.raises(ValueError, match=f"^X has 6 rows, but y has {came}$"):
        call(network(), numbers(), np.resize(Y, rows))


def test_arrays_of_other_lengths_are_refused_by_kernels():
    for call in (
        lambda: kernels.matmul(np.ones((2, 3)), np.ones((2, 3))),
        lambda: kernels.linear_forward(np.ones((2, 3)), np.ones((4, 3)), np.ones(3)),
        lambda: kernels.linear_backward(np.ones((2, 4)), np.ones((3, 3)), np.ones((4, 3))),
        lambda: kernels.relu_backward(np.ones(3), np.ones(4)),
        lambda: kernels.binary_cross_entropy(np.ones(3), np.ones(4)),
        lambda: kernels.binary_cross_entropy_backward(np.ones(3), np.ones(4)),
    ):
        with pytest.raises(ValueError, match=r"^(a|b|w|z|y) has shape \(.+\), expected "):
            call()


@pytest.mark.parametrize("columns", [1, 3, 5])
def test_another_number_of_columns_is_refused(columns):
    net = network()
    pc.train(net, numbers(), Y, epochs=1)
    came = "1 column" if columns == 1 else f"{columns} columns"
    for call in (net.forward, net.predict, net.predict_proba):
        with pytest.raises(ValueError, match=f"^X has {came}, but the network takes 4 inputs$"):
            call(np.ones((2, columns)))


# 26


@pytest.mark.parametrize(
    "sizes", [[2**40, 2**40, 1], [2**62, 2], [3, 2**63], [2**32, 2**32]], ids=str
)
def test_a_network_whose_weights_overflow_is_refused(sizes):
    with pytest.raises(ValueError, match=r"^layer_sizes is \[.*no memory holds so many"):
        pc.Network(sizes)


def test_a_network_that_memory_cannot_hold_is_a_memory_error():
    with pytest.raises(MemoryError, match=r"^not enough memory for \d+ bytes of parameters$"):
        pc.Network([2**27, 2**27, 1])


def test_a_product_that_overflows_is_refused():
    one = np.broadcast_to(np.float64(1), (2**40, 1))
    with pytest.raises(ValueError, match="too big"):
        kernels.matmul(one, one.T)
    with pytest.raises(ValueError, match="too big"):
        kernels.linear_forward(one, one, one[:, 0])
    with pytest.raises(MemoryError):
        kernels.matmul(one[: 2**28], one[: 2**20].T)


# 27


@pytest.mark.parametrize("batch_size", [None, 32])
@pytest.mark.parametrize("kind", ["float32", "float32 with NaN", "uint8", "int64"])
def test_samples_that_change_during_a_fit_crash_nothing(kind, batch_size):
    random = np.random.default_rng(0)
    x = random.integers(2, 256, (300, 40)).astype(kind.split()[0])
    y = random.integers(0, 2, 300)
    others = [random.permutation(x), np.full_like(x, 3)]
    if "NaN" in kind:
        others[0][5, 5] = np.nan
    turns, done = 0, threading.Event()

    def change():
        nonlocal turns
        while not done.is_set():
            x[...] = others[turns % 2]
            turns += 1

    class UntilChangedOften:
        def on_epoch_end(self, net, history):
            return turns > 20

    net = pc.Network([40, 8, 1], seed=0)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        pc.train(
            net,
            x,
            y,
            optimizer=pc.SGD(1e-6),
            epochs=10**9,
            batch_size=batch_size,
            callbacks=[UntilChangedOften()],
        )
        assert turns > 20
    except ValueError as error:  # DivergenceError is one too
        expected = "X holds NaN at row 5|training diverged" if "NaN" in kind else "nothing"
        if not re.match(expected, str(error)):
            raise
    finally:
        done.set()
        thread.join()
    assert all(np.isfinite(a).all() for layer in net.parameters for a in layer)
    assert pc.train(net, np.ones(x.shape), y, epochs=2).epochs == 2
