"""Training as Python sees it: what a step does, what the history holds, what is refused."""

import gc
import json
import math
import pickle

import numpy as np
import pytest

import purrceptron as pc

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((20, 6))
Y = (X[:, 0] + X[:, 1] > 0).astype(np.int64)
X_VAL, Y_VAL = X[::3] + 0.5, Y[::3]

KINDS = {
    "sigmoid": ({"layer_sizes": [6, 5, 1]}, Y),
    "several sigmoids": ({"layer_sizes": [6, 5, 3]}, np.c_[Y, 1 - Y, Y]),
    "softmax": ({"layer_sizes": [6, 5, 3], "output": "softmax"}, Y + (X[:, 2] > 0)),
    "one value": ({"layer_sizes": [6, 5, 1], "output": "identity"}, X[:, 0]),
    "values": ({"layer_sizes": [6, 5, 2], "output": "identity"}, X[:, :2]),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def network(**settings):
    return pc.Network(**{"layer_sizes": [6, 5, 1], "dtype": "float64", "seed": 1} | settings)


def problem(kind):
    settings, y = KINDS[kind]
    return network(**settings), y


def flat(net):
    return np.concatenate([a.ravel() for layer in net.parameters for a in layer])


# What a step does


@pytest.mark.parametrize("l2", [0.0, 0.5])
@each_kind
def test_a_step_of_gradient_descent_follows_the_gradient(kind, l2):
    net, y = problem(kind)
    weights = np.linspace(0, 1, 20)
    expected = [
        (W - 0.3 * dW, b - 0.3 * db)
        for (W, b), (dW, db) in zip(
            net.parameters, net.gradients(X, y, l2=l2, sample_weight=weights), strict=True
        )
    ]
    pc.train(net, X, y, optimizer=pc.SGD(0.3), epochs=1, l2=l2, sample_weight=weights)
    for (W, b), (expected_W, expected_b) in zip(net.parameters, expected, strict=True):
        np.testing.assert_allclose(W, expected_W, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(b, expected_b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "hidden",
    [
        "identity", "relu", "sigmoid", "tanh", "leaky_relu", "elu", "selu", "gelu", "silu",
        "softplus",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["sigmoid", "softmax", "values"])
def test_every_network_learns(kind, hidden):
    settings, y = KINDS[kind]
    net = network(**settings, hidden=hidden)
    history = pc.train(net, X, y, optimizer=pc.Adam(0.02), epochs=300)
    assert history.loss[-1] < history.loss[0] / 2


def test_the_default_is_the_series_gradient_descent():
    net, twin = network(), network()
    pc.train(net, X, Y, epochs=7)
    pc.train(twin, X, Y, optimizer=pc.SGD(learning_rate=0.0075, momentum=0.0), epochs=7)
    np.testing.assert_array_equal(flat(net), flat(twin))
    assert net.training["learning_rate"] == 0.0075


def test_mini_batches_make_one_step_each():
    net = network()
    history = pc.train(net, X, Y, optimizer=pc.Adam(), epochs=3, batch_size=6)
    assert history.state.step == 3 * 4  # 6 + 6 + 6 + 2 rows
    assert history.state.epoch == 3
    assert pc.train(net, X, Y, epochs=3).state.step == 3


def test_rows_that_count_for_nothing_teach_nothing():
    weights = np.r_[np.ones(10), np.zeros(10)]
    other, flipped = X.copy(), Y.copy()
    other[10:], flipped[10:] = 99, 1 - Y[10:]
    for settings in ({}, {"batch_size": 3, "seed": 4}):
        net, twin = network(), network()
        pc.train(net, X, Y, epochs=5, sample_weight=weights, **settings)
        pc.train(twin, other, flipped, epochs=5, sample_weight=weights, **settings)
        np.testing.assert_allclose(flat(net), flat(twin), rtol=1e-12)


def test_training_leaves_the_arrays_alone():
    given = [X.copy(), Y.copy(), np.ones(20)]
    pc.train(network(), given[0], given[1], epochs=3, sample_weight=given[2], batch_size=4)
    np.testing.assert_array_equal(given[0], X)
    np.testing.assert_array_equal(given[1], Y)
    np.testing.assert_array_equal(given[2], 1)


# History


@each_kind
def test_the_loss_is_that_before_the_update_with_its_penalty(kind):
    net, y = problem(kind)
    expected = []
    for _ in range(4):
        expected.append(net.loss(X, y, l2=0.4))
        history = pc.train(net, X, y, epochs=1, l2=0.4)
        assert history.loss == [pytest.approx(expected[-1], rel=1e-13)]
    net, _ = problem(kind)
    history = pc.train(net, X, y, epochs=4, l2=0.4)
    assert history.loss == pytest.approx(expected, rel=1e-13)
    assert all(type(loss) is float for loss in history.loss)
    assert history.epochs == 4
    assert history.seconds > 0
    assert history.first_layer.startswith("direct")
    assert history.val_loss == history.val_accuracy == []


def test_the_loss_of_mini_batches_is_their_mean_weighted_by_rows():
    # A rate so small that the weights stand still: the mean over batches is the mean over rows.
    net = network()
    expected = net.loss(X, Y)
    history = pc.train(net, X, Y, optimizer=pc.SGD(1e-300), epochs=2, batch_size=6, seed=0)
    assert history.loss == pytest.approx([expected] * 2, rel=1e-12)
    # With a penalty each batch divides it by its own rows.
    penalty = 0.5 / 2 * sum((W**2).sum() for W, _ in net.parameters)
    expected += sum(rows / 20 * penalty / rows for rows in (6, 6, 6, 2))
    history = pc.train(net, X, Y, optimizer=pc.SGD(1e-300), epochs=2, batch_size=6, seed=0, l2=0.5)
    assert history.loss == pytest.approx([expected] * 2, rel=1e-12)


@each_kind
def test_validation_judges_the_weights_after_the_epoch_without_penalty(kind):
    net, y = problem(kind)
    y_val = y[::3]
    expected_loss, expected_accuracy = [], []

    class Judge:
        def on_epoch_end(self, net, history):
            expected_loss.append(net.loss(X_VAL, y_val))
            right = net.predict(X_VAL) == y_val
            expected_accuracy.append(np.mean(right if right.ndim == 1 else right.all(axis=1)))
            assert len(history.val_loss) == len(history.loss) == history.epochs

    history = pc.train(
        net,
        X,
        y,
        optimizer=pc.SGD(0.5),
        epochs=8,
        l2=0.4,
        batch_size=7,
        seed=2,
        validation_data=(X_VAL, y_val),
        callbacks=[Judge()],
    )
    assert history.val_loss == expected_loss
    assert history.val_accuracy == ([] if net.output == "identity" else expected_accuracy)
    if net.output != "identity":
        assert len(set(expected_accuracy)) > 1
    assert all(type(a) is float for a in history.val_loss + history.val_accuracy)


def test_no_epochs_change_nothing():
    net = network()
    before = flat(net)
    history = pc.train(net, X, Y, epochs=0)
    np.testing.assert_array_equal(flat(net), before)
    assert (history.loss, history.epochs, history.state.epoch) == ([], 0, 0)


@pytest.mark.parametrize("epochs", [1, 2, 3, 10, 1000, 12345])
def test_there_are_as_many_losses_as_epochs(epochs):
    history = pc.train(pc.Network([2, 1], seed=0), X[:3, :2], Y[:3], epochs=epochs)
    assert len(history.loss) == history.epochs == history.state.epoch == epochs


def test_the_settings_of_the_fit_are_kept_and_are_json():
    net = network()
    pc.train(
        net, X, Y, optimizer=pc.AdamW(0.01), epochs=3, batch_size=8, l2=0.1, seed=5,
        validation_data=(X_VAL, Y_VAL),
    )  # fmt: skip
    kept = json.loads(json.dumps(net.training))
    assert kept["optimizer"] == "adamw"
    assert (kept["learning_rate"], kept["weight_decay"]) == (0.01, 0.01)
    assert (kept["epochs"], kept["batch_size"], kept["l2"], kept["seed"]) == (3, 8, 0.1, 5)
    assert (kept["samples"], kept["validation_samples"]) == (20, len(X_VAL))


def test_a_drawn_seed_is_kept_and_repeats_the_fit():
    net, twin = network(), network()
    pc.train(net, X, Y, epochs=3, batch_size=4)
    pc.train(twin, X, Y, epochs=3, batch_size=4, seed=net.training["seed"])
    np.testing.assert_array_equal(flat(net), flat(twin))
    other = network()
    pc.train(other, X, Y, epochs=3, batch_size=4)
    assert flat(other).tobytes() != flat(net).tobytes()


# Bytes, types


def test_bytes_are_trained_on_as_the_network_scales_them():
    pixels = np.random.default_rng(1).integers(0, 256, (20, 6), dtype=np.uint8)
    for batch_size in (None, 6):
        net, twin = network(), network()
        pc.train(net, pixels, Y, epochs=5, batch_size=batch_size, seed=1)
        pc.train(twin, pixels * (1 / 255), Y, epochs=5, batch_size=batch_size, seed=1)
        np.testing.assert_array_equal(flat(net), flat(twin))


def test_scaled_bytes_are_warned_of_once_at_the_callers_line():
    rounded = np.ones((20, 6), np.uint8)
    with pytest.warns(UserWarning, match="^X is uint8 and never exceeds 1, ") as caught:
        pc.train(network(), rounded, Y, epochs=5, validation_data=(X_VAL, Y_VAL))
    assert [w.filename for w in caught] == [__file__]
    with pytest.warns(UserWarning, match="^X is uint8 and never exceeds 1, ") as caught:
        pc.train(network(), X, Y, epochs=5, validation_data=(rounded, Y))
    assert [w.filename for w in caught] == [__file__]


def test_a_batch_larger_than_the_data_is_clipped_with_a_warning():
    net, twin = network(), network()
    with pytest.warns(UserWarning, match="^batch_size is 21, but X has 20 rows: ") as caught:
        pc.train(net, X, Y, epochs=3, batch_size=21, seed=1)
    assert [w.filename for w in caught] == [__file__]
    pc.train(twin, X, Y, epochs=3, batch_size=20, seed=1)
    np.testing.assert_array_equal(flat(net), flat(twin))


# Resume


@pytest.mark.parametrize("batch_size", [None, 6])
@pytest.mark.parametrize(
    "optimizer",
    [
        pc.SGD(0.1), pc.SGD(0.1, momentum=0.9), pc.RMSProp(), pc.RMSProp(momentum=0.5), pc.Adam(),
        pc.AdamW(),
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_resumed_fit_is_the_longer_fit_bit_for_bit(dtype, optimizer, batch_size):
    settings = {"optimizer": optimizer, "batch_size": batch_size, "l2": 0.1}
    whole, parts = network(dtype=dtype), network(dtype=dtype)
    expected = pc.train(whole, X, Y, epochs=20, seed=3, **settings)
    first = pc.train(parts, X, Y, epochs=8, seed=3, **settings)
    second = pc.train(parts, X, Y, epochs=5, resume=first.state, **settings)
    third = pc.train(parts, X, Y, epochs=7, resume=second.state, **settings)
    assert first.loss + second.loss + third.loss == expected.loss
    np.testing.assert_array_equal(flat(parts), flat(whole))
    assert third.state.epoch == expected.state.epoch == 20
    assert third.state.step == expected.state.step


def test_a_fit_resumes_in_another_network_with_the_same_weights():
    whole, first, other = network(), network(), network(seed=9)
    expected = pc.train(whole, X, Y, optimizer=pc.Adam(), epochs=9, batch_size=6, seed=3)
    history = pc.train(first, X, Y, optimizer=pc.Adam(), epochs=4, batch_size=6, seed=3)
    other.set_parameters(first.parameters)
    pc.train(first, X, Y, epochs=3)  # what becomes of the first does not matter
    again = pc.train(other, X, Y, optimizer=pc.Adam(), epochs=5, batch_size=6, resume=history.state)
    assert again.loss == expected.loss[4:]
    np.testing.assert_array_equal(flat(other), flat(whole))


def test_a_state_is_its_own():
    net = network()
    state = pc.train(net, X, Y, optimizer=pc.Adam(), epochs=4).state
    again = pickle.loads(pickle.dumps(state))
    kept = [a.copy() for slot in state.slots for layer in slot for a in layer]
    pc.train(net, X, Y, optimizer=pc.Adam(), epochs=4, resume=state)
    for old, new in zip(kept, (a for s in state.slots for lay in s for a in lay), strict=True):
        np.testing.assert_array_equal(new, old)
    assert any(a.any() for a in kept)
    for old, new in zip(kept, (a for s in again.slots for lay in s for a in lay), strict=True):
        np.testing.assert_array_equal(new, old)


def test_one_array_of_a_state_keeps_the_memory_that_it_shows():
    net = pc.Network([6, 40_000, 1], seed=0)  # so much that it is given back once nobody has it
    state = pc.train(net, X, Y, optimizer=pc.Adam(), epochs=1).state
    first = state.slots[0][0][0]
    expected = first.copy()
    del state
    gc.collect()
    np.testing.assert_array_equal(first, expected)
    assert first.any()


def test_a_state_that_does_not_fit_is_refused():
    net = network()
    state = pc.train(net, X, Y, optimizer=pc.Adam(), epochs=1).state
    momentum = pc.train(net, X, Y, optimizer=pc.SGD(0.1, momentum=0.9), epochs=1).state
    before = flat(net)
    for settings, sentence in [
        ({"resume": state}, "resume is the state of adam, but optimizer is sgd"),
        (
            {"resume": state, "optimizer": pc.AdamW()},
            "resume is the state of adam, but optimizer is adamw",
        ),
        ({"resume": momentum}, "resume is "),
        ({"resume": 3}, "resume is 3, expected the state of a History, or None"),
        ({"resume": pc.History()}, "resume is History("),
    ]:
        with pytest.raises(ValueError) as caught:
            pc.train(net, X, Y, **{"optimizer": pc.SGD(0.1)} | settings)
        assert str(caught.value).startswith(sentence)
    np.testing.assert_array_equal(flat(net), before)
    wider = network(layer_sizes=[6, 7, 1])
    with pytest.raises(ValueError, match=r"^W of resume.slots\[0\] has shape \(5, 6\), expected"):
        pc.train(wider, X, Y, optimizer=pc.Adam(), resume=state)
    assert pc.train(wider, X, Y, epochs=1).epochs == 1  # nothing is left half begun


# What it refuses


class Nothing:
    pass


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"epochs": -1}, "epochs is -1, expected an integer from 0 on"),
        ({"epochs": 2.5}, "epochs is 2.5, expected an integer from 0 on"),
        ({"epochs": None}, "epochs is None, expected an integer from 0 on"),
        ({"batch_size": 0}, "batch_size is 0, expected an integer from 1 on"),
        ({"batch_size": -5}, "batch_size is -5, expected an integer from 1 on"),
        ({"batch_size": 1.5}, "batch_size is 1.5, expected an integer from 1 on"),
        ({"batch_size": "all"}, "batch_size is 'all', expected an integer from 1 on"),
        ({"seed": -1}, "seed is -1, expected an integer from 0 to 2**64 - 1, or None"),
        ({"seed": 0.5}, "seed is 0.5, expected an integer from 0 to 2**64 - 1, or None"),
        ({"first_layer": "gramm"}, 'first_layer is "gramm", expected one of: auto, direct, gram'),
        ({"validation_data": 3}, "validation_data must be a pair (X, y)"),
        ({"validation_data": (X,)}, "validation_data must be a pair (X, y)"),
        ({"validation_data": (X, Y, Y)}, "validation_data must be a pair (X, y)"),
        ({"validation_data": (X, Y[1:])}, "validation_data: X has 20 rows, but y has 19 rows"),
        ({"validation_data": (X[:0], Y[:0])}, "validation_data: X has no rows"),
        ({"validation_data": (X[:, :5], Y)}, "validation_data: X has 5 columns, but the network"),
        ({"validation_data": (X * np.nan, Y)}, "validation_data: X holds NaN at row 0, column 0"),
        ({"validation_data": (X, Y + 1)}, "validation_data: y is "),
        ({"callbacks": 3}, "callbacks is 3, expected a sequence of callbacks"),
        ({"callbacks": None}, "callbacks is None, expected a sequence of callbacks"),
        ({"callbacks": pc.EarlyStopping()}, "callbacks is <purrceptron._callbacks.EarlyStopping"),
        ({"callbacks": [pc.EarlyStopping]}, "callbacks[0] is the class EarlyStopping, expected an"),
        (
            {"callbacks": [pc.Callback(), print]},
            "callbacks[1] is <built-in function print>, which has none of on_train_begin, on_epoch",
        ),
        ({"callbacks": [Nothing()]}, "callbacks[0] is <"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_settings_of_a_fit_that_do_not_fit_are_refused(settings, sentence):
    net = network()
    before = flat(net)
    with pytest.raises(ValueError) as caught:
        pc.train(net, X, Y, **settings)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)
    np.testing.assert_array_equal(flat(net), before)
    assert net.training == {}
    assert pc.train(net, X, Y, epochs=1).epochs == 1


@pytest.mark.parametrize("net", [None, [6, 5, 1], "net"], ids=repr)
def test_what_is_no_network_is_refused(net):
    with pytest.raises(ValueError, match=r"^net is .*, expected a Network$"):
        pc.train(net, X, Y)


def test_a_fit_that_diverges_says_when_and_what_to_try():
    net = network(output="identity")
    with pytest.raises(pc.DivergenceError) as caught:
        pc.train(net, X, X[:, 0], optimizer=pc.SGD(1e6), epochs=1000)
    sentence = str(caught.value)
    assert sentence.startswith("training diverged in epoch ")
    assert 1 < int(sentence.split()[4].rstrip(":")) < 1000
    assert "learning_rate" in sentence
    assert np.isfinite(flat(net)).all()
    assert math.isfinite(net.loss(X, X[:, 0])) or abs(flat(net)).max() > 1e100
    net.set_parameters(network(output="identity").parameters)
    assert pc.train(net, X, X[:, 0], epochs=3).epochs == 3
