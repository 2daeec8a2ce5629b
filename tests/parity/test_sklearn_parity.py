"""With the same random_state ours ends with scikit-learn's weights and losses, up to rounding."""

import inspect
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.9")
from sklearn import neural_network as theirs
from sklearn.datasets import load_digits, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score

from purrceptron import sklearn as ours
from purrceptron.sklearn._scores import accuracy, r2

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True, scope="module")
def one_blas_thread():
    """Theirs is quicker with one where other things run."""
    threadpoolctl = pytest.importorskip("threadpoolctl")
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        yield


X, y = load_digits(return_X_y=True)
X = X[:600] / 16
y = y[:600]
X_LABELS, Y_LABELS = make_multilabel_classification(300, random_state=0)
X_VALUES, Y_VALUES = make_regression(300, 10, n_targets=3, noise=5.0, random_state=0)
Y_VALUES /= Y_VALUES.std()


def fit_both(name, X, y, settings, calls=1, **arguments):
    pair = []
    for module in (theirs, ours):
        mlp = getattr(module, name)(**{"random_state": 1, "max_iter": 25} | settings)
        for _ in range(calls):
            mlp.fit(X, y, **arguments)
        pair.append(mlp)
    return pair


def assert_same(a, b, rtol=1e-9, loss=True):
    assert a.n_iter_ == b.n_iter_
    assert a.t_ == b.t_
    assert (a.n_layers_, a.n_outputs_, a.out_activation_) == (
        b.n_layers_,
        b.n_outputs_,
        b.out_activation_,
    )
    for one, other in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)
    if not loss:
        return
    np.testing.assert_allclose(a.loss_, b.loss_, rtol=rtol)
    for attribute in ("loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_"):
        one, other = getattr(a, attribute, None), getattr(b, attribute, None)
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(one, other, rtol=rtol)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "sgd"},
        {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
        {
            "solver": "sgd",
            "learning_rate": "adaptive",
            "learning_rate_init": 0.2,
            "tol": 1e-2,
            "n_iter_no_change": 2,
            "max_iter": 80,
        },
        {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.5},
        {"solver": "sgd", "momentum": 0},
        {"solver": "sgd", "momentum": 1, "max_iter": 5},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2},
        {"activation": "logistic", "hidden_layer_sizes": (20, 10)},
        {"activation": "tanh", "batch_size": 33, "alpha": 1.0},
        {"activation": "identity"},
        {"hidden_layer_sizes": ()},
        {"shuffle": False},
        {"batch_size": 600},
        {"early_stopping": True},
        {"early_stopping": True, "solver": "sgd", "max_iter": 200, "tol": 1e-2},
        {"tol": 1e-2, "max_iter": 300, "n_iter_no_change": 3},
        {"random_state": None},
    ],
    ids=str,
)
def test_classes(settings):
    if "random_state" in settings:
        settings = settings | {"random_state": np.random.RandomState(3)}
        a = theirs.MLPClassifier(**settings, max_iter=20).fit(X, y)
        settings["random_state"] = np.random.RandomState(3)
        b = ours.MLPClassifier(**settings, max_iter=20).fit(X, y)
    else:
        a, b = fit_both("MLPClassifier", X, y, settings)
    assert_same(a, b)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), rtol=1e-7, atol=1e-12)
    np.testing.assert_array_equal(a.predict(X), b.predict(X))


def test_two_classes_and_their_early_stopping():
    for settings in ({}, {"early_stopping": True}, {"solver": "lbfgs"}):
        a, b = fit_both("MLPClassifier", X, y < 5, settings)
        assert_same(a, b, rtol=1e-6 if settings.get("solver") else 1e-9)
        np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=1e-6)


def test_several_labels():
    for settings in ({"batch_size": 32}, {"early_stopping": True}):
        a, b = fit_both("MLPClassifier", X_LABELS, Y_LABELS, settings)
        assert_same(a, b)
        np.testing.assert_array_equal(a.predict(X_LABELS), b.predict(X_LABELS))


def test_sample_weights():
    weights = np.random.default_rng(0).uniform(0, 2, len(y))
    # Their loss is a mean over rows of the batches' weighted means; ours weighs it all alike.
    a, b = fit_both("MLPClassifier", X, y, {}, sample_weight=weights)
    assert_same(a, b, loss=False)
    np.testing.assert_allclose(a.loss_curve_, b.loss_curve_, rtol=0.05)
    a, b = fit_both("MLPClassifier", X, y, {"batch_size": 600}, sample_weight=weights)
    assert_same(a, b)
    a, b = fit_both("MLPRegressor", X, y, {"early_stopping": True}, sample_weight=weights)
    assert_same(a, b, loss=False)
    np.testing.assert_allclose(a.validation_scores_, b.validation_scores_, rtol=1e-7)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "sgd", "alpha": 0.5},
        {"loss": "poisson"},
        {"early_stopping": True},
        {"batch_size": 300, "activation": "tanh"},
    ],
    ids=str,
)
def test_values(settings):
    values = abs(Y_VALUES) if settings.get("loss") == "poisson" else Y_VALUES
    for targets in (values, values[:, 0]):
        a, b = fit_both("MLPRegressor", X_VALUES, targets, {"batch_size": 50} | settings)
        assert_same(a, b)
        np.testing.assert_allclose(a.predict(X_VALUES), b.predict(X_VALUES), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_lbfgs_of_one_value(loss):
    values = abs(Y_VALUES[:, 0])
    settings = {"solver": "lbfgs", "max_iter": 10, "loss": loss, "activation": "tanh"}
    a, b = fit_both("MLPRegressor", X_VALUES, values, settings)
    assert_same(a, b, rtol=1e-6)


def test_lbfgs_of_several_values_goes_further_than_theirs():
    """Theirs gives the line search a mean over the outputs, and the gradient of the sum."""
    a, b = fit_both("MLPRegressor", X_VALUES, Y_VALUES, {"solver": "lbfgs", "max_iter": 30})
    assert b.loss_ <= a.loss_ * 1.01
    squares = ((b.predict(X_VALUES) - Y_VALUES) ** 2).mean() / 2
    penalty = b.alpha / 2 * sum((W**2).sum() for W in b.coefs_) / len(X_VALUES)
    assert b.loss_ == pytest.approx(squares + penalty, rel=1e-12)


def test_single_precision():
    single = X.astype(np.float32)
    for settings in ({}, {"solver": "sgd"}):
        a, b = fit_both("MLPClassifier", single, y, settings)
        assert_same(a, b, rtol=2e-3, loss=False)
        assert b.predict_proba(single).dtype == np.float32


def test_warm_starts():
    for settings in ({"solver": "sgd"}, {}):
        a, b = fit_both("MLPClassifier", X, y, settings | {"warm_start": True}, calls=2)
        assert_same(a, b)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "sgd"},
        {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
        {"solver": "sgd", "momentum": 0.0, "batch_size": 50},
    ],
    ids=str,
)
def test_partial_fits(settings):
    pair = [m.MLPClassifier(random_state=2, **settings) for m in (theirs, ours)]
    for mlp in pair:
        for part in (slice(0, 250), slice(250, 300), slice(300, 600), slice(0, 300)):
            mlp.partial_fit(X[part], y[part], classes=np.arange(10))
    assert_same(*pair)


def test_what_is_printed(capsys):
    settings = {"verbose": True, "max_iter": 60, "tol": 1e-2, "n_iter_no_change": 2}
    for extra in (
        {},
        {"early_stopping": True},
        {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.5},
    ):
        printed = []
        for module in (theirs, ours):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                module.MLPClassifier(random_state=0, **settings | extra).fit(X[:200], y[:200])
            printed.append(capsys.readouterr().out)
        assert printed[0] == printed[1]


def test_warnings_are_theirs():
    for settings in (
        {"max_iter": 2},
        {"max_iter": 2, "batch_size": 10_000},
        {"solver": "lbfgs", "max_iter": 2},
    ):
        said = []
        for module in (theirs, ours):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                module.MLPClassifier(random_state=0, **settings).fit(X, y)
            said.append([(w.category, str(w.message)) for w in caught])
            assert module is theirs or {w.filename for w in caught} == {__file__}
        assert said[0] == said[1] != []


def test_parameters_and_defaults_are_theirs():
    for name in ("MLPClassifier", "MLPRegressor"):
        a, b = (getattr(module, name)().get_params() for module in (theirs, ours))
        assert {key: b[key] for key in a} == a
        positional = [
            [
                p.name
                for p in inspect.signature(getattr(m, name)).parameters.values()
                if p.kind is p.POSITIONAL_OR_KEYWORD
            ]
            for m in (theirs, ours)
        ]
        assert positional[0] == positional[1]


def test_scores_are_scikit_learns_metrics():
    rng = np.random.default_rng(1)
    weights = rng.uniform(0, 1, 40)
    outputs, classes = rng.uniform(size=(40, 3)), rng.integers(0, 3, 40)
    labels = rng.integers(0, 2, (40, 3))
    values = rng.normal(size=(40, 3))
    values[:, 2] = 1.0
    for w in (None, weights):
        expected = accuracy_score(classes, outputs.argmax(axis=1), sample_weight=w)
        assert accuracy(outputs, classes, w) == pytest.approx(expected)
        expected = accuracy_score(labels, outputs > 0.5, sample_weight=w)
        assert accuracy(outputs, labels.astype(bool), w) == pytest.approx(expected)
        expected = r2_score(values, outputs, sample_weight=w)
        assert r2(outputs, values, w) == pytest.approx(expected)
        constant = np.ones((40, 1))
        assert r2(constant, constant, w) == r2_score(constant, constant, sample_weight=w) == 1.0
    outputs[3, 1] = np.nan
    assert np.isnan(accuracy(outputs, classes, None))
    assert np.isnan(r2(outputs, values, None))
