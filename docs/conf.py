"""How the documentation is built; ``make docs`` does it."""

import sys
from pathlib import Path

from numpydoc.xref import DEFAULT_LINKS

import purrceptron as pc
from purrceptron import data, kernels, losses, schedules, sklearn

sys.path.append(str(Path(__file__).parent / "_extensions"))

project = "purrceptron"
version = release = pc.__version__
copyright = "the purrceptron developers"  # noqa: A001 (Sphinx's name for it)

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "api_links",
    "mathml",
]
exclude_patterns = ["_build"]

# A name that leads nowhere is an error; there is no inventory of other projects, so that building
# wants no network.
nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", r"numpy\..*"),
    ("py:obj", r"[a-z]\w*"),  # a parameter that is a field as well
]

# Signatures say names and defaults; types are in the docstrings, in words.
add_module_names = False
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autosummary_generate = False
default_role = "autolink"
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = {name: name for name in DEFAULT_LINKS} | {
    name: f"{module.__name__}.{name}"
    for module in (pc, data, kernels, losses, schedules, sklearn)
    for name in module.__all__
    if name[0].isupper()
}

myst_enable_extensions = ["dollarmath", "smartquotes"]
myst_heading_anchors = 3

toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = "purrceptron"
html_static_path = ["_static"]
html_css_files = ["purrceptron.css"]
html_copy_source = False
html_show_sourcelink = False
html_favicon = "_static/cat.svg"
html_sidebars = {"start": [], "sklearn": []}  # there is nothing below them
html_theme_options = {
    "logo": {
        "text": "purrceptron",
        "image_light": "_static/cat.svg",
        "image_dark": "_static/cat.svg",
        "alt_text": "",
    },
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}
copybutton_exclude = ".linenos, .gp, .go"
