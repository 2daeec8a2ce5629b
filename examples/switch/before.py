"""A classifier of handwritten digits, with scikit-learn alone; `after.py` differs in a line."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

pipe = make_pipeline(
    MinMaxScaler(),
    MLPClassifier(hidden_layer_sizes=(64, 32), early_stopping=True, random_state=0),
)
pipe.fit(X_train, y_train)
print(f"{pipe[-1].n_iter_} epochs, accuracy {pipe.score(X_test, y_test):.3f}")
