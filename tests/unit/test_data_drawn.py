"""The drawn cats: the same bytes everywhere, half of them cats, and worth a hidden layer."""

import hashlib

import numpy as np
import pytest

import purrceptron as pc
from purrceptron.data import drawn_cats, open_data


def test_the_same_seed_gives_the_same_bytes_on_every_machine():
    digest = hashlib.sha256(drawn_cats(8, seed=1).x.tobytes()).hexdigest()
    assert digest == "e45c8904d62f4aa1183a0e4d4e7d9faf40be762a1279530e67a904bfc547754d"


def test_half_are_cats_in_the_form_of_the_photos():
    data = drawn_cats(21, seed=3)
    assert data.x.shape == (21, 12288)
    assert data.x.dtype == np.uint8
    assert data.y.dtype == np.int64
    assert data.y.tolist() == [0, 1] * 10 + [0]
    assert data.counts() == {"non-cat": 11, "cat": 10}
    assert data.shape == (64, 64, 3)
    assert data.drawn
    assert data.source == "drawn cats, seed 3"


def test_more_drawings_begin_with_the_same_ones():
    np.testing.assert_array_equal(drawn_cats(9, seed=2).x[:4], drawn_cats(4, seed=2).x)


def test_no_two_drawings_and_no_two_seeds_are_alike():
    rows = np.concatenate([drawn_cats(40, seed=seed).x for seed in (0, 1, 2**70)])
    assert len(np.unique(rows, axis=0)) == 120


def test_every_picture_shows_something():
    """A figure stands out from its background, in light and in dark."""
    images = drawn_cats(60, seed=4).images.astype(float).mean(axis=3)
    contrast = np.array([np.percentile(image, 95) - np.percentile(image, 5) for image in images])
    assert contrast.min() > 40
    assert images.mean(axis=(1, 2)).std() > 30


def test_light_on_dark_is_as_likely_as_dark_on_light_in_both_classes():
    data = drawn_cats(400, seed=5)
    grey = data.images.astype(float).mean(axis=3)
    corners = np.stack([grey[:, y : y + 8, x : x + 8] for y in (0, 56) for x in (0, 56)], axis=1)
    is_lighter = grey[:, 26:38, 26:38].mean(axis=(1, 2)) > corners.mean(axis=(1, 2, 3))
    for label in (0, 1):
        assert 0.35 < is_lighter[data.y == label].mean() < 0.65


@pytest.mark.parametrize("m", [0, -1])
def test_no_drawings_are_refused(m):
    with pytest.raises(ValueError, match=f"m must be at least 1, got {m}"):
        drawn_cats(m, seed=1)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        drawn_cats(1, seed=-1)


@pytest.mark.parametrize("argument", [{"m": 2.5, "seed": 1}, {"m": 2, "seed": 1.5}])
def test_halves_are_refused(argument):
    with pytest.raises(TypeError, match="float"):
        drawn_cats(**argument)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_logistic_regression_stays_ten_points_below_the_series_network(seed):
    """On 1000 held-out drawings, against ours and against scikit-learn's converged one."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    train, test = open_data(seed=seed)
    assert len(test) == 1000

    def accuracy(layers):
        net = pc.Network(layers, seed=seed)
        pc.train(net, train.x, train.y, epochs=2500)
        return pc.evaluate(net, test.x, test.y).accuracy

    # In the axes of the space that the examples span the fit is the same, and much smaller.
    pixels = train.x / 255
    squares, axes = np.linalg.eigh(pixels @ pixels.T)
    onto_axes = pixels.T @ (axes / np.sqrt(squares))
    X, X_test = pixels @ onto_axes, test.x / 255 @ onto_axes
    # C = 1 is the best of 1e-6, 1e-5, ..., 1 on these drawings, so the one to beat.
    fitted = linear_model.LogisticRegression(C=1, max_iter=1000).fit(X, train.y)
    ours = accuracy([12288, 20, 7, 5, 1])
    assert ours > 0.8
    assert ours >= accuracy([12288, 1]) + 0.1
    assert ours >= fitted.score(X_test, test.y) + 0.1
