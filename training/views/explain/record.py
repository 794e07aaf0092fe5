"""An explanation as JSON can hold it."""

from collections.abc import Iterable
from typing import Any

from ...runs.rule_choice import rule_settings
from .explanation import Explanation
from .formula import Equation, Formula
from .notation import in_latex


def record(explanation: Explanation) -> dict[str, Any]:
    """Everything; formulas as LaTeX, and the values of the worked steps in full."""
    return {
        "rule": explanation.name,
        "dialect": explanation.dialect,
        "sources": explanation.sources(),
        "chain": [link._asdict() for link in explanation.links],
        "remarks": explanation.remarks,
        "settings": rule_settings(explanation.rule),
        "settings_by_dialect": {name: dict(values) for name, values in explanation.settings.items()},
        "meanings": dict(explanation.meanings),
        "slots": [
            {"name": slot.name, "latex": slot.sign.latex, "meaning": slot.meaning, "first": slot.first}
            for slot in explanation.slots
        ],
        "equations": _equations(explanation.formula.equations, explanation.formula),
        "other_forms": [
            {"dialects": form.dialects, "equations": _equations(form.equations, form.formula, form.rounding)}
            for form in explanation.forms
        ],
        "rounding_alone": {rounding.setting: rounding.meaning for rounding in explanation.rounding},
        "parameter": explanation.parameter,
        "steps": [{"t": step.t, "gradient": step.gradient, "values": step.values} for step in explanation.steps],
    }


def _equations(
    equations: Iterable[Equation], formula: Formula, rounding: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind,
            "name": name,
            "latex": f"{in_latex(symbol, formula.signs)} = {in_latex(expression, formula.signs)}",
            "of_t_alone": name in formula.of_t_alone,
            "used": name not in formula.unused,
            "differs": "rounding" if name in rounding else "value",
        }
        for kind, name, symbol, expression in equations
    ]
