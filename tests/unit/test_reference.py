"""The plain NumPy network, held against calculus and against a fit worked out by hand."""

import numpy as np
import pytest

from purrceptron import _reference as reference

LAYERS = [6, 5, 4, 1]


def problem(m=9, layers=LAYERS, seed=0, dtype=np.float64):
    random = np.random.default_rng(seed)
    X = random.standard_normal((m, layers[0])).astype(dtype)
    y = np.arange(m) % 2
    parameters = reference.initialise(layers, seed, gain=2**0.5, dtype=dtype)
    for _, b in parameters:
        b[:] = random.standard_normal(b.shape) / 10
    return X, y, parameters


def total_cost(X, y, parameters, l2):
    logits, _ = reference.gradients(X, y[:, None], parameters)
    return reference.cost(logits, y[:, None], parameters, l2)


def test_initialise_draws_weights_of_the_stated_deviation_and_zero_biases():
    (W, b), (W2, _) = reference.initialise([4000, 300, 2], seed=3, gain=2.0, dtype=np.float32)
    assert W.shape == (300, 4000)
    assert W2.shape == (2, 300)
    assert W.dtype == b.dtype == np.float32
    assert not b.any()
    # 1.2 million draws: five standard errors of the mean and of the deviation
    assert abs(W.mean()) < 5 * W.std() / W.size**0.5
    assert W.std() == pytest.approx(2 / 4000**0.5, rel=5 / (2 * W.size) ** 0.5)


def test_initialise_repeats_with_its_seed():
    (W, _), (again, _), (other, _) = (reference.initialise([3, 2], s)[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(W, again)
    assert not np.array_equal(W, other)


def test_sigmoid_saturates_without_a_warning():
    z = np.array([-1e4, -800.0, -1.0, 0.0, 1.0, 800.0])
    a = reference.sigmoid(z)
    np.testing.assert_allclose(a, [0, 0, 1 / (1 + np.e), 0.5, np.e / (1 + np.e), 1])


def test_cost_is_the_textbook_formula_and_stays_finite_beyond_it():
    random = np.random.default_rng(0)
    logits, Y = random.standard_normal((20, 1)), random.integers(0, 2, (20, 1))
    a = 1 / (1 + np.exp(-logits))
    W = random.standard_normal((3, 2))
    expected = -np.mean(Y * np.log(a) + (1 - Y) * np.log(1 - a)) + 0.7 / 40 * np.sum(W**2)
    assert reference.cost(logits, Y, [(W, np.zeros(3))], 0.7) == pytest.approx(expected, rel=1e-14)
    assert reference.cost(np.array([[1e4], [-1e4]]), np.array([[0], [1]]), []) == 1e4


def test_relu_has_no_slope_at_zero():
    Z = np.array([-1.0, 0.0, 2.0])
    np.testing.assert_array_equal(reference.relu(Z), [0, 0, 2])
    np.testing.assert_array_equal(reference.relu_backward(np.full(3, 5.0), Z), [0, 0, 5])


@pytest.mark.parametrize("l2", [0.0, 0.9])
def test_gradients_agree_with_central_differences(l2):
    X, y, parameters = problem()
    _, derivatives = reference.gradients(X, y[:, None], parameters)
    h = 1e-6
    for (W, b), (dW, db) in zip(parameters, derivatives, strict=True):
        for values, slopes in ((W, dW + l2 / len(X) * W), (b, db)):
            for i in np.ndindex(values.shape):
                kept = values[i]
                values[i] = kept + h
                above = total_cost(X, y, parameters, l2)
                values[i] = kept - h
                below = total_cost(X, y, parameters, l2)
                values[i] = kept
                assert slopes[i] == pytest.approx((above - below) / (2 * h), abs=2e-9)


def test_a_fit_worked_out_by_hand():
    # One hidden ReLU unit of two is dead for the only row, x = (1, 2), y = 1:
    #   Z1 = (1·1 + 1·2 + 0, -1·1 + 0·2 + 0) = (3, -1), A1 = (3, 0), Z2 = 1·3 + 5·0 - 3 = 0
    #   a = 1/2, J = ln 2, dZ2 = -1/2, dW2 = (-3/2, 0), db2 = -1/2
    #   dA1 = (-1/2, -5/2), dZ1 = (-1/2, 0), dW1 = ((-1/2, -1), (0, 0)), db1 = (-1/2, 0)
    # and with λ = 2, m = 1, the penalty Σ‖W‖² = (1 + 1 + 1) + (1 + 25) = 29; η = 0.1.
    X, y = np.array([[1.0, 2.0]]), np.array([1])
    start = [
        (np.array([[1.0, 1.0], [-1.0, 0.0]]), np.zeros(2)),
        (np.array([[1.0, 5.0]]), np.array([-3.0])),
    ]
    ((W1, b1), (W2, b2)), costs = reference.train(X, y, start, 0.1, iterations=1, l2=2.0)
    assert costs == [pytest.approx(np.log(2) + 29)]
    np.testing.assert_allclose(W1, [[1 - 0.1 * 1.5, 1 - 0.1 * 1], [-1 + 0.1 * 2, 0]])
    np.testing.assert_allclose(b1, [0.05, 0])
    np.testing.assert_allclose(W2, [[1 - 0.1 * 0.5, 5 - 0.1 * 10]])
    np.testing.assert_allclose(b2, [-2.95])
    assert start[0][0][0, 0] == 1.0  # what came in is left as it was


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("fit", [reference.train, reference.train_gram])
def test_everything_stays_in_its_dtype(fit, dtype):
    X, y, start = problem(dtype=dtype)
    parameters, costs = fit(X, y, start, 0.1, iterations=3, l2=0.1)
    assert {a.dtype for layer in parameters for a in layer} == {np.dtype(dtype)}
    assert all(type(c) is float for c in costs)


@pytest.mark.parametrize("layers", [[40, 5, 4, 1], [40, 3, 1], [40, 1]])
@pytest.mark.parametrize("l2", [0.0, 0.9])
def test_the_gram_form_is_the_same_algebra(layers, l2):
    X, y, start = problem(layers=layers)
    direct, direct_costs = reference.train(X, y, start, 0.05, iterations=200, l2=l2)
    gram, gram_costs = reference.train_gram(X, y, start, 0.05, iterations=200, l2=l2)
    np.testing.assert_allclose(gram_costs, direct_costs, rtol=0, atol=1e-12)
    for (W, b), (expected_W, expected_b) in zip(gram, direct, strict=True):
        np.testing.assert_allclose(W, expected_W, atol=1e-12)
        np.testing.assert_allclose(b, expected_b, atol=1e-12)


def test_it_learns_what_no_straight_line_divides():
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    y = np.array([0, 1, 1, 0])
    parameters, costs = reference.train(
        X, y, reference.initialise([2, 8, 1], seed=1, gain=2**0.5), 0.5, iterations=2000
    )
    np.testing.assert_array_equal(reference.predict(X, parameters), y)
    assert costs[-1] < 0.02
