"""Mini-batches follow a NumPy twin, with the order of the rows drawn by a twin of the generator.

The order must be the same on every machine and in every later version, so it is drawn here once
more, from the published description of ChaCha and of the two mappings on top of it.
"""

import numpy as np
import pytest

import purrceptron as pc
from purrceptron import _reference as reference

MASK = 2**32 - 1


def chacha8(key, stream):
    """Generate the words of ChaCha with 8 rounds: key of 8 words, stream of 64 bits."""

    def quarter(x, a, b, c, d):
        for p, q, r, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[p] = (x[p] + x[q]) & MASK
            x[r] ^= x[p]
            x[r] = ((x[r] << turn) | (x[r] >> (32 - turn))) & MASK

    constants = [int.from_bytes(b"expand 32-byte k"[i : i + 4], "little") for i in (0, 4, 8, 12)]
    block = 0
    while True:
        place = [block & MASK, block >> 32, stream & MASK, stream >> 32]
        begin = [*constants, *key, *place]
        x = list(begin)
        for _ in range(4):
            for i in range(4):
                quarter(x, i, i + 4, i + 8, i + 12)
            for i in range(4):
                quarter(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
        yield from ((a + b) & MASK for a, b in zip(x, begin, strict=True))
        block += 1


def order_of_rows(rows, seed, epoch):
    """Shuffle 0, ..., rows - 1 as an epoch does: Fisher and Yates, with Lemire's integers."""
    words = chacha8([seed & MASK, seed >> 32, 0, 0, 0, 0, 0, 0], stream=(1 << 56) | epoch)

    def below(n):
        while True:
            wide = (next(words) | next(words) << 32) * n
            if wide % 2**64 >= (2**64 - n) % n:
                return wide >> 64

    order = list(range(rows))
    for i in reversed(range(1, rows)):
        j = below(i + 1)
        order[i], order[j] = order[j], order[i]
    return order


def test_the_generator_is_chacha():
    # draft-strombergson-chacha-test-vectors-01, TC1: 8 rounds, a key and a stream of zeros
    words = chacha8([0] * 8, 0)
    stream = b"".join(next(words).to_bytes(4, "little") for _ in range(4))
    assert stream.hex() == "3e00ef2f895f40d67f5bb8e81f09a5a1"


@pytest.mark.parametrize("l2", [0.0, 0.4])
@pytest.mark.parametrize("batch_size", [1, 7, 16, 50])
def test_mini_batches(network, batch_size, l2):
    random = np.random.default_rng(0)
    X, y = random.standard_normal((50, 12)), random.integers(0, 2, 50)
    begin = reference.initialise([12, 9, 1], seed=1, gain=2**0.5)
    seed, epochs, learning_rate = 2**40 + 5, 4, 0.05

    parameters, costs = begin, []
    for epoch in range(epochs):
        order, total = order_of_rows(50, seed, epoch), 0.0
        for i in range(0, 50, batch_size):
            rows = order[i : i + batch_size]
            parameters, (cost,) = reference.train(
                X[rows], y[rows], parameters, learning_rate, iterations=1, l2=l2
            )
            total += len(rows) * cost
        costs.append(total / 50)

    net = network(begin)
    history = pc.train(
        net,
        X,
        y,
        optimizer=pc.SGD(learning_rate=learning_rate),
        epochs=epochs,
        batch_size=batch_size,
        l2=l2,
        seed=seed,
    )
    np.testing.assert_allclose(history.loss, costs, rtol=0, atol=1e-12)
    for (W, b), (expected_W, expected_b) in zip(net.parameters, parameters, strict=True):
        np.testing.assert_allclose(W, expected_W, rtol=0, atol=1e-12)
        np.testing.assert_allclose(b, expected_b, rtol=0, atol=1e-12)


def test_dropout_draws_its_masks_from_the_generator():
    """One example of ones: a weight whose input is left out of the step does not move."""
    n, rate, seed = 300, 0.35, 2**33 + 7
    net = pc.Network([n, 4, 1], hidden="identity", output="identity", dtype="float64", seed=1)
    before = net.parameters
    pc.train(
        net,
        np.ones((1, n)),
        [5.0],
        optimizer=pc.SGD(1e-3),
        epochs=3,
        batch_size=1,
        seed=seed,
        input_dropout=rate,
        dropout=0.5,
    )
    stayed = (net.parameters[0][0] == before[0][0]).all(axis=0)
    key, below = [seed & MASK, seed >> 32, 0, 0, 0, 0, 0, 0], int(rate * 2**32)
    out = []
    for step in (1, 2, 3):
        # Purpose 2; the counter is the step times the layers, and the layer.
        words = chacha8(key, stream=(2 << 56) | (2 * step))
        out.append([next(words) < below for _ in range(n)])
    np.testing.assert_array_equal(stayed, np.all(out, axis=0))
    assert 0 < stayed.sum() < n
