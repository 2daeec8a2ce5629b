"""The random numbers of a fit: ChaCha, the order of the rows, the masks of dropout.

They must be the same on every machine and in every later version, so they are drawn here once
more, from the published description of ChaCha and of the mappings on top of it.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

MASK = 2**32 - 1
ORDER, DROPOUT = 1, 2  # what a stream is for


def chacha8(key: list[int], stream: int) -> Iterator[int]:
    """Generate the words of ChaCha with 8 rounds: key of 8 words, stream of 64 bits."""

    def quarter(x: list[int], a: int, b: int, c: int, d: int) -> None:
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


def words(seed: int, purpose: int, counter: int) -> Iterator[int]:
    """Generate the words that a fit draws for one purpose."""
    return chacha8([seed & MASK, seed >> 32, 0, 0, 0, 0, 0, 0], (purpose << 56) | counter)


def order_of_rows(rows: int, seed: int, epoch: int) -> list[int]:
    """Shuffle 0, ..., rows - 1 as an epoch does: Fisher and Yates, with Lemire's integers."""
    drawn = words(seed, ORDER, epoch)

    def below(n: int) -> int:
        while True:
            wide = (next(drawn) | next(drawn) << 32) * n
            if wide % 2**64 >= (2**64 - n) % n:
                return wide >> 64

    order = list(range(rows))
    for i in reversed(range(1, rows)):
        j = below(i + 1)
        order[i], order[j] = order[j], order[i]
    return order


def mask(
    shape: tuple[int, int], rate: float, *, seed: int, step: int, layer: int, layers: int
) -> NDArray[np.float64]:
    """Return what the input (rows, n) of a layer is multiplied by in a step, counted from 1."""
    below = int(rate * 2**32)
    drawn = words(seed, DROPOUT, step * layers + layer)
    kept = [word >= below for word in islice(drawn, shape[0] * shape[1])]
    return np.reshape(kept, shape) / (1 - below / 2**32)
