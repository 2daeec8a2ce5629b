"""Estimators for scikit-learn: `MLPClassifier` and `MLPRegressor`, by changing one import.

>>> from sklearn.datasets import load_iris
>>> from purrceptron.sklearn import MLPClassifier  # instead of sklearn.neural_network
>>> X, y = load_iris(return_X_y=True)
>>> MLPClassifier(random_state=1, max_iter=500, tol=1e-3).fit(X, y).score(X, y) > 0.95
True
"""

from purrceptron._extras import require

require("sklearn", extra="sklearn", purpose="purrceptron.sklearn")

from ._classifier import MLPClassifier  # noqa: E402 (what it needs comes first)
from ._regressor import MLPRegressor  # noqa: E402

__all__ = ["MLPClassifier", "MLPRegressor"]
