"""The regressor: values in, values out."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d

from purrceptron.losses import AbsoluteError, Huber, Poisson, SquaredError

from ._base import BaseMultilayerPerceptron
from ._scores import r2
from ._validate import checked_input, refuse_odd_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from purrceptron.losses import Loss
    from purrceptron.schedules import Schedule

LOSSES = {
    "squared_error": SquaredError,
    "poisson": Poisson,
    "absolute_error": AbsoluteError,
}


class MLPRegressor(RegressorMixin, BaseMultilayerPerceptron):
    """A multi-layer perceptron for regression: scikit-learn's, on purrceptron's kernels.

    With the same `random_state` it begins with scikit-learn's weights and goes through the rows in
    scikit-learn's order, and so it ends with the same weights, up to rounding.

    Parameters
    ----------
    loss : {"squared_error", "poisson", "absolute_error", "huber"}
        Half the squared error; half the Poisson deviance of values from 0 on, after an
        exponential; and, not in scikit-learn, the absolute error, and Huber's, which is half the
        square up to an error of `huber_delta` and linear beyond.
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, \
power_t, max_iter, shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, \
early_stopping, validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun, l1, \
clip_norm, dropout, input_dropout, normalization, first_layer, callbacks
        As in `MLPClassifier`.
    huber_delta : float
        Where Huber's loss becomes linear. Not in scikit-learn.

    Attributes
    ----------
    validation_scores_ : list of float or None
        The coefficient of determination after each epoch on the examples set aside, or given to
        `fit`.
    out_activation_ : {"identity", "exp"}
        The activation of the outputs.
    coefs_, intercepts_, loss_, best_loss_, loss_curve_, best_validation_score_, n_iter_, t_, \
n_layers_, n_outputs_, n_features_in_, feature_names_in_, normalizations_, network_
        As in `MLPClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from sklearn.model_selection import train_test_split
    >>> from purrceptron.sklearn import MLPRegressor
    >>> X, y = make_regression(n_samples=200, n_features=20, random_state=1)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
    >>> regressor = MLPRegressor(random_state=1, max_iter=2000, tol=0.1).fit(X_train, y_train)
    >>> round(regressor.score(X_test, y_test), 2)
    0.98
    """

    _parameter_constraints = {  # noqa: RUF012 (as scikit-learn has it)
        **BaseMultilayerPerceptron._parameter_constraints,
        "loss": [StrOptions({*LOSSES, "huber"})],
        "huber_delta": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Sequence[str] = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str | Schedule = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        huber_delta: float = 1.0,
        l1: float = 0.0,
        clip_norm: float | None = None,
        dropout: float | Sequence[float] = 0.0,
        input_dropout: float = 0.0,
        normalization: str | Sequence[str | None] | None = None,
        first_layer: str = "auto",
        callbacks: Sequence[Any] | None = None,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.huber_delta = huber_delta
        self.l1 = l1
        self.clip_norm = clip_norm
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.normalization = normalization
        self.first_layer = first_layer
        self.callbacks = callbacks

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> MLPRegressor:
        """Fit to samples and their values.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            float32 is computed in float32, every other type in float64; integers are not rescaled.
            Sparse rows are widened a batch at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The values.
        sample_weight : array-like of shape (n_samples,), optional
            How much each example counts.
        X_val, y_val, sample_weight_val : array-like, optional
            Examples to be judged by after each epoch: `validation_scores_`. With `early_stopping`
            they take the place of those that would be set aside. Not in scikit-learn.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an argument does not fit, or the training leaves the finite numbers.
        """
        self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))
        return self

    @available_if(lambda mlp: mlp._check_solver())
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> MLPRegressor:
        """Go once through these samples, from the weights as they are.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self
        """
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the values of each sample.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def _minimised(self) -> Loss:
        if self.loss == "huber":
            return Huber(self.huber_delta)
        return LOSSES[self.loss]()

    def _reported_loss(self, loss: float, penalty: float) -> float:
        """Return it with the mean over the outputs, though it is the sum that is minimised."""
        outputs = 1 if self.out_activation_ == "exp" else self.n_outputs_
        return (loss - penalty) / outputs + penalty

    def _validate_input(
        self, X: Any, y: Any, incremental: bool, reset: bool
    ) -> tuple[Any, NDArray[Any], str, int]:
        X, y = self._checked(X, y, reset)
        if not reset and y.shape[1] != self.coefs_[-1].shape[1]:
            raise ValueError(
                f"y has {y.shape[1]} columns, but the fit that goes on had "
                f"{self.coefs_[-1].shape[1]} outputs"
            )
        return X, y, "exp" if self.loss == "poisson" else "identity", y.shape[1]

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, NDArray[Any]]:
        if y is not None:
            refuse_odd_labels(y)
        X, y = checked_input(self, X, y=y, multi_output=True, y_numeric=True, reset=reset)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if y.ndim == 1:
            y = y[:, np.newaxis]
        if self.loss == "poisson" and (y < 0).any():
            row = int(np.argmax((y < 0).any(axis=1)))
            raise ValueError(
                f"y holds a negative value at row {row}; loss='poisson' wants values from 0 on"
            )
        return X, y

    def _validate_validation(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        return self._checked(X, y, reset=False)

    def _score_outputs(
        self, outputs: NDArray[Any], targets: NDArray[Any], weights: NDArray[Any] | None
    ) -> float:
        return r2(outputs, targets, weights)
