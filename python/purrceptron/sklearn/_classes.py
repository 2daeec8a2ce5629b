"""The classes of a classifier between calls: found, compared, encoded, and weighted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import column_or_1d

from ._base import BaseMultilayerPerceptron
from ._labels import classes_of, encode, output_count
from ._validate import checked_input, refuse_odd_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ClassesOfClassifier(BaseMultilayerPerceptron):
    """What `MLPClassifier` does with labels before a fit."""

    def _validate_input(
        self, X: Any, y: Any, incremental: bool, reset: bool
    ) -> tuple[Any, NDArray[Any], str, int]:
        X, y = self._checked(X, y, reset)
        self._sparse_labels = sparse.issparse(y)
        told = self.__dict__.pop("_classes_of_first_call", None)
        goes_on = hasattr(self, "classes_") and (self.warm_start or incremental)
        if told is None and not goes_on:
            self.classes_, out_activation = classes_of(y)
        else:
            out_activation = self.out_activation_ if told is None else classes_of(told)[1]
            self._compare_classes(unique_labels(y), all_of_them=self.warm_start)
        n_outputs = output_count(self.classes_, out_activation, y)
        if not reset:  # the weights are there already
            out_activation, n_outputs = self.out_activation_, self.n_outputs_
        return X, encode(y, self.classes_, out_activation, n_outputs), out_activation, n_outputs

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        if y is not None:
            refuse_odd_labels(y)
        X, y = checked_input(self, X, y=y, multi_output=True, reset=reset)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _compare_classes(self, classes: NDArray[Any], *, all_of_them: bool) -> None:
        if all_of_them and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {classes}"
            )
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                "`y` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes_}. 'y' has {classes}."
            )

    def _validate_validation(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        X, y = self._checked(X, y, reset=False)
        self._compare_classes(unique_labels(y), all_of_them=False)
        return X, encode(y, self.classes_, self.out_activation_, self.n_outputs_)

    def _weights(self, sample_weight: Any, X: Any, targets: NDArray[Any]) -> NDArray[Any] | None:
        weights = super()._weights(sample_weight, X, targets)
        if self.class_weight is None:
            return weights
        labels: Any = targets
        if targets.ndim == 1:
            labels = self.classes_[targets]
        elif targets.shape[1] == 1:
            labels = self.classes_[targets[:, 0].astype(np.intp).clip(max=len(self.classes_) - 1)]
        if isinstance(self.class_weight, dict):
            missing = [c for c in self.classes_ if c not in self.class_weight]
            if missing:
                raise ValueError(f"The classes, {missing}, are not in class_weight")
        of_classes: NDArray[Any] = compute_sample_weight(self.class_weight, labels)
        return of_classes if weights is None else of_classes * weights
