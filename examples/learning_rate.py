"""Finding a learning rate: raise it a little after each batch, and see where the loss turns up.

The range test of Smith (2017): each batch is a warm start of one epoch. A good rate is a few times
smaller than the one at which the loss is lowest.
"""

import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score

from purrceptron.sklearn import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # no fit here is meant to converge
X, y = load_digits(return_X_y=True)
X /= 16
rng = np.random.default_rng(0)

rates = np.geomspace(1e-3, 30, 120)
losses = []
clf = MLPClassifier(64, solver="sgd", momentum=0, warm_start=True, max_iter=1, random_state=0)
for rate in rates:
    batch = rng.choice(len(X), 100, replace=False)
    clf.set_params(learning_rate_init=rate).fit(X[batch], y[batch])
    losses.append(clf.loss_)
    if losses[-1] > 4 * losses[0]:
        break

smooth = np.convolve(losses, np.ones(9) / 9, mode="valid")
for i in range(0, len(smooth), 8):
    print(f"rate {rates[i + 4]:8.4f}  loss {smooth[i]:6.3f}  " + "#" * int(20 * min(smooth[i], 3)))

turn = rates[smooth.argmin() + 4]
found = turn / 4
print(f"the loss is lowest at a rate of {turn:.3g}: try {found:.2g}")

for rate in (found / 100, found):
    clf = MLPClassifier(
        64, solver="sgd", momentum=0, learning_rate_init=rate, max_iter=15, random_state=0
    )
    accuracy = cross_val_score(clf, X, y, cv=3).mean()
    print(f"15 epochs at {rate:.2g}: accuracy {accuracy:.3f}")
