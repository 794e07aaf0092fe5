"""How calls of functions are written, whichever the printer."""

from typing import Any

OVER_AXES = {"sum": ("Σ", r"\sum"), "mean": ("mean", r"\operatorname{mean}")}
"""Functions of core.xp over axes, in Unicode and in LaTeX: which axes stands below them."""
FUNCTIONS = {"Max": "max", "Min": "min"}
"""sympy's names of functions that are written otherwise."""


def called(call: Any) -> tuple[str, list[Any], str]:
    """What is written for the function of a call, its arguments, and the axes that it goes over."""
    name, arguments = str(call.func.__name__), list(call.args)
    if name not in OVER_AXES:
        return FUNCTIONS.get(name, name), arguments, ""
    return name, arguments[:1], ",".join(map(str, arguments[1:]))
