"""Names of the library in the text of pages lead to the reference, and must be there.

A page says ```pc.train``` or ```Adam```, as it reads well everywhere; here it becomes a link. A
name that the reference has not is a warning.
"""

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

import purrceptron
from purrceptron import data, losses, schedules, sklearn

PREFIXES = {
    "pc": "purrceptron",
    "purrceptron": "purrceptron",
    "kernels": "purrceptron.kernels",
    "losses": "purrceptron.losses",
    "schedules": "purrceptron.schedules",
    "net": "purrceptron.Network",
}
CLASSES = {
    name: f"{module.__name__}.{name}"
    for module in (data, losses, schedules, sklearn, purrceptron)
    for name in module.__all__
    if name[0].isupper() and not name.isupper()
} | {"SGD": "purrceptron.SGD"}
NAME = re.compile(r"(?P<first>[A-Za-z_]\w*)(?P<rest>(\.[A-Za-z]\w*)*)(\(.*\))?", re.DOTALL)


def setup(app: Sphinx) -> dict[str, Any]:
    """Have it done to each page when it has been read."""
    app.add_transform(LinkNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class LinkNames(SphinxTransform):
    """Wraps the names in references."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Do it, in pages that are written in Markdown."""
        if self.env.doc2path(self.env.docname).suffix != ".md":
            return
        for literal in list(self.document.findall(nodes.literal)):
            target = target_of(literal.astext())
            if target is None or isinstance(literal.parent, (nodes.reference, nodes.title)):
                continue
            link = addnodes.pending_xref(
                "",
                refdomain="py",
                reftype="obj",
                reftarget=target,
                refexplicit=True,
                refwarn=True,
                refdoc=self.env.docname,
            )
            literal.replace_self(link)
            link += literal


def target_of(text: str) -> str | None:
    """Return the full name of what the text names, or None if it names nothing of the library."""
    found = NAME.fullmatch(text)
    if found is None or text.endswith(".py"):
        return None
    first, rest = found["first"], found["rest"]
    if first in CLASSES:
        return CLASSES[first] + rest
    return PREFIXES[first] + rest if first in PREFIXES and rest else None
