"""scikit-learn's MLPClassifier."""

import warnings
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from purrceptron._bench.peer import Task, Unsupported
from purrceptron._bench.workloads import LEARNING_RATE, Arrays, Workload, start

NAME = "scikit-learn"


def version() -> str:
    return str(sklearn.__version__)


def task(workload: Workload, arrays: Arrays) -> Task:
    settings = workload.settings
    if workload.kind == "predict":
        model = classifier(workload, arrays, batch_size=1, max_iter=1)
        put(model, arrays)
        return Task(lambda: model.predict_proba(arrays["X"]))
    if workload.kind == "full_batch":
        steps = settings["iterations"]
        model = classifier(
            workload,
            arrays,
            solver="sgd",
            momentum=0,
            learning_rate_init=LEARNING_RATE,
            batch_size=len(arrays["X"]),
            max_iter=steps,
            n_iter_no_change=steps + 1,
        )
    elif workload.kind == "mini_batch":
        epochs = settings["epochs"]
        steps = epochs * (settings["rows"] // settings["batch"])
        model = classifier(
            workload,
            arrays,
            batch_size=settings["batch"],
            learning_rate_init=settings["learning_rate"],
            max_iter=epochs,
            n_iter_no_change=epochs + 1,
        )
    else:
        raise Unsupported(f"no scikit-learn form of {workload.kind}")

    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(arrays["X"], arrays["y"])

    return Task(run, steps, lambda: put(model, arrays), parameters=lambda: take(model, arrays))


def classifier(workload: Workload, arrays: Arrays, **settings: Any) -> MLPClassifier:
    """Make a model that goes on from the parameters it is given, without a penalty."""
    model = MLPClassifier(
        workload.settings["layers"][1:-1], alpha=0, warm_start=True, random_state=0, **settings
    )
    X, y = arrays["X"], arrays["y"]
    if len(X) == 1:  # it wants to have seen every class
        classes = workload.settings["layers"][-1]
        X, y = np.repeat(X, classes, axis=0), np.arange(classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


def put(model: MLPClassifier, arrays: Arrays) -> None:
    """Set the parameters that the fit starts from.

    For two classes scikit-learn has one sigmoid where the others have a softmax of two: it
    starts with the difference of the two rows, which is the same function.
    """
    # what else it remembers of the last fit: how well that went, and for how long it has not
    model.best_loss_, model._no_improvement_count = np.inf, 0
    parameters = start(arrays)
    W, b = parameters[-1]
    if len(W) == 2:
        parameters[-1] = (W[1:] - W[:1], b[1:] - b[:1])
    model.coefs_ = [np.array(W.T, order="C") for W, _ in parameters]
    model.intercepts_ = [b.copy() for _, b in parameters]


def take(model: MLPClassifier, arrays: Arrays) -> Any:
    """Return the parameters in the form of the others."""
    trained = [(W.T, b) for W, b in zip(model.coefs_, model.intercepts_, strict=True)]
    W, b = trained[-1]
    if len(start(arrays)[-1][1]) == 2:
        trained[-1] = (np.vstack([np.zeros_like(W), W]), np.append(np.zeros_like(b), b))
    return trained
