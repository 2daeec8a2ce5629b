"""The estimators' parameters: what each may be, and what scikit-learn's names are called here."""

from __future__ import annotations

import operator
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from purrceptron._callbacks import checked_callbacks
from purrceptron.schedules import Adaptive, Schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

STOCHASTIC_SOLVERS = ("sgd", "adam")

ACTIVATIONS = {
    "identity": "identity",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    # scikit-learn's end here
    "sigmoid": "sigmoid",
    "leaky_relu": "leaky_relu",
    "elu": "elu",
    "selu": "selu",
    "gelu": "gelu",
    "silu": "silu",
    "softplus": "softplus",
}
"""Names of hidden activations, and what `purrceptron.Network` calls them."""

OUTPUTS = {"identity": "identity", "logistic": "sigmoid", "softmax": "softmax", "exp": "exp"}
"""Names of output activations, and what `purrceptron.Network` calls them."""

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), "array-like"],
    "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"}), Schedule],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [
        Interval(Integral, 1, None, closed="left"),
        Options(Real, {np.inf}),
    ],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "l1": [Interval(Real, 0, None, closed="left")],
    "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "input_dropout": [Interval(Real, 0, 1, closed="left")],
    "normalization": [StrOptions({"batch", "layer"}), "array-like", None],
    "first_layer": [StrOptions({"auto", "direct", "gram"})],
    "callbacks": ["array-like", None],
}
"""What scikit-learn's own validation holds the parameters of both estimators against."""


def hidden_sizes(hidden_layer_sizes: Any) -> tuple[int, ...]:
    """Return the sizes of the hidden layers; one number is one layer.

    Raises
    ------
    ValueError
        If one of them is not an integer above 0.

    Examples
    --------
    >>> hidden_sizes(20), hidden_sizes([20, 7])
    ((20,), (20, 7))
    """
    given = hidden_layer_sizes if np.iterable(hidden_layer_sizes) else [hidden_layer_sizes]
    try:
        sizes = tuple(operator.index(n) for n in given)
    except TypeError:
        sizes = (0,)
    if any(n <= 0 for n in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {list(given)}.")
    return sizes


def hidden_names(activation: str | Sequence[str], layers: int) -> tuple[str, ...]:
    """Return `purrceptron.Network`'s name for the activation of each of so many hidden layers.

    Raises
    ------
    ValueError
        If a name is unknown, or there are not as many as hidden layers.

    Examples
    --------
    >>> hidden_names("logistic", 2), hidden_names(["relu", "tanh"], 2)
    (('sigmoid', 'sigmoid'), ('relu', 'tanh'))
    """
    given = [activation] * layers if isinstance(activation, str) else list(activation)
    unknown = [name for name in given if name not in ACTIVATIONS]
    if unknown:
        raise ValueError(
            f"activation names {unknown[0]!r}, expected one of: {', '.join(ACTIVATIONS)}"
        )
    if len(given) != layers:
        raise ValueError(
            f"activation is {given}, expected {layers} names: one for each hidden layer"
        )
    return tuple(ACTIVATIONS[name] for name in given)


def refuse_together(mlp: Any) -> None:
    """Fail where a parameter is set that the solver would ignore, or that means another one.

    Raises
    ------
    ValueError
        Naming the parameter.
    """
    if isinstance(mlp.learning_rate, Adaptive):
        raise ValueError("learning_rate is a schedule, Adaptive: pass 'adaptive'")
    checked_callbacks(mlp.callbacks or ())
    if mlp.solver == "lbfgs":
        if mlp.callbacks:
            raise ValueError("callbacks are given, which solver='lbfgs' cannot heed")
        if mlp.first_layer == "gram":
            raise ValueError("first_layer is 'gram', which solver='lbfgs' cannot heed")
        for name in ("l1", "clip_norm", "dropout", "input_dropout", "normalization"):
            value = getattr(mlp, name)
            if np.any(value):
                raise ValueError(f"{name} is {value!r}, which solver='lbfgs' cannot heed")
