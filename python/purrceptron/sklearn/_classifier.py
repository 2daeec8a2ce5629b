"""The classifier: labels in, probabilities and labels out."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from purrceptron.losses import BinaryCrossEntropy, CategoricalCrossEntropy

from ._classes import ClassesOfClassifier
from ._labels import decode
from ._scores import accuracy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from purrceptron.losses import Loss
    from purrceptron.schedules import Schedule


class MLPClassifier(ClassifierMixin, ClassesOfClassifier):
    """A multi-layer perceptron that classifies: scikit-learn's, on purrceptron's kernels.

    It minimises the log-loss. With the same `random_state` it begins with scikit-learn's weights
    and goes through the rows in scikit-learn's order, and so it ends with the same weights, up to
    rounding.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, or int
        The sizes of the hidden layers.
    activation : str or sequence of str
        Of the hidden layers, or one for each: ``"identity"``, ``"logistic"``, ``"tanh"`` and
        ``"relu"`` as in scikit-learn, and ``"leaky_relu"``, ``"elu"``, ``"selu"``, ``"gelu"``,
        ``"silu"`` and ``"softplus"``.
    solver : {"adam", "sgd", "lbfgs"}
        ``"lbfgs"`` computes in float64.
    alpha : float
        The strength of the L2 penalty, ``alpha / 2m Σ W²``, where m is the batch's weight.
    batch_size : int or "auto"
        Examples a step; ``"auto"`` is ``min(200, n_samples)``. Not for ``"lbfgs"``.
    learning_rate : {"constant", "invscaling", "adaptive"} or schedule
        How the rate of ``"sgd"`` goes on: as it is; divided by ``t ** power_t``; divided by 5
        whenever patience is at an end. Or, for ``"sgd"`` and ``"adam"`` and not in scikit-learn,
        one of `purrceptron.schedules`, which has a rate of its own.
    learning_rate_init : float
        The rate of ``"sgd"`` and ``"adam"`` at first.
    power_t : float
        The exponent of ``"invscaling"``.
    max_iter : int
        The most epochs, or iterations of ``"lbfgs"``.
    shuffle : bool
        Whether each epoch has an order of its own.
    random_state : int, RandomState or None
        Where the first weights, the examples set aside and the order of the rows come from.
    tol : float
        What counts as progress of the loss, or of the score with `early_stopping`; for
        ``"lbfgs"`` the largest element of the gradient at which it ends.
    verbose : bool
        Whether to print the loss of each epoch.
    warm_start : bool
        Whether `fit` goes on from the weights of the last fit.
    momentum : float
        From 0 to 1, for ``"sgd"``.
    nesterovs_momentum : bool
        Whether momentum is Nesterov's.
    early_stopping : bool
        Whether to set examples aside, or take those given to `fit`, to end when they are judged
        no better any more, and to keep the best weights.
    validation_fraction : float
        The share that `early_stopping` sets aside.
    beta_1, beta_2, epsilon : float
        Adam's.
    n_iter_no_change : int
        How many epochs in a row may pass without progress.
    max_fun : int
        The most evaluations of ``"lbfgs"``.
    class_weight : dict, "balanced" or None
        How much examples of each class count, beside their `sample_weight`. Not in scikit-learn.
    label_smoothing : float
        From 0 up to, but not including, 1: the share of each target that is spread over all
        classes. Not in scikit-learn.
    l1 : float
        The strength of the penalty on absolute weights, ``l1 / m Σ |W|``. Not for ``"lbfgs"``, and
        not in scikit-learn.
    clip_norm : float or None
        The norm that the gradient of a step is shortened to. Not for ``"lbfgs"``, and not in
        scikit-learn.
    dropout : float or sequence of float
        The share of the hidden activations that each step leaves out, or one share for each layer.
        Not for ``"lbfgs"``, and not in scikit-learn.
    input_dropout : float
        The same of the inputs.
    normalization : {"batch", "layer"}, sequence of them and None, or None
        Of the hidden layers, or one for each: see `purrceptron.Normalization`. Not for
        ``"lbfgs"``, and not in scikit-learn.
    first_layer : {"auto", "direct", "gram"}
        How the first layer is trained by ``"sgd"``; see `purrceptron.train`. Not in scikit-learn.
    callbacks : sequence of objects or None
        Told of each epoch as those of `purrceptron.train` are, with the network that is trained
        and its history; one whose ``on_epoch_end`` returns True ends the fit. Not for
        ``"lbfgs"``, and not in scikit-learn. `clone` copies them.

    Attributes
    ----------
    classes_ : ndarray
        The classes, sorted.
    coefs_, intercepts_ : list of ndarray
        Weights (n_in, n_out) and biases (n_out,) of each layer; they may be set.
    loss_ : float
        The last loss.
    best_loss_ : float or None
        The least loss; None with `early_stopping`.
    loss_curve_ : list of float
        The loss of each epoch.
    validation_scores_ : list of float or None
        The accuracy after each epoch on the examples set aside, or given to `fit`.
    best_validation_score_ : float or None
        The best of them.
    n_iter_ : int
        Epochs or iterations.
    t_ : int
        Examples seen.
    n_layers_, n_outputs_ : int
        With inputs and outputs; outputs alone.
    out_activation_ : {"logistic", "softmax"}
        The activation of the outputs.
    n_features_in_, feature_names_in_
        What `X` had.
    normalizations_ : list of purrceptron.Normalization or None
        What the hidden layers are normalised by.
    network_ : purrceptron.Network
        The fitted weights as a network of its own.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.model_selection import train_test_split
    >>> from purrceptron.sklearn import MLPClassifier
    >>> X, y = make_classification(n_samples=100, random_state=1)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=1)
    >>> clf = MLPClassifier(random_state=1, max_iter=500, tol=1e-3).fit(X_train, y_train)
    >>> clf.predict(X_test[:5])
    array([1, 0, 1, 0, 1])
    >>> clf.score(X_test, y_test)
    0.88
    """

    _parameter_constraints = {  # noqa: RUF012 (as scikit-learn has it)
        **ClassesOfClassifier._parameter_constraints,
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
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
        class_weight: dict[Any, float] | str | None = None,
        label_smoothing: float = 0.0,
        l1: float = 0.0,
        clip_norm: float | None = None,
        dropout: float | Sequence[float] = 0.0,
        input_dropout: float = 0.0,
        normalization: str | Sequence[str | None] | None = None,
        first_layer: str = "auto",
        callbacks: Sequence[Any] | None = None,
    ) -> None:
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
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
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
    ) -> MLPClassifier:
        """Fit to samples and their labels.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            float32 is computed in float32, every other type in float64; integers are not rescaled.
            Sparse rows are widened a batch at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            A label each, of any type; or 0 and 1 for each of several labels.
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
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> MLPClassifier:
        """Go once through these samples, from the weights as they are.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array-like, optional
            All classes that there will be; the first call wants them.

        Returns
        -------
        self
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' wants all labels at once, which partial_fit has not: "
                "pass a dict, or sample_weight"
            )
        first = _check_partial_fit_first_call(self, classes)
        try:
            if first:
                several = type_of_target(y).startswith("multilabel")
                self._classes_of_first_call = y if several else classes
            self._fit(X, y, sample_weight, incremental=True)
        except BaseException:
            if first and not hasattr(self, "coefs_"):
                self.__dict__.pop("_classes_of_first_call", None)
                del self.classes_
            raise
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the label of each sample.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        labels = decode(self._outputs(X), self.classes_, self.out_activation_)
        return sparse.csr_matrix(labels) if getattr(self, "_sparse_labels", False) else labels

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the probability of each class, or of each of several labels.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        outputs = self._outputs(X)
        if self.out_activation_ == "softmax":
            return outputs
        if len(self.classes_) == 1:
            return np.ones_like(outputs)
        # A sigmoid never quite gets to 0 or 1, where rounding would take it.
        limits = np.finfo(outputs.dtype)
        outputs = outputs.clip(limits.tiny, 1 - limits.epsneg)
        return outputs if outputs.shape[1] > 1 else np.hstack([1 - outputs, outputs])

    def predict_log_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the logarithms of `predict_proba`."""
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            np.log(probabilities, out=probabilities)
        return probabilities

    def _minimised(self) -> Loss:
        if self.out_activation_ == "softmax":
            return CategoricalCrossEntropy(self.label_smoothing)
        return BinaryCrossEntropy(self.label_smoothing)

    def _stratify(self, targets: NDArray[Any]) -> NDArray[Any] | None:
        return targets if self.n_outputs_ == 1 else None

    def _class_names(self, n_out: int) -> Sequence[str] | None:
        names = [str(each) for each in self.classes_]
        return names if len(names) == max(n_out, 2) else None

    def _score_outputs(
        self, outputs: NDArray[Any], targets: NDArray[Any], weights: NDArray[Any] | None
    ) -> float:
        return accuracy(outputs, targets, weights)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
