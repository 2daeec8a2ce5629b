"""What a History shows of itself."""

import pytest

import purrceptron as pc


@pytest.mark.parametrize(
    ("epochs", "loss"),
    [
        (0, ""),
        (1, "loss=[0.7], "),
        (2, "loss=[0.7, 0.35], "),
        (3000, "loss=[0.7, ..., 0.0002333], "),
    ],
)
def test_it_is_short_however_long_the_fit_was(epochs, loss):
    history = pc.History([0.7 / (epoch + 1) for epoch in range(epochs)], epochs=epochs)
    assert repr(history) == f"History(epochs={epochs}, {loss}seconds=0, first_layer='')"


def test_it_shows_the_validation_and_how_the_first_layer_was_trained():
    X, y = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1]
    history = pc.train(pc.Network([2, 3, 1], seed=1), X, y, epochs=5, validation_data=(X, y))
    first, last = history.val_accuracy[0], history.val_accuracy[-1]
    shown = repr(history)
    assert shown.startswith(f"History(epochs=5, loss=[{history.loss[0]:.4g}, ..., ")
    assert f"val_accuracy=[{first:.4g}, ..., {last:.4g}]" in shown
    assert shown.endswith("first_layer='direct: ...')")
    assert len(shown) < 200
    assert eval(f"pc.{shown}").epochs == 5  # it reads as Python
