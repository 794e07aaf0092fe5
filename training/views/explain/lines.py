"""The equations of a step, written down while the parts of a rule act in their turn."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sympy import Expr, Symbol, preorder_traversal, sympify

from core import Step
from core.mistakes import mistakes_in
from core.rules import Begun

from .names import Names
from .tidying import readable
from .walk import Turn

SAID = "does not run on symbols"


class Equation(NamedTuple):
    """One line of a formula: a value, and how it follows from gradient, settings, old slots and the lines before.

    kind, name: "slot" or "stage" and the rule's own name for the value; "step" and "delta" or "parameter" for Δ and θ;
                "gradient" for one that a piece has changed; "setting" for one that follows the step. In a chain, names
                begin with that of the part, "adam.m", "clip_by_norm.gradient", except for the last θ and its Δ.
    symbol:     what stands for it.
    expression: unevaluated: factors and terms in the rule's own order.
    """

    kind: str
    name: str
    symbol: Symbol
    expression: Expr


class Section(NamedTuple):
    """The equations of one part of a chain, by its name; of a rule by itself, whose name is empty; or of schedules."""

    name: str
    equations: tuple[Equation, ...]


Key = tuple[str, str]
"""What a value is, as `Equation.kind`, and its name."""


class Lines:
    """The equations of a step while its parts act in their turn; what goes on from each are symbols.

    old:       the symbols of the slots before the step.
    of_t:      those that the step's number alone decides, with that itself.
    """

    def __init__(self, names: Names, old: Mapping[str, Symbol], of_t: set[Any]):
        self.of_t_alone: set[str] = set()
        self._names, self._old, self._of_t = names, old, of_t
        self._lines: list[tuple[str, Equation]] = []
        self._symbol_of: dict[Any, Symbol] = {}

    def add(self, section: str, equation: Equation) -> None:
        self._lines.append((section, equation))

    def of_turn(self, turn: Turn) -> Any:
        """Adds the equations of one part, and returns what it made, in symbols."""
        made, values = turn.made, dict(turn.values)
        gradient, parameter = ("gradient", turn.name("gradient")), ("step", turn.name("parameter"))
        if isinstance(made, Begun):
            values |= {
                key: new for key, new, of in ((gradient, made.g, turn.g), (parameter, made.x, turn.x)) if new != of
            }
            symbols = self._written(turn, values)
            return Begun(symbols.get(gradient, turn.g), symbols.get(parameter, turn.x), made.slots, {})
        if turn.step is not None and made.x == turn.step.x:
            self._written(turn, values)
            return turn.step._replace(slots=made.slots)
        delta, both = ("step", turn.name("delta")), made.delta != turn.x - made.x
        if made.x == turn.x - made.delta:
            symbols = self._written(turn, values | {delta: made.delta})
            symbols |= self._written(turn, {parameter: turn.x - symbols[delta]})
        else:
            symbols = self._written(turn, values | ({delta: made.delta} if both else {}) | {parameter: made.x})
            if not both:
                symbols |= self._written(turn, {delta: turn.x - symbols[parameter]})
        return Step(symbols[delta], made.slots, {}, symbols[parameter])

    def finished(self, before: Symbol, after: Symbol) -> tuple[Section, ...]:
        """The equations by section, without steps that no part makes use of.

        before, after: the parameter, whose last values are called "parameter", and "delta" if that is from `before`.
        """
        last = next(one for _, one in reversed(self._lines) if _is_step(one, "parameter"))
        used = {symbol for _, one in self._lines for symbol in one.expression.free_symbols}
        symbols, found = {last.symbol: after}, {}
        for section, one in self._lines:
            if one is not last and one.symbol not in used and one.kind == "step" and section:
                continue
            name = "parameter" if one is last else "delta" if before - one.symbol == last.expression else one.name
            expression: Any = one.expression.xreplace(symbols)
            symbol = symbols.get(one.symbol, one.symbol)
            found.setdefault(section, []).append(Equation(one.kind, name, symbol, expression))
        return tuple(Section(name, tuple(equations)) for name, equations in found.items())

    def _written(self, turn: Turn, values: Mapping[Key, Any]) -> dict[Key, Symbol]:
        with mistakes_in(turn.part, said=SAID):
            known = {key: sympify(value) for key, value in values.items()}
        alone = {key for key, value in known.items() if self._is_of_t(value)}
        self.of_t_alone |= {name for _, name in alone}
        order = sorted(known, key=lambda key: key[0] not in ("step", "gradient"))
        symbols = {key: self._symbol(key, "" if key in alone else "t") for key in order}
        for key, value in _in_order(known):
            self.add(turn.path, Equation(*key, symbols[key], readable(value.xreplace(self._symbol_of))))
            if value.args:  # an old slot or a setting keeps its own symbol
                self._symbol_of.setdefault(value, symbols[key])
                self._symbol_of |= {one: -symbols[key] for one in _negative(value) if one not in self._symbol_of}
        return symbols

    def _symbol(self, key: Key, time: str) -> Symbol:
        kind, name = key
        return (
            self._names.at(self._old[name], time) if kind == "slot" else self._names.of(name.rpartition(".")[2], time)
        )

    def _is_of_t(self, value: Expr) -> bool:
        return (
            bool(value.free_symbols) and value.free_symbols <= self._of_t and any(map(self._moves, value.free_symbols))
        )

    def _moves(self, symbol: Any) -> bool:
        sign = self._names.signs[symbol]
        return sign.time == "t" or sign.text == "t"


def _is_step(equation: Equation, name: str) -> bool:
    return equation.kind == "step" and equation.name.rpartition(".")[2] == name


def _in_order(values: Mapping[Key, Expr]) -> Iterable[tuple[Key, Expr]]:
    """Slots, stages and Δ as they are listed, but none before what it is computed from."""
    left = dict(values)
    within = {key: {*preorder_traversal(value)} - {value} for key, value in values.items()}
    while left:
        key = next(
            key
            for key in left
            if not any({other, *_negative(other)} & within[key] for other in left.values() if other.args)
        )
        yield key, left.pop(key)


def _negative(value: Any) -> list[Any]:
    """A product with −1 in front, which sympy writes into it where the product is subtracted."""
    return [-value] if value.is_Mul and value.args[0] != -1 else []
