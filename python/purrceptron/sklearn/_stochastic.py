"""SGD and Adam: the core runs the epochs, several a call; this watches them and ends the fit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from purrceptron._arguments import checked_dropout, warn
from purrceptron._errors import DivergenceError

from ._listeners import Listeners
from ._optimizer import Optimizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from purrceptron._network import Network

    from ._kept import Samples

CALL_SECONDS = 0.05
"""How long a call of the core should take: what Ctrl-C may cost."""

MOST_NUMBERS = 1 << 22
"""How many row numbers may be drawn ahead."""

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


def fit_stochastic(
    mlp: Any,
    network: Network,
    train: Samples,
    validation: Samples | None,
    judged: Samples | None,
    *,
    incremental: bool,
) -> None:
    """Fit a network from its parameters on, and leave the result in it.

    Parameters
    ----------
    mlp : estimator
        Its parameters count, and its losses, scores and counts are written.
    network : Network
        Nobody else's.
    train : Samples
        To learn from.
    validation : Samples, optional
        To be judged by after each epoch.
    judged : Samples, optional
        The same, with targets and weights as the core takes them: for those who listen.
    incremental : bool
        One epoch, and the solver's memory is kept.

    Raises
    ------
    DivergenceError
        If loss or weights leave the finite numbers. With early stopping the best weights are
        kept, and a `ConvergenceWarning` says so.
    """
    if not incremental or not hasattr(mlp, "_optimizer"):
        mlp._optimizer = Optimizer.of(mlp)
    network._core.begin_fit()
    try:
        run = _Run(mlp, network, train, validation, judged, incremental)
        try:
            run.go()
        except KeyboardInterrupt:
            run.settle()
            warn("Training interrupted by user.")
    finally:
        network._core.end_fit()
    if run.best is not None:
        network._core.restore(run.best)


class _Run:
    """A fit under way."""

    def __init__(
        self,
        mlp: Any,
        network: Network,
        train: Samples,
        validation: Samples | None,
        judged: Samples | None,
        incremental: bool,
    ) -> None:
        self.mlp, self.network, self.validation = mlp, network, validation
        self.incremental, self.epochs = incremental, 1 if incremental else mlp.max_iter
        self.optimizer: Optimizer = mlp._optimizer
        self.samples = len(train)
        batch_size = _batch_size(mlp.batch_size, self.samples)
        whole = batch_size == self.samples
        self.orders = None if whole else _Orders(mlp._random_state, self.samples, mlp.shuffle)
        self.trainer = self.optimizer.trainer(
            network,
            train,
            self.epochs,
            keep=incremental,
            loss=mlp._minimised()._core(),
            l2=float(mlp.alpha),
            batch_size=None if whole else batch_size,
            seed=self._seed(),
            first_layer=self._first_layer(),
            l1=float(mlp.l1),
            clip_norm=None if mlp.clip_norm is None else float(mlp.clip_norm),
            dropout=checked_dropout(mlp.dropout, mlp.input_dropout, len(network.hidden)),
        )
        self.best = network._core.snapshot() if mlp.early_stopping else None
        scores = getattr(mlp, "validation_scores_", None) or ()
        self.before = mlp.t_, len(mlp.loss_curve_), len(scores)
        self.listeners = Listeners(
            mlp,
            network,
            judged,
            first_layer=": ".join(self.trainer.first_layer()),
            optimizer=self.optimizer.name,
            epochs=self.epochs,
            batch_size=None if whole else batch_size,
            samples=self.samples,
            validation_samples=0 if judged is None else len(judged),
        )

    def _seed(self) -> int:
        """Where dropout comes from; without it nothing is drawn that scikit-learn does not draw."""
        drops = np.any(self.mlp.dropout) or self.mlp.input_dropout
        return int(self.mlp._random_state.randint(2**31)) if drops else 0

    def _first_layer(self) -> str:
        """In the space of examples a velocity is neither rescaled nor kept between calls."""
        asked: str = self.mlp.first_layer
        if self.optimizer.constant and not self.incremental:
            return asked
        if asked == "gram":
            raise ValueError(
                "first_layer is 'gram', which wants learning_rate='constant' and a fit in one call"
            )
        return "direct"

    def go(self) -> None:
        self.listeners.begin()
        self._go()
        self.listeners.end()

    def _go(self) -> None:
        mlp = self.mlp
        mlp.n_iter_ = 0
        at_once = 1
        while mlp.n_iter_ < self.epochs:
            count = max(1, min(at_once, self.epochs - mlp.n_iter_, self._cannot_stop_before()))
            began = time.perf_counter()
            losses = self._epochs(count)
            seconds = time.perf_counter() - began
            at_once = max(1, min(2 * at_once, int(at_once * CALL_SECONDS / (seconds + 1e-9))))
            if losses is None:
                return
            ended = any(self._epoch_ended(loss) for loss in losses)
            if self.listeners.epochs_ended() or ended or self.incremental:
                return
        warn(
            f"Stochastic Optimizer: Maximum iterations ({mlp.max_iter}) reached and the "
            "optimization hasn't converged yet.",
            ConvergenceWarning,
        )

    def _cannot_stop_before(self) -> int:
        """How many epochs are needed at least before anything but Ctrl-C can end the fit."""
        if self.validation is not None or self.listeners.each_epoch:
            return 1
        if self.optimizer.schedule == "invscaling":
            return 1
        patience = self.mlp.n_iter_no_change - self.mlp._no_improvement_count + 1
        return max(1, int(min(patience, self.epochs)))

    def _epochs(self, count: int) -> list[float] | None:
        orders = None if self.orders is None else self.orders.draw(count)
        try:
            losses = self.trainer.run(count if orders is None else len(orders), orders)
        except DivergenceError as error:
            self._diverged(error)
            return None
        if losses is None:
            return None
        parts = zip(losses, self.trainer.penalties(), strict=True)
        return [self.mlp._reported_loss(loss, penalty) for loss, penalty in parts]

    def _diverged(self, error: DivergenceError) -> None:
        mlp = self.mlp
        if self.best is None:
            raise DivergenceError(f"{NOT_FINITE} ({error})") from None
        mlp.n_iter_ += 1
        mlp.t_ += self.samples
        mlp.loss_ = float("nan")
        mlp.loss_curve_.append(mlp.loss_)
        mlp.validation_scores_.append(float("nan"))
        warn(f"{error}; the best weights before are kept", ConvergenceWarning)

    def _epoch_ended(self, loss: float) -> bool:
        """Keep the books of an epoch; whether the fit ends."""
        mlp = self.mlp
        mlp.n_iter_ += 1
        mlp.t_ += self.samples
        mlp.loss_ = loss
        mlp.loss_curve_.append(loss)
        if mlp.verbose:
            print(f"Iteration {mlp.n_iter_}, loss = {loss:.8f}")
        self._count_improvement()
        self.optimizer.end_epoch(self.trainer, mlp.t_)
        if mlp._no_improvement_count <= mlp.n_iter_no_change:
            return False
        what = "Validation score" if mlp.early_stopping else "Training loss"
        message = (
            f"{what} did not improve more than tol={mlp.tol:f} "
            f"for {mlp.n_iter_no_change} consecutive epochs."
        )
        if self.optimizer.no_progress(self.trainer, message, bool(mlp.verbose)):
            return True
        mlp._no_improvement_count = 0
        return False

    def _count_improvement(self) -> None:
        mlp = self.mlp
        score = self._judge() if self.validation is not None else None
        if mlp.early_stopping and score is not None:
            short = score < mlp.best_validation_score_ + mlp.tol
            if score > mlp.best_validation_score_:
                mlp.best_validation_score_ = score
                self.best = self.network._core.snapshot()
        else:
            loss = mlp.loss_curve_[-1]
            short = loss > mlp.best_loss_ - mlp.tol
            mlp.best_loss_ = min(mlp.best_loss_, loss)
        mlp._no_improvement_count = mlp._no_improvement_count + 1 if short else 0

    def settle(self) -> None:
        """Forget the epoch whose books were not finished when Ctrl-C was pressed."""
        mlp = self.mlp
        t, losses, scores = self.before
        done = min(mlp.n_iter_, len(mlp.loss_curve_) - losses)
        if self.validation is not None:
            done = min(done, len(mlp.validation_scores_) - scores)
            del mlp.validation_scores_[scores + done :]
        del mlp.loss_curve_[losses + done :]
        mlp.n_iter_, mlp.t_ = done, t + done * self.samples
        if mlp.loss_curve_:
            mlp.loss_ = mlp.loss_curve_[-1]

    def _judge(self) -> float:
        assert self.validation is not None
        outputs = self.network._core.forward(self.validation.X)
        score: float = self.mlp._score_outputs(outputs, self.validation.y, self.validation.weights)
        self.mlp.validation_scores_.append(score)
        if self.mlp.verbose:
            print(f"Validation score: {score:f}")
        return score


class _Orders:
    """The order of the rows, each epoch's shuffled from the last one's, as in scikit-learn."""

    def __init__(self, rng: np.random.RandomState, samples: int, shuffle: bool) -> None:
        self.rng, self.samples, self.shuffle = rng, samples, shuffle
        self.order = np.arange(samples, dtype=np.uint32)

    def draw(self, epochs: int) -> NDArray[np.uint32]:
        """Return the orders of the next epochs, (epochs, samples); fewer where rows are many."""
        epochs = max(1, min(epochs, MOST_NUMBERS // self.samples))
        if not self.shuffle:
            return np.broadcast_to(self.order, (epochs, self.samples))
        orders = np.empty((epochs, self.samples), dtype=np.uint32)
        for order in orders:
            places = np.arange(self.samples)
            self.rng.shuffle(places)
            np.take(self.order, places, out=order)
            self.order = order
        return orders


def _batch_size(batch_size: int | str, samples: int) -> int:
    if isinstance(batch_size, str):
        return min(200, samples)
    if batch_size > samples:
        warn("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped")
    return int(np.clip(batch_size, 1, samples))
