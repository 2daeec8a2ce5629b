"""What the kernels refuse: each in a sentence that names the argument."""

import numpy as np
import pytest

import purrceptron as pc
from purrceptron import kernels

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
