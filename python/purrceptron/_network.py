"""The network that users hold: a frozen core inside, NumPy arrays outside."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _core
from ._arguments import (
    checked_dtype,
    checked_hidden,
    checked_name,
    checked_number,
    checked_penalty,
    checked_seed,
    checked_sizes,
    warn,
)
from ._described import Described
from ._normalization import Normalization, checked_kinds, from_core, to_core
from ._validation import (
    Array,
    as_layers,
    as_samples,
    as_targets,
    as_weights,
)
from .losses import Loss, _checked_loss

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from numpy.typing import DTypeLike, NDArray

    Parameters = list[tuple[NDArray[Any], NDArray[Any]]]
    Initializer = Callable[[np.random.Generator, int, int], NDArray[Any]]


class Network(Described):
    """A multi-layer perceptron.

    Parameters
    ----------
    layer_sizes : sequence of int
        ``[n_0, ..., n_L]``: the inputs, the hidden layers, the outputs.
    hidden : str or sequence of str
        The activation of the hidden layers, or one name for each: ``"relu"``, ``"sigmoid"``,
        ``"tanh"``, ``"identity"``, ``"leaky_relu"``, ``"elu"``, ``"selu"``, ``"gelu"``,
        ``"silu"``, ``"softplus"``.
    output : {"sigmoid", "softmax", "identity", "exp"}
        ``"sigmoid"`` for yes or no (one output) or several labels at once, ``"softmax"`` for one
        class of several, ``"identity"`` for regression, ``"exp"`` for counts: expected numbers of
        events, which are above 0.
    dtype : {"float32", "float64"}
        What it computes in.
    init : str or callable
        How the first weights are drawn: ``"he_normal"``, ``"he_uniform"``, ``"glorot_normal"``,
        ``"glorot_uniform"``, ``"lecun_normal"``, ``"lecun_uniform"``, ``"orthogonal"``,
        ``"series"`` (uniform on [-1, 1] over ``sqrt(n_in)``) or ``"zeros"``; or a function of
        ``(rng, n_out, n_in)``, a `numpy.random.Generator` and two integers, that returns the
        weights of a layer, (n_out, n_in). Biases begin at zero.
    seed : int, optional
        From 0 to 2**64 - 1. The same seed gives the same weights on every machine; None draws one.
    uint8_scale : float
        What uint8 samples are multiplied by. Samples of any other type are taken as they are.
    normalization : {"batch", "layer"} or sequence of them and None, optional
        What stands between the linear half of the hidden layers and their activation, or of each:
        batch or layer normalisation; see `Normalization`. A batch has then to fit into memory as a
        whole with ``"batch"``.

    Notes
    -----
    It may be shared by threads. Predicting while another thread trains it uses weights as they were
    at the end of an epoch, never half of a step: of the last one, or, while short epochs are done
    many at a time, of some 50 ms ago. Changing an array while another thread computes with it
    crashes nothing, but what is computed is unspecified.

    Examples
    --------
    >>> import numpy as np
    >>> import purrceptron as pc
    >>> net = pc.Network([2, 3, 1], seed=1)
    >>> net.forward(np.zeros((1, 2)))
    array([[0.5]], dtype=float32)
    """

    __slots__ = ("__weakref__", "_core")

    def __init__(
        self,
        layer_sizes: Sequence[int],
        hidden: str | Sequence[str] = "relu",
        output: Literal["sigmoid", "softmax", "identity", "exp"] = "sigmoid",
        dtype: DTypeLike = "float32",
        init: str | Initializer = "he_normal",
        seed: int | None = None,
        uint8_scale: float = 1 / 255,
        normalization: str | Sequence[str | None] | None = None,
    ) -> None:
        sizes = checked_sizes(layer_sizes)
        names = checked_hidden(hidden, len(sizes) - 2)
        kinds = checked_kinds(normalization, len(sizes) - 2)
        self._dtype = checked_dtype(dtype)
        scale = checked_number("uint8_scale", uint8_scale)
        with np.errstate(over="ignore"):
            rounded = self._dtype.type(scale)
        if not np.isfinite(rounded) or rounded == 0:
            raise ValueError(
                f"uint8_scale is {uint8_scale!r}, expected a number other than 0 "
                f"that {self._dtype} can hold"
            )
        checked_name("output", output)
        name = "zeros" if callable(init) else checked_name("init", init)
        seed = checked_seed(seed)
        self._core = _core.Network(
            list(sizes),
            list(names),
            output,
            self._dtype.name,
            name,
            seed,
            float(uint8_scale),
            list(kinds),
        )
        self._layer_sizes = sizes
        self._hidden = names
        self._normalization = kinds
        self._output = str(output)
        self._uint8_scale = scale
        self._class_names = None
        self.training = {}
        if callable(init):
            layers = [
                (init(np.random.default_rng([seed, layer]), n_out, n_in), np.zeros(n_out))
                for layer, (n_in, n_out) in enumerate(pairwise(sizes))
            ]
            self._core.set_parameters(as_layers(layers, sizes, self._dtype, "init"))

    @property
    def parameters(self) -> Parameters:
        """Copies of all weights and biases: ``[(W, b), ...]``, W (n_out, n_in), b (n_out,)."""
        return self._core.parameters()

    def set_parameters(self, parameters: Sequence[tuple[Array, Array]]) -> None:
        """Replace all weights and biases.

        Parameters
        ----------
        parameters : sequence of (W, b)
            In the shapes of `parameters`; any float type is cast to the network's.

        Raises
        ------
        ValueError
            If a shape does not fit or a number is NaN or infinite. Nothing is replaced then.
        """
        layers = as_layers(parameters, self._layer_sizes, self._dtype, "parameters")
        self._core.set_parameters(layers)

    @property
    def normalization(self) -> list[Normalization | None]:
        """Copies of the numbers of the hidden layers' normalisations; None where there is none."""
        return from_core(self._normalization, self._core.normalization())

    def set_normalization(self, normalization: Sequence[Normalization | None]) -> None:
        """Replace the numbers of the hidden layers' normalisations.

        Parameters
        ----------
        normalization : sequence of Normalization or None
            As in `normalization`; any float type is cast to the network's.

        Raises
        ------
        ValueError
            If a kind or shape does not fit or a number is NaN or infinite. Nothing is replaced
            then.
        """
        numbers = to_core(normalization, self._normalization, self._layer_sizes, self._dtype)
        self._core.set_normalization(numbers)

    def forward(self, X: Array) -> NDArray[Any]:
        """Return the output activations.

        Parameters
        ----------
        X : array-like of shape (m, n_0)
            uint8 is multiplied by `uint8_scale`; every other type is taken as it is.

        Returns
        -------
        ndarray of shape (m, n_L)
            In the network's dtype.

        Raises
        ------
        ValueError
            If `X` has the wrong shape, is empty, or holds NaN or infinity.
        """
        return self._outputs(X)

    def activations(self, X: Array) -> list[NDArray[Any]]:
        """Return what the hidden layers make of samples.

        Parameters
        ----------
        X : array-like of shape (m, n_0)

        Returns
        -------
        list of ndarray
            ``[A_1, ..., A_{L-1}]``: for each hidden layer (m, n_l), after its activation, in the
            network's dtype. Without hidden layers, none.

        Raises
        ------
        ValueError
            As in `forward`.

        Examples
        --------
        >>> import numpy as np
        >>> import purrceptron as pc
        >>> net = pc.Network([2, 5, 3, 1], seed=1)
        >>> [A.shape for A in net.activations(np.ones((4, 2)))]
        [(4, 5), (4, 3)]
        """
        return self._core.activations(self._samples(X))

    def predict_proba(self, X: Array) -> NDArray[Any]:
        """Return the output activations, a classifier's probabilities: see `forward`."""
        return self._outputs(X)

    def predict(self, X: Array) -> NDArray[Any]:
        """Return the labels, or for regression the values, that the network gives.

        Parameters
        ----------
        X : array-like of shape (m, n_0)

        Returns
        -------
        ndarray
            One sigmoid: (m,) int64 of 0 and 1, 1 where the activation exceeds 0.5. Softmax: (m,)
            int64 class numbers. Several sigmoids: (m, n_L) int64 of 0 and 1. Regression and counts:
            (m, n_L) values, (m,) if there is one output.

        Raises
        ------
        ValueError
            As in `forward`.
        """
        return self._labels(self._outputs(X))

    def _labels(self, a: NDArray[Any]) -> NDArray[Any]:
        if self._output == "softmax":
            classes: NDArray[Any] = a.argmax(axis=1)
            return classes
        if self._output == "sigmoid":
            a = (a > 0.5).astype(np.int64)
        return a[:, 0] if a.shape[1] == 1 else a

    def loss(
        self,
        X: Array,
        y: Array,
        loss: str | Loss | None = None,
        l2: float = 0.0,
        sample_weight: Array | None = None,
        *,
        l1: float = 0.0,
        training: bool = False,
    ) -> float:
        """Return the cost ``J``: the examples' mean loss, and the penalties on the weights.

        Parameters
        ----------
        X : array-like of shape (m, n_0)
        y : array-like
            One sigmoid: (m,) or (m, 1) of 0 and 1. Softmax: (m,) class numbers. Several sigmoids:
            (m, n_L) of 0 and 1. Regression: (m, n_L), or (m,) if there is one output. Counts: the
            same, not negative.
        loss : str or Loss, optional
            None for the one that fits the output: ``"binary_cross_entropy"`` (sigmoid),
            ``"categorical_cross_entropy"`` (softmax), ``"squared_error"`` (identity; half the
            square), ``"poisson"`` (exp). The identity goes with ``"absolute_error"`` and
            ``"huber"`` too. `purrceptron.losses` has their settings, such as label smoothing.
        l2 : float
            λ, the strength of the penalty ``λ/2m Σ W²``.
        sample_weight : array-like of shape (m,), optional
            How much each example counts; ``m`` is then their sum.
        l1 : float
            λ₁, the strength of the penalty ``λ₁/m Σ |W|``.
        training : bool
            Whether batches are normalised as in training, by the mean and variance of `X` itself.

        Raises
        ------
        ValueError
            If an argument does not fit.
        """
        data = self._data(X, y, sample_weight, loss, l2, l1)
        return self._core.gradients(*data)[0] if training else self._core.loss(*data)

    def gradients(
        self,
        X: Array,
        y: Array,
        loss: str | Loss | None = None,
        l2: float = 0.0,
        sample_weight: Array | None = None,
        *,
        l1: float = 0.0,
    ) -> Parameters:
        """Return the derivatives of `loss` by all weights and biases: ``[(dW, db), ...]``.

        The arguments are those of `loss`. With batch normalisation the derivatives are those that
        training uses, of `loss` with ``training=True``.
        """
        return self._core.gradients(*self._data(X, y, sample_weight, loss, l2, l1))[1]

    def stop_training(self) -> None:
        """Ask the fit under way, in another thread or in this one's callback, to stop.

        The fit returns its history, without the epoch that it did not finish.
        """
        self._core.stop_fit()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file, whole or not at all.

        Parameters
        ----------
        path : path
            ``.safetensors``, or ``.json`` for the series' own form, which holds networks of ReLU
            and a sigmoid only.

        Raises
        ------
        ValueError
            If the file name ends otherwise, or the network cannot be held in that form.
        OSError
            If it cannot be written. An older file of that name is left as it was.
        """
        from ._model_file import save

        save(self, path)

    def _outputs(self, X: Array) -> NDArray[Any]:
        # A plain matrix of floats takes no look from here: it would be a sixth of a row's time.
        outputs = self._core.forward_as_is(X)
        return self._core.forward(self._samples(X)) if outputs is None else outputs

    def _samples(self, X: Array) -> NDArray[Any]:
        samples = as_samples(X, self._layer_sizes[0])
        if samples.dtype == np.uint8 and self._uint8_scale < 1 and samples.max() <= 1:
            warn(
                "X is uint8 and never exceeds 1, and will be multiplied by "
                f"uint8_scale={self._uint8_scale:.4g}: if it is scaled already, pass it as float"
            )
        return samples

    def _targets(self, y: Array, rows: int) -> NDArray[Any]:
        return as_targets(
            y, rows=rows, n_out=self._layer_sizes[-1], output=self._output, dtype=self._dtype
        )

    def _data(
        self,
        X: Array,
        y: Array,
        sample_weight: Array | None,
        loss: str | Loss | None,
        l2: float,
        l1: float = 0.0,
    ) -> tuple[Any, ...]:
        """Return the arguments of the core's `loss` and `gradients`."""
        checked = _checked_loss(loss, self._output)
        l2, l1 = checked_penalty("l2", l2), checked_penalty("l1", l1)
        X = self._samples(X)
        m = len(X)
        weights = as_weights(sample_weight, rows=m, dtype=self._dtype)
        targets = checked._targets(self._targets(y, m), self._layer_sizes[-1], self._dtype)
        return X, targets, checked._core(), l2, weights, l1

    def _settings(self) -> tuple[Any, ...]:
        """Return the arguments to make such a network again, but for its first weights."""
        return (
            self._layer_sizes,
            self._hidden,
            self._output,
            self._dtype.name,
            self._uint8_scale,
            self._normalization,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        from ._copies import rebuild

        state = (self.parameters, self._class_names, dict(self.training), self.normalization)
        return rebuild, (self._settings(), *state)
