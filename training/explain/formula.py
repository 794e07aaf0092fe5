"""A rule's formula, found by running the rule itself on sympy symbols."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from sympy import Add, Expr, Integer, Mul, Not, Piecewise, Pow, Symbol, evaluate, preorder_traversal, sympify

from core import At, Rule, Step
from core.engine.checks import slots_of, step_of
from core.mistakes import mistakes_in
from core.rules import Letter, named, refilled
from core.rules.settings import notes

from .notation import Sign, greek, sign_of


class Equation(NamedTuple):
    """One line of a formula: a value, and how it follows from gradient, settings, old slots and the lines before.

    kind, name: "slot" or "stage" and the rule's own name for the value; "step" and "delta" or "parameter" for Δ and θ.
    symbol:     what stands for it.
    expression: unevaluated: factors and terms in the rule's own order.
    """

    kind: str
    name: str
    symbol: Symbol
    expression: Expr


@dataclass(frozen=True)
class Formula:
    """The equations of one step, in an order in which they can be computed; the last two are Δ and θ ← θ − Δ.

    signs:      how each symbol is written.
    settings:   the symbols of the rule's numbers by their names; a number that is 0 has none, and is left out.
    given:      the symbols of gradient, step and parameter before the step: "gradient", "t", "parameter".
    old:        the symbols of the slots before the step, by name.
    of_t_alone: the names of values that the step's number and the settings decide.
    unused:     the names of stages that neither Δ nor a new slot is computed from.
    """

    equations: tuple[Equation, ...]
    signs: Mapping[Symbol, Sign]
    settings: Mapping[str, Symbol]
    given: Mapping[str, Symbol]
    old: Mapping[str, Symbol]
    of_t_alone: frozenset[str]
    unused: frozenset[str]


def formula(rule: Rule) -> Formula:
    """The formula of a rule with its settings of form; its numbers are symbols.

    Raises InputError for a rule that does not run on symbols.
    """
    names = _Names(rule)
    numbers = {name: value for name, value in vars(rule).items() if isinstance(value, float) and value}
    settings = {name: names.of_setting(name) for name in numbers}
    given = {"gradient": names.of("gradient", "t"), "t": names.add(Sign("t", "t")),
             "parameter": names.of("parameter", "t-1")}  # fmt: skip
    first = first_slots(rule, 0.0)
    old = {slot: names.of(slot, "t-1") for slot in named(first)}
    with evaluate(False):  # which keeps every operation as the rule wrote it
        step = _run(replace(rule, **settings), refilled(first, old), given)
        values = {("slot" if name in old else "stage", name): sympify(value) for name, value in step.values.items()}
        moves = step.delta == given["parameter"] - step.x  # the rule returns where it goes, not how far
        values |= {("step", "parameter"): sympify(step.x)} if moves else {("step", "delta"): sympify(step.delta)}
        known = {given["t"], *settings.values()}
        alone = {key for key, value in values.items() if given["t"] in value.free_symbols <= known}
        delta, theta = names.of("delta", "t"), names.at(given["parameter"], "t")
        symbols = {("step", "delta"): delta, ("step", "parameter"): theta}
        symbols |= {("slot", name): names.at(symbol, "t") for name, symbol in old.items()}
        symbols |= {key: names.of(key[1], "" if key in alone else "t") for key in values if key not in symbols}
        equations, symbol_of = [], {}
        for key, value in _in_order(values):
            equations.append(Equation(*key, symbols[key], readable(value.xreplace(symbol_of))))
            if value.args:  # an old slot or a setting keeps its own symbol
                symbol_of.setdefault(value, symbols[key])
                symbol_of.setdefault(-value, -symbols[key])  # a product takes in its sign
        last = (
            ("delta", delta, given["parameter"] - theta) if moves else ("parameter", theta, given["parameter"] - delta)
        )
        equations.append(Equation("step", *last))
    return Formula(tuple(equations), names.signs, settings, given, old, frozenset(name for _, name in alone),
                   _unused(equations))  # fmt: skip


def _unused(equations: Iterable[Equation]) -> frozenset[str]:
    """The names of stages that neither Δ nor a slot is computed from."""
    used: set[Any] = set()
    for one in reversed(list(equations)):
        if one.kind != "stage" or one.symbol in used:
            used |= one.expression.free_symbols
    return frozenset(one.name for one in equations if one.kind == "stage" and one.symbol not in used)


class _Names:
    """Symbols for names, no two alike."""

    def __init__(self, rule: Rule):
        self.signs: dict[Symbol, Sign] = {}
        self._letters = notes(type(rule), Letter)
        self._hatted = {name for name, value in vars(rule).items() if f"{name}-hat" in map(str, vars(rule).values())}

    def of_setting(self, name: str) -> Symbol:
        hatted = name in self._hatted
        letter = None if hatted else self._letters.get(name)
        return self.add(greek(letter.sign) if letter else sign_of(name, hatted))

    def of(self, name: str, time: str) -> Symbol:
        return self.add(sign_of(name).at(time))

    def at(self, symbol: Symbol, time: str) -> Symbol:
        """The same quantity at another step."""
        return self.add(self.signs[symbol].at(time))

    def add(self, sign: Sign) -> Symbol:
        while sign.symbol in self.signs:
            sign = sign._replace(text=f"{sign.text}′", command=f"{sign.command}'")
        self.signs[sign.symbol] = sign
        return sign.symbol


def _run(rule: Rule, old: Any, given: Mapping[str, Symbol]) -> Step:
    step = step_of(rule, given["gradient"], old, given["parameter"], At(given["t"]), "does not run on symbols")
    with mistakes_in(rule, said="does not run on symbols"):
        sympify([step.delta, *step.values.values()])
    return step


def first_slots(rule: Rule, parameter: float) -> Any:
    """The slots before the first step, for one coordinate, in float64. Raises InputError where they are none."""
    slots = slots_of(rule, np.array([[parameter]]))
    with mistakes_in(rule, method="slots"):
        return refilled(slots, {name: np.asarray(value, np.float64) for name, value in named(slots).items()})


Key = tuple[str, str]
"""What a value is, "slot", "stage" or "step", and its name."""


def _in_order(values: Mapping[Key, Expr]) -> Iterable[tuple[Key, Expr]]:
    """Slots, stages and Δ as they are listed, but none before what it is computed from."""
    left = dict(values)
    within = {key: set(preorder_traversal(value)) - {value} for key, value in values.items()}
    while left:
        key = next(key for key in left if not any(other in within[key] for other in left.values() if other.args))
        yield key, left.pop(key)


def readable(expression: Any) -> Any:
    """The same without sums with 0 and products with 1, and with cases around the whole; terms keep their order.

    Sums of sums are one sum, and products of products one product, so that they print as one fraction: the same on
    paper, if not to the last bit. Call it where sympy does not evaluate.
    """
    pieces = _outermost_cases(expression)
    if pieces and expression not in pieces and len({tuple(case for _, case in piece.args) for piece in pieces}) == 1:
        return Piecewise(
            *(
                (readable(expression.xreplace({piece: piece.args[number][0] for piece in pieces})), case)
                for number, (_, case) in enumerate(pieces[0].args)
            )
        )
    return _tidy(expression)


def _outermost_cases(expression: Any) -> list[Any]:
    found, parts = [], preorder_traversal(expression)
    for part in parts:
        if isinstance(part, Piecewise):
            found.append(part)
            parts.skip()
    return found


def _tidy(expression: Any) -> Any:
    if not expression.args:
        whole = expression.is_Float and float(expression).is_integer()
        return Integer(int(expression)) if whole else expression
    if isinstance(expression, Piecewise):
        pairs: Any = expression.args
        return Piecewise(*((readable(value), _tidy(case)) for value, case in pairs))
    arguments = [_tidy(argument) for argument in expression.args]
    if isinstance(expression, Not) and arguments[0].is_Relational:
        return arguments[0].negated  # which needs no brackets
    if isinstance(expression, Add):
        return _of(Add, _parts(Add, arguments), neutral=0)
    if isinstance(expression, Mul):
        return _of(Mul, _with_powers(_parts(Mul, arguments)), neutral=1)
    return expression.func(*arguments)


def _parts(kind: type[Expr], arguments: list[Any]) -> list[Any]:
    return [part for one in arguments for part in (one.args if isinstance(one, kind) else [one])]


def _of(kind: type[Expr], arguments: list[Any], neutral: int) -> Any:
    if kind is Mul and 0 in arguments:
        return Integer(0)
    kept = [argument for argument in arguments if argument != neutral]
    return kind(*kept) if len(kept) > 1 else kept[0] if kept else Integer(neutral)


def _with_powers(factors: list[Any]) -> list[Any]:
    """x·x as x², and one sign in front."""
    exponents: dict[Any, int] = {}
    for factor in factors:
        whole = factor.is_Pow and factor.exp.is_Integer and factor.exp > 0
        base, exponent = (factor.base, int(factor.exp)) if whole else (factor, 1)
        exponents[base] = exponents.get(base, 0) + exponent
    sign = [Integer(-1)] if exponents.pop(Integer(-1), 0) % 2 else []
    return sign + [base if exponent == 1 else Pow(base, exponent) for base, exponent in exponents.items()]
