"""The training loop: the core runs epochs, this says how many at once and what comes between."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from . import _core
from ._arguments import checked_count, checked_dropout, checked_number, checked_seed, warn
from ._callbacks import checked_callbacks, notify, wants_each_epoch
from ._class_weight import weighted_by_class
from ._history import History, Judge, State
from ._network import Network
from ._optimizers import SGD, Optimizer
from ._pace import Pace
from ._validation import Array, as_layers
from .losses import _checked_loss
from .schedules import Adaptive, Schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._callbacks import Callback
    from ._class_weight import ClassWeight
    from .losses import Loss

CALL_SECONDS = 0.05
"""How long a call of the core should take, unless somebody wants each epoch."""


def train(
    net: Network,
    X: Array,
    y: Array,
    *,
    optimizer: Optimizer = SGD(learning_rate=0.0075),  # noqa: B008 (immutable)
    epochs: int = 2500,
    batch_size: int | None = None,
    loss: str | Loss | None = None,
    l2: float = 0.0,
    l1: float = 0.0,
    clip_norm: float | None = None,
    dropout: float | Sequence[float] = 0.0,
    input_dropout: float = 0.0,
    sample_weight: Array | None = None,
    class_weight: ClassWeight | None = None,
    seed: int | None = None,
    first_layer: str = "auto",
    validation_data: tuple[Array, Array] | None = None,
    callbacks: Sequence[Callback | object] = (),
    progress: bool = False,
    resume: State | None = None,
) -> History:
    """Train a network.

    Parameters
    ----------
    net : Network
        It sees the new weights at the end of epochs, and keeps the last ones whatever happens.
    X : array-like of shape (m, n_0)
        One example a row. uint8 is multiplied by the network's `uint8_scale`. It must stay as it is
        until the fit ends: what is made of it is kept.
    y : array-like
        One sigmoid: (m,) or (m, 1) of 0 and 1. Softmax: (m,) class numbers. Several sigmoids: (m,
        n_L) of 0 and 1. Regression: (m, n_L), or (m,) if there is one output. Counts: the same,
        not negative.
    optimizer : SGD, RMSProp, Adam or AdamW
        The rule of the step, with its learning rate: a number, or one of `purrceptron.schedules`.
        The default is the series' gradient descent.
    epochs : int
        How many times all examples are gone through.
    batch_size : int, optional
        Examples a step; None for all of them, in their order. Batches are drawn anew in every
        epoch.
    loss : str or Loss, optional
        None for the one that fits the output, else a name or one of `purrceptron.losses`.
    l2 : float
        λ: ``λ/2m Σ W²`` is added to the cost, where m is the batch's rows.
    l1 : float
        λ₁: ``λ₁/m Σ |W|`` is added to the cost.
    clip_norm : float, optional
        The gradient of a step, that of all weights and biases with the penalties, is shortened to
        this norm if it is longer.
    dropout : float or sequence of float
        The probability with which each activation of the hidden layers, or of each, is left out of
        a step; what is kept grows by ``1 / (1 - p)``. From 0 up to, but not including, 1.
    input_dropout : float
        The same for what enters the network; it does not go with ``first_layer="gram"``.
    sample_weight : array-like of shape (m,), optional
        How much each example counts. Not negative, and not all zero.
    class_weight : dict of int to float, or "balanced", optional
        How much the examples of each class count, times their `sample_weight`; balanced, each
        class counts alike: ``m / (k · count)``. Every class that `y` holds must be in the dict.
    seed : int, optional
        Where the order of the rows comes from; None draws one.
    first_layer : {"auto", "direct", "gram"}
        How the first layer is trained: ``"gram"`` in the space of examples, which is far quicker
        where there are more features than examples, holds for `SGD` alone, takes memory for m²
        numbers, and wants `X` to stay as it is during the fit; ``"auto"`` takes it where it holds,
        pays and fits in 1 GiB.
    validation_data : (X, y), optional
        Judged after each epoch.
    callbacks : sequence
        Objects with any of ``on_train_begin(net, history)``, ``on_epoch_end(net, history)`` and
        ``on_train_end(net, history)``. If ``on_epoch_end`` returns True, the fit stops.
    progress : bool
        Whether to show a progress bar (wants the extra ``app``).
    resume : State, optional
        The `state` in the `History` of an earlier fit of this network, to be continued with the
        same settings: the epochs that follow are bit for bit those that one longer fit would have
        run.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If an argument does not fit; the network is as it was.
    DivergenceError
        If the cost or a weight is no longer finite. The network keeps the last finite weights that
        it was given.
    RuntimeError
        If the network is being trained already.
    KeyboardInterrupt
        On Ctrl-C. The network keeps the weights of the last epoch that it was given.

    Examples
    --------
    >>> import numpy as np
    >>> import purrceptron as pc
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
    >>> y = np.array([0, 1, 1, 0])
    >>> net = pc.Network([2, 8, 1], hidden="tanh", seed=1)
    >>> history = pc.train(net, X, y, optimizer=pc.Adam(learning_rate=0.05), epochs=200)
    >>> net.predict(X)
    array([0, 1, 1, 0])
    """
    if not isinstance(net, Network):
        raise ValueError(f"net is {net!r}, expected a Network")
    if not isinstance(optimizer, Optimizer):
        raise ValueError(
            f"optimizer is {optimizer!r}, expected one such as SGD(learning_rate=0.01), or Adam()"
        )
    epochs = checked_count("epochs", epochs, least=0)
    if batch_size is not None:
        batch_size = checked_count("batch_size", batch_size, least=1)
    if not (resume is None or isinstance(resume, State)):
        raise ValueError(f"resume is {resume!r}, expected the state of a History, or None")
    if resume is not None and resume.optimizer != optimizer.name:
        raise ValueError(
            f"resume is the state of {resume.optimizer}, but optimizer is {optimizer.name}"
        )
    listeners = checked_callbacks(callbacks)
    seed = checked_seed(seed) if resume is None else resume.seed
    rate = optimizer.learning_rate
    schedule = rate if isinstance(rate, Schedule) else None
    base = rate if schedule is None else schedule.learning_rate
    base = checked_number("learning_rate", base)
    if clip_norm is not None:
        clip_norm = checked_number("clip_norm", clip_norm)
    rates = checked_dropout(dropout, input_dropout, len(net.hidden))
    checked_loss = _checked_loss(loss, net.output)
    labels = y
    X, y, core_loss, l2, weights, l1 = net._data(X, y, sample_weight, checked_loss, l2, l1)
    if class_weight is not None:
        weights = weighted_by_class(
            class_weight,
            weights,
            net._targets(labels, len(X)),
            output=net.output,
            n_out=net.layer_sizes[-1],
            dtype=net.dtype,
        )
    if batch_size is not None and batch_size > len(X):
        warn(f"batch_size is {batch_size}, but X has {len(X)} rows: a batch holds them all")
        batch_size = len(X)
    validation = None if validation_data is None else Judge(net, validation_data, checked_loss)

    with ExitStack() as stack:
        net._core.begin_fit()
        stack.callback(net._core.end_fit)
        trainer = _core.Trainer(
            net._core,
            X,
            y,
            weights,
            epochs,
            optimizer.name,
            optimizer.settings(),
            learning_rate=base,
            loss=core_loss,
            l2=l2,
            batch_size=batch_size,
            seed=seed,
            first_layer=str(first_layer),
            schedule=[] if schedule is None else schedule._stages(),
            l1=l1,
            clip_norm=clip_norm,
            dropout=rates,
        )
        if resume is not None:
            slots = [
                as_layers(slot, net.layer_sizes, net.dtype, "resume.slots") for slot in resume.slots
            ]
            trainer.set_state(resume.epoch, resume.step, slots, resume.gram, resume.normalization)
        pace = None
        if isinstance(schedule, Adaptive):
            pace = Pace(schedule, trainer, None if resume is None else resume.pace)
            listeners.insert(0, pace)
        if progress:
            from ._app.progress import ProgressBar

            listeners.append(stack.enter_context(ProgressBar(epochs)))
        history = History(first_layer=": ".join(trainer.first_layer()))
        before, net.training = (
            net.training,
            _settings(
                optimizer,
                epochs=epochs,
                batch_size=batch_size,
                loss=checked_loss.name,
                l2=l2,
                l1=l1,
                clip_norm=clip_norm,
                dropout=dropout if isinstance(dropout, (int, float)) else list(dropout),
                input_dropout=input_dropout,
                seed=seed,
                samples=len(X),
                validation_samples=0 if validation is None else len(validation),
            ),
        )
        try:
            notify(listeners, "on_train_begin", net, history)
        except BaseException:
            net.training = before
            raise
        _run(net, trainer, epochs, history, validation, listeners)
        now = None if pace is None else pace.state
        history.state = State(optimizer.name, seed, *trainer.take_state(), now)
        notify(listeners, "on_train_end", net, history)
    return history


def _run(
    net: Network,
    trainer: _core.Trainer,
    epochs: int,
    history: History,
    validation: Judge | None,
    listeners: Sequence[object],
) -> None:
    """Run the epochs, as many a call as nobody minds, and keep the history.

    Stopped within an epoch, the trainer goes back to the last one that the network was given.
    """
    one_by_one = validation is not None or wants_each_epoch(listeners)
    start = time.perf_counter()
    at_once = 1
    while history.epochs < epochs:
        began = time.perf_counter()
        losses = trainer.run(min(at_once, epochs - history.epochs))
        now = time.perf_counter()
        if losses is None:
            break
        history.loss += losses
        history.epochs += len(losses)
        history.seconds = now - start
        if validation is not None:
            validation.judge(trainer, history)
        if notify(listeners, "on_epoch_end", net, history) or net._core.stopping():
            break
        if not one_by_one:
            at_once = max(1, min(2 * at_once, int(at_once * CALL_SECONDS / (now - began + 1e-9))))


def _settings(optimizer: Optimizer, **others: Any) -> dict[str, Any]:
    """Return what is to be remembered of a fit, which JSON can hold."""
    own = {f.name: getattr(optimizer, f.name) for f in fields(optimizer)}
    rate = optimizer.learning_rate
    if isinstance(rate, Schedule):
        own |= {"learning_rate": rate.learning_rate, "schedule": rate.settings()}
    return {"optimizer": optimizer.name, **own, **others}
