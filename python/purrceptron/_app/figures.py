"""The pictures of the report: the cost curve as inline SVG, images as PNG data URIs."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Matplotlib writes these into the SVG; the page gives each its own colour, in
# light and in dark, by naming a CSS variable in its place.
_COLOURS = {
    "#010101": "var(--ink)",
    "#020202": "var(--muted)",
    "#030303": "var(--line)",
    "#040404": "var(--accent)",
    "#050505": "var(--second)",
}
_INK, _MUTED, _LINE, _ACCENT, _SECOND = _COLOURS

# More points than this cannot be told apart on a page.
_MOST_POINTS = 600


def cost_curve(
    loss: Sequence[float],
    val_loss: Sequence[float] = (),
    *,
    width: int = 680,
    height: int = 300,
) -> str:
    """Draw the cost over the epochs as an ``<svg>`` element to stand in a page.

    Colours are the page's CSS variables and the font is the page's font, so the
    figure follows light and dark. Width and height are in CSS pixels.
    """
    import matplotlib.figure  # here, for it takes a good part of a second
    import matplotlib.ticker

    settings: dict[Any, Any] = {
        "path.simplify": False,
        "svg.fonttype": "none",
        "svg.hashsalt": f"purrceptron {width}",  # ids that repeat, and differ between figures
        "font.size": 12.0,
        "text.color": _INK,
        "axes.labelcolor": _MUTED,
        "xtick.color": _MUTED,
        "ytick.color": _MUTED,
    }
    with matplotlib.rc_context(settings):
        figure = matplotlib.figure.Figure(figsize=(width / 72, height / 72), layout="constrained")
        axes = figure.add_subplot()
        axes.set_facecolor("none")
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(_LINE)
        axes.grid(axis="y", color=_LINE, linewidth=1)
        axes.tick_params(length=0, pad=6)
        axes.locator_params(axis="x", nbins=5, integer=True)
        axes.locator_params(axis="y", nbins=5)
        axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(_whole))
        axes.set_xlabel("epoch")
        curves = [("training", loss, _ACCENT), ("validation", val_loss, _SECOND)]
        for label, values, colour in curves:
            if len(values):
                epochs, costs = _thin(np.asarray(values, dtype=np.float64))
                single = "o" if len(costs) == 1 else None
                axes.plot(epochs, costs, color=colour, linewidth=2, label=label, marker=single)
        axes.set_ylim(bottom=0 if min([*loss, *val_loss]) >= 0 else None)
        axes.margins(x=0.01)
        if len(val_loss):
            axes.legend(frameon=False, loc="upper right")
        svg = io.StringIO()
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None})
    return _inline(svg.getvalue())


def _thin(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Keep the lowest and highest value of each stretch, so that no spike is lost."""
    if len(values) <= _MOST_POINTS:
        return np.arange(len(values)), values
    stretches = np.array_split(np.arange(len(values)), _MOST_POINTS // 2)
    ends = [(s[values[s].argmin()], s[values[s].argmax()]) for s in stretches]
    kept = np.unique([0, len(values) - 1, *np.ravel(ends)])
    return kept, values[kept]


def _whole(value: float, _position: int | None = None) -> str:
    return f"{value:,.0f}"


def _inline(svg: str) -> str:
    """Take from a whole SVG file what may stand inside an HTML page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<(metadata|defs)>\s*<(rdf|style).*?</\1>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<svg[^>]*?( viewBox=\"[^\"]*\")[^>]*>", r"<svg\1>", svg, count=1)
    svg = re.sub(r' font-family: [^;"]*;', "", svg)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r"(\d\.\d\d)\d+", r"\1", svg)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # ids that the second figure would repeat
    for drawn, named in _COLOURS.items():
        svg = svg.replace(drawn, named)
    return svg.replace("<svg", '<svg aria-hidden="true"', 1)


def png_uri(image: NDArray[np.uint8]) -> str:
    """Pack an image, (height, width, 3) or (height, width) of uint8, into a data URI."""
    packed = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(packed, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(packed.getvalue()).decode("ascii")
