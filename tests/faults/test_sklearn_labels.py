"""Labels, weights and parameters that are odd or wrong: faults 28 to 39, for the estimators."""

import copy
import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning

from purrceptron.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)
ESTIMATORS = [MLPClassifier, MLPRegressor]


def fitted(Estimator=MLPClassifier, y=Y, **settings):
    settings = {"hidden_layer_sizes": 6, "max_iter": 3, "random_state": 0} | settings
    return Estimator(**settings).fit(X, y)


def refused(call, match, error=ValueError):
    with pytest.raises(error, match=match) as caught:
        call()
    return str(caught.value)


# 28: one class


@pytest.mark.parametrize("label", ["cat", 7, True, -1.0])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_one_class_is_a_constant_predictor(label, solver):
    clf = fitted(y=np.full(len(X), label), solver=solver)
    assert clf.classes_.tolist() == [label]
    assert set(clf.predict(100 * X)) == {label}
    np.testing.assert_array_equal(clf.predict_proba(X), np.ones((len(X), 1)))
    assert clf.score(X, np.full(len(X), label)) == 1


# 29: labels of any kind


@pytest.mark.parametrize(
    "labels",
    [
        ["no", "yes"],
        ["a", "b", "c"],
        [False, True],
        [-3, 10],
        [5, 2, -1],
        [1.0, 2.0, 4.0],
        np.array(["x", "yy", "zzz"], dtype=object),
        np.array([1, 255], dtype=np.uint8),
    ],
    ids=str,
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_labels_of_any_kind_come_back_as_they_were(labels, early_stopping):
    labels = np.asarray(labels)
    which = np.digitize(X[:, 0], np.linspace(-0.6, 0.6, len(labels) - 1))
    clf = fitted(
        y=labels[which], max_iter=400, learning_rate_init=0.05, early_stopping=early_stopping
    )
    np.testing.assert_array_equal(clf.classes_, np.unique(labels))
    assert set(clf.predict(X)) <= set(labels)
    assert clf.score(X, labels[which]) > (0.3 if early_stopping else 0.8)
    order = clf.predict_proba(X).argmax(axis=1)
    np.testing.assert_array_equal(clf.classes_[order], clf.predict(X))


# 30 to 33: labels that are none


def test_continuous_labels_are_refused():
    refused(lambda: fitted(y=X[:, 0]), "Unknown label type")
    refused(
        lambda: MLPClassifier().partial_fit(X, X[:, 0], classes=[0, 1]), "nknown label type|not"
    )


@pytest.mark.parametrize("missing", [None, np.nan, float("nan")])
def test_missing_labels_are_refused(missing):
    for labels in (Y.astype(object), np.where(Y, "yes", "no").astype(object)):
        labels[3] = missing
        refused(lambda labels=labels: fitted(y=labels), r"y contains .* at row 3")
        refused(lambda labels=labels: fitted(y=list(labels)), r"y contains .* at row 3")
    if missing is not None:
        values = X[:, 0].copy()
        values[3] = missing
        refused(lambda: fitted(MLPRegressor, y=values), "contains NaN")
        labels = Y.astype(float)
        labels[3] = missing
        refused(lambda: fitted(y=labels), "contains NaN")


def test_labels_of_mixed_types_are_refused():
    for labels in ([1, "a"] * 20, np.array([1.0, "a"] * 20, dtype=object)):
        refused(lambda labels=labels: fitted(y=labels), "mixes text with other labels")


def test_a_class_that_partial_fit_was_not_told_of_is_refused():
    clf = MLPClassifier(6, random_state=0).partial_fit(X, Y, classes=[0, 1])
    before = clf.predict_proba(X)
    refused(lambda: clf.partial_fit(X, Y + 1), "classes not in `self.classes_`")
    refused(lambda: clf.partial_fit(X, Y, classes=[1, 2]), "is not the same as on last call")
    np.testing.assert_array_equal(clf.predict_proba(X), before)
    clf.partial_fit(X[:3], np.ones(3, int))
    refused(lambda: MLPClassifier().partial_fit(X, Y), "classes must be passed on the first call")


def test_a_first_partial_fit_that_fails_leaves_nothing_behind():
    clf = MLPClassifier(6, random_state=0, max_iter=3)
    refused(lambda: clf.partial_fit(X * np.nan, Y, classes=[0, 1]), "NaN")
    assert vars(clf).keys() == vars(MLPClassifier()).keys()
    refused(lambda: clf.partial_fit(X, Y), "classes must be passed on the first call")
    clf.fit(X, np.where(Y, "yes", "no"))
    assert clf.classes_.tolist() == ["no", "yes"]


# 34, 35: columns


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_column_of_labels_is_flattened_with_a_warning(Estimator):
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        mlp = fitted(Estimator, y=Y[:, np.newaxis])
    np.testing.assert_array_equal(mlp.predict(X), fitted(Estimator).predict(X))


def test_several_labels_are_0_and_1():
    labels = np.stack([Y, 1 - Y, Y], axis=1)
    refused(lambda: fitted(y=labels * 2), "y holds 2 at row .* expected labels of 0 and 1")
    refused(lambda: fitted(y=labels + np.arange(3)), "Multioutput target data is not supported")
    refused(lambda: fitted(y=labels - 0.5), "nknown label type|Multioutput")
    refused(lambda: fitted(y=labels.astype(str)), "Multioutput|nknown label|supported")
    clf = fitted(y=labels, max_iter=300)
    assert clf.predict(X).shape == labels.shape
    assert clf.n_outputs_ == 3
    refused(lambda: clf.partial_fit(X, labels[:, :2]), "expected 3 columns")
    given = fitted(y=sparse.csr_matrix(labels), max_iter=300)
    assert sparse.issparse(given.predict(X))
    np.testing.assert_array_equal(given.predict(X).toarray(), clf.predict(X))


# 36, 37: weights


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_weights_that_are_none_are_refused(Estimator, solver):
    mlp = fitted(Estimator, solver=solver)
    before = mlp.predict(X)
    ones = np.ones(len(X))
    wrong = {
        "contains NaN": np.where(np.arange(len(X)) == 4, np.nan, 1.0),
        "contains infinity": np.where(np.arange(len(X)) == 4, np.inf, 1.0),
        "shape": ones[:-1],
        "1D array": np.ones((len(X), 2)),
        "zero": 0 * ones,
        "-0.5 at row 2, expected no negative": np.where(np.arange(len(X)) == 2, -0.5, 1.0),
    }
    calls = ["fit"] if solver == "lbfgs" else ["fit", "partial_fit"]
    for match, weights in wrong.items():
        for call in calls:
            refused(lambda w=weights, c=call: getattr(mlp, c)(X, Y, sample_weight=w), match)
    np.testing.assert_array_equal(mlp.predict(X), before)
    mlp.fit(X, Y, sample_weight=2.0)  # a number for all


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_weights_are_repetitions(Estimator):
    weights = np.tile([0, 1, 2, 3], 10)
    settings = {"random_state": 0, "max_iter": 20, "alpha": 0.1, "batch_size": 1000}
    settings["hidden_layer_sizes"] = 8
    with pytest.warns(UserWarning, match="clipped"):
        a = Estimator(**settings).fit(X, Y, sample_weight=weights)
    with pytest.warns(UserWarning, match="clipped"):
        b = Estimator(**settings).fit(X.repeat(weights, axis=0), Y.repeat(weights))
    np.testing.assert_allclose(a.coefs_[0], b.coefs_[0], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(a.loss_curve_, b.loss_curve_, rtol=1e-7)


def test_class_weights_are_sample_weights():
    for y, class_weight in (
        (Y, {0: 3.0, 1: 0.5}),
        (np.where(Y, "cat", "dog"), {"cat": 3.0, "dog": 0.5}),
        (Y, "balanced"),
        (np.arange(40) % 3, {0: 1, 1: 2, 2: 3}),
        (np.arange(40) % 7 % 3, "balanced"),
    ):
        if class_weight == "balanced":
            _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
            weights = len(y) / (len(counts) * counts[codes])
        else:
            weights = np.array([class_weight[label] for label in y.tolist()])
        own = np.linspace(0.5, 1.5, len(y))
        for sample_weight in (None, own):
            a = MLPClassifier(6, random_state=0, max_iter=5, class_weight=class_weight)
            a.fit(X, y, sample_weight=sample_weight)
            b = MLPClassifier(6, random_state=0, max_iter=5)
            b.fit(X, y, sample_weight=weights * (1 if sample_weight is None else own))
            np.testing.assert_allclose(a.coefs_[0], b.coefs_[0], rtol=1e-12)


def test_class_weights_of_several_labels():
    labels = np.stack([Y, np.arange(40) % 3 == 0], axis=1).astype(int)
    for class_weight in ("balanced", [{0: 1, 1: 5}, {0: 1, 1: 1}]):
        assert fitted(y=labels, class_weight=class_weight).predict(X).shape == labels.shape


def test_class_weights_that_miss_a_class_are_refused():
    refused(lambda: fitted(class_weight={0: 1.0}), r"classes, \[.*1.*\], are not in class_weight")
    refused(lambda: fitted(class_weight="fair"), "class_weight")
    refused(
        lambda: MLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1]), "balanced"
    )


# 38: parameters


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_layer_sizes", 0),
        ("hidden_layer_sizes", (3, 0)),
        ("hidden_layer_sizes", (3, -1)),
        ("hidden_layer_sizes", (2.5,)),
        ("activation", "cat"),
        ("activation", ["relu", "cat"]),
        ("activation", ["relu", "tanh", "relu"]),
        ("solver", "newton"),
        ("alpha", -1e-9),
        ("batch_size", 0),
        ("batch_size", -5),
        ("learning_rate", "slow"),
        ("learning_rate_init", 0),
        ("learning_rate_init", -0.1),
        ("power_t", -1.0),
        ("max_iter", 0),
        ("shuffle", "yes"),
        ("random_state", "seed"),
        ("tol", -1.0),
        ("momentum", 1.5),
        ("momentum", -0.5),
        ("validation_fraction", 1.0),
        ("beta_1", 1.0),
        ("beta_2", -0.1),
        ("epsilon", 0.0),
        ("n_iter_no_change", 0),
        ("max_fun", 0),
        ("first_layer", "second"),
    ],
)
def test_parameters_out_of_range_are_refused_by_fit_alone(Estimator, name, value):
    settings = {"hidden_layer_sizes": (4, 4), name: value}
    mlp = Estimator(**settings)
    sentence = refused(lambda: mlp.fit(X, Y), name)
    assert Estimator.__name__ in sentence or "\n" not in sentence
    assert not hasattr(mlp, "coefs_")
    assert not hasattr(mlp, "n_features_in_")


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_batch_larger_than_the_data_is_clipped_with_a_warning(Estimator):
    with pytest.warns(UserWarning, match="It is going to be clipped"):
        a = fitted(Estimator, batch_size=1000)
    np.testing.assert_array_equal(a.predict(X), fitted(Estimator, batch_size=40).predict(X))


def test_a_negative_count_is_refused():
    refused(lambda: fitted(MLPRegressor, y=Y - 1.0, loss="poisson"), "negative value at row")
    refused(lambda: fitted(MLPRegressor, loss="cubic"), "loss")


def test_the_space_of_examples_wants_a_constant_rate_and_sgd():
    wrong = {"solver": "sgd", "first_layer": "gram", "learning_rate": "adaptive"}
    refused(lambda: fitted(**wrong), "first_layer is 'gram'")
    refused(lambda: fitted(first_layer="gram"), "first_layer")
    mlp = fitted(solver="sgd", max_iter=40, first_layer="direct")
    other = fitted(solver="sgd", max_iter=40, first_layer="gram")
    np.testing.assert_allclose(mlp.coefs_[0], other.coefs_[0], rtol=1e-9, atol=1e-12)
    refused(lambda: other.partial_fit(X, Y), "first_layer is 'gram'")


# 39: copies


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_copies_predict_the_same_and_go_on_the_same(Estimator, solver, tmp_path):
    joblib = pytest.importorskip("joblib")
    mlp = fitted(Estimator, solver=solver)
    if solver != "lbfgs":
        mlp.partial_fit(X, Y)
    joblib.dump(mlp, tmp_path / "mlp.joblib")
    copies = [
        pickle.loads(pickle.dumps(mlp)),
        copy.deepcopy(mlp),
        copy.copy(mlp),
        joblib.load(tmp_path / "mlp.joblib"),
    ]
    for other in copies:
        np.testing.assert_array_equal(other.predict(X), mlp.predict(X))
    if solver != "lbfgs":
        del copies[2]  # shares its arrays with the original, as shallow copies do
        after = mlp.partial_fit(X, Y).coefs_[0]
        for other in copies:
            np.testing.assert_array_equal(other.partial_fit(X, Y).coefs_[0], after)
    new = clone(mlp)
    assert not hasattr(new, "coefs_")
    assert new.get_params() == mlp.get_params()
    np.testing.assert_array_equal(
        new.fit(X, Y).predict(X), fitted(Estimator, solver=solver).predict(X)
    )
