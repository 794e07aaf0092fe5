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
from training.views.explain.formula import Equation, Formula
from training.views.explain.notation import in_latex, in_mathml
from training.views.explain.walk import values_of

Reader = Callable[[Equation, Formula], str]
"""Turns an equation, as it is shown, into Python; the symbols are q0, q1, … in the order of the formula's signs."""

STEPS = 40

LARGEST = 0.01
"""Value of the schedules that are evaluated here."""

FUNCTIONS = {"abs": np.abs, "sign": np.sign, "max": np.maximum, "min": np.minimum, "exp": np.exp, "log": np.log,
             "cos": np.cos, "floor": np.floor, "norm": lambda x: np.sqrt(np.sum(x * x))}  # fmt: skip
"""What is written with brackets behind its name, or as |x|, ⌊x⌋ or ‖x‖."""


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
    slots, worst = rule.first(x), dict.fromkeys((one.name for one in formula.equations), 0.0)
    for t, g in enumerate(gradients, start=1):
        with np.errstate(all="ignore"):  # wrong formulas divide by 0
            at = At(np.float64(t), FUNCTIONS["norm"](g))
            step, (walked, after) = rule.step(g, slots, x, at), values_of(rule, g, slots, x, at)
            assert np.array_equal(step.x, walked.x, equal_nan=True)
            assert all(np.array_equal(after[kind, name], value, equal_nan=True) for kind, of in (
                ("slot", named(step.slots)), ("stage", step.stages)) for name, value in of.items()
                if (kind, name) in after)  # fmt: skip
            given = {"gradient": g, "t": np.float64(t), "parameter": x, "norm_g": at.norm_g}
            values = {symbol: given[name] for name, symbol in formula.given.items()}
            values |= {symbol: named(slots)[name] for name, symbol in formula.old.items()}
            # As the rule has them: NumPy's powers of an array and of a scalar differ in their last bits.
            values |= {symbol: np.asarray(formula.numbers[name]) for name, symbol in formula.settings.items()}
            for one, compute in lines:
                values[one.symbol] = expected = after[one.kind, one.name]
                worst[one.name] = max(
                    worst[one.name], _units(compute(values), expected, LARGEST if one.kind == "setting" else 0.0)
                )
        slots = step.slots
    return worst


def _units(found: Any, expected: Any, least: float) -> float:
    """Of values below `least`, in units of that: a schedule's are the end of a difference of larger ones."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    limits = np.finfo(np.float64)
    apart = np.abs(found - expected) / np.maximum(np.abs(expected), max(limits.tiny, least)) / limits.eps
    return float(np.max(np.where(found == expected, 0.0, np.nan_to_num(apart, nan=np.inf))))


def _compiled(equation: Equation, formula: Formula, read: Reader | None) -> Callable[[Mapping[Any, Any]], Any]:
    if read is None:
        symbols = sorted(equation.expression.free_symbols, key=str)
        function = sympy.lambdify(symbols, equation.expression, [{"norm": FUNCTIONS["norm"]}, "numpy"], dummify=True)
        return lambda values: function(*(values[symbol] for symbol in symbols))
    code, names = compile(read(equation, formula), equation.name, "eval"), _names(formula)
    words = {**FUNCTIONS, "sqrt": np.sqrt, "where": np.where, "pi": np.pi}
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
        case "mrow" if len(parts) == 3 and parts[0] == parts[2] == "‖":
            return f"norm({parts[1]})"
        case "mrow" if parts[0] == "⌊":
            return f"floor({' '.join(parts[1:-1])})"
        case "mrow" if len(parts) == 2 and parts[0] in FUNCTIONS:
            return f"{parts[0]}{parts[1][1:-1]}"
        case "mrow" if tables:
            *cases, (other, _) = (row.childNodes for row in tables[0].childNodes)
            text = _python(other, names)
            for value, case in reversed(cases):
                text = f"where({_python(case, names)}, {_python(value, names)}, {text})"
            return text
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
            return {
                "⋅": "*",
                "·": "*",
                "−": "-",
                "\N{INVISIBLE TIMES}": "*",
                "=": "==",
                "≥": ">=",
                "π": "pi",
                "mod": "%",
            }.get(text, text)
    raise LookupError(f"{element.tagName} is read nowhere: {written}")


def from_latex(equation: Equation, formula: Formula) -> str:
    """Reads LaTeX back into Python."""
    text = in_latex(equation.expression, formula.signs).replace(r"\\", ";;").replace(r"\cdot", "*")
    text = re.sub(r"(?<!_)\{([\d.]+)\}\^", r"\1^", text)  # a number that is raised
    for symbol in sorted(formula.signs, key=lambda symbol: -len(formula.signs[symbol].latex)):
        text = re.sub(
            rf"(?<![\w\\]){re.escape(formula.signs[symbol].latex)}(?![A-Za-z_])", _names(formula)[symbol], text
        )
    for name, left, right in (("abs", r"\left|", r"\right|"), ("norm", r"\left\lVert", r"\right\rVert"),
                              ("floor", r"\left\lfloor{", r"}\right\rfloor")):  # fmt: skip
        text = text.replace(left, f"{name}(").replace(right, ")")
    text = text.replace(r"\pi", "pi").replace(r"\geq", ">=").replace(" = ", " == ").replace(r"\bmod", "%")
    text = re.sub(r"\\(?:operatorname\{)?(sign|max|min|exp|log|cos)\}?\\left\(", r"\1(", text)
    text = text.replace(r"\left(", "(").replace(r"\right)", ")")
    before = ""
    while text != before:  # from the inside out
        before = text
        text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1) / (\2))", text)
        text = re.sub(r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)", text)
        text = re.sub(r"\^\{([^{}]*)\}", r"**(\1)", text)
    innermost = re.compile(r"\\begin\{cases\} ((?:(?!\\begin).)*?) \\end\{cases\}")
    while found := innermost.search(text):
        *cases, last = found[1].split(";;")
        chosen = last.partition(" & ")[0]
        for value, case in (case.split(r" & \text{for}\: ") for case in reversed(cases)):
            chosen = f"where({case}, {value}, {chosen})"
        text = text[: found.start()] + chosen + text[found.end() :]
    return re.sub(r"(?<=[\w)])\s+(?=[\w(])", " * ", text)
