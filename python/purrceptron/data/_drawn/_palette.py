"""The colours of the drawings, and how one figure wears them."""

import numpy as np

from purrceptron.data._drawn._pen import Colour

PALETTE = np.array(
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
EYES = np.array([(0.98, 0.85, 0.30), (0.55, 0.85, 0.45), (0.60, 0.85, 0.98), (1.0, 1.0, 1.0)])
BLACK, WHITE, PINK = np.array([(0.08, 0.07, 0.09), (1.0, 1.0, 1.0), (0.93, 0.55, 0.58)])


def brightness(colour: Colour) -> float:
    """Return how bright a colour looks, from 0 to 1."""
    red, green, blue = colour.tolist()
    return 0.299 * float(red) + 0.587 * float(green) + 0.114 * float(blue)


class Coat:
    """The colours of one figure, and which marks it has."""

    def __init__(self, main: Colour, eyes: Colour, is_striped: bool, is_patched: bool) -> None:
        is_dark = brightness(main) < 0.5
        self.main = main
        self.mark = main + 0.3 * (WHITE - main) if is_dark else 0.72 * main
        self.patch = main + 0.6 * (WHITE - main)
        self.line = WHITE if is_dark else BLACK
        self.eyes = eyes
        self.is_striped = is_striped
        self.is_patched = is_patched
