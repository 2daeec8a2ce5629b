"""Compute the polynomials of src/math/constants.rs: weighted minimax fits in 45 digits (mpmath).

Run it with `python coefficients.py`; it prints, for each function and dtype, the coefficients
(lowest power first, as C99 hexadecimal floats' decimal repr) and the error of the fit.
"""

import struct
from collections.abc import Callable
from itertools import pairwise

from mpmath import (
    binomial,
    cos,
    coth,
    erfc,
    exp,
    expm1,
    log1p,
    lu_solve,
    matrix,
    mp,
    mpf,
    pi,
    sqrt,
    tanh,
)

mp.dps = 45
Function = Callable[[mpf], mpf]


def minimax(g: Function, weight: Function, low: mpf, high: mpf, terms: int) -> list[mpf]:
    """Coefficients of the polynomial p that minimises max |weight (p - g)| (Remez exchange)."""
    grid = [low + (high - low) * (1 - cos(pi * (i + mpf(1) / 3) / 600)) / 2 for i in range(600)]
    values, weights = [g(x) for x in grid], [weight(x) for x in grid]
    nodes = [
        round((1 - cos(pi * (i + mpf(1) / 2) / (terms + 1))) * 299.5) for i in range(terms + 1)
    ]
    for _ in range(60):
        a = matrix(terms + 1, terms + 1)
        b = matrix(terms + 1, 1)
        for row, i in enumerate(nodes):
            for power in range(terms):
                a[row, power] = grid[i] ** power
            a[row, terms] = (-1) ** row / weights[i]
            b[row] = values[i]
        solution = lu_solve(a, b)
        coefficients = [solution[k] for k in range(terms)]
        errors = [
            w * (horner(coefficients, x) - v) for x, v, w in zip(grid, values, weights, strict=True)
        ]
        peaks: list[int] = []
        for i, e in enumerate(errors):  # one extremum for each run of equal signs
            if peaks and errors[peaks[-1]] * e > 0:
                if abs(e) > abs(errors[peaks[-1]]):
                    peaks[-1] = i
            else:
                peaks.append(i)
        while len(peaks) > terms + 1:
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        if len(peaks) < terms + 1 or peaks == nodes:
            break
        nodes = peaks
    return coefficients


def horner(coefficients: list[mpf], x: mpf) -> mpf:
    """Return the polynomial's value, lowest power first."""
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def rounded(x: mpf, dtype: str) -> mpf:
    """Return the nearest number of that type."""
    return (
        mpf(struct.unpack("f", struct.pack("f", float(x)))[0]) if dtype == "f32" else mpf(float(x))
    )


def fit(
    name: str, g: Function, weight: Function, low: float, high: float, sizes: dict[str, int]
) -> None:
    """Fit, round, and print the coefficients and the weighted error of the rounded polynomial."""
    for dtype, terms in sizes.items():
        found = [rounded(c, dtype) for c in minimax(g, weight, mpf(low), mpf(high), terms)]
        points = (low + (high - low) * (i + mpf(1) / 3) / 3000 for i in range(3000))
        worst = max(abs(weight(x) * (horner(found, x) - g(x))) for x in points)
        bits = 24 if dtype == "f32" else 53
        print(f"{name} {dtype}: error {float(worst * 2**bits):.3f} * 2^-{bits}")
        for c in found:
            print(f"    {float(c)!r}," if dtype == "f64" else f"    {float(c):.9g},")


def mills(x: mpf) -> mpf:
    """Return the normal distribution's upper tail at x, over exp(-x²/2)."""
    return erfc(x / sqrt(mpf(2))) / 2 * exp(x * x / 2)


def tanh_piece(low: mpf, high: mpf, terms: int) -> list[mpf]:
    """Return c, then the coefficients of powers of x - c, for tanh(x) between low and high in f32.

    Where the piece does not begin at 0, c is such that the first coefficient, which tanh(c) is not
    far from, loses next to nothing by being rounded.
    """
    if low == 0:
        rest = minimax(
            lambda x: (tanh(x) / x - 1) / x,
            lambda x: x**2 / tanh(x),
            mpf("1e-6"),
            high,
            terms - 2,
        )
        return [mpf(0), mpf(0), mpf(1), *rest]
    middle = (low + high) / 2
    about_middle = minimax(
        lambda t: tanh(middle + t),
        lambda t: 1 / tanh(middle + t),
        low - middle,
        high - middle,
        terms,
    )

    def loss(c: mpf) -> mpf:
        value = horner(about_middle, c - middle)
        return abs(rounded(value, "f32") - value)

    steps = (rounded(middle + i * (high - low) / 4096, "f32") for i in range(-300, 301))
    c = min(steps, key=loss)
    shifted = [
        sum(binomial(j, k) * about_middle[j] * (c - middle) ** (j - k) for j in range(k, terms))
        for k in range(terms)
    ]
    return [c, *shifted]


def tanh_pieces(start: float, highest: float, terms: int) -> None:
    """Print a row for each of 16 pieces: there x + start has one exponent and two bits more."""
    (first,) = struct.unpack("I", struct.pack("f", start))
    edges = [struct.unpack("f", struct.pack("I", first + (i << 21)))[0] - start for i in range(17)]
    for low, high in pairwise([*edges[:-1], highest]):
        row = [rounded(number, "f32") for number in tanh_piece(mpf(low), mpf(high), terms)]
        points = (low + (high - low) * (i + mpf(1) / 3) / 3000 for i in range(3000))
        worst = max(abs(horner(row[1:], x - row[0]) / tanh(x) - 1) for x in points)
        numbers = ", ".join(f"{float(number):.9g}" for number in row)
        print(f"    [{numbers}], // from {low}: error {float(worst * 2**24):.3f} * 2^-24")


if __name__ == "__main__":
    # exp(r) = 1 + r + r² / 2 + r³ P(r); the weight makes it the relative error of expm1(r)
    fit(
        "exp",
        lambda r: (expm1(r) - r - r**2 / 2) / r**3,
        lambda r: abs(r**3 / expm1(r)),
        -0.3470,
        0.3470,
        {"f32": 4, "f64": 9},
    )
    # the same where a table leaves |r| <= ln 2 / 32
    fit(
        "exp, short",
        lambda r: (expm1(r) - r - r**2 / 2) / r**3,
        lambda r: abs(r**3),
        -0.02170,
        0.02170,
        {"f64": 4},
    )

    # exp(r) = (c + r) / (c - r), c = r coth(r / 2) = 2 + z P(z), z = r²; relative error of c
    def coth_part(z: mpf) -> mpf:
        r = sqrt(z)
        return (r * coth(r / 2) - 2) / z

    fit("coth", coth_part, lambda z: z / 2, 1e-12, 0.1205, {"f32": 2, "f64": 5})
    fit("coth, short", coth_part, lambda z: z / 2, 1e-12, 4.71e-4, {"f64": 2})

    # log1p(f) = 2 s + s z P(z), s = f / (2 + f), z = s²; relative error
    def log_part(z: mpf) -> mpf:
        s = sqrt(z)
        return ((log1p(s) - log1p(-s)) / s - 2) / z

    fit("log", log_part, lambda z: z / 2, 1e-12, 0.02945, {"f32": 4, "f64": 7})
    # Phi(-x) = exp(-x²/2) P(q) / (x + k), q = (x - k) / (x + k)
    for dtype, terms, k, top in (("f32", 11, 3, 15), ("f64", 23, 4, 39)):

        def tail(q: mpf, k: int = k) -> mpf:
            x = k * (1 + q) / (1 - q)
            return mills(x) * (x + k)

        fit(
            f"normal tail, k = {k}",
            tail,
            lambda q: 1 / tail(q),
            -1,
            float(mpf(top - k) / (top + k)),
            {dtype: terms},
        )
    # tanh(x) by pieces, where a register of 16 numbers can be looked up by another
    tanh_pieces(0.625, 9.25, 6)
