"""Small drawings of cats, and of things that are not cats, made from a seed with NumPy alone.

Every shape is a signed distance (negative inside), which the pen turns into the share of each
pixel that the shape covers: smooth edges without any drawing library. Only operations that IEEE
754 rounds exactly are used (no sine, no exponential), so a seed gives the same bytes everywhere.

What makes the task worth a hidden layer: cats and other things wear the same colours, poses and
faces, and light on dark is as likely as dark on light. No pixel tells them apart by itself; the
shape does (pointed ears, whiskers, a long tail).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from purrceptron.data._dataset import IMAGE_SHAPE, Dataset

Colour = npt.NDArray[np.float64]
Field = npt.NDArray[np.float64]
Point = tuple[float, float]

_SIDE = IMAGE_SHAPE[0]
_PALETTE = np.array(
    [
        (0.98, 0.93, 0.82),  # cream
        (0.93, 0.58, 0.26),  # ginger
        (0.20, 0.20, 0.23),  # charcoal
        (0.58, 0.60, 0.64),  # smoke
        (0.42, 0.27, 0.18),  # chocolate
        (0.97, 0.97, 0.97),  # snow
        (0.62, 0.82, 0.95),  # sky
        (0.14, 0.20, 0.38),  # midnight
        (0.66, 0.88, 0.76),  # mint
        (0.16, 0.36, 0.27),  # forest
        (0.95, 0.70, 0.74),  # rose
        (0.38, 0.20, 0.38),  # plum
        (0.85, 0.73, 0.55),  # sand
        (0.20, 0.50, 0.55),  # teal
        (0.66, 0.27, 0.22),  # brick
        (0.97, 0.88, 0.45),  # lemon
    ]
)
_LUMA = np.array([0.299, 0.587, 0.114])
_BLACK, _WHITE, _PINK = np.array([(0.08, 0.07, 0.09), (1.0, 1.0, 1.0), (0.93, 0.55, 0.58)])


def drawn_cats(m: int, seed: int) -> Dataset:
    """Draw ``m`` pictures: cats in the odd rows, other things in the even ones.

    Row ``i`` depends on ``seed`` and ``i`` alone, so more drawings begin with the same ones.

    Parameters
    ----------
    m
        How many, at least 1.
    seed
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


class _Pen:
    """Paints shapes; its coordinates run from -1 to 1 over the picture, x right and y down."""

    def __init__(self, picture: Field, u: Field, v: Field, pixel: float) -> None:
        self.picture, self.u, self.v, self.pixel = picture, u, v, pixel

    def moved(self, x: float, y: float, size: float, lean: float = 0.0) -> "_Pen":
        """Return a pen whose origin lies at (x, y), a ``size`` smaller, turned by ``lean``."""
        # (1 - t^2, 2t) / (1 + t^2) is a rotation without sine or cosine: by about 2t radians.
        t = lean / 2
        cos, sin = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
        du, dv = (self.u - x) / size, (self.v - y) / size
        return _Pen(self.picture, cos * du + sin * dv, cos * dv - sin * du, self.pixel / size)

    def paint(self, distance: Field, colour: Colour, opacity: float = 1.0) -> None:
        cover = np.clip(0.5 - distance / self.pixel, 0.0, 1.0) * opacity
        self.picture += cover[:, :, None] * (colour - self.picture)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        du, dv = (self.u - x) / rx, (self.v - y) / ry
        self.paint((np.sqrt(du * du + dv * dv) - 1) * min(rx, ry), colour)

    def polygon(self, corners: Sequence[Point], colour: Colour) -> None:
        """Paint a convex polygon, its corners given clockwise as seen."""
        edges = zip(corners, [*corners[1:], corners[0]], strict=True)
        self.paint(np.maximum.reduce([self._side(a, b) for a, b in edges]), colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Paint a line of round ends through the points."""
        strokes = [self._segment(a, b) for a, b in pairwise(points)]
        self.paint(np.minimum.reduce(strokes) - width, colour, min(1.0, 3 * width / self.pixel))

    def _side(self, a: Point, b: Point) -> Field:
        ex, ey = b[0] - a[0], b[1] - a[1]
        length = (ex * ex + ey * ey) ** 0.5
        distance: Field = ((self.u - a[0]) * ey - (self.v - a[1]) * ex) / length
        return distance

    def _segment(self, a: Point, b: Point) -> Field:
        ex, ey = b[0] - a[0], b[1] - a[1]
        du, dv = self.u - a[0], self.v - a[1]
        along = np.clip((du * ex + dv * ey) / (ex * ex + ey * ey), 0.0, 1.0)
        du, dv = du - along * ex, dv - along * ey
        return np.sqrt(du * du + dv * dv)


class _Coat:
    """The colours of one figure: its main colour, a mark on it, and what stands out from it."""

    def __init__(self, rng: _Random, main: Colour) -> None:
        self.main = main
        self.is_dark = float(main @ _LUMA) < 0.5
        self.mark = main + (0.3 if self.is_dark else -0.3) * (
            (_WHITE if self.is_dark else main) - (main if self.is_dark else _BLACK)
        )
        self.line = _WHITE if self.is_dark else _BLACK
        self.is_striped = rng.chance(0.5)
        eyes = ((0.98, 0.85, 0.3), (0.55, 0.85, 0.45), (0.6, 0.85, 0.98), (1.0, 1.0, 1.0))
        self.eyes = np.array(eyes[rng.index(4)])


def _draw(rng: _Random, is_cat: bool) -> npt.NDArray[np.uint8]:
    """Draw one picture, (12288,) uint8."""
    back, front = _two_colours(rng)
    axis = (np.arange(_SIDE) + 0.5) * (2 / _SIDE) - 1
    u, v = np.meshgrid(axis, axis)
    picture = np.empty((_SIDE, _SIDE, 3))
    page = _Pen(picture, u, v, 2 / _SIDE)
    _background(page, rng, back)

    pen = page.moved(
        rng.between(-0.1, 0.1),
        rng.between(-0.1, 0.1),
        rng.between(0.8, 1.05),
        rng.between(-0.15, 0.15),
    )
    if rng.chance(0.5):
        pen.u = -pen.u
    coat = _Coat(rng, front)
    if is_cat:
        _animal(pen, rng, coat, _cat_ears, whiskers=True)
    else:
        _OTHERS[rng.index(len(_OTHERS))](pen, rng, coat)

    picture *= rng.between(0.85, 1.1)
    # The sum of four fractions is near enough to a normal variate, and exactly reproducible.
    grain = rng.fractions((4, _SIDE, _SIDE, 3))
    picture += (grain[0] + grain[1] + grain[2] + grain[3] - 2) * rng.between(0.0, 0.12)
    return (np.clip(picture, 0.0, 1.0) * 255 + 0.5).astype(np.uint8).reshape(-1)


def _two_colours(rng: _Random) -> tuple[Colour, Colour]:
    """Pick a background and a figure colour that differ in brightness, either way round."""
    while True:
        a, b = _PALETTE[rng.index(len(_PALETTE))], _PALETTE[rng.index(len(_PALETTE))]
        if abs(float((a - b) @ _LUMA)) > 0.3:
            return a, b


def _background(pen: _Pen, rng: _Random, colour: Colour) -> None:
    """Fill the page: a gradient, and now and then a floor."""
    slope = rng.between(-0.12, 0.12) * pen.u + rng.between(-0.12, 0.12) * pen.v
    pen.picture[:] = colour + slope[:, :, None]
    if rng.chance(0.5):
        pen.paint(rng.between(0.55, 0.8) - pen.v, colour * 0.85)


Ears = Callable[[_Pen, _Coat], None]


def _cat_ears(pen: _Pen, coat: _Coat) -> None:
    for side in (-1, 1):
        tip = pen.moved(0, 0, 1)
        tip.u = side * tip.u
        tip.polygon([(0.98, 0.1), (0.1, -0.6), (0.85, -1.5)], coat.main)
        tip.polygon([(0.85, -0.2), (0.4, -0.6), (0.78, -1.15)], _PINK)


def _dog_ears(pen: _Pen, coat: _Coat) -> None:
    for side in (-1, 1):
        pen.moved(side * 0.95, 0.1, 1, -0.3 * side).ellipse(0, 0, 0.3, 0.75, coat.mark)


def _bear_ears(pen: _Pen, coat: _Coat) -> None:
    for side in (-1, 1):
        pen.ellipse(side * 0.7, -0.75, 0.36, 0.36, coat.main)
        pen.ellipse(side * 0.7, -0.75, 0.2, 0.2, coat.mark)


def _rabbit_ears(pen: _Pen, coat: _Coat) -> None:
    for side in (-1, 1):
        ear = pen.moved(side * 0.35, -1.2, 1, 0.2 * side)
        ear.ellipse(0, 0, 0.22, 0.75, coat.main)
        ear.ellipse(0, 0.05, 0.1, 0.55, _PINK)


def _animal(pen: _Pen, rng: _Random, coat: _Coat, ears: Ears, whiskers: bool = False) -> None:
    """Draw an animal: its head alone, sitting, or lying down."""
    pose = rng.index(3)
    if pose == 0:
        _head(pen.moved(0, 0.15, 0.55), rng, coat, ears, whiskers)
    elif pose == 1:
        tail = [(0.3, 0.8), (0.7, 0.75), (0.8, 0.4), (0.65, 0.15)]
        pen.line(tail, 0.07, coat.main)
        pen.ellipse(0, 0.5, 0.42, 0.5, coat.main)
        for x in (-0.17, 0.17):
            pen.ellipse(x, 0.9, 0.15, 0.1, coat.mark)
        _head(pen.moved(0, -0.2, 0.38), rng, coat, ears, whiskers)
    else:
        pen.line([(0.6, 0.65), (0.9, 0.5), (0.85, 0.1)], 0.07, coat.main)
        pen.ellipse(0.15, 0.5, 0.65, 0.36, coat.main)
        for x in (-0.45, -0.1):
            pen.ellipse(x, 0.8, 0.2, 0.1, coat.mark)
        _head(pen.moved(-0.35, 0.05, 0.38), rng, coat, ears, whiskers)


def _head(pen: _Pen, rng: _Random, coat: _Coat, ears: Ears | None, whiskers: bool) -> None:
    """Draw a face of radius 1."""
    if ears:
        ears(pen, coat)
    pen.ellipse(0, 0, 1.05, 0.9, coat.main)
    if coat.is_striped:
        for x in (-0.25, 0, 0.25):
            pen.line([(x, -0.8), (x * 0.8, -0.5)], 0.05, coat.mark)
    for x in (-0.42, 0.42):
        pen.ellipse(x, -0.05, 0.2, 0.22, coat.eyes)
        pen.ellipse(x, -0.05, 0.09 if whiskers else 0.12, 0.19 if whiskers else 0.12, _BLACK)
    pen.polygon([(-0.12, 0.28), (0.12, 0.28), (0, 0.42)], _PINK if whiskers else _BLACK)
    pen.line([(-0.25, 0.52), (-0.1, 0.6), (0, 0.45), (0.1, 0.6), (0.25, 0.52)], 0.03, coat.line)
    if whiskers:
        for side in (-1, 1):
            for end in (0.2, 0.42, 0.64):
                pen.line([(side * 0.5, 0.42), (side * 1.45, end)], 0.025, coat.line)


def _dog(pen: _Pen, rng: _Random, coat: _Coat) -> None:
    _animal(pen, rng, coat, _dog_ears)


def _bear(pen: _Pen, rng: _Random, coat: _Coat) -> None:
    _animal(pen, rng, coat, _bear_ears)


def _rabbit(pen: _Pen, rng: _Random, coat: _Coat) -> None:
    _animal(pen, rng, coat, _rabbit_ears)


def _ball(pen: _Pen, rng: _Random, coat: _Coat) -> None:
    pen.ellipse(0, 0.15, 0.6, 0.6, coat.main)


_OTHERS = (_dog, _bear, _rabbit, _ball)
