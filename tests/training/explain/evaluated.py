"""Formulas as they are shown, evaluated: the expressions, and what is printed of them, read back."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.dom.minidom import Element, parseString

import numpy as np
import sympy

from core import At, Rule
from core.rules import named
from core.verification.streams import synthetic
from training.explain.formula import Equation, Formula
from training.explain.notation import in_latex, in_mathml

Reader = Callable[[Equation, Formula], str]
"""Turns an equation, as it is shown, into Python; the symbols are q0, q1, … in the order of the formula's signs."""

STEPS = 40

FUNCTIONS = {"abs": np.abs, "sign": np.sign, "max": np.maximum, "min": np.minimum, "exp": np.exp, "log": np.log}
"""What is written with brackets behind its name, or as |x|."""


def stream() -> np.ndarray:
    """Gradients [steps, coordinates], 1e-8 to 1e4, zeros and sign changes; none below the smallest normal number.

    There a product depends on the order of its factors by more than rounding, and a fraction has an order of its own.
    """
    drawn = synthetic(np.float64, STEPS)
    return drawn.gradients[:, [kind != "denormal" for kind in drawn.kinds]]


def units_off(formula: Formula, rule: Rule, read: Reader | None = None) -> dict[str, float]:
    """By value, the largest relative error of a shown formula along the stream, in units of ε_machine.

    Every step starts from the rule's own slots; within a step each equation is given what those before it gave.
    """
    lines = [(one, _compiled(one, formula, read)) for one in formula.equations]
    gradients = stream()
    x = np.ones(gradients.shape[1])
    slots, worst = rule.slots(x), dict.fromkeys((one.name for one in formula.equations), 0.0)
    for t, g in enumerate(gradients, start=1):
        with np.errstate(all="ignore"):  # wrong formulas divide by 0
            step = rule.step(g, slots, x, At(np.float64(t)))
            after = {
                "slot": named(step.slots),
                "stage": step.stages,
                "step": {"delta": step.delta, "parameter": step.x},
            }
            values = {formula.given["gradient"]: g, formula.given["t"]: np.float64(t), formula.given["parameter"]: x}
            values |= {symbol: named(slots)[name] for name, symbol in formula.old.items()}
            # As the rule has them: NumPy's powers of an array and of a scalar differ in their last bits.
            values |= {symbol: np.asarray(getattr(rule, name)) for name, symbol in formula.settings.items()}
            for one, compute in lines:
                values[one.symbol] = expected = after[one.kind][one.name]
                worst[one.name] = max(worst[one.name], _units(compute(values), expected))
        slots = step.slots
    return worst


def _units(found: Any, expected: Any) -> float:
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    limits = np.finfo(np.float64)
    apart = np.abs(found - expected) / np.maximum(np.abs(expected), limits.tiny) / limits.eps
    return float(np.max(np.where(found == expected, 0.0, np.nan_to_num(apart, nan=np.inf))))


def _compiled(equation: Equation, formula: Formula, read: Reader | None) -> Callable[[Mapping[Any, Any]], Any]:
    if read is None:
        symbols = sorted(equation.expression.free_symbols, key=str)
        function = sympy.lambdify(symbols, equation.expression, "numpy", dummify=True)
        return lambda values: function(*(values[symbol] for symbol in symbols))
    code, names = compile(read(equation, formula), equation.name, "eval"), _names(formula)
    words = {**FUNCTIONS, "sqrt": np.sqrt, "where": np.where}
    return lambda values: eval(code, words | {names[s]: value for s, value in values.items() if s in names})


def _names(formula: Formula) -> dict[Any, str]:
    return {symbol: f"q{number}" for number, symbol in enumerate(formula.signs)}


def from_mathml(equation: Equation, formula: Formula) -> str:
    """Reads Presentation MathML back into Python."""
    names = {_element(in_mathml(symbol, formula.signs)).toxml(): name for symbol, name in _names(formula).items()}
    return _python(_element(in_mathml(equation.expression, formula.signs)), names)


def _element(mathml: str) -> Element:
    """As XML, which wants a sign escaped that HTML does not."""
    return parseString(mathml.replace("<mo><</mo>", "<mo>&lt;</mo>")).documentElement


def _python(element: Element, names: Mapping[str, str]) -> str:
    written = element.toxml()
    if written in names:
        return names[written]
    children = [child for child in element.childNodes if isinstance(child, Element)]
    parts = [_python(child, names) for child in children if child.tagName not in ("mtable", "mtext")]
    tables = [child for child in children if child.tagName == "mtable"]
    match element.tagName:
        case "mrow" if len(parts) == 3 and parts[0] == parts[2] == "|":
            return f"abs({parts[1]})"
        case "mrow" if len(parts) == 2 and parts[0] in FUNCTIONS:
            return f"{parts[0]}{parts[1][1:-1]}"
        case "mrow" if tables:
            (value, case), (other, _) = (row.childNodes for row in tables[0].childNodes)
            return f"where({_python(case, names)}, {_python(value, names)}, {_python(other, names)})"
        case "mrow" | "mtd":
            return f"({' '.join(parts)})"
        case "mfrac":
            return f"(({parts[0]}) / ({parts[1]}))"
        case "msup":
            return f"({parts[0]}) ** ({parts[1]})"
        case "msqrt":
            return f"sqrt({' '.join(parts)})"
        case "mo" | "mn" | "mi":
            text = "".join(child.data for child in element.childNodes)
            return {"⋅": "*", "−": "-", "\N{INVISIBLE TIMES}": "*"}.get(text, text)
    raise LookupError(f"{element.tagName} is read nowhere: {written}")


def from_latex(equation: Equation, formula: Formula) -> str:
    """Reads LaTeX back into Python."""
    text = in_latex(equation.expression, formula.signs).replace(r"\\", r"\\ ")  # the next row begins with a sign
    text = re.sub(r"(?<!_)\{([\d.]+)\}(?=\^)", r"\1", text)
    for symbol in sorted(formula.signs, key=lambda symbol: -len(formula.signs[symbol].latex)):
        text = re.sub(
            rf"(?<![\w\\]){re.escape(formula.signs[symbol].latex)}(?![A-Za-z_])", _names(formula)[symbol], text
        )
    text = text.replace(r"\left|", "abs(").replace(r"\right|", ")")
    text = re.sub(r"\\(?:operatorname\{)?(sign|max|min|exp|log)\}?\\left\(", r"\1(", text)
    text = text.replace(r"\left(", "(").replace(r"\right)", ")")
    before = ""
    while text != before:  # from the inside out
        before = text
        text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1) / (\2))", text)
        text = re.sub(r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)", text)
        text = re.sub(r"\^\{([^{}]*)\}", r"**(\1)", text)
    inner = r"((?:(?!\\begin).)*?)"
    cases = rf"\\begin\{{cases\}} {inner} & \\text\{{for\}}\\: {inner} \\\\ {inner} & \\text\{{otherwise\}}"
    while before != (text := re.sub(rf"{cases} \\end\{{cases\}}", r"where(\2, \1, \3)", text)):
        before = text
    return re.sub(r"(?<=[\w)])\s+(?=[\w(])", " * ", text)
