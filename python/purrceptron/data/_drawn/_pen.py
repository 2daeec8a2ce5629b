"""A pen that paints smooth shapes on a small picture, with NumPy alone.

A shape is its signed distance (negative inside), which becomes the share of each pixel that the
shape covers. Only operations that IEEE 754 rounds exactly are used (no sine, no power), so a
picture has the same bytes on every machine.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import ceil, floor, sqrt

import numpy as np
import numpy.typing as npt

Colour = npt.NDArray[np.float64]
"""Red, green and blue, from 0 to 1."""

Field = npt.NDArray[np.float64]
"""One number a pixel, (rows, columns)."""

Point = tuple[float, float]


class Pen:
    """Paints shapes in coordinates of its own: over the page -1 to 1, x right and y down.

    Parameters
    ----------
    picture
        What it paints on, (3, rows, columns).
    x_axis, y_axis
        The (column, row, constant) weights that make its x and its y of a pixel. They turn,
        scale, shift and mirror, and keep shapes similar.
    """

    def __init__(self, picture: Field, x_axis: Sequence[float], y_axis: Sequence[float]) -> None:
        self.picture, self.x_axis, self.y_axis = picture, x_axis, y_axis
        self.pixel = sqrt(x_axis[0] * x_axis[0] + x_axis[1] * x_axis[1])

    @classmethod
    def on(cls, picture: Field) -> "Pen":
        """Return the pen of a whole, square picture."""
        step = 2 / picture.shape[1]
        return cls(picture, (step, 0.0, step / 2 - 1), (0.0, step, step / 2 - 1))

    def moved(self, x: float, y: float, size: float, lean: float = 0.0) -> "Pen":
        """Return a pen with its origin at (x, y), on a scale of ``size``, turned clockwise.

        ``lean`` is nearly the angle in radians: (1 - t^2, 2t) / (1 + t^2) turns by 2 arctan t.
        """
        t = lean / 2
        cos, sin = (1 - t * t) / (1 + t * t) / size, 2 * t / (1 + t * t) / size
        (a, b, c), (d, e, f) = self.x_axis, self.y_axis
        c, f = c - x, f - y
        return Pen(
            self.picture,
            (cos * a + sin * d, cos * b + sin * e, cos * c + sin * f),
            (cos * d - sin * a, cos * e - sin * b, cos * f - sin * c),
        )

    def mirrored(self) -> "Pen":
        """Return a pen that draws left what this one draws right."""
        return Pen(self.picture, [-weight for weight in self.x_axis], self.y_axis)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Paint an ellipse around (x, y)."""

        def distance(u: Field, v: Field) -> Field:
            du, dv = (u - x) / rx, (v - y) / ry
            return (np.sqrt(du * du + dv * dv) - 1) * min(rx, ry)

        self.paint(distance, [(x - rx, y - ry), (x + rx, y + ry)], colour)

    def polygon(self, corners: Sequence[Point], colour: Colour) -> None:
        """Paint a convex polygon, its corners given clockwise as seen."""
        edges = list(pairwise([*corners, corners[0]]))

        def distance(u: Field, v: Field) -> Field:
            beyond: Field = np.max([_beyond(u, v, a, b) for a, b in edges], axis=0)
            return beyond

        self.paint(distance, corners, colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Paint a line with round ends through the points, ``width`` to either side."""

        def distance(u: Field, v: Field) -> Field:
            away: Field = np.min([_from(u, v, a, b) for a, b in pairwise(points)], axis=0)
            return away - width

        # A line much thinner than a pixel fades instead of breaking up.
        self.paint(distance, points, colour, min(1.0, 3 * width / self.pixel), width)

    def paint(
        self,
        distance: Callable[[Field, Field], Field],
        around: Sequence[Point],
        colour: Colour,
        opacity: float = 1.0,
        margin: float = 0.0,
    ) -> None:
        """Lay a colour over what is inside, looking only near the box around some points."""
        rows, columns = self._window(around, margin)
        u, v = self.coordinates(rows, columns)
        cover = np.clip(0.5 - distance(u, v) / self.pixel, 0.0, 1.0) * opacity
        part = self.picture[:, rows, columns]
        part += cover * (colour[:, None, None] - part)

    def coordinates(
        self, rows: slice = slice(None), columns: slice = slice(None)
    ) -> tuple[Field, Field]:
        """Return this pen's x and y of each pixel."""
        i = np.arange(self.picture.shape[1], dtype=np.float64)[rows, None]
        j = np.arange(self.picture.shape[2], dtype=np.float64)[None, columns]
        (a, b, c), (d, e, f) = self.x_axis, self.y_axis
        return a * j + b * i + c, d * j + e * i + f

    def _window(self, around: Sequence[Point], margin: float) -> tuple[slice, slice]:
        """Return the rows and columns of a disc, in pixels, that holds the box around points."""
        xs, ys = zip(*around, strict=True)
        left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
        width, height = right - left, bottom - top
        radius = (sqrt(width * width + height * height) / 2 + margin) / self.pixel + 1
        (a, b, c), (d, e, f) = self.x_axis, self.y_axis
        du, dv, area = (left + right) / 2 - c, (top + bottom) / 2 - f, self.pixel * self.pixel
        column, row = (a * du + d * dv) / area, (b * du + e * dv) / area
        return _span(row, radius), _span(column, radius)


def curve(a: Point, b: Point, c: Point) -> list[Point]:
    """Return points on the arc from a to c that b pulls towards itself."""
    steps = [i / 6 for i in range(7)]
    weights = [((1 - t) * (1 - t), 2 * t * (1 - t), t * t) for t in steps]
    return [(p * a[0] + q * b[0] + r * c[0], p * a[1] + q * b[1] + r * c[1]) for p, q, r in weights]


def _beyond(u: Field, v: Field, a: Point, b: Point) -> Field:
    """Return how far each pixel lies to the left of the way from a to b."""
    ex, ey = b[0] - a[0], b[1] - a[1]
    distance: Field = ((u - a[0]) * ey - (v - a[1]) * ex) / sqrt(ex * ex + ey * ey)
    return distance


def _from(u: Field, v: Field, a: Point, b: Point) -> Field:
    """Return how far each pixel lies from the line between a and b."""
    ex, ey = b[0] - a[0], b[1] - a[1]
    du, dv = u - a[0], v - a[1]
    along = np.clip((du * ex + dv * ey) / (ex * ex + ey * ey), 0.0, 1.0)
    du, dv = du - along * ex, dv - along * ey
    return np.sqrt(du * du + dv * dv)


def _span(centre: float, radius: float) -> slice:
    return slice(max(0, floor(centre - radius)), max(0, ceil(centre + radius) + 1))
