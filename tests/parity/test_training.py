"""Training in Rust follows the plain NumPy network, cost by cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import purrceptron as pc
from purrceptron import _reference as reference


def zeros(layers):
    return [(np.zeros((layers[1], layers[0])), np.zeros(layers[1]))]


def he(layers):
    return reference.initialise(layers, seed=3, gain=2**0.5)


@pytest.mark.photos
@pytest.mark.parametrize(
    ("layers", "start", "learning_rate"),
    [
        ([12288, 20, 7, 5, 1], he, 0.0075),
        ([12288, 7, 1], he, 0.0075),
        ([12288, 1], zeros, 0.005),
    ],
    ids=["four-layer", "two-layer", "logistic"],
)
def test_2500_iterations_on_the_photos(layers, start, learning_rate, photos, network):
    X, X_test = photos.X / 255, photos.X_test / 255
    begin = start(layers)
    expected, costs = reference.train(X, photos.y, begin, learning_rate, iterations=2500)

    for first_layer in ("direct", "gram"):  # one algebra, two ways
        net = network(begin)
        history = pc.train(
            net,
            X,
            photos.y,
            optimizer=pc.SGD(learning_rate=learning_rate),
            epochs=2500,
            first_layer=first_layer,
        )
        np.testing.assert_allclose(history.loss, costs, rtol=0, atol=1e-9, err_msg=first_layer)
        for (W, _), (expected_W, _) in zip(net.parameters, expected, strict=True):
            assert np.linalg.norm(W - expected_W) <= 1e-9 * np.linalg.norm(expected_W), first_layer
        for images, floats in ((photos.X, X), (photos.X_test, X_test)):
            labels = reference.predict(floats, expected)
            np.testing.assert_array_equal(net.predict(floats), labels)
            np.testing.assert_array_equal(net.predict(images), labels)  # bytes, scaled by the net


@settings(max_examples=40, deadline=None)
@given(
    m=st.integers(1, 40),
    layers=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    l2=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 2**32),
)
def test_any_shape_of_network(network, m, layers, l2, seed):
    random = np.random.default_rng(seed)
    X = random.standard_normal((m, layers[0]))
    y = random.integers(0, 2, m)
    begin = reference.initialise([*layers, 1], seed=seed, gain=2**0.5)
    expected, costs = reference.train(X, y, begin, 0.05, iterations=30, l2=l2)

    net = network(begin)
    history = pc.train(net, X, y, optimizer=pc.SGD(learning_rate=0.05), epochs=30, l2=l2)

    np.testing.assert_allclose(history.loss, costs, rtol=0, atol=1e-11)
    for (W, b), (expected_W, expected_b) in zip(net.parameters, expected, strict=True):
        np.testing.assert_allclose(W, expected_W, rtol=0, atol=1e-11)
        np.testing.assert_allclose(b, expected_b, rtol=0, atol=1e-11)


def test_a_batch_of_several_blocks(network):
    # so many rows that memory for all activations at once would be wasteful
    random = np.random.default_rng(0)
    X, y = random.standard_normal((5003, 6)), random.integers(0, 2, 5003)
    begin = reference.initialise([6, 9, 4, 1], seed=0, gain=2**0.5)
    expected, costs = reference.train(X, y, begin, 0.1, iterations=20, l2=2.0)
    net = network(begin)
    history = pc.train(net, X, y, optimizer=pc.SGD(learning_rate=0.1), epochs=20, l2=2.0)
    np.testing.assert_allclose(history.loss, costs, rtol=0, atol=1e-11)
    np.testing.assert_allclose(
        net.predict_proba(X)[:, 0], reference.predict_proba(X, expected), rtol=0, atol=1e-11
    )


@pytest.mark.photos
@pytest.mark.parametrize("first_layer", ["direct", "gram"])
@pytest.mark.parametrize("kind", ["bytes", "floats"])
def test_float32_follows_float64_for_as_long_as_it_can(photos, network, kind, first_layer):
    # Later rounding decides on which side of its kink a ReLU is, and the run takes another way:
    # with AVX2 in the 23rd iteration, with AVX-512 not in the first 100.
    begin = he([12288, 20, 7, 5, 1])
    _, costs = reference.train_gram(photos.X / 255, photos.y, begin, 0.0075, iterations=20)
    net = network([(W.astype(np.float32), b.astype(np.float32)) for W, b in begin])
    X = photos.X if kind == "bytes" else (photos.X / 255).astype(np.float32)
    # The default optimiser is the series'.
    history = pc.train(net, X, photos.y, epochs=20, first_layer=first_layer)
    np.testing.assert_allclose(history.loss, costs, rtol=0, atol=1e-7)


def test_bytes_train_like_their_scaled_floats(network):
    random = np.random.default_rng(0)
    X, y = random.integers(0, 256, (30, 50), dtype=np.uint8), random.integers(0, 2, 30)
    begin = reference.initialise([50, 6, 1], seed=0)
    expected, _ = reference.train(X / 255, y, begin, 0.1, iterations=50)
    net = network(begin)
    pc.train(net, X, y, optimizer=pc.SGD(learning_rate=0.1), epochs=50)
    for (W, b), (expected_W, expected_b) in zip(net.parameters, expected, strict=True):
        np.testing.assert_allclose(W, expected_W, rtol=0, atol=1e-12)
        np.testing.assert_allclose(b, expected_b, rtol=0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    m=st.integers(2, 40),
    n=st.integers(1, 120),
    hidden=st.lists(st.integers(1, 12), max_size=2),
    l2=st.sampled_from([0.0, 0.5]),
    momentum=st.sampled_from([(0.0, False), (0.9, False), (0.9, True)]),
    batch_size=st.sampled_from([None, 1, 7, 16]),
    seed=st.integers(0, 2**32),
)
def test_the_gram_form_follows_the_direct_one(m, n, hidden, l2, momentum, batch_size, seed):
    random = np.random.default_rng(seed)
    X, y = random.standard_normal((m, n)), random.integers(0, 2, m)
    optimizer = pc.SGD(learning_rate=0.01, momentum=momentum[0], nesterov=momentum[1])
    runs = []
    for first_layer in ("direct", "gram"):
        net = pc.Network([n, *hidden, 1], dtype="float64", seed=seed)
        history = pc.train(
            net,
            X,
            y,
            optimizer=optimizer,
            epochs=25,
            l2=l2,
            batch_size=None if batch_size is None else min(batch_size, m),
            seed=seed,
            first_layer=first_layer,
        )
        runs.append((history.loss, net.parameters))
    (direct_loss, direct), (gram_loss, gram) = runs
    np.testing.assert_allclose(gram_loss, direct_loss, rtol=1e-9, atol=1e-10)
    for (W, b), (expected_W, expected_b) in zip(gram, direct, strict=True):
        np.testing.assert_allclose(W, expected_W, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(b, expected_b, rtol=1e-9, atol=1e-9)


@pytest.mark.photos
@pytest.mark.slow
def test_in_float32_the_gram_form_ends_as_well_as_the_direct_one(photos):
    # The runs part, since they are chaotic, and end at the same place.
    right = {"direct": [], "gram": []}
    for seed in range(1, 9):
        for first_layer, counts in right.items():
            net = pc.Network([12288, 20, 7, 5, 1], seed=seed)
            pc.train(net, photos.X, photos.y, first_layer=first_layer)
            sets = ((photos.X, photos.y), (photos.X_test, photos.y_test))
            counts.append([int((net.predict(X) == y).sum()) for X, y in sets])
    medians = {name: np.median(counts, axis=0) for name, counts in right.items()}
    assert np.abs(medians["gram"] - medians["direct"]).max() <= 2, medians
