"""L-BFGS: SciPy's, fed by the core's cost and gradient in one pass, in double precision."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.optimize
import threadpoolctl
from sklearn.exceptions import ConvergenceWarning

from purrceptron import _core
from purrceptron._arguments import warn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from purrceptron._network import Network


def fit_lbfgs(
    mlp: Any, network: Network, X: Any, y: NDArray[Any], weights: NDArray[Any] | None
) -> None:
    """Fit a network of float64 from its parameters on, and leave the result in it.

    Parameters
    ----------
    mlp : estimator
        Whose parameters `alpha`, `max_iter`, `max_fun`, `tol` and `verbose` count; its `n_iter_`
        and `loss_` are set.
    network : Network
        In float64.
    X, y, weights : arrays
        As the core takes them.
    """
    objective = _core.Objective(
        network._core, X, y, weights, mlp._minimised()._core(), float(mlp.alpha)
    )
    # Beside the objective there are a few short vectors to add: a second pool of threads would only
    # be in the way of the core's.
    with _blas().limit(limits=1, user_api="blas"):
        result = scipy.optimize.minimize(
            objective,
            objective.theta(),
            method="L-BFGS-B",
            jac=True,
            callback=_Progress() if mlp.verbose else None,
            options={"maxfun": mlp.max_fun, "maxiter": mlp.max_iter, "gtol": mlp.tol},
        )
    mlp.n_iter_ = min(int(result.nit), mlp.max_iter)
    if result.status != 0:
        warn(_failure(result, mlp.n_iter_, mlp.max_iter), ConvergenceWarning)
    layers, at = [], 0
    for W, b in network.parameters:
        W, at = result.x[at : at + W.size].reshape(W.shape), at + W.size
        b, at = result.x[at : at + b.size], at + b.size
        layers.append((np.ascontiguousarray(W), np.ascontiguousarray(b)))
    network._core.set_parameters(layers)
    total = len(y) if weights is None else float(weights.sum())
    penalty = mlp.alpha / 2 * sum(float(np.vdot(W, W)) for W, _ in layers) / total
    mlp.loss_ = mlp._reported_loss(float(result.fun), penalty)


def _failure(result: scipy.optimize.OptimizeResult, n_iter: int, max_iter: int) -> str:
    """Return what scikit-learn says when L-BFGS has not converged."""
    more = ""
    if n_iter == max_iter:
        more = (
            f"\nIncrease the number of iterations to improve the convergence (max_iter={max_iter})."
        )
    return (
        f"lbfgs failed to converge after {n_iter} iteration(s) (status={result.status}):\n"
        f"{result.message}\n{more}\nYou might also want to scale the data as shown in:\n"
        "    https://scikit-learn.org/stable/modules/preprocessing.html"
    )


@cache
def _blas() -> threadpoolctl.ThreadpoolController:
    """Return what limits the threads of BLAS; once, for it looks through the process."""
    return threadpoolctl.ThreadpoolController()


class _Progress:
    """Prints the loss of each iteration."""

    def __init__(self) -> None:
        self.iteration = 0

    def __call__(self, intermediate_result: scipy.optimize.OptimizeResult) -> None:
        self.iteration += 1
        print(f"Iteration {self.iteration}, loss = {intermediate_result.fun:.8f}")
