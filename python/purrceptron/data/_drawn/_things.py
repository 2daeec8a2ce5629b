"""What is no animal: a face without whiskers, a house, a ball, a tree, a fish, a car, a flower."""

from purrceptron.data._drawn._palette import BLACK, Coat
from purrceptron.data._drawn._pen import Pen, curve


def _face(pen: Pen, coat: Coat) -> None:
    pen.ellipse(0, 1.1, 0.6, 0.4, coat.mark)
    pen.ellipse(0, 0, 0.62, 0.65, coat.mark)
    pen.ellipse(0, 0.15, 0.52, 0.58, coat.main)
    for x in (-0.2, 0.2):
        pen.ellipse(x, 0.08, 0.08, 0.09, coat.eyes)
        pen.ellipse(x, 0.08, 0.05, 0.06, BLACK)
    pen.line(curve((-0.22, 0.4), (0, 0.6), (0.22, 0.4)), 0.03, coat.line)


def _house(pen: Pen, coat: Coat) -> None:
    pen.polygon([(-0.6, -0.1), (0.6, -0.1), (0.6, 0.85), (-0.6, 0.85)], coat.main)
    pen.polygon([(0, -0.85), (0.8, -0.05), (-0.8, -0.05)], coat.mark)
    pen.polygon([(-0.12, 0.4), (0.16, 0.4), (0.16, 0.85), (-0.12, 0.85)], coat.mark)
    for x in (-0.45, 0.25):
        pen.polygon([(x, 0.1), (x + 0.22, 0.1), (x + 0.22, 0.32), (x, 0.32)], coat.eyes)


def _ball(pen: Pen, coat: Coat) -> None:
    pen.ellipse(0, 0.2, 0.65, 0.65, coat.main)
    pen.ellipse(0, 0.2, 0.3, 0.64, coat.eyes if coat.is_striped else coat.mark)
    pen.ellipse(0, -0.4, 0.1, 0.06, coat.line)
    pen.ellipse(0.3, -0.08, 0.1, 0.14, coat.patch)


def _tree(pen: Pen, coat: Coat) -> None:
    pen.line([(0, 0.2), (0, 0.9)], 0.1, coat.mark)
    for x, y, radius in ((-0.35, 0.05, 0.38), (0.35, 0.05, 0.38), (0, -0.35, 0.45)):
        pen.ellipse(x, y, radius, radius, coat.main)
    for x, y in ((-0.4, 0.1), (0.1, -0.4), (0.35, 0.0), (-0.1, 0.0)):
        pen.ellipse(x, y, 0.08, 0.08, coat.eyes)


def _fish(pen: Pen, coat: Coat) -> None:
    pen.polygon([(0.35, 0.1), (0.9, -0.3), (0.9, 0.5)], coat.mark)
    pen.ellipse(-0.1, 0.1, 0.65, 0.42, coat.main)
    pen.polygon([(0, 0.1), (0.3, -0.05), (0.3, 0.3)], coat.mark)
    pen.ellipse(-0.42, 0, 0.1, 0.1, coat.eyes)
    pen.ellipse(-0.43, 0, 0.05, 0.05, BLACK)
    pen.line([(-0.7, 0.2), (-0.55, 0.22)], 0.03, coat.line)


def _car(pen: Pen, coat: Coat) -> None:
    pen.polygon([(-0.35, -0.25), (0.3, -0.25), (0.6, 0.2), (-0.6, 0.2)], coat.main)
    pen.polygon([(-0.28, -0.15), (0.25, -0.15), (0.43, 0.15), (-0.43, 0.15)], coat.eyes)
    pen.line([(-0.7, 0.35), (0.7, 0.35)], 0.2, coat.main)
    for x in (-0.45, 0.45):
        pen.ellipse(x, 0.55, 0.2, 0.2, BLACK)
        pen.ellipse(x, 0.55, 0.09, 0.09, coat.patch)


def _flower(pen: Pen, coat: Coat) -> None:
    pen.line(curve((0, -0.1), (0.1, 0.5), (0, 1.0)), 0.06, coat.mark)
    pen.moved(0.25, 0.65, 1, -0.6).ellipse(0, 0, 0.28, 0.12, coat.mark)
    for x, y in ((0.4, 0), (0.2, 0.35), (-0.2, 0.35), (-0.4, 0), (-0.2, -0.35), (0.2, -0.35)):
        pen.ellipse(x, y - 0.25, 0.24, 0.24, coat.main)
    pen.ellipse(0, -0.25, 0.2, 0.2, coat.eyes)


THINGS = (_face, _house, _ball, _tree, _fish, _car, _flower)
