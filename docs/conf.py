"""How the documentation becomes a site: `make docs`. Neither that nor a page of it asks a network for anything."""

import re
from importlib.metadata import version as installed
from typing import Any

from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.application import Sphinx

import core  # noqa: F401 - before any module that imports TensorFlow, which then starts without its notes

project = "rawstep"
version = release = installed("rawstep")
copyright = "the rawstep authors"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_copybutton"]
nitpicky = True  # a name or link that leads nowhere is an error under `sphinx-build -W`
myst_heading_anchors = 3
nb_execution_mode = "off"  # the tour is stored with its outputs, and tests run it

html_theme = "furo"
html_title = "rawstep"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_copy_source = html_show_sourcelink = html_use_index = html_domain_indices = False
html_math_renderer = "mathml"

default_role = "code"  # docstrings have code between single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True}

ARGUMENT = re.compile(r"([a-z]\w*(?:, [a-z]\w*)*): +(?=\S)")


def as_rst(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """A docstring of this project as reStructuredText, in place.

    Its lists of arguments, `name: what it is`, become field lists; what is indented after a colon, which is a formula
    or code, a literal block. |x| and * mean what they mean in mathematics.
    """
    rst: list[str] = []
    in_field = in_literal = False
    for line in lines:
        is_indented = line.startswith("    ")
        in_field = in_field and line != ""
        in_literal = (in_literal and (is_indented or line == "")) or (
            is_indented and len(rst) > 1 and rst[-1] == "" and re.search(r"[\w.:]$", rst[-2]) is not None
        )
        if in_literal:
            rst += ["::", ""] if rst[-1] == "" and not rst[-2].startswith("    ") else []
        else:
            line = re.sub(r"(?<!`)([|*])", r"\\\1", line)
        if match := ARGUMENT.match(line):
            rst += [] if in_field else [""]
            line = f":param {re.sub(' ', '', match[1])}: {line[match.end() :]}"
            in_field = True
        elif in_field and not line.startswith(" "):
            line = f"    {line}"
        rst.append(line)
    lines[:] = rst


def as_mathml(self: Any, node: Any) -> None:
    self.body.append(convert(node.astext(), display="inline" if node.tagname == "math" else "block"))
    raise SkipNode


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", as_rst)
    app.add_html_math_renderer("mathml", (as_mathml, None), (as_mathml, None))
