"""A followed parameter's way through the formula: the rule's equations with the recorded numbers in them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from markupsafe import escape
from sympy import Dummy, Symbol, evaluate, lambdify
from sympy.core.function import AppliedUndef

from core import InputError, Rule

from ...output.pages import terms
from ..explain.formula import Formula, formula
from ..explain.notation import in_mathml, sign_of
from ..explain.worked import Line, number
from .elements import elements
from .figures import place
from .thinning import FOLLOWED, thinned
from .trace import Trace


class Value(NamedTuple):
    """One recorded quantity: how it is written, as MathML, and for each step its text, and = or ≈ by whether six
    digits say all of it."""

    sign: str
    texts: list[str]
    relations: str


class Equation(NamedTuple):
    """One equation as terms of a formula: in symbols, and its right side with numbers: @3@ is the place of value 3.

    value: the number of the value on its left side.
    """

    value: int
    symbols: str
    numbers: str


class Followed(NamedTuple):
    """An element at the steps that are shown of it.

    given:     the numbers of the values that a step starts from; of a rule that has no equations, of all values.
    equations: in the order in which they can be computed.
    """

    element: str
    steps: list[int]
    values: list[Value]
    given: list[int]
    equations: list[Equation]


def followed(trace: Trace, rule: Rule) -> list[Followed]:
    """Every element that was followed, through the formula of the rule that trained its variable.

    A rule that does not run on symbols, such as one that reads the norm of all gradients, has no equations; its values
    are there by their names.
    """
    rules = {element: _rule_of(element, rule) for element in trace.elements}
    shown = {id(one): _formula(one) for one in rules.values()}
    return [
        ((one := shown[id(of)]) and _through(one, trace, element)) or _by_name(trace, element)
        for element, of in rules.items()
    ]


def _rule_of(element: str, rule: Rule) -> Rule:
    ((name, (place,)),) = elements([element]).items()
    return rule.for_variable(name, len(place))


def _formula(rule: Rule) -> Formula | None:
    try:
        return formula(rule)
    except InputError:
        return None


def _through(shown: Formula, trace: Trace, element: str) -> Followed | None:
    """None where an equation has a value that neither was recorded nor follows from what was, such as a norm."""
    steps, recorded = _recorded(trace, element)
    before = {shown.given["t"]: steps, shown.given["gradient"]: recorded["g"]}
    before |= {shown.given["parameter"]: recorded["x_before"]}
    before |= {symbol: recorded[f"{slot}_before"] for slot, symbol in shown.old.items()}
    values, constants = dict(before), {symbol: shown.numbers[name] for name, symbol in shown.settings.items()}
    for one in shown.equations:
        name = "x" if (one.kind, one.name) == ("step", "parameter") else one.name
        found = recorded[name] if name in recorded else _computed(one.expression, {**values, **constants}, len(steps))
        if found is None:
            return None
        values[one.symbol] = found
    numbers = {symbol: index for index, symbol in enumerate(values)}
    places = {symbol: Symbol(f"@{index}@") for symbol, index in numbers.items()}
    places |= {symbol: Symbol(number(value, inside=True)) for symbol, value in constants.items()}
    equations = []
    for _, _, symbol, expression in shown.equations:
        with evaluate(False):
            filled: Any = _filled(expression, places)
        symbols = terms(in_mathml(symbol, shown.signs), "=", in_mathml(expression, shown.signs))
        equations.append(Equation(numbers[symbol], symbols, terms("=", in_mathml(filled, {}))))
    written = [_value(in_mathml(symbol, shown.signs), of) for symbol, of in values.items()]
    return Followed(element, steps.tolist(), written, [numbers[symbol] for symbol in before], equations)


def _computed(expression: Any, values: Mapping[Any, Any], steps: int) -> np.ndarray | None:
    symbols = sorted(expression.free_symbols, key=str)
    if expression.atoms(AppliedUndef) or not values.keys() >= {*symbols}:
        return None
    function = lambdify(symbols, expression, "numpy", dummify=True)
    return np.broadcast_to(function(*(np.asarray(values[symbol], np.float64) for symbol in symbols)), steps)


def _filled(expression: Any, places: Mapping[Any, Symbol]) -> Any:
    """With the places of numbers for symbols, except within a sum over elements: those are of one element."""
    sums = {of: Dummy() for of in expression.atoms(AppliedUndef)}
    return expression.xreplace(sums).xreplace(places).xreplace({dummy: of for of, dummy in sums.items()})


def _by_name(trace: Trace, element: str) -> Followed:
    steps, recorded = _recorded(trace, element)
    values = [_value(f"<mtext>{escape(name)}</mtext>", of) for name, of in recorded.items()]
    return Followed(element, steps.tolist(), values, [*range(len(values))], [])


def _recorded(trace: Trace, element: str) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
    """The steps that are shown of an element, and what was recorded of it then, by name."""
    kept = thinned(len(trace.steps), FOLLOWED)
    columns = {place(column): values for column, values in trace.columns.items()}
    return trace.steps[kept], {key: values[kept] for (of, key), values in columns.items() if of == element}


def _value(sign: str, values: Sequence[Any] | np.ndarray) -> Value:
    lines = [Line("", sign_of("x"), None, float(value)) for value in values]
    return Value(
        sign,
        [number(line.value).replace("-", "−") for line in lines],
        "".join(line.relation for line in lines),
    )
