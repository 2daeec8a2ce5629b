"""The scores against scikit-learn's, on networks whose outputs are given."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pytest

from purrceptron._evaluate import Evaluation, evaluate


@dataclass
class Fixed:
    """A network that answers with what X holds."""

    output: str
    layer_sizes: tuple[int, ...]

    def predict_proba(self, X):
        return np.asarray(X)


def sigmoid(probabilities, y) -> Evaluation:
    return evaluate(Fixed("sigmoid", (3, 1)), np.reshape(probabilities, (-1, 1)), y)


def check(result, truth, predicted, average):
    metrics = pytest.importorskip("sklearn.metrics")
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        truth, predicted, average=average, zero_division=0
    )
    np.testing.assert_allclose(
        [result.accuracy, result.precision, result.recall, result.f1],
        [metrics.accuracy_score(truth, predicted), precision, recall, f1],
        rtol=0,
        atol=1e-14,
    )
    np.testing.assert_array_equal(result.predicted, predicted)


@pytest.mark.parametrize("seed", range(8))
def test_one_sigmoid_as_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.random((40, 1), dtype=np.float32)
    y = rng.integers(0, 2, 40)
    result = sigmoid(probabilities, y)
    predicted = (probabilities[:, 0] > 0.5).astype(int)
    check(result, y, predicted, "binary")
    metrics = pytest.importorskip("sklearn.metrics")
    np.testing.assert_array_equal(result.confusion, metrics.confusion_matrix(y, predicted))
    np.testing.assert_array_equal(result.wrong, np.flatnonzero(y != predicted))
    np.testing.assert_array_equal(result.probabilities, probabilities)


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("seed", range(4))
def test_softmax_as_scikit_learn(classes, seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), 30)
    y = rng.integers(0, classes, 30)
    result = evaluate(Fixed("softmax", (3, classes)), probabilities, y)
    predicted = probabilities.argmax(axis=1)
    check(result, y, predicted, "binary" if classes == 2 else "macro")
    metrics = pytest.importorskip("sklearn.metrics")
    expected = metrics.confusion_matrix(y, predicted, labels=range(classes))
    np.testing.assert_array_equal(result.confusion, expected)


def test_a_class_that_neither_occurs_nor_is_predicted_stays_out_of_the_mean():
    probabilities = np.eye(4)[[0, 0, 1, 1]]
    y = np.array([0, 1, 1, 1])
    result = evaluate(Fixed("softmax", (3, 4)), probabilities, y)
    check(result, y, probabilities.argmax(axis=1), "macro")
    assert result.confusion.shape == (4, 4)


@pytest.mark.parametrize("seed", range(4))
def test_several_sigmoids_as_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.random((25, 3))
    y = rng.integers(0, 2, (25, 3))
    result = evaluate(Fixed("sigmoid", (5, 3)), probabilities, y)
    predicted = (probabilities > 0.5).astype(int)
    check(result, y, predicted, "macro")
    metrics = pytest.importorskip("sklearn.metrics")
    expected = metrics.multilabel_confusion_matrix(y, predicted)
    np.testing.assert_array_equal(result.confusion, expected)
    np.testing.assert_array_equal(result.wrong, np.flatnonzero((y != predicted).any(axis=1)))
    assert str(result).count("\n") == 0


@pytest.mark.parametrize(
    ("probabilities", "y"),
    [([0.1, 0.2, 0.3], [1, 0, 1]), ([0.1, 0.2], [0, 0]), ([0.9, 0.8], [0, 0]), ([0.9], [1])],
    ids=["never predicted", "neither there nor predicted", "not there", "one row"],
)
def test_nothing_of_nothing_is_zero(probabilities, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = sigmoid(probabilities, y)
    check(result, y, (np.array(probabilities) > 0.5).astype(int), "binary")


def test_a_half_is_no_cat():
    assert sigmoid([0.5, np.nextafter(0.5, 1)], [0, 1]).accuracy == 1.0


@pytest.mark.parametrize("y", [[[0], [1]], [False, True], [0.0, 1.0], np.array([0, 1], np.uint8)])
def test_labels_come_in_any_dtype_and_as_a_column(y):
    assert sigmoid([0.2, 0.7], y).accuracy == 1.0


def test_accuracy_is_exact_when_all_are_right():
    result = sigmoid(np.full(49, 0.9), np.ones(49))
    assert (result.accuracy, result.right, result.count) == (1.0, 49, 49)


def test_reads_well():
    result = sigmoid([0.9] * 30 + [0.1] * 20, [1] * 28 + [0] * 20 + [1] * 2)
    assert str(result) == (
        "46 of 50 right (92.0%), precision 0.933, recall 0.933, F1 0.933\n"
        "      called 0  called 1\n"
        "is 0        18         2\n"
        "is 1         2        28"
    )


def test_names_the_classes_as_the_network_does():
    net = Fixed("sigmoid", (3, 1))
    net.class_names = ("non-cat", "cat")
    result = evaluate(net, [[0.9], [0.1]], [1, 1])
    assert result.classes == ("non-cat", "cat")
    assert str(result) == (
        "1 of 2 right (50.0%), precision 1.000, recall 0.500, F1 0.667\n"
        "            called non-cat  called cat\n"
        "is non-cat               0           0\n"
        "is cat                   1           1"
    )


def test_is_frozen():
    with pytest.raises(AttributeError):
        sigmoid([0.2], [0]).accuracy = 1.0


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 1], "y: 3 labels came for the 2 rows of X; there must be one a row"),
        ([[0, 1]], r"y: shape \(1, 2\) came, expected \(m,\) for this network"),
        (["cat", "dog"], "y: class numbers were expected, <U3 came"),
        ([0, 2], r"whole numbers from 0 to 1 for this network, 2 came at y\[1\]"),
        ([0, -1], r"-1 came at y\[1\]"),
        ([0.5, 1], r"0.5 came at y\[0\]"),
        ([0, np.nan], r"nan came at y\[1\]"),
        (np.ma.masked_array([0, 1], [0, 1]), "y: masked values came"),
    ],
)
def test_labels_that_do_not_fit(y, message):
    with pytest.raises(ValueError, match=message):
        sigmoid([0.2, 0.7], y)


def test_several_labels_need_as_many_columns():
    with pytest.raises(ValueError, match=r"shape \(2,\) came, expected \(m, 3\)"):
        evaluate(Fixed("sigmoid", (5, 3)), np.full((2, 3), 0.2), [0, 1])


def test_a_regression_is_refused():
    with pytest.raises(ValueError, match="only classifiers can be evaluated"):
        evaluate(Fixed("identity", (5, 1)), [[0.0]], [0])
