"""The same bits for any number of threads."""

import numpy as np
import pytest

import purrceptron as pc

THREADS = (1, 2, 5)


@pytest.fixture
def on_each_count():
    """Return a function that runs something on 1, 2 and 5 threads."""
    before = pc.get_num_threads()

    def run(work):
        results = []
        for n in THREADS:
            pc.set_num_threads(n)
            results.append(work())
        return results

    yield run
    pc.set_num_threads(before)


def same_bits(first, *others):
    for other in others:
        for a, b in zip(first, other, strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("m", "k", "n"),
    [
        (20, 209, 12288),
        (209, 12288, 20),
        (512, 128, 784),
        (256, 256, 256),
        (1, 5000, 300),
        (3, 7, 5),
    ],
)
def test_matmul(on_each_count, m, k, n, dtype):
    random = np.random.default_rng(0)
    a, b = (
        random.standard_normal((m, k)).astype(dtype),
        random.standard_normal((k, n)).astype(dtype),
    )
    at, bt = np.ascontiguousarray(a.T).T, np.ascontiguousarray(b.T).T
    same_bits(*on_each_count(lambda: [pc.kernels.matmul(x, y) for x in (a, at) for y in (b, bt)]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("first_layer", ["direct", "gram"])
@pytest.mark.parametrize("batch_size", [None, 32])
def test_training_and_predicting(on_each_count, batch_size, first_layer, dtype):
    random = np.random.default_rng(0)
    X, y = random.integers(0, 256, (300, 2000), dtype=np.uint8), random.integers(0, 2, 300)

    def fit():
        net = pc.Network([2000, 30, 10, 1], dtype=dtype, seed=1)
        history = pc.train(
            net,
            X,
            y,
            optimizer=pc.SGD(learning_rate=0.01),
            epochs=5,
            batch_size=batch_size,
            l2=0.1,
            seed=1,
            first_layer=first_layer,
        )
        flat = [a for layer in net.parameters for a in layer]
        gradients = [a for layer in net.gradients(X, y, l2=0.1) for a in layer]
        return [history.loss, *flat, net.predict_proba(X), *gradients, [net.loss(X, y)]]

    same_bits(*on_each_count(fit))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_so_small_that_rows_are_shared_out(on_each_count, dtype):
    random = np.random.default_rng(1)
    X, y = random.standard_normal((165, 30)), random.integers(0, 3, 165)

    def fit():
        net = pc.Network([30, 64, 41, 3], output="softmax", dtype=dtype, seed=1)
        history = pc.train(net, X, y, optimizer=pc.Adam(), epochs=4, batch_size=64, seed=1)
        return [history.loss, *(a for layer in net.parameters for a in layer)]

    same_bits(*on_each_count(fit))


def test_element_wise_kernels(on_each_count):
    random = np.random.default_rng(0)
    z, da = random.standard_normal((2, 300, 1001)).astype(np.float32)
    y = random.integers(0, 2, z.shape).astype(np.float32)
    k = pc.kernels

    def run():
        return [
            k.relu(z),
            k.sigmoid(z),
            k.relu_backward(da, z),
            k.sigmoid_backward(da, z),
            [k.binary_cross_entropy(z, y)],
            k.binary_cross_entropy_backward(z, y),
        ]

    same_bits(*on_each_count(run))
