"""An explanation as one HTML page: formulas as MathML, which browsers draw themselves."""

import re
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

from ...output.pages import displayed, render
from .explanation import Explanation
from .formula import Equation, Formula
from .notation import in_mathml
from .terminal import beginning, settings_table
from .worked import Line, WorkedStep


def page(explanation: Explanation) -> str:
    """The page of an explanation, with all dialects side by side."""
    return render(
        "training.views.explain",
        "page.html.jinja",
        {"prose": _prose},
        explanation=explanation,
        sections=[
            (explanation.heading(name), written(equations, explanation.formula))
            for name, equations in explanation.formula.sections
        ],
        slots=_slots(explanation),
        dialects=_side_by_side(explanation),
        settings=_settings(explanation),
        beginning=beginning(explanation),
        steps=[(step, _lines(step, explanation.formula)) for step in explanation.steps],
    )


def _side_by_side(explanation: Explanation) -> dict[str, list[tuple[Markup, str]]]:
    """For each dialect its equations, and whether one is that of the dialect shown: "same", "rounding" or "value"."""
    rounding = {name: form.rounding for form in explanation.forms for name in form.dialects}

    def differs(equation: Equation, dialect: str) -> str:
        if equation in explanation.formula.equations:
            return "same"
        return "rounding" if equation.name in rounding[dialect] else "value"

    return {
        dialect: [
            (math, differs(equation, dialect))
            for equation, math in zip(formula.equations, written(formula.equations, formula), strict=True)
        ]
        for dialect, formula in explanation.formulas.items()
    }


def written(equations: Iterable[Equation], formula: Formula) -> list[Markup]:
    """Each equation as HTML."""
    return [
        displayed(in_mathml(one.symbol, formula.signs), "=", in_mathml(one.expression, formula.signs))
        for one in equations
    ]


def _slots(explanation: Explanation) -> list[list[Any]]:
    """A row a slot: how it is written and its name, its meaning, its first value."""
    return [
        [_name(slot.sign.symbol.name, slot.name), slot.meaning or "–", f"{slot.first:g}"] for slot in explanation.slots
    ]


def _settings(explanation: Explanation) -> list[list[Any]]:
    """A row a setting: how it is written and its name, its value here and in the other dialects, its meaning."""
    return [
        [_name(symbol, name), *map(_value, values), _prose(explanation.meanings.get(name, ""))]
        for symbol, name, *values in settings_table(explanation)
    ]


def _value(text: str) -> Markup:
    """A schedule may break at its commas."""
    return Markup('<span class="long">{}</span>').format(text) if "," in text else escape(text)


def _name(symbol: str, name: str) -> Markup:
    return Markup('<span class="symbol">{}</span>{}').format(symbol, name)


def _lines(step: WorkedStep, formula: Formula) -> list[Markup]:
    return [_line(line, formula) for line in step.lines]


def _line(line: Line, formula: Formula) -> Markup:
    left = in_mathml(line.sign.symbol, {line.sign.symbol: line.sign})
    return displayed(left, "=", in_mathml(line.numbers, {}), line.relation, in_mathml(line.result, {}))


def _prose(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
