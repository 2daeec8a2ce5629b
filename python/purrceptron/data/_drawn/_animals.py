"""Cats, dogs, bears and rabbits: one body and one face, told apart by ears, tail and whiskers."""

from collections.abc import Callable
from typing import NamedTuple

from purrceptron.data._drawn._palette import BLACK, PINK, WHITE, Coat
from purrceptron.data._drawn._pen import Pen, curve

POSES = ("head", "sitting", "lying")


class Species(NamedTuple):
    """What tells one animal from another."""

    ears: Callable[[Pen, Coat], None]
    tail: Callable[[Pen, Coat], None]
    has_whiskers: bool = False


def _cat_ears(pen: Pen, coat: Coat) -> None:
    for half in (pen, pen.mirrored()):
        half.polygon([(1.0, 0.1), (0.05, -0.7), (0.85, -1.45)], coat.main)
        half.polygon([(0.85, -0.4), (0.4, -0.7), (0.78, -1.15)], PINK)


def _dog_ears(pen: Pen, coat: Coat) -> None:
    for half in (pen, pen.mirrored()):
        half.moved(1.0, 0.1, 1, -0.3).ellipse(0, 0, 0.3, 0.75, coat.mark)


def _bear_ears(pen: Pen, coat: Coat) -> None:
    for x in (-0.75, 0.75):
        pen.ellipse(x, -0.7, 0.36, 0.36, coat.main)
        pen.ellipse(x, -0.7, 0.2, 0.2, PINK)


def _rabbit_ears(pen: Pen, coat: Coat) -> None:
    for half in (pen, pen.mirrored()):
        ear = half.moved(0.38, -1.15, 1, 0.2)
        ear.ellipse(0, 0, 0.22, 0.7, coat.main)
        ear.ellipse(0, 0.05, 0.1, 0.5, PINK)


def _long_tail(pen: Pen, coat: Coat) -> None:
    pen.line(curve((0.2, 0.85), (1.2, 1.0), (0.75, 0.15)), 0.08, coat.main)


def _short_tail(pen: Pen, coat: Coat) -> None:
    pen.line([(0.3, 0.7), (0.65, 0.4)], 0.09, coat.main)


def _puff(pen: Pen, coat: Coat) -> None:
    pen.ellipse(0.5, 0.75, 0.16, 0.16, coat.patch)


CAT = Species(_cat_ears, _long_tail, has_whiskers=True)
DOG = Species(_dog_ears, _short_tail)
BEAR = Species(_bear_ears, _puff)
RABBIT = Species(_rabbit_ears, _puff)


def draw_animal(pen: Pen, coat: Coat, species: Species, pose: str) -> None:
    """Draw an animal in one of the `POSES`."""
    if pose == "head":
        _head(pen.moved(0, 0.2, 0.62), coat, species)
    elif pose == "sitting":
        species.tail(pen, coat)
        pen.ellipse(0, 0.58, 0.4, 0.42, coat.main)
        if coat.is_patched:
            pen.ellipse(0, 0.6, 0.22, 0.28, coat.patch)
        for x in (-0.17, 0.17):
            pen.ellipse(x, 0.93, 0.15, 0.09, coat.mark)
        _head(pen.moved(0, -0.1, 0.48), coat, species)
    else:
        species.tail(pen.moved(0.25, 0.05, 0.85), coat)
        pen.ellipse(0.2, 0.6, 0.65, 0.34, coat.main)
        if coat.is_striped:
            for x in (0.3, 0.5, 0.7):
                pen.line([(x, 0.35), (x + 0.05, 0.6)], 0.04, coat.mark)
        for x in (-0.4, -0.05):
            pen.ellipse(x, 0.86, 0.2, 0.1, coat.mark)
        _head(pen.moved(-0.25, 0.1, 0.48), coat, species)


def _head(pen: Pen, coat: Coat, species: Species) -> None:
    """Draw a head of radius 1."""
    species.ears(pen, coat)
    pen.ellipse(0, 0, 1.05, 0.9, coat.main)
    if coat.is_striped:
        for x in (-0.25, 0, 0.25):
            pen.line([(x, -0.75), (0.7 * x, -0.45)], 0.06, coat.mark)
    if coat.is_patched:
        pen.ellipse(0, 0.42, 0.5, 0.36, coat.patch)
    for x in (-0.42, 0.42):
        pen.ellipse(x, -0.05, 0.22, 0.24, coat.eyes)
        pen.ellipse(x, -0.05, 0.1 if species.has_whiskers else 0.15, 0.2, BLACK)
        pen.ellipse(x + 0.06, -0.13, 0.07, 0.07, WHITE)
    pen.polygon([(-0.14, 0.24), (0.14, 0.24), (0, 0.4)], PINK)
    pen.line([(-0.26, 0.5), (-0.1, 0.58), (0, 0.42), (0.1, 0.58), (0.26, 0.5)], 0.035, coat.line)
    if species.has_whiskers:
        for half in (pen, pen.mirrored()):
            for end in (0.15, 0.4, 0.65):
                half.line([(0.55, 0.4), (1.4, end)], 0.03, coat.line)
