"""Compute tests/data/math_f64.txt: values of the mathematical functions in 60 digits (mpmath).

A line is: function, x, the nearest f64 to f(x), and how far f(x) is from it, in units in that
number's last place. `python reference.py [points] > tests/data/math_f64.txt`.
"""

import random
import struct
import sys

from mpmath import erfc, exp, expm1, log, log1p, mp, mpf, sqrt, tanh

mp.dps = 60

FUNCTIONS = {
    "exp": exp,
    "expm1": expm1,
    "log": lambda x: log(abs(x)),
    "log1p": lambda x: log1p(x) if x > -1 else log1p(-x),
    "tanh": tanh,
    "sigmoid": lambda x: 1 / (1 + exp(-x)),
    "softplus": lambda x: log1p(exp(x)),
    "gelu": lambda x: x * erfc(-x / sqrt(mpf(2))) / 2,
    "silu": lambda x: x / (1 + exp(-x)),
}


def points(count: int) -> list[float]:
    """Numbers of every magnitude, most of them where the functions bend."""
    generator = random.Random(1)
    found = [0.34657, 0.34658, 1.0, 0.5, 37.0, 700.0, 1e-300, 1e-5, 0.4142135, 0.4142136]
    while len(found) < count:
        kind = len(found) % 8
        if kind < 3:
            found.append(generator.uniform(0, 2))
        elif kind < 6:
            found.append(generator.uniform(0, 40))
        elif kind < 7:
            found.append(generator.uniform(0, 700))
        else:
            found.append(2.0 ** generator.uniform(-60, 9))
    return [x if i % 2 else -x for i, x in enumerate(found)]


def bits(x: float) -> str:
    """Return the bits of a double as hexadecimal digits."""
    return struct.pack(">d", x).hex()


def main(count: int) -> None:
    """Print a line a function and point: name, x, value."""
    for name, f in FUNCTIONS.items():
        for x in points(count):
            if name in ("log", "log1p") and (name == "log" or x <= -1):
                x = abs(x)
            exact = f(mpf(x))
            nearest = float(exact)
            if abs(nearest) < 2.0**-1000:
                continue  # where the last place is that of a subnormal number, or nearly
            unit = mpf(2) ** (mp.frexp(mpf(nearest))[1] - 53) if nearest else mpf(1)
            print(name, bits(x), bits(nearest), f"{float((exact - mpf(nearest)) / unit):.4f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
