"""The series' functions as Python calls them: worked by hand, and refused in a sentence."""

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


# What is refused

A, W, B = np.ones((2, 3)), np.ones((4, 3)), np.ones(4)
SPOILT = np.ones((2, 2, 3), order="F")
SPOILT[1, 0, 2] = np.nan


def aliased():
    a = np.ones((3, 3))
    return kernels.matmul(a, np.ones((3, 3)), out=a)


def read_only():
    out = np.ones((3, 3))
    out.flags.writeable = False
    return kernels.matmul(np.eye(3), np.eye(3), out=out)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: kernels.matmul(A, A), "b has shape (2, 3), expected (3, n), because a has shape"),
        (lambda: kernels.matmul(A[0], A), "a has shape (3"),
        (lambda: kernels.matmul(A, A[None]), "b has shape (1, 2, 3), expected a matrix"),
        (lambda: kernels.matmul(A, A.T, out=A.T.copy()), "out has shape (3, 2), expected (2, 2)"),
        (aliased, "out shares memory with a"),
        (read_only, "out is read-only"),
        (lambda: kernels.linear_forward(A, A.T, B), "w has shape (3, 2), expected (n_out, 3), bec"),
        (lambda: kernels.linear_forward(A, W, B[:3]), "b has shape (3"),
        (lambda: kernels.linear_forward(A, W, B[:, None]), "b has shape (4, 1), expected a vector"),
        (
            lambda: kernels.linear_backward(A, A[:1], A),
            "a has shape (1, 3), expected (2, n_in), because dz has shape (2, 3)",
        ),
        (lambda: kernels.linear_backward(A, A, W), "w has shape (4, 3), expected (3, 3)"),
        (
            lambda: kernels.relu_backward(A, W),
            "z has shape (4, 3), expected (2, 3), the shape of da",
        ),
        (
            lambda: kernels.sigmoid_backward(A, A.T),
            "z has shape (3, 2), expected (2, 3), the shape ",
        ),
        (lambda: kernels.binary_cross_entropy(A, W), "y has shape (4, 3), expected (2, 3), the sh"),
        (lambda: kernels.binary_cross_entropy([0.0], [1.5]), "y holds 1.5 at row 0, expected lab"),
        (lambda: kernels.binary_cross_entropy([0.0] * 2, [0, -1]), "y holds -1 at row 1, expected"),
        (lambda: kernels.binary_cross_entropy([0.0], [np.nan]), "y holds NaN at row 0, expected"),
        (lambda: kernels.binary_cross_entropy_backward([0.0], [2]), "y holds 2 at row 0, expected"),
        (lambda: kernels.relu([0.0, np.nan]), "z holds NaN at row 1; only finite numbers can be"),
        (lambda: kernels.exp(np.array([0, np.nan], "f")), "z holds NaN at row 1; only"),
        (lambda: kernels.softmax([[0, 1], [-np.inf, 0]]), "z holds -inf at row 1, column 0"),
        (lambda: kernels.logsumexp([[0.0, np.inf]]), "z holds inf at row 0, column 1; only finite"),
        (lambda: kernels.exp(SPOILT), "z holds NaN at index (1, 0, 2); only finite numbers can"),
        (lambda: kernels.exp(np.nan), "z holds NaN; only finite numbers can be used"),
        (lambda: kernels.binary_cross_entropy(A, A * 2), "y holds 2 at row 0, column 0, expected"),
        (lambda: kernels.softmax(1.0), "z has shape (), expected at least one dimension"),
        (lambda: kernels.tanh([]), "z has shape (0,), expected at least one element"),
        (lambda: kernels.logsumexp(np.ones((2, 0))), "z has shape (2, 0), expected at "),
        (lambda: kernels.relu_backward([np.inf], [0]), "da holds inf at row 0; only finite number"),
        (lambda: kernels.linear_forward(A, W, B * np.nan), "b holds NaN at row 0, column 0; only"),
        (lambda: kernels.linear_backward(A, A, A[:1] * 0 + np.inf), "w has shape (1, 3), expected"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(call, sentence):
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("out", "came"),
    [(np.ones((2, 2), np.float32), "float32"), ([[0.0] * 2] * 2, "list"), ("out", "str")],
)
def test_out_of_another_type_is_refused(out, came):
    with pytest.raises(TypeError, match=rf"^out must be an aligned array of float64, not {came}$"):
        kernels.matmul(A, A.T, out=out)


def test_a_refused_product_leaves_out_alone():
    out = np.full((2, 2), 7.0)
    for a in (A.astype(np.float32), A.T):
        with pytest.raises((ValueError, TypeError)):
            kernels.matmul(a, A.T, out=out)
    np.testing.assert_array_equal(out, 7)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("other", [0.0, 1.0], ids=lambda other: f"times {other}")
@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 2), (8, 0), (3, 39), (8, 39)])
def test_a_number_that_is_not_finite_is_found_wherever_it_is(bad, other, row, column):
    good, spoilt = np.full((9, 40), other), np.ones((9, 40))
    spoilt[row, column] = bad
    place = f"holds {'NaN' if bad != bad else bad} at row"
    at = f"{place} {row}, column {column}"
    turned = f"{place} {column}, column {row}"
    for call, sentence in (
        (lambda: kernels.matmul(spoilt, good.T), f"a {at}"),
        (lambda: kernels.matmul(good, spoilt.T), f"b {turned}"),
        (lambda: kernels.linear_forward(spoilt, good, np.ones(9)), f"a {at}"),
        (lambda: kernels.linear_forward(good, spoilt, np.ones(9)), f"w {at}"),
        (lambda: kernels.linear_backward(spoilt, np.ones((9, 3)), np.ones((40, 3))), f"dz {at}"),
        (lambda: kernels.linear_backward(np.ones((9, 3)), spoilt, np.ones((3, 40))), f"a {at}"),
        (lambda: kernels.linear_backward(np.ones((5, 9)), np.ones((5, 40)), spoilt), f"w {at}"),
    ):
        with pytest.raises(ValueError, match=f"^{sentence}; "):
            call()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_out_holds_after_an_error_is_not_specified_and_all_else_stays(bad):
    """NaN is found in the product, so `out` has been written; it is as good as new."""
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    spoilt, out = a.copy(), np.full((2, 4), 7.0)
    spoilt[1, 2] = bad
    with pytest.raises(ValueError, match=r"^a holds (NaN|inf) at row 1, column 2; "):
        kernels.matmul(spoilt, b, out=out)
    np.testing.assert_array_equal(spoilt[0], a[0])
    np.testing.assert_array_equal(b, np.arange(12.0).reshape(3, 4))
    assert kernels.matmul(a, b, out=out) is out
    np.testing.assert_array_equal(out, a @ b)


def test_a_product_that_overflows_is_no_error():
    assert kernels.matmul(A * 1e200, A.T * 1e200)[0, 0] == np.inf


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


def as_another_view(a):
    return np.lib.stride_tricks.as_strided(a, a.shape, a.strides)


def over_the_same_buffer(a):
    return np.asarray(memoryview(a))


def one_row_on(a):
    return np.frombuffer(a.data, a.dtype)[a.shape[1] :].reshape(-1, a.shape[1])


@pytest.mark.parametrize("view", [as_another_view, over_the_same_buffer, one_row_on])
@pytest.mark.parametrize("argument", ["a", "b"])
def test_out_that_shares_memory_behind_numpys_back_is_refused(view, argument):
    shared = np.ones((6, 5))
    rows = len(view(shared))
    a, b = (shared, np.ones((5, 5))) if argument == "a" else (np.ones((5, 6)), shared)
    before, out = shared.copy(), view(shared)[: len(a)]
    a = a[: len(out)]
    with pytest.raises(ValueError, match=rf"^out shares memory with {argument}$"):
        kernels.matmul(a, b, out=out)
    assert rows >= 5
    np.testing.assert_array_equal(shared, before)


@pytest.mark.parametrize("strides", [(0, 0), (8, 8), (40, 0), (-8, 8)])
def test_out_whose_elements_share_memory_is_refused(strides):
    room = np.zeros(100)
    out = np.lib.stride_tricks.as_strided(room[50:], (5, 5), strides)
    with pytest.raises(ValueError, match=r"^out has elements that share memory with each other$"):
        kernels.matmul(np.eye(5), np.ones((5, 5)), out=out)
    assert not room.any()


def test_out_may_lie_between_the_rows_and_columns_of_what_is_read():
    both = np.arange(50.0).reshape(5, 10)
    a, out = both[:, ::2], both[:, 1::2]
    expected = a @ np.eye(5)[::-1]
    kernels.matmul(a, np.eye(5)[::-1], out=out)
    np.testing.assert_array_equal(out, expected)
    reversed_columns = np.zeros((5, 5))
    kernels.matmul(a, np.eye(5), out=reversed_columns.T[::-1])
    np.testing.assert_array_equal(reversed_columns.T[::-1], a)


@pytest.mark.parametrize("n", [0, -1, 1025, 2**70])
def test_a_number_of_threads_out_of_range_is_refused(n):
    before = pc.get_num_threads()
    with pytest.raises(
        ValueError, match=rf"^n is {n}, expected a number of threads from 1 to 1024"
    ):
        pc.set_num_threads(n)
    assert pc.get_num_threads() == before


@pytest.mark.parametrize("n", [2.5, "2", None])
def test_a_number_of_threads_that_is_no_integer_is_refused(n):
    with pytest.raises(TypeError, match=rf"^n must be an integer, not {type(n).__name__}$"):
        pc.set_num_threads(n)
