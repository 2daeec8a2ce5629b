"""The estimators beside scikit-learn's own: cross-validated scores, and how long fits take.

    python benchmarks/sklearn_estimators.py scores          # some minutes; or scores lbfgs
    python benchmarks/sklearn_estimators.py times           # a minute; nothing else should run

Same settings, same seeds, same folds. The scores are compared seed by seed, by a paired t-test and
by the largest difference there is; fits are timed in turn, each side in a process of its own, and
the medians compared.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import ttest_rel
from sklearn import neural_network as theirs
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import purrceptron as pc
from purrceptron import sklearn as ours

SEEDS = range(10)
SOLVERS = ("adam", "sgd", "lbfgs")


def synthetic(samples: int = 10_000) -> tuple[Any, Any]:
    return make_classification(samples, 100, n_informative=20, random_state=0)


def data_sets(*, short: bool) -> dict[str, tuple[str, Any, Any, dict[str, Any]]]:
    """Name -> estimator, X, y, settings."""
    diabetes = load_diabetes(return_X_y=True)
    quick = {"hidden_layer_sizes": (50,), "max_iter": 60}
    return {
        "breast cancer": ("MLPClassifier", *load_breast_cancer(return_X_y=True), quick),
        "digits": ("MLPClassifier", *load_digits(return_X_y=True), quick | {"max_iter": 25}),
        "wine": ("MLPClassifier", *load_wine(return_X_y=True), quick),
        "iris": ("MLPClassifier", *load_iris(return_X_y=True), quick),
        "diabetes": ("MLPRegressor", diabetes[0], diabetes[1] / 100, quick),
        "synthetic": (
            "MLPClassifier",
            *synthetic(1000 if short else 10_000),
            quick | {"max_iter": 10},
        ),
    }


def scores(
    *, seeds: range = SEEDS, short: bool = False, solvers: Sequence[str] = SOLVERS
) -> list[dict[str, Any]]:
    """Return a row for each data set and solver: mean scores, largest difference, p of the test."""
    rows = []
    for name, (estimator, X, y, settings) in data_sets(short=short).items():
        for solver in solvers:
            both = []
            for module in (theirs, ours):
                mlp = getattr(module, estimator)
                rate = {"learning_rate_init": 0.02} if solver == "sgd" else {}
                both.append(
                    [
                        cross_val_score(
                            make_pipeline(
                                StandardScaler(),
                                mlp(solver=solver, random_state=seed, **settings, **rate),
                            ),
                            X,
                            y,
                            cv=KFold(3, shuffle=True, random_state=seed),
                        ).mean()
                        for seed in seeds
                    ]
                )
            a, b = np.array(both)
            apart = float(abs(b - a).max())
            rows.append(
                {
                    "data": name,
                    "solver": solver,
                    "scikit-learn": a.mean(),
                    "purrceptron": b.mean(),
                    "apart": apart,
                    "p": 1.0 if apart == 0 else ttest_rel(b, a, alternative="less").pvalue,
                }
            )
    return rows


def timed(samples: Any, y: Any, solver: str, epochs: int, module: Any) -> float:
    """Return the seconds that an epoch takes, in a fit of so many."""
    mlp = module.MLPClassifier(
        solver=solver, max_iter=epochs, tol=0, n_iter_no_change=epochs, random_state=0
    )
    began = time.perf_counter()
    mlp.fit(samples, y)
    return (time.perf_counter() - began) / epochs


def cases() -> dict[tuple[str, str, str], tuple[Any, Any, str, int]]:
    """Return what `timed` wants, for each data set, type and solver."""
    X_digits, y_digits = load_digits(return_X_y=True)
    data = {
        "digits, 1797 x 64": (X_digits / 16, y_digits, 20),
        "synthetic, 10,000 x 100": (*synthetic(), 5),
    }
    return {
        (name, dtype, solver): (X.astype(dtype), y, solver, epochs)
        for name, (X, y, epochs) in data.items()
        for dtype in ("float64", "float32")
        for solver in ("adam", "sgd")
    }


def work(connection: Any, who: str) -> None:
    """Time whatever case is asked for, in a process of its own: neither has the other's threads."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    module, mine = {"theirs": theirs, "ours": ours}[who], cases()
    while (case := connection.recv()) is not None:
        connection.send(timed(*mine[case], module))


def times(repeats: int = 7) -> list[dict[str, Any]]:
    """Return a row for each data set, type and solver: milliseconds an epoch, in turn."""
    context = multiprocessing.get_context("spawn")
    peers = {}
    for who in ("theirs", "ours"):
        here, there = context.Pipe()
        context.Process(target=work, args=(there, who), daemon=True).start()
        peers[who] = here
    rows = []
    for case in cases():
        seconds: dict[str, list[float]] = {who: [] for who in peers}
        for _ in range(repeats):
            for who, peer in peers.items():
                peer.send(case)
                seconds[who].append(peer.recv())
                time.sleep(0.3)  # until the threads that wait for more work are asleep
        a, b = (1e3 * float(np.median(seconds[who])) for who in peers)
        rows.append(
            {
                **dict(zip(("data", "type", "solver"), case, strict=True)),
                "scikit-learn, ms": a,
                "purrceptron, ms": b,
                "ratio": a / b,
            }
        )
    for peer in peers.values():
        peer.send(None)
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    """Print a table in Markdown."""

    def spoken(value: Any) -> str:
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    print("| " + " | ".join(rows[0]) + " |")
    print("|" + " --- |" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(spoken(value) for value in row.values()) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["scores", "times"])
    parser.add_argument("solvers", nargs="*", metavar="SOLVER", help="only these")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    if arguments.what == "scores":
        show(scores(solvers=arguments.solvers or SOLVERS))
    else:
        print(f"{pc.get_num_threads()} threads, a batch of 200, 100 hidden units; an epoch takes")
        show(times())


if __name__ == "__main__":
    main()
