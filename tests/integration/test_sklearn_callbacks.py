"""The estimators' callbacks: told of every epoch, heard when they end a fit."""

import copy

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.datasets import load_iris

import purrceptron as pc
from purrceptron.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
ESTIMATORS = pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])


class Record(pc.Callback):
    def __init__(self, stop_after=10**9):
        self.stop_after, self.seen, self.ended = stop_after, [], 0

    def on_train_begin(self, net, history):
        self.training, self.seen = dict(net.training), []

    def on_epoch_end(self, net, history):
        self.seen.append((net.parameters[0][0].copy(), copy.deepcopy(history)))
        return len(self.seen) >= self.stop_after

    def on_train_end(self, net, history):
        self.ended += 1


@ESTIMATORS
def test_they_see_every_epoch_and_change_nothing(Estimator):
    record = Record()
    settings = {"hidden_layer_sizes": 6, "max_iter": 8, "random_state": 0, "batch_size": 40}
    plain = Estimator(**settings).fit(X, Y)
    watched = Estimator(callbacks=[record], **settings).fit(X, Y)
    for a, b in zip(plain.coefs_, watched.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert record.ended == 1
    assert [history.epochs for _, history in record.seen] == list(range(1, 9))
    weights, history = record.seen[-1]
    np.testing.assert_array_equal(weights.T, watched.coefs_[0])
    assert history.loss == watched.loss_curve_
    assert history.val_loss == history.val_accuracy == []
    assert history.seconds > 0
    assert record.training["batch_size"] == 40
    assert record.training["samples"] == 150


@ESTIMATORS
def test_they_end_a_fit(Estimator):
    mlp = Estimator(hidden_layer_sizes=6, max_iter=50, callbacks=[Record(3)]).fit(X, Y)
    assert mlp.n_iter_ == len(mlp.loss_curve_) == 3
    mlp.set_params(warm_start=True).fit(X, Y)
    assert [len(h.loss) for _, h in mlp.callbacks[0].seen] == [1, 2, 3]
    assert len(mlp.loss_curve_) == 6


@ESTIMATORS
def test_validation_data_are_judged_for_them(Estimator):
    record = Record()
    mlp = Estimator(hidden_layer_sizes=6, max_iter=4, random_state=0, callbacks=[record])
    mlp.fit(X[::2], Y[::2], X_val=X[1::2], y_val=Y[1::2])
    _, history = record.seen[-1]
    net = mlp.network_
    assert history.val_loss[-1] == pytest.approx(net.loss(X[1::2], Y[1::2]), rel=1e-12)
    assert len(history.val_loss) == 4
    assert history.val_accuracy == (mlp.validation_scores_ if Estimator is MLPClassifier else [])


def test_those_of_train_serve_here_too(tmp_path):
    stopper = pc.EarlyStopping("val_loss", patience=2)
    saver = pc.Checkpoint(tmp_path / "best.safetensors", monitor="val_accuracy")
    names = np.array(["setosa", "versicolor", "virginica"])
    clf = MLPClassifier(
        30, max_iter=500, learning_rate_init=0.1, random_state=0, callbacks=[stopper, saver]
    )
    clf.fit(X[::2], names[Y[::2]], X_val=X[1::2], y_val=names[Y[1::2]])
    assert clf.n_iter_ == stopper.best_epoch + 3 < 500
    assert clf.network_.loss(X[1::2], Y[1::2]) == pytest.approx(stopper.best, rel=1e-12)
    best = pc.load(saver.last)
    assert best.class_names == clf.network_.class_names == tuple(names)
    right = (names[best.predict(X[1::2])] == names[Y[1::2]]).mean()
    assert right == max(clf.validation_scores_)


def test_each_partial_fit_tells_them():
    record = Record()
    clf = MLPClassifier(6, callbacks=[record])
    for calls in (1, 2):
        clf.partial_fit(X, Y, classes=[0, 1, 2])
        assert record.ended == calls
        assert len(record.seen) == 1


def test_a_clone_has_callbacks_of_its_own():
    clf = MLPClassifier(6, max_iter=3, callbacks=[Record()])
    clone(clf).fit(X, Y)
    assert clf.callbacks[0].seen == []


def test_an_exception_of_theirs_comes_through_and_leaves_the_last_fit():
    class Fail:
        def on_epoch_end(self, net, history):
            raise ZeroDivisionError("once")

    clf = MLPClassifier(6, max_iter=3, random_state=0).fit(X, Y)
    before = clf.predict_proba(X)
    clf.set_params(callbacks=[Fail()])
    with pytest.raises(ZeroDivisionError, match="once"):
        clf.fit(X, Y)
    np.testing.assert_array_equal(clf.predict_proba(X), before)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"callbacks": [3]}, r"callbacks\[0\] is 3, which has none of on_train_begin, on_epoch_"),
        ({"callbacks": [Record]}, r"callbacks\[0\] is the class Record, expected an object"),
        ({"callbacks": Record()}, "The 'callbacks' parameter of MLPClassifier must be an array-l"),
        ({"callbacks": [Record()], "solver": "lbfgs"}, "callbacks are given, which solver='lbfgs'"),
        ({"callbacks": [pc.EarlyStopping()]}, "EarlyStopping watches 'val_loss', which wants val"),
    ],
    ids=str,
)
def test_what_is_no_callback_is_refused(settings, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        MLPClassifier(6, **settings).fit(X, Y)
