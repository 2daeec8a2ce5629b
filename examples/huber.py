"""A regression in which one value in twenty was measured wrong: Huber's loss is not led astray."""

import numpy as np
from sklearn.preprocessing import StandardScaler

from purrceptron.sklearn import MLPRegressor

rng = np.random.default_rng(0)
X = rng.uniform(-3, 3, (1000, 1))
truth = np.sin(2 * X[:, 0]) + 0.3 * X[:, 0]
measured = truth + 0.1 * rng.normal(size=1000)
wrong = rng.random(1000) < 0.05
measured[wrong] += rng.uniform(5, 15, wrong.sum())

X = StandardScaler().fit_transform(X)
for loss in ("squared_error", "absolute_error", "huber"):
    model = MLPRegressor(
        loss,
        hidden_layer_sizes=(32, 32),
        activation="tanh",
        learning_rate_init=0.01,
        max_iter=2000,
        n_iter_no_change=50,
        random_state=0,
    )
    error = np.abs(model.fit(X, measured).predict(X) - truth).mean()
    print(f"{loss:15} is off by {error:.3f} on average from the true curve")
