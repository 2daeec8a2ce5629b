"""Ctrl-C, threads, search in several processes, continuing, leaving: faults 58, 66, 69, 71."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

import purrceptron as pc
from purrceptron import _core
from purrceptron.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(400, 20))
Y = (X[:, 0] > 0).astype(int)


# 58: continuing


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "sgd"},
        {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
        {"solver": "sgd", "momentum": 0.0},
    ],
    ids=str,
)
def test_partial_fits_are_one_run_bit_for_bit(Estimator, settings):
    """In batches of all rows, whose order does not matter, n calls are one of n epochs."""
    mlp = Estimator(random_state=0, batch_size=len(X), max_iter=7, **settings).fit(X, Y)
    parts = Estimator(random_state=0, batch_size=len(X), **settings)
    for _ in range(7):
        if Estimator is MLPClassifier:
            parts.partial_fit(X, Y, classes=[0, 1])
        else:
            parts.partial_fit(X, Y)
    rtol = 1e-12 if settings.get("learning_rate") else 0
    for one, other in zip(mlp.coefs_, parts.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(mlp.loss_curve_, parts.loss_curve_, rtol=rtol)


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
        {"batch_size": 16},
        {"dropout": 0.2, "normalization": "batch", "clip_norm": 1.0},
    ],
    ids=str,
)
def test_what_partial_fit_keeps_between_calls_changes_nothing(Estimator, settings):
    """Beside an estimator that is made again from its pickle before each call."""
    kept = Estimator(hidden_layer_sizes=9, random_state=np.random.RandomState(0), **settings)
    anew = pickle.loads(pickle.dumps(kept))
    given = {"classes": [0, 1]} if Estimator is MLPClassifier else {}
    for rows in (60, 60, 45, 60, 60):
        for weighted in (False, False, True, True):
            x, y = X[:rows].copy(), Y[:rows].copy()
            weights = np.linspace(1, 2, rows) if weighted else None
            anew = pickle.loads(pickle.dumps(anew))
            for mlp in (kept, anew):
                mlp.partial_fit(x, y, sample_weight=weights, **given)
                mlp.coefs_[0][0, 0] += 0.01  # and whoever changes a weight is heeded
            x[:], y[:] = 99, 0  # nobody looks at them any more
            assert_same_bits(kept, anew)
    assert kept.loss_curve_ == anew.loss_curve_
    with pytest.raises(ValueError):
        kept.partial_fit(np.full((60, 20), np.nan), Y[:60])
    assert_same_bits(kept.partial_fit(X, Y), anew.partial_fit(X, Y))


def weights_of(mlp):
    return [*mlp.coefs_, *mlp.intercepts_]


def assert_same_bits(one, other):
    for a, b in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_partial_fit_that_diverges_or_is_refused_goes_on_from_where_it_was():
    bad, good = (MLPClassifier(5, random_state=0).partial_fit(X, Y, classes=[0, 1]) for _ in "ab")
    with pytest.raises(pc.DivergenceError):
        bad.partial_fit(np.full_like(X, 1e308), Y)
    assert_same_bits(bad, good)
    assert_same_bits(bad.partial_fit(X, Y), good.partial_fit(X, Y))


# 59: Ctrl-C, which scikit-learn swallows with a warning


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("batch_size", [64, 8000])
def test_ctrl_c_ends_the_fit_with_a_warning_and_a_model(early_stopping, batch_size):
    rows = RANDOM.normal(size=(8000, 50))
    mlp = MLPClassifier(
        (100, 100),
        max_iter=10**6,
        tol=0.0,
        n_iter_no_change=10**6,
        random_state=0,
        batch_size=batch_size,
        early_stopping=early_stopping,
    )
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mlp.fit(rows, rows[:, 0] > 0)
    assert "Training interrupted by user." in {str(w.message) for w in caught}
    assert {w.filename for w in caught} == {__file__}
    assert len(mlp.loss_curve_) == mlp.n_iter_ < 10**6
    assert all(np.isfinite(W).all() for W in mlp.coefs_)
    assert mlp.predict(rows).shape == (8000,)
    if early_stopping:
        assert len(mlp.validation_scores_) == mlp.n_iter_


def test_ctrl_c_in_lbfgs_comes_through_and_leaves_the_last_fit():
    rows = RANDOM.normal(size=(8000, 50))
    mlp = MLPClassifier(3, solver="lbfgs", max_iter=2, random_state=0).fit(X, Y)
    before = mlp.predict_proba(X)
    mlp.set_params(max_iter=10**6, hidden_layer_sizes=(200, 200), tol=0.0, max_fun=10**6)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        mlp.fit(rows, RANDOM.integers(0, 2, 8000))
    mlp.set_params(hidden_layer_sizes=3)
    np.testing.assert_array_equal(mlp.predict_proba(X), before)


# 63, 64: threads


def test_eight_fits_at_once_are_eight_fits_in_turn():
    def fit(seed):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return MLPClassifier(10, max_iter=10, random_state=seed).fit(X, Y).coefs_[0]

    expected = [fit(seed) for seed in range(8)]
    came = [None] * 8

    def work(seed):
        came[seed] = fit(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for one, other in zip(expected, came, strict=True):
        np.testing.assert_array_equal(one, other)


def test_predictions_from_many_threads():
    mlp = MLPClassifier(10, max_iter=10, random_state=0).fit(X, Y)
    expected = mlp.predict_proba(X)
    wrong = []

    def predict():
        wrong.extend(1 for _ in range(50) if not np.array_equal(mlp.predict_proba(X), expected))

    threads = [threading.Thread(target=predict) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_same_bits_for_any_number_of_threads():
    before = pc.get_num_threads()
    try:
        for settings in ({}, {"solver": "sgd", "early_stopping": True}, {"solver": "lbfgs"}):
            came = []
            for n in (1, 2, 5):
                pc.set_num_threads(n)
                mlp = MLPClassifier((40, 20), random_state=0, max_iter=5, **settings).fit(X, Y)
                came.append(b"".join(W.tobytes() for W in mlp.coefs_))
            assert len(set(came)) == 1
    finally:
        pc.set_num_threads(before)


# 66: no more threads than cores


class Counting(ClassifierMixin, BaseEstimator):
    """An estimator that notes how many threads its process may use, and has."""

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        MLPClassifier(50, max_iter=5, alpha=self.alpha).fit(X, y)
        self.allowed_ = pc.get_num_threads()
        return self

    def predict(self, X):
        return np.zeros(len(X), int)

    def score(self, X, y):
        return float(self.allowed_)


@pytest.mark.skipif(sys.platform == "win32", reason="OMP_NUM_THREADS is set for processes of loky")
@pytest.mark.parametrize("jobs", [2, 4])
def test_a_search_in_processes_has_no_more_threads_than_cores(jobs, tmp_path, monkeypatch):
    joblib = pytest.importorskip("joblib")
    for name in ("OMP_NUM_THREADS", "PURRCEPTRON_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    script = tmp_path / "search.py"
    script.write_text(SEARCH)
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    ended = subprocess.run(
        [sys.executable, script, str(jobs)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment,
    )
    assert ended.returncode == 0, ended.stderr
    allowed = {float(n) for n in ended.stdout.split()}
    cores = joblib.cpu_count()
    assert allowed == {float(max(cores // jobs, 1))}
    # With more jobs than cores, each has one thread: that is the least there is.
    assert jobs > cores or jobs * max(allowed) <= cores


SEARCH = f"""
import sys
import numpy as np
from sklearn.model_selection import GridSearchCV
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_sklearn_process import Counting, X, Y
search = GridSearchCV(Counting(), {{"alpha": [0.1, 1.0]}}, n_jobs=int(sys.argv[1]), cv=3)
scores = search.fit(X, Y).cv_results_
print(*[scores[f"split{{i}}_test_score"][j] for i in range(3) for j in range(2)])
"""


def test_a_search_in_two_jobs_finds_what_one_finds():
    grid = {"alpha": [1e-4, 1.0], "hidden_layer_sizes": [(4,), (8, 4)]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        one, two = (
            GridSearchCV(MLPClassifier(max_iter=20, random_state=0), grid, cv=3, n_jobs=jobs).fit(
                X, Y
            )
            for jobs in (1, 2)
        )
    assert one.best_params_ == two.best_params_
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )


# 69: what goes wrong in the core is an exception, and the next call works


def test_what_the_core_refuses_is_an_exception_and_the_next_call_works():
    net = pc.Network([20, 5, 2], output="softmax", dtype="float64", seed=0)
    y = Y.astype(np.uint32)
    settings = {"momentum": 0.0, "nesterov": 0.0}
    trainer = _core.Trainer(
        net._core, X, y, None, 9, "sgd", settings, 0.1, None, 0.0, 50, 0, "direct"
    )
    for orders in (
        np.full((1, 400), 400, np.uint32),
        np.zeros((1, 399), np.uint32),
        np.asfortranarray(np.zeros((2, 400), np.uint32)),
    ):
        with pytest.raises(ValueError, match="orders"):
            trainer.run(1, orders)
    for sparse in (
        (np.array([0, 5]), np.zeros(5, np.int32), np.zeros(4), 20),
        (np.array([0, 2]), np.array([0, 20], np.int32), np.zeros(2), 20),
        (np.array([3, 2]), np.array([0, 1], np.int32), np.zeros(2), 20),
    ):
        with pytest.raises(ValueError, match="X is a broken sparse matrix"):
            net._core.forward(sparse)
    with pytest.raises(TypeError, match="sparse rows are"):
        net._core.forward((1, 2))
    objective = _core.Objective(net._core, X, y, None, None, 0.0)
    with pytest.raises(ValueError, match="theta has shape"):
        objective(np.zeros(3))
    assert np.isfinite(trainer.run(1)[0])
    assert np.isfinite(objective(objective.theta())[0])
    MLPClassifier(5, max_iter=2).fit(X, Y)


# 71: leaving in the middle

LEAVE = """
import threading, time, warnings, sys
import numpy as np
from purrceptron.sklearn import MLPClassifier
warnings.simplefilter("ignore")
X = np.random.default_rng(0).normal(size=(5000, 50))
clf = MLPClassifier((100, 100), max_iter=10**6, n_iter_no_change=10**6, solver=sys.argv[1], tol=0,
                    max_fun=10**6)
threading.Thread(target=clf.fit, args=(X, X[:, 0] > 0), daemon=True).start()
time.sleep(0.5)
"""


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_interpreter_may_exit_during_a_fit(solver):
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", LEAVE, solver],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p)),
    )
    assert (ended.returncode, ended.stderr) == (0, ""), time.monotonic() - began
