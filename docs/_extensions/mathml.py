"""Formulas as MathML, which browsers draw themselves: no script, no font, no network."""

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

SYMBOLS = str.maketrans({"·": r"\cdot ", "⌊": r"\lfloor ", "⌋": r"\rfloor "})
"""What docstrings write as it looks, and docutils wants in TeX."""

APPLIED = re.compile(r"(<mo>&ApplyFunction;</mo>)(?!\s*<mo[^>]*>\()")
"""Where a function's name stands before what is no parenthesis: ``log a``, and not ``loga``."""

BARE = re.compile(r"frac *\d")
"""What docutils takes for the number 12 in ``\\frac12``."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Make it the way in which formulas are written."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in the text."""
    self.body.append(converted(node, as_block=False))
    raise nodes.SkipNode


def visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write formulas, with empty lines between them, on lines of their own."""
    self.body += ['<div class="math">', converted(node, as_block=True), "</div>\n"]
    raise nodes.SkipNode


def converted(node: nodes.math | nodes.math_block, *, as_block: bool) -> str:
    """Return the formulas as MathML, or warn of what cannot be said in it."""
    if BARE.search(node.astext()):
        logger.warning("braces are missing: %s", node.astext(), location=node)
    formulas = node.astext().translate(SYMBOLS).split("\n\n")
    try:
        written = "\n".join(tex2mathml(each, as_block=as_block) for each in formulas)
        return APPLIED.sub(r'\1<mspace width="0.17em"></mspace>', written)
    except MathError as error:
        logger.warning("%s in the formula %s", error, node.astext(), location=node)
        return ""
