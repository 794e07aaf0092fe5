"""One HTML file from a template that extends `base.html.jinja`."""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs


def render(package: str, template: str, filters: Mapping[str, Callable[..., Any]] | None = None, **values: Any) -> str:
    """The page that a template of `package` makes of these values, with Plotly's script in it.

    What a template is given is escaped, unless it is markupsafe.Markup; a value that is missing is an error. The
    template extends base.html.jinja and fills its blocks title, style and body.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, ""), PackageLoader("training.output.pages", "")]),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= filters or {}
    return environment.get_template(template).render(plotly=Markup(get_plotlyjs()), **values)
