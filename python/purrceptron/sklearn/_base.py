"""What the classifier and the regressor share: a fit from data to weights, and predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import check_is_fitted

from purrceptron import _core
from purrceptron._copies import bare_network
from purrceptron._errors import DivergenceError
from purrceptron._normalization import checked_kinds
from purrceptron._validation import as_type

from ._kept import Samples
from ._lbfgs import fit_lbfgs
from ._parameters import (
    CONSTRAINTS,
    OUTPUTS,
    STOCHASTIC_SOLVERS,
    hidden_names,
    hidden_sizes,
    refuse_together,
)
from ._stochastic import NOT_FINITE, fit_stochastic
from ._validate import as_rows, checked_input, checked_weights, is_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from purrceptron._network import Network
    from purrceptron.losses import Loss


class BaseMultilayerPerceptron(BaseEstimator, ABC):
    """What `MLPClassifier` and `MLPRegressor` share; not for use by itself."""

    _parameter_constraints: dict[str, list[Any]] = CONSTRAINTS

    @abstractmethod
    def _minimised(self) -> Loss:
        """Return what is minimised."""

    @abstractmethod
    def _validate_input(
        self, X: Any, y: Any, incremental: bool, reset: bool
    ) -> tuple[Any, NDArray[Any], str, int]:
        """Return checked samples, targets, the output activation, and how many outputs."""

    @abstractmethod
    def _validate_validation(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        """Return checked samples and targets to be judged by."""

    @abstractmethod
    def _score_outputs(
        self, outputs: NDArray[Any], targets: NDArray[Any], weights: NDArray[Any] | None
    ) -> float:
        """Return the score that early stopping watches."""

    def _stratify(self, targets: NDArray[Any]) -> NDArray[Any] | None:
        """Return what the examples that are set aside should be a fair share of."""
        return None

    def _class_names(self, n_out: int) -> Sequence[str] | None:
        """Return what the classes of a network with so many outputs are called."""
        return None

    def _reported_loss(self, loss: float, penalty: float) -> float:
        """Return the loss as scikit-learn reports it, from the cost and the penalty in it."""
        return loss

    def _weights(self, sample_weight: Any, X: Any, targets: NDArray[Any]) -> NDArray[Any] | None:
        """Return how much each example counts."""
        weights: NDArray[Any] | None = checked_weights(sample_weight, X)
        return weights

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: tuple[Any, Any, Any] = (None, None, None),
        *,
        incremental: bool = False,
    ) -> None:
        """Fit, or fail and leave the estimator as it was."""
        before = dict(vars(self))
        try:
            self._fit_or_fail(X, y, sample_weight, validation, incremental)
        except DivergenceError:
            raise  # the last finite weights stay
        except BaseException:
            self.__dict__ = before
            raise

    def _fit_or_fail(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: tuple[Any, Any, Any],
        incremental: bool,
    ) -> None:
        self._validate_params()
        hidden = hidden_sizes(self.hidden_layer_sizes)
        names = hidden_names(self.activation, len(hidden))
        refuse_together(self)
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        first_pass = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y, out_activation, n_outputs = self._validate_input(X, y, incremental, first_pass)
        train = Samples(X, y, self._weights(sample_weight, X, y))
        rng = self._random_state = check_random_state(self.random_state)
        if first_pass:
            self.out_activation_, self.n_outputs_ = out_activation, n_outputs
            self._initialize([X.shape[1], *hidden, n_outputs], names, X.dtype, rng)
        held_out = self._checked_validation(*validation)
        if self.early_stopping and held_out is None and self.solver in STOCHASTIC_SOLVERS:
            train, held_out = self._hold_out(train, rng)
        if self.solver in STOCHASTIC_SOLVERS:
            self._open_books(first_pass, held_out is not None)
        self._solve(train, held_out, names, incremental)

    def _checked_validation(self, X: Any, y: Any, sample_weight: Any) -> Samples | None:
        if X is None and y is None:
            if sample_weight is not None:
                raise ValueError("sample_weight_val is given, but neither X_val nor y_val")
            return None
        if X is None or y is None:
            raise ValueError("X_val and y_val are wanted both, or neither")
        if self.solver not in STOCHASTIC_SOLVERS:
            raise ValueError(f"X_val is given, but solver={self.solver!r} does not look at it")
        X, targets = self._validate_validation(X, y)
        return Samples(X, targets, checked_weights(sample_weight, X, "sample_weight_val"))

    def _initialize(
        self,
        sizes: Sequence[int],
        names: Sequence[str],
        dtype: np.dtype[Any],
        rng: np.random.RandomState,
    ) -> None:
        """Draw the first weights, the same ones as scikit-learn."""
        self.__dict__.pop("normalizations_", None)
        dtype = dtype if dtype == np.float32 else np.dtype(np.float64)
        self.n_iter_ = self.t_ = 0
        self.n_layers_ = len(sizes)
        self.coefs_: list[NDArray[Any]] = []
        self.intercepts_: list[NDArray[Any]] = []
        of_layers = [*names, names[-1] if names else "identity"]
        for (fan_in, fan_out), name in zip(pairwise(sizes), of_layers, strict=True):
            bound = np.sqrt((2.0 if name == "sigmoid" else 6.0) / (fan_in + fan_out))
            W = rng.uniform(-bound, bound, (fan_in, fan_out))
            b = rng.uniform(-bound, bound, fan_out)
            self.coefs_.append(W.astype(dtype, copy=False))
            self.intercepts_.append(b.astype(dtype, copy=False))

    def _open_books(self, first_pass: bool, judged: bool) -> None:
        """Start the records of losses and scores, or make sure that they can go on."""
        if first_pass or not hasattr(self, "loss_curve_"):
            self.loss_curve_: list[float] = []
            self._no_improvement_count = 0
            self.validation_scores_: list[float] | None = None
            self.best_validation_score_: float | None = None
            self.best_loss_: float | None = None
        if judged and getattr(self, "validation_scores_", None) is None:
            self.validation_scores_ = []
        if self.early_stopping:
            self.best_loss_ = None
            if getattr(self, "best_validation_score_", None) is None:
                self.best_validation_score_ = -np.inf
        elif getattr(self, "best_loss_", None) is None:
            self.best_loss_ = np.inf

    def _hold_out(
        self, samples: Samples, rng: np.random.RandomState
    ) -> tuple[Samples, Samples | None]:
        """Set some examples aside to be judged by."""
        train, held_out = train_test_split(
            np.arange(len(samples)),
            random_state=rng,
            test_size=self.validation_fraction,
            stratify=self._stratify(samples.y),
        )
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                "your dataset."
            )

        def pick(rows: NDArray[Any]) -> Samples:
            weights = None if samples.weights is None else samples.weights[rows]
            return Samples(_safe_indexing(samples.X, rows), samples.y[rows], weights)

        return pick(train), pick(held_out)

    def _solve(
        self,
        train: Samples,
        held_out: Samples | None,
        names: Sequence[str],
        incremental: bool,
    ) -> None:
        dtype = self._dtype()
        # In single precision the line search would lose its way.
        network = self._make_network(
            np.float64 if self.solver == "lbfgs" else dtype, names, anew=not incremental
        )

        def cast(samples: Samples) -> Samples:
            y, weights = samples.y, samples.weights
            y = y if self.out_activation_ == "softmax" else as_type(y, network.dtype, "y")
            y = self._minimised()._targets(y, network.layer_sizes[-1], network.dtype)
            if weights is not None:
                weights = as_type(weights, network.dtype, "sample_weight")
            return Samples(as_rows(samples.X), y, weights)

        train = cast(train)
        try:
            if self.solver == "lbfgs":
                fit_lbfgs(self, network, train.X, train.y, train.weights)
            else:
                judged = None if held_out is None else cast(held_out)
                if held_out is not None and judged is not None:
                    held_out = Samples(judged.X, held_out.y, held_out.weights)
                fit_stochastic(self, network, train, held_out, judged, incremental=incremental)
        finally:
            self._take(network, dtype)
        if not all(np.isfinite(W).all() for W in [*self.coefs_, *self.intercepts_]):
            raise ValueError(NOT_FINITE)

    def _make_network(
        self, dtype: Any, names: Sequence[str] | None = None, *, anew: bool = True
    ) -> Network:
        """Return a network of the estimator's weights; if not anew, perhaps the last call's."""
        coefs = [np.asarray(W) for W in self.coefs_]
        sizes = [len(coefs[0]), *(W.shape[1] for W in coefs)]
        if names is None:
            names = hidden_names(self.activation, len(sizes) - 2)
        settings = (
            tuple(sizes),
            tuple(names),
            OUTPUTS[self.out_activation_],
            np.dtype(dtype).name,
            1.0,  # integers are what they are
            checked_kinds(self.normalization, len(names)),
        )
        kept = None if anew or not hasattr(self, "_optimizer") else self._optimizer.kept
        if kept is not None and kept.network._settings() == settings:
            network: Network = kept.network
        else:
            network = bare_network(*settings)
        network.class_names = self._class_names(sizes[-1])
        if any(numbers := getattr(self, "normalizations_", ())):
            network.set_normalization(numbers)
        network._core.set_parameters(self._layers(network.dtype))
        return network

    def _dtype(self) -> np.dtype[Any]:
        """Return what the weights are kept in: float32 if they all are, else float64."""
        single = all(np.asarray(W).dtype == np.float32 for W in [*self.coefs_, *self.intercepts_])
        return np.dtype(np.float32 if single else np.float64)

    def _layers(self, dtype: np.dtype[Any]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """Return the weights as the core takes them: as they lie, if they are of that type."""
        pairs = zip(self.coefs_, self.intercepts_, strict=True)
        return [(np.require(W, dtype, "A").T, np.require(b, dtype, ("A", "C"))) for W, b in pairs]

    def _take(self, network: Network, dtype: Any) -> None:
        layers = network.parameters
        self.coefs_ = [W.astype(dtype, copy=False).T for W, _ in layers]
        self.intercepts_ = [b.astype(dtype, copy=False) for _, b in layers]
        if any(numbers := network.normalization):
            self.normalizations_ = numbers

    def _outputs(self, X: Any) -> NDArray[Any]:
        """Return the output activations for samples, (m, n_outputs)."""
        if is_plain(X, self):
            try:
                return self._forward(X)
            except ValueError:
                pass  # not finite: scikit-learn says where, in its own words
        check_is_fitted(self)
        return self._forward(as_rows(checked_input(self, X, reset=False)))

    def _forward(self, X: Any) -> NDArray[Any]:
        if any(getattr(self, "normalizations_", ())):
            return self.network_._core.forward(X)
        hidden = hidden_names(self.activation, len(self.coefs_) - 1)
        output = OUTPUTS[self.out_activation_]
        return _core.forward(X, self._layers(self._dtype()), list(hidden), output)

    @property
    def network_(self) -> Network:
        """A `purrceptron.Network` of the fitted weights: to save, evaluate or train further."""
        check_is_fitted(self)
        return self._make_network(self._dtype())

    def _check_solver(self) -> bool:
        if self.solver not in STOCHASTIC_SOLVERS:
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
