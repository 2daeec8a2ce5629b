"""The series' functions as Python calls them, worked by hand."""

import inspect
import sys
import threading
import time

import numpy as np
import pytest

import purrceptron as pc
from purrceptron import kernels

LOG2 = 0.6931471805599453


# Worked by hand


def test_matmul():
    a, b = np.array([[1.0, 2, 3], [4, 5, 6]]), np.array([[1.0, 0], [0, 1], [1, 1]])
    np.testing.assert_array_equal(kernels.matmul(a, b), [[4, 5], [10, 11]])
    np.testing.assert_array_equal(kernels.matmul(b.T, a.T), [[4, 10], [5, 11]])


def test_linear_forward():
    a, w, b = np.array([[1.0, 2], [3, 4]]), np.array([[1.0, 1], [0, 2], [1, 0]]), [0.5, 0, -1]
    z = kernels.linear_forward(a, w, b)
    np.testing.assert_array_equal(z, [[3.5, 4, 0], [7.5, 8, 2]])


def test_linear_backward_divides_the_sums_by_the_examples():
    dz, a, w = np.array([[1.0], [3]]), np.array([[1.0, 2], [3, 4]]), np.array([[5.0, -1]])
    da, dw, db = kernels.linear_backward(dz, a, w)
    np.testing.assert_array_equal(da, [[5, -1], [15, -3]])
    np.testing.assert_array_equal(dw, [[(1 + 9) / 2, (2 + 12) / 2]])
    np.testing.assert_array_equal(db, [2])


def test_relu_and_its_slope_at_0():
    np.testing.assert_array_equal(kernels.relu([-2.0, -0.0, 0.0, 3.0]), [0, 0, 0, 3])
    da = [5.0, 5.0, 5.0, 5.0]
    np.testing.assert_array_equal(kernels.relu_backward(da, [-2.0, -0.0, 0.0, 3.0]), [0, 0, 0, 5])


def test_sigmoid():
    z = np.log([1.0, 3.0, 1 / 3])
    np.testing.assert_allclose(kernels.sigmoid(z), [1 / 2, 3 / 4, 1 / 4], rtol=1e-15)
    np.testing.assert_allclose(
        kernels.sigmoid_backward([2.0, 16.0, 16.0], z), [1 / 2, 3, 3], rtol=1e-14
    )


def test_exp_log1p_tanh_softplus():
    np.testing.assert_allclose(kernels.exp([0.0, 1.0, -1e4, 1e4]), [1, np.e, 0, np.inf])
    np.testing.assert_array_equal(kernels.log1p([0.0, -1.0, 1e-300]), [0, -np.inf, 1e-300])
    assert np.isnan(kernels.log1p([-2.0])).all()
    np.testing.assert_allclose(kernels.tanh([0.0, np.log(3) / 2, -1e4]), [0, 0.5, -1], rtol=1e-15)
    np.testing.assert_allclose(
        kernels.softplus([0.0, np.log(2), -1e4, 1e4]), [LOG2, np.log(3), 0, 1e4], rtol=1e-15
    )


def test_softmax_and_logsumexp_over_the_last_axis():
    z = np.log([[1.0, 3.0], [2.0, 2.0]])
    np.testing.assert_allclose(kernels.softmax(z), [[1 / 4, 3 / 4], [1 / 2, 1 / 2]], rtol=1e-15)
    np.testing.assert_allclose(kernels.logsumexp(z), np.log([4.0, 4.0]), rtol=1e-15)
    assert kernels.logsumexp([1e4, 1e4]) == pytest.approx(1e4 + LOG2, rel=1e-15)
    assert kernels.logsumexp(np.zeros((2, 3, 4))).shape == (2, 3)
    assert kernels.softmax(np.zeros(5)).shape == (5,)


def test_binary_cross_entropy():
    assert kernels.binary_cross_entropy([0.0], [1.0]) == pytest.approx(LOG2, rel=1e-15)
    assert kernels.binary_cross_entropy([0.0, 0.0, 0.0], [1, 0, 1]) == pytest.approx(LOG2)
    # several outputs are summed, examples averaged
    assert kernels.binary_cross_entropy(np.zeros((3, 2)), np.eye(3)[:, :2]) == pytest.approx(
        2 * LOG2
    )
    np.testing.assert_array_equal(
        kernels.binary_cross_entropy_backward([0.0, 0.0], [1.0, 0.0]), [-0.5, 0.5]
    )
    # a label may be a probability
    assert kernels.binary_cross_entropy([0.0], [0.3]) == pytest.approx(LOG2)
    np.testing.assert_allclose(kernels.binary_cross_entropy_backward([0.0], [0.3]), [0.2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_series_step_by_hand_is_the_step_of_train(dtype):
    random = np.random.default_rng(0)
    x, y = random.standard_normal((30, 8)).astype(dtype), random.integers(0, 2, 30)
    net = pc.Network([8, 5, 1], dtype=dtype, seed=1)
    (w1, b1), (w2, b2) = net.parameters

    z1 = kernels.linear_forward(x, w1, b1)
    a1 = kernels.relu(z1)
    z2 = kernels.linear_forward(a1, w2, b2)
    cost = kernels.binary_cross_entropy(z2[:, 0], y.astype(dtype))
    dz2 = kernels.binary_cross_entropy_backward(z2[:, 0], y.astype(dtype))[:, None]
    da1, dw2, db2 = kernels.linear_backward(dz2, a1, w2)
    dz1 = kernels.relu_backward(da1, z1)
    _, dw1, db1 = kernels.linear_backward(dz1, x, w1)

    rtol = 1e-4 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(net.forward(x), kernels.sigmoid(z2), rtol=rtol)
    history = pc.train(net, x, y, optimizer=pc.SGD(0.1), epochs=1)
    assert history.loss == [pytest.approx(cost, rel=rtol)]
    stepped = [(w1 - 0.1 * dw1, b1 - 0.1 * db1), (w2 - 0.1 * dw2, b2 - 0.1 * db2)]
    for (W, b), (expected_W, expected_b) in zip(net.parameters, stepped, strict=True):
        np.testing.assert_allclose(W, expected_W, rtol=rtol, atol=rtol / 100)
        np.testing.assert_allclose(b, expected_b, rtol=rtol, atol=rtol / 100)


# What comes out

ELEMENTWISE = [
    kernels.exp,
    kernels.log1p,
    kernels.relu,
    kernels.sigmoid,
    kernels.softplus,
    kernels.tanh,
]


def test_results_are_arrays_of_their_own():
    z = np.array([[1.0, -1.0]])
    for call in (*ELEMENTWISE, kernels.softmax):
        result = call(z)
        assert not np.shares_memory(result, z)
        result[...] = 7
        np.testing.assert_array_equal(z, [[1, -1]])


@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3), (2, 3, 4), (1, 1, 1, 5)], ids=str)
def test_element_wise_kernels_keep_the_shape(shape):
    z = np.random.default_rng(0).standard_normal(shape)
    for call in ELEMENTWISE:
        assert call(z).shape == shape
    for call in (kernels.relu_backward, kernels.sigmoid_backward):
        assert call(z, z).shape == shape


def test_out_is_written_and_returned():
    a, b = np.eye(3), np.arange(9.0).reshape(3, 3)
    out = np.full((3, 3), np.nan)
    assert kernels.matmul(a, b, out=out) is out
    np.testing.assert_array_equal(out, b)
    assert kernels.matmul(a, b, out) is out


@pytest.mark.parametrize("name", kernels.__all__)
def test_every_kernel_documents_itself(name):
    kernel = getattr(kernels, name)
    assert "Parameters\n----------\n" in inspect.getdoc(kernel)
    assert "Returns\n-------\n" in inspect.getdoc(kernel)
    parameters = inspect.signature(kernel).parameters
    assert all(each in inspect.getdoc(kernel) for each in parameters)


# Other threads


BIG = np.random.default_rng(0).standard_normal((300, 300))
LABELS = (BIG > 0).astype(float)
NET = pc.Network([300, 300, 1], dtype="float64", seed=0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: kernels.matmul(BIG, BIG),
        lambda: kernels.linear_forward(BIG, BIG, BIG[0]),
        lambda: kernels.linear_backward(BIG, BIG, BIG),
        lambda: kernels.relu(BIG),
        lambda: kernels.relu_backward(BIG, BIG),
        lambda: kernels.sigmoid(BIG),
        lambda: kernels.exp(BIG),
        lambda: kernels.log1p(LABELS),
        lambda: kernels.tanh(BIG),
        lambda: kernels.softplus(BIG),
        lambda: kernels.softmax(BIG),
        lambda: kernels.logsumexp(BIG),
        lambda: kernels.sigmoid_backward(BIG, BIG),
        lambda: kernels.binary_cross_entropy(BIG, LABELS),
        lambda: kernels.binary_cross_entropy_backward(BIG, LABELS),
        lambda: NET.forward(BIG),
        lambda: NET.loss(BIG, LABELS[0]),
        lambda: NET.gradients(BIG, LABELS[0]),
        lambda: pc.train(NET, BIG, LABELS[0], epochs=1),
    ],
)
def test_other_threads_run_meanwhile(call):
    # Python alone would let the other thread run every 1000 s: it runs because the call lets it.
    turns, done = 0, threading.Event()

    def count():
        nonlocal turns
        while not done.is_set():
            turns += 1
            time.sleep(1e-5)

    before = sys.getswitchinterval()
    thread = threading.Thread(target=count)
    thread.start()
    try:
        sys.setswitchinterval(1000)
        begin = turns
        calls = 0
        while turns == begin and calls < 10_000:
            call()
            calls += 1
        ran = turns > begin
    finally:
        done.set()
        sys.setswitchinterval(before)
        thread.join()
    assert ran
