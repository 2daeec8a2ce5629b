"""One example in twenty is of the class that matters: weights by class find what is else missed."""

import numpy as np
from sklearn.datasets import make_classification
from sklearn.metrics import precision_score, recall_score
from sklearn.model_selection import train_test_split

from purrceptron.sklearn import MLPClassifier

X, y = make_classification(
    n_samples=4000, n_features=10, n_informative=6, weights=[0.95], class_sep=0.7, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"{np.mean(y == 1):.1%} of the examples are of class 1")

for class_weight in (None, {0: 1, 1: 5}, "balanced"):
    clf = MLPClassifier(
        hidden_layer_sizes=32,
        max_iter=300,
        class_weight=class_weight,
        early_stopping=True,
        random_state=0,
    )
    said = clf.fit(X_train, y_train).predict(X_test)
    recall, precision = recall_score(y_test, said), precision_score(y_test, said)
    print(f"{class_weight!s:12} finds {recall:4.0%}, and {precision:4.0%} of its alarms are right")
