"""What the estimators have beyond scikit-learn's: activations, losses, weights, dropout, ..."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")
import sklearn
from sklearn.datasets import load_iris, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import balanced_accuracy_score

import purrceptron as pc
from purrceptron.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
SHORT = {"hidden_layer_sizes": 8, "max_iter": 30, "random_state": 0}


@pytest.mark.parametrize(
    "activation", ["leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "sigmoid"]
)
def test_more_activations(activation):
    clf = MLPClassifier(16, activation, max_iter=300, random_state=0, learning_rate_init=0.01)
    assert clf.fit(X, Y).score(X, Y) > 0.9


def test_an_activation_for_each_layer():
    settings = {"hidden_layer_sizes": (8, 4, 3), "max_iter": 3, "random_state": 0}
    clf = MLPClassifier(activation=["relu", "tanh", "logistic"], **settings).fit(X, Y)
    assert clf.network_.hidden == ("relu", "tanh", "sigmoid")
    same = MLPClassifier(activation=["tanh"] * 3, **settings).fit(X, Y)
    one = MLPClassifier(activation="tanh", **settings).fit(X, Y)
    np.testing.assert_array_equal(same.coefs_[0], one.coefs_[0])


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_errors_that_outliers_do_not_rule(loss, solver):
    x, y = make_regression(300, 5, noise=1.0, random_state=0)
    y /= y.std()
    outliers = y.copy()
    outliers[::15] += 30
    settings = {"random_state": 0, "max_iter": 300, "solver": solver, "hidden_layer_sizes": 20}
    settings |= {"learning_rate_init": 0.01, "alpha": 1.0}
    robust = MLPRegressor(loss, **settings).fit(x, outliers)
    square = MLPRegressor("squared_error", **settings).fit(x, outliers)
    assert robust.score(x, y) > max(0.9, square.score(x, y))


def test_class_weights_lift_the_rare_class():
    rng = np.random.default_rng(0)
    x = np.vstack([rng.normal(0, 1, (950, 2)), rng.normal(1.5, 1, (50, 2))])
    y = np.repeat([0, 1], [950, 50])
    scores = [
        balanced_accuracy_score(
            y, MLPClassifier(16, max_iter=60, random_state=0, class_weight=w).fit(x, y).predict(x)
        )
        for w in (None, "balanced", {0: 1, 1: 19})
    ]
    assert min(scores[1:]) > scores[0] + 0.1


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_validation_data_are_judged_and_end_the_fit(Estimator):
    train, val = slice(0, None, 2), slice(1, None, 2)
    given = {"X_val": X[val], "y_val": Y[val]}
    watched = Estimator(**SHORT).fit(X[train], Y[train], **given)
    assert len(watched.validation_scores_) == watched.n_iter_ == 30
    assert watched.validation_scores_[-1] == pytest.approx(watched.score(X[val], Y[val]))
    assert watched.best_validation_score_ is None
    assert watched.best_loss_ == min(watched.loss_curve_)
    alone = Estimator(**SHORT).fit(X[train], Y[train])
    np.testing.assert_array_equal(watched.coefs_[0], alone.coefs_[0])
    settings = SHORT | {"max_iter": 500, "early_stopping": True, "n_iter_no_change": 5}
    stopped = Estimator(**settings, learning_rate_init=0.05).fit(X[train], Y[train], **given)
    assert stopped.n_iter_ < 500
    assert stopped.t_ == 75 * stopped.n_iter_  # nothing was set aside
    best = stopped.best_validation_score_
    assert best == max(stopped.validation_scores_)
    assert best == pytest.approx(stopped.score(X[val], Y[val]))
    weights = np.linspace(0, 1, 75)
    few = {"X_val": X[:20], "y_val": Y[:20]}  # of one class only
    Estimator(**SHORT, warm_start=True).fit(X, Y, **few).fit(X, Y, **few)
    judged = Estimator(**SHORT).fit(X[train], Y[train], **given, sample_weight_val=weights)
    assert judged.validation_scores_[-1] == pytest.approx(judged.score(X[val], Y[val], weights))


def test_validation_data_that_do_not_fit_are_refused():
    clf = MLPClassifier(**SHORT).fit(X, Y)
    before = clf.predict_proba(X)
    for wrong, match in (
        ({"X_val": X}, "both, or neither"),
        ({"y_val": Y}, "both, or neither"),
        ({"sample_weight_val": Y}, "neither X_val nor y_val"),
        ({"X_val": X[:, :2], "y_val": Y}, "features"),
        ({"X_val": X, "y_val": Y + 1}, "classes not in"),
        ({"X_val": X, "y_val": Y[:-1]}, "inconsistent"),
        ({"X_val": X * np.nan, "y_val": Y}, "NaN"),
        (
            {"X_val": X, "y_val": Y, "sample_weight_val": -np.ones(150)},
            "sample_weight_val holds -1",
        ),
    ):
        with pytest.raises(ValueError, match=match):
            clf.fit(X, Y, **wrong)
    np.testing.assert_array_equal(clf.predict_proba(X), before)
    with pytest.raises(ValueError, match="X_val is given, but solver='lbfgs'"):
        MLPClassifier(solver="lbfgs").fit(X, Y, X_val=X, y_val=Y)


def test_the_first_layer_in_the_space_of_examples():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3000)), np.arange(60) % 2
    settings = {"solver": "sgd", "hidden_layer_sizes": 10, "random_state": 0, "max_iter": 50}
    gram, direct = (MLPClassifier(**settings, first_layer=f).fit(x, y) for f in ("gram", "direct"))
    np.testing.assert_allclose(gram.coefs_[0], direct.coefs_[0], rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(gram.loss_curve_, direct.loss_curve_, rtol=1e-9)


def test_a_solver_may_change_between_warm_starts():
    for Estimator in (MLPClassifier, MLPRegressor):
        mlp = Estimator(**SHORT, warm_start=True, solver="lbfgs").fit(X, Y)
        first = mlp.loss_
        mlp.set_params(solver="adam", early_stopping=True).fit(X, Y)
        assert len(mlp.validation_scores_) == len(mlp.loss_curve_)
        mlp.set_params(early_stopping=False).fit(X, Y)
        assert np.isfinite(mlp.best_loss_)
        assert mlp.loss_ < 10 * first + 1


def test_convergence_warnings_are_scikit_learns():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(30\) reached"):
        MLPClassifier(**SHORT).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge after 3 iteration"):
        MLPClassifier(**SHORT | {"max_iter": 3}, solver="lbfgs").fit(X, Y)


# what the loss, the gradient and the rate may be


def logits_of(clf, x):
    return (
        np.maximum(x @ clf.coefs_[0] + clf.intercepts_[0], 0) @ clf.coefs_[1] + clf.intercepts_[1]
    )


def one_epoch(Estimator, y, **settings):
    """Return an estimator before, and after, one step of gradient descent on all rows."""
    settings = {"solver": "sgd", "momentum": 0, "batch_size": 150, "random_state": 0} | settings
    settings |= {"hidden_layer_sizes": 8, "max_iter": 1, "alpha": 0.0}
    start = Estimator(**settings | {"learning_rate_init": 1e-30, "learning_rate": "constant"})
    return start.fit(X, y), Estimator(**settings).fit(X, y)


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_smoothed_labels(solver):
    """The loss of `torch.nn.CrossEntropyLoss(label_smoothing=0.2)`, by its formula."""
    for y, smooth in ((Y, 0.8 * np.eye(3)[Y] + 0.2 / 3), (Y > 0, None)):
        clf = MLPClassifier(
            8, solver=solver, max_iter=1, alpha=0, label_smoothing=0.2, random_state=0
        )
        clf.set_params(batch_size=150, learning_rate_init=1e-30).fit(X, y)
        z = logits_of(clf, X)
        if smooth is None:
            target = 0.8 * y[:, np.newaxis] + 0.1
            expected = (np.logaddexp(0, z) - target * z).mean()
        else:
            expected = (np.log(np.exp(z).sum(axis=1)) - (smooth * z).sum(axis=1)).mean()
        assert clf.loss_ == pytest.approx(expected, rel=1e-12)
    sure = MLPClassifier(20, max_iter=2000, random_state=0, learning_rate_init=0.02)
    vague = MLPClassifier(**sure.get_params()).set_params(label_smoothing=0.3)
    tops = [clf.fit(X, Y).predict_proba(X).max(axis=1).mean() for clf in (sure, vague)]
    assert tops[1] < 0.85 < tops[0]


@pytest.mark.parametrize("delta", [0.1, 1.0, 2.5])
def test_where_huber_becomes_linear(delta):
    values = Y * 3.0
    start, _ = one_epoch(MLPRegressor, values, loss="huber", huber_delta=delta)
    r = abs(start.predict(X) - values)
    expected = np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).mean()
    assert start.loss_ == pytest.approx(expected, rel=1e-12)


def test_a_penalty_on_absolute_weights():
    start, _ = one_epoch(MLPClassifier, Y)
    pulled, _ = one_epoch(MLPClassifier, Y, l1=3.0)
    size = sum(abs(W).sum() for W in start.coefs_)
    assert pulled.loss_ - start.loss_ == pytest.approx(3.0 / 150 * size, rel=1e-10)
    small = [
        MLPClassifier(20, max_iter=300, random_state=0, l1=l1, learning_rate_init=0.01).fit(X, Y)
        for l1 in (0.0, 3.0)
    ]
    near_zero = [np.mean(abs(clf.coefs_[0]) < 1e-2) for clf in small]
    assert near_zero[1] > near_zero[0] + 0.3
    assert small[1].score(X, Y) > 0.9


def test_gradients_may_be_shortened():
    start, end = one_epoch(MLPClassifier, Y, clip_norm=1e-3, learning_rate_init=2.0)
    before = np.concatenate([a.ravel() for a in start.coefs_ + start.intercepts_])
    after = np.concatenate([a.ravel() for a in end.coefs_ + end.intercepts_])
    assert np.linalg.norm(after - before) == pytest.approx(2e-3, rel=1e-9)
    _, free = one_epoch(MLPClassifier, Y, clip_norm=1e3, learning_rate_init=2.0)
    _, plain = one_epoch(MLPClassifier, Y, learning_rate_init=2.0)
    np.testing.assert_allclose(free.coefs_[0], plain.coefs_[0], rtol=1e-12)


def test_schedules_of_the_learning_rate():
    settings = SHORT | {"batch_size": 32, "solver": "sgd", "tol": 0.0}
    named = MLPClassifier(**settings, learning_rate_init=0.05).fit(X, Y)
    same = pc.schedules.Constant(0.05)
    for solver in ("sgd", "adam"):
        named = MLPClassifier(**settings | {"solver": solver}, learning_rate_init=0.05).fit(X, Y)
        clf = MLPClassifier(**settings | {"solver": solver}, learning_rate=same).fit(X, Y)
        np.testing.assert_array_equal(clf.coefs_[0], named.coefs_[0])
    cosine = pc.schedules.Cosine(0.05, epochs=30)
    clf = MLPClassifier(**settings, learning_rate=cosine).fit(X, Y)
    assert not np.array_equal(clf.coefs_[0], named.coefs_[0])
    assert sklearn.base.clone(clf).learning_rate == cosine
    # One call and several are one run: partial_fit goes on where the schedule was.
    whole = {"batch_size": 150, "solver": "sgd", "random_state": 0, "hidden_layer_sizes": 8}
    fitted = MLPClassifier(**whole, learning_rate=cosine, max_iter=10).fit(X, Y)
    parts = MLPClassifier(**whole, learning_rate=cosine)
    for _ in range(10):
        parts.partial_fit(X, Y, classes=[0, 1, 2])
    np.testing.assert_array_equal(fitted.coefs_[0], parts.coefs_[0])
    adaptive = pc.schedules.Adaptive(0.05)
    with pytest.raises(ValueError, match="pass 'adaptive'"):
        MLPClassifier(learning_rate=adaptive).fit(X, Y)


def test_what_lbfgs_cannot_heed_is_refused():
    for name, value in (
        ("l1", 0.1),
        ("clip_norm", 1.0),
        ("dropout", 0.5),
        ("dropout", [0.5]),
        ("input_dropout", 0.1),
        ("normalization", "batch"),
    ):
        with pytest.raises(ValueError, match=f"{name} is .*, which solver='lbfgs' cannot heed"):
            MLPClassifier(solver="lbfgs", **{name: value}).fit(X, Y)


# dropout and normalisation


def test_dropout():
    settings = SHORT | {"hidden_layer_sizes": (16, 8), "batch_size": 50}
    plain = MLPClassifier(**settings).fit(X, Y)
    none = MLPClassifier(**settings, dropout=[0.0, 0]).fit(X, Y)
    np.testing.assert_array_equal(plain.coefs_[0], none.coefs_[0])
    for drop in ({"dropout": 0.5}, {"dropout": [0.0, 0.3]}, {"input_dropout": 0.25}):
        first, again = (MLPClassifier(**settings, **drop).fit(X, Y) for _ in range(2))
        np.testing.assert_array_equal(first.coefs_[0], again.coefs_[0])
        assert not np.array_equal(first.coefs_[0], plain.coefs_[0])
        other = MLPClassifier(**settings, **drop).set_params(random_state=1).fit(X, Y)
        assert not np.array_equal(first.loss_curve_, other.loss_curve_)
        np.testing.assert_array_equal(first.predict_proba(X), first.predict_proba(X))
        first.partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"dropout is .* expected 2 numbers"):
        MLPClassifier(**settings, dropout=[0.1]).fit(X, Y)
    with pytest.raises(ValueError, match="dropout"):
        MLPClassifier(**settings, dropout=1.0).fit(X, Y)


def test_dropout_helps_where_a_network_learns_by_heart():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 40))
    y = (x[:, :4].sum(axis=1) + rng.normal(size=1200) > 0).astype(int)
    settings = {"hidden_layer_sizes": 200, "max_iter": 150, "random_state": 0, "tol": 0.0}
    plain, dropping = (
        MLPClassifier(**settings, dropout=d).fit(x[:200], y[:200]) for d in (0.0, 0.6)
    )
    assert plain.score(x[:200], y[:200]) == 1.0
    assert dropping.score(x[200:], y[200:]) > plain.score(x[200:], y[200:])


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("kind", ["batch", "layer", ["batch", None]])
def test_normalisation(Estimator, kind, tmp_path):
    settings = {"hidden_layer_sizes": (16, 8), "random_state": 0, "normalization": kind}
    settings |= {"learning_rate_init": 0.01}
    mlp = Estimator(**settings, max_iter=150).fit(1000 * X + 5000, Y)
    assert mlp.score(1000 * X + 5000, Y) > 0.8
    net = mlp.network_
    assert [n is not None for n in mlp.normalizations_] == [True, kind != ["batch", None]]
    np.testing.assert_array_equal(mlp.predict(X), pickle.loads(pickle.dumps(mlp)).predict(X))
    net.save(tmp_path / "net.safetensors")
    again = pc.load(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(again.forward(X), net.forward(X))
    # A fit in parts is the fit.
    whole = Estimator(**settings, batch_size=150, max_iter=6).fit(X, Y)
    parts = Estimator(**settings, batch_size=150)
    for _ in range(6):
        told = {"classes": [0, 1, 2]} if Estimator is MLPClassifier else {}
        parts.partial_fit(X, Y, **told)
    np.testing.assert_array_equal(whole.predict(X), parts.predict(X))
    # The best are kept, and another fit begins anew.
    stopped = Estimator(**settings, early_stopping=True, max_iter=80)
    stopped.fit(X[::2], Y[::2], X_val=X[1::2], y_val=Y[1::2])
    assert stopped.score(X[1::2], Y[1::2]) == pytest.approx(stopped.best_validation_score_)
    stopped.set_params(normalization=None).fit(X, Y)
    assert not hasattr(stopped, "normalizations_")
