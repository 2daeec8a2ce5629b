"""Small drawings of cats, and of things that are not cats, made from a seed with NumPy alone.

What makes the task worth hidden layers: cats and other things wear the same colours, poses and
faces, and light on dark is as likely as dark on light. No pixel tells them apart by itself; the
shape does (pointed ears, whiskers, a long tail). The same seed gives the same bytes everywhere:
random numbers are raw 53-bit fractions, and the arithmetic is exact to the bit on any machine.
"""

import operator

import numpy as np
import numpy.typing as npt

from purrceptron.data._dataset import IMAGE_SHAPE, Dataset
from purrceptron.data._drawn._animals import BEAR, CAT, DOG, POSES, RABBIT, draw_animal
from purrceptron.data._drawn._palette import EYES, PALETTE, WHITE, Coat, brightness
from purrceptron.data._drawn._pen import Colour, Pen
from purrceptron.data._drawn._things import THINGS

_OTHER_ANIMALS = (DOG, DOG, BEAR, RABBIT)


def drawn_cats(m: int, seed: int) -> Dataset:
    """Draw ``m`` pictures: cats in the odd rows, other things in the even ones.

    Row ``i`` depends on ``seed`` and ``i`` alone, so more drawings begin with the same ones.

    Parameters
    ----------
    m : int
        How many, at least 1.
    seed : int
        At least 0. The same seed gives the same bytes on every machine.

    Returns
    -------
    Dataset
        ``x`` (m, 12288) uint8, ``y`` (m,) int64 with 1 for a cat, ``drawn`` True.

    Raises
    ------
    ValueError
        If ``m`` or ``seed`` is out of range.

    Examples
    --------
    >>> drawn_cats(100, seed=1)
    Dataset(100 examples of 64 x 64 x 3 from drawn cats, seed 1: 50 non-cat, 50 cat)
    """
    m, seed = operator.index(m), operator.index(seed)
    if m < 1:
        raise ValueError(f"m must be at least 1, got {m}")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    y = np.arange(m, dtype=np.int64) % 2
    x = np.stack([_draw(_Random(seed, i), bool(y[i])) for i in range(m)])
    return Dataset(x, y, ("non-cat", "cat"), IMAGE_SHAPE, f"drawn cats, seed {seed}", drawn=True)


class _Random:
    """Choices made from raw 53-bit fractions alone, which no NumPy release changes."""

    def __init__(self, *seed: int) -> None:
        self.fractions = np.random.Generator(np.random.PCG64(seed)).random

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * float(self.fractions())

    def chance(self, probability: float) -> bool:
        return float(self.fractions()) < probability

    def index(self, length: int) -> int:
        return int(float(self.fractions()) * length)


def _draw(rng: _Random, is_cat: bool) -> npt.NDArray[np.uint8]:
    """Draw one picture, (12288,) uint8."""
    back, front = _two_colours(rng)
    page = Pen.on(np.empty((3, *IMAGE_SHAPE[:2])))
    _background(page, rng, back)
    _figure(page, rng, Coat(front, EYES[rng.index(4)], rng.chance(0.4), rng.chance(0.4)), is_cat)
    return _developed(page.picture, rng)


def _two_colours(rng: _Random) -> tuple[Colour, Colour]:
    """Pick a background and a figure colour that differ in brightness, either way round."""
    while True:
        a, b = PALETTE[rng.index(len(PALETTE))], PALETTE[rng.index(len(PALETTE))]
        if abs(brightness(a) - brightness(b)) > 0.3:
            return a, b


def _background(page: Pen, rng: _Random, colour: Colour) -> None:
    """Fill the page: a gradient, and now and then a disc of light and a floor."""
    x, y = page.coordinates()
    slope = rng.between(-0.1, 0.1) * x + rng.between(-0.1, 0.1) * y
    page.picture[:] = colour[:, None, None] + slope
    if rng.chance(0.4):
        radius = rng.between(0.3, 0.8)
        left, top = rng.between(-0.9, 0.9), rng.between(-0.9, 0.0)
        page.ellipse(left, top, radius, radius, colour + 0.2 * (WHITE - colour))
    if rng.chance(0.5):
        top = rng.between(0.5, 0.8)
        page.polygon([(-2, top), (2, top), (2, 2), (-2, 2)], 0.85 * colour)


def _figure(page: Pen, rng: _Random, coat: Coat, is_cat: bool) -> None:
    """Draw a cat or something else, a little moved, scaled and leaning, facing either way."""
    x, y = rng.between(-0.1, 0.1), rng.between(-0.1, 0.1)
    pen = page.moved(x, y, rng.between(0.8, 1.05), rng.between(-0.18, 0.18))
    if rng.chance(0.5):
        pen = pen.mirrored()
    pose = POSES[rng.index(len(POSES))]
    other = rng.index(len(_OTHER_ANIMALS) + len(THINGS))
    if is_cat:
        draw_animal(pen, coat, CAT, pose)
    elif other < len(_OTHER_ANIMALS):
        draw_animal(pen, coat, _OTHER_ANIMALS[other], pose)
    else:
        THINGS[other - len(_OTHER_ANIMALS)](pen, coat)


def _developed(picture: npt.NDArray[np.float64], rng: _Random) -> npt.NDArray[np.uint8]:
    """Dim the picture, add grain, and round it to bytes: (3, 64, 64) to (12288,)."""
    picture = picture * rng.between(0.7, 1.0)
    # The sum of four fractions is near enough to a normal variate, and exact on any machine.
    grain = rng.fractions((4, *picture.shape))
    picture += (grain[0] + grain[1] + grain[2] + grain[3] - 2) * rng.between(0.0, 0.1)
    pixels = (np.clip(picture, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
    return pixels.transpose(1, 2, 0).reshape(-1)
