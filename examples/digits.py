"""Handwritten digits, with what scikit-learn's own perceptron lacks.

Validation data of one's own, an activation for each layer, and a network to save.
"""

import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import purrceptron as pc
from purrceptron.sklearn import MLPClassifier

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)  # float32 stays float32: half the memory, twice the speed
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(
    X_train, y_train, test_size=0.2, stratify=y_train, random_state=0
)

clf = MLPClassifier(
    hidden_layer_sizes=(64, 32),
    activation=["gelu", "relu"],
    learning_rate_init=0.003,
    early_stopping=True,
    random_state=0,
)
clf.fit(X_train, y_train, X_val=X_val, y_val=y_val)
print(f"{clf.n_iter_} epochs, best on the validation data {clf.best_validation_score_:.3f}")
print(f"accuracy on the test data {clf.score(X_test, y_test):.3f}")

wrong = clf.predict(X_test) != y_test
for image, truth, said in list(
    zip(X_test[wrong], y_test[wrong], clf.predict(X_test)[wrong], strict=True)
)[:1]:
    print(f"for example, it takes this {truth} for a {said}:")
    for row in image.reshape(8, 8):
        print("  " + "".join(" .:-=+*#%@"[int(9 * pixel)] * 2 for pixel in row))

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.safetensors"
    clf.network_.save(path)
    network = pc.load(path)  # needs neither scikit-learn nor the data
    same = (network.predict(X_test) == clf.predict(X_test)).all()
    print(f"saved in {path.stat().st_size / 1024:.0f} kB; loaded, it says the same: {same}")
