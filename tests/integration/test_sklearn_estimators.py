"""The estimators among scikit-learn's tools, and the attributes of a fit."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")
import sklearn
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import purrceptron as pc
from purrceptron.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
SHORT = {"hidden_layer_sizes": 8, "max_iter": 30, "random_state": 0}


# among scikit-learn's tools


def test_pipelines_and_searches():
    pipe = make_pipeline(StandardScaler(), MLPClassifier(**SHORT | {"learning_rate_init": 0.02}))
    assert cross_val_score(pipe, X, Y).mean() > 0.9
    grid = {"mlpclassifier__alpha": [1e-4, 1e3]}
    search = GridSearchCV(pipe, grid, cv=3).fit(X, Y)
    assert search.best_params_ == {"mlpclassifier__alpha": 1e-4}
    assert search.predict_proba(X).shape == (150, 3)


def test_metadata_is_routed():
    weights = np.linspace(0, 2, len(X))
    alone = MLPClassifier(**SHORT).fit(X, Y, sample_weight=weights)
    with sklearn.config_context(enable_metadata_routing=True):
        clf = MLPClassifier(**SHORT).set_fit_request(sample_weight=True)
        pipe = make_pipeline(clf).fit(X, Y, sample_weight=weights)
        np.testing.assert_array_equal(pipe[-1].coefs_[0], alone.coefs_[0])
        silent = MLPClassifier(**SHORT).set_fit_request(sample_weight=False)
        pipe = make_pipeline(silent).fit(X, Y)
        assert not np.array_equal(pipe[-1].coefs_[0], alone.coefs_[0])
        request = MLPClassifier().set_fit_request(X_val=True, y_val=True).get_metadata_routing()
        assert request.fit.requests["X_val"] is True
        MLPRegressor().set_partial_fit_request(sample_weight=True)
        MLPClassifier().set_score_request(sample_weight=True)


def test_feature_names_are_kept_and_held_against():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    clf = MLPClassifier(**SHORT).fit(frame, pd.Series(Y))
    assert clf.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert clf.n_features_in_ == 4
    assert clf.predict(frame).shape == (150,)
    with pytest.raises(ValueError, match="feature names should match"):
        clf.predict(frame[["b", "a", "c", "d"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        clf.predict(X)
    mixed = pd.DataFrame({"a": [1, 2, 3, 4], "b": [0.5, 1.5, 2.5, 3.5], "c": [True, False] * 2})
    assert MLPClassifier(**SHORT).fit(mixed, [0, 1, 0, 1]).n_features_in_ == 3


def test_what_is_not_fitted_says_so():
    for mlp in (MLPClassifier(), MLPRegressor()):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            mlp.predict(X)
        assert not hasattr(mlp, "network_")
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")


def test_without_scikit_learn_it_says_what_brings_it():
    script = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import purrceptron\n"
        "try: import purrceptron.sklearn\n"
        "except purrceptron.MissingExtraError as error: print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "pip install 'purrceptron[sklearn]'" in ended.stdout


# attributes


def test_weights_are_readable_and_settable():
    clf = MLPClassifier(**SHORT).fit(X, Y)
    assert [W.shape for W in clf.coefs_] == [(4, 8), (8, 3)]
    assert [b.shape for b in clf.intercepts_] == [(8,), (3,)]
    hidden = np.maximum(X @ clf.coefs_[0] + clf.intercepts_[0], 0)
    logits = hidden @ clf.coefs_[1] + clf.intercepts_[1]
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(clf.predict_proba(X), expected, rtol=1e-10)
    clf.coefs_[1][:] = 0  # in place
    clf.intercepts_[1] = np.array([0.0, 5.0, 0.0])  # an element
    assert set(clf.predict(X)) == {1}
    clf.coefs_, clf.intercepts_ = [np.zeros((4, 3))], [[0, 0, 9]]  # altogether
    assert set(clf.predict(X)) == {2}
    clf.classes_ = np.array(["x", "y", "z"])
    assert set(clf.predict(X)) == {"z"}
    # and a fit goes on from what was set
    clf = MLPClassifier(**SHORT | {"max_iter": 1, "warm_start": True}).fit(X, Y)
    start = [W + 1 for W in clf.coefs_]
    clf.coefs_ = [W.copy() for W in start]
    clf.fit(X, Y)
    assert all(abs(W - s).max() < 0.1 for W, s in zip(clf.coefs_, start, strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_network_of_an_estimator(dtype, tmp_path):
    clf = MLPClassifier(**SHORT).fit(X.astype(dtype), Y)
    net = clf.network_
    assert isinstance(net, pc.Network)
    assert net.dtype == dtype
    np.testing.assert_array_equal(
        net.predict_proba(X.astype(dtype)), clf.predict_proba(X.astype(dtype))
    )
    net.save(tmp_path / "iris.safetensors")
    again = pc.load(tmp_path / "iris.safetensors")
    np.testing.assert_array_equal(again.predict(X.astype(dtype)), clf.predict(X.astype(dtype)))
    values = MLPRegressor(loss="poisson", **SHORT).fit(X, Y)
    np.testing.assert_array_equal(values.network_.forward(X)[:, 0], values.predict(X))


def test_bytes_are_numbers_and_not_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 10), dtype=np.uint8)
    y = pixels[:, 0] > 128
    clf = MLPClassifier(**SHORT).fit(pixels, y)
    other = MLPClassifier(**SHORT).fit(pixels.astype(float), y)
    np.testing.assert_array_equal(clf.coefs_[0], other.coefs_[0])
    np.testing.assert_array_equal(
        clf.predict_proba(pixels), other.predict_proba(pixels.astype(float))
    )
