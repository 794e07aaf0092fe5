"""Formulas as presentation MathML, which browsers draw themselves."""

import re
from collections.abc import Mapping
from typing import Any

from sympy import Mul, Pow, Symbol
from sympy.printing.mathml import MathMLPresentationPrinter

from .functions import OVER_AXES, called
from .signs import ACCENTS, Sign


class MathML(MathMLPresentationPrinter):
    """sympy's own takes factors out of their order, and has no cases."""

    def __init__(self, signs: Mapping[Symbol, Sign]):
        super().__init__({"order": "none"})
        self._signs = signs

    def _print_Symbol(self, sym: Symbol, style: str = "plain") -> Any:  # noqa: N802
        if sym not in self._signs:  # a number that stands where a symbol was
            return self._element("mn", sym.name.replace("-", "−"))
        sign = self._signs[sym]
        letter = sign.letter
        accent = ACCENTS.get(letter[-1])
        base = self._element("mi", letter[:-1] if accent else letter)
        if accent:
            base = self._element("mover", base, self._element("mo", accent[0]))
        if sign.primes:
            base = self._element("mrow", base, self._element("mo", sign.primes))
        return self._element("msub", base, self._below(sign)) if sign.below else base

    def _below(self, sign: Sign) -> Any:
        parts = [
            self._element({"-": "mo", ",": "mo"}.get(part, "mi" if part.isalpha() else "mn"), part)
            for part in re.findall(r"\d+|\D", sign.below)
        ]
        return parts[0] if len(parts) == 1 else self._element("mrow", *parts)

    def _print_Mul(self, expr: Mul) -> Any:  # noqa: N802
        factors: list[Any] = list(expr.args)
        minus = factors[0] == -1 and len(factors) > 1
        row = self._product([factor for factor in factors[minus:] if not _divides(factor)])
        if under := [Pow(factor.base, -factor.exp) for factor in factors if _divides(factor)]:
            row = self._element("mfrac", row, self._product(under))
        return self._element("mrow", self._element("mo", "−"), row) if minus else row

    def _product(self, factors: list[Any]) -> Any:
        if len(factors) < 2:
            return self._print(factors[0] if factors else 1)
        row = self._element("mrow")
        for number, factor in enumerate(factors):
            if number:
                row.appendChild(self._element("mo", "⋅"))
            row.appendChild(self.parenthesize(factor, 50))  # sympy's precedence of a product
        return row

    def _print_Function(self, e: Any) -> Any:  # noqa: N802
        name, arguments, axes = called(e)
        if name == "norm":
            bar = (self._element("mo", "‖") for _ in range(2))
            return self._element("mrow", next(bar), self._print(arguments[0]), next(bar))
        sign = self._element("mo" if name == "sum" else "mi", OVER_AXES.get(name, (name,))[0])
        if axes:
            sign = self._element("msub", sign, self._element("mtext", f"axis {axes}"))
        inner = self._element("mrow", self._element("mo", "("))
        for number, argument in enumerate(arguments):
            if number:
                inner.appendChild(self._element("mo", ","))
            inner.appendChild(self._print(argument))
        inner.appendChild(self._element("mo", ")"))
        return self._element("mrow", sign, inner)

    _print_Max = _print_Min = _print_sign = _print_exp = _print_log = _print_Function  # noqa: N815  # pyright: ignore[reportAssignmentType]

    def _print_Pi(self, e: Any) -> Any:  # noqa: N802
        return self._element("mi", "π")

    def _print_Mod(self, expr: Any) -> Any:  # noqa: N802
        step, by = (self.parenthesize(one, 50) for one in expr.args)
        return self._element("mrow", step, self._element("mo", "mod"), by)

    def _print_Piecewise(self, expr: Any) -> Any:  # noqa: N802
        table = self._element("mtable")
        for value, condition in expr.args:
            case = self._element("mtext", "otherwise")
            if condition != True:  # noqa: E712 - sympy's true is not Python's
                case = self._element("mrow", self._element("mtext", "if\N{NO-BREAK SPACE}"), self._print(condition))
            cells = (self._element("mtd", cell) for cell in (self._print(value), case))
            table.appendChild(self._element("mtr", *cells))
        return self._element("mrow", self._element("mo", "{"), table)

    def _element(self, tag: str, *children: Any) -> Any:
        element = self.dom.createElement(tag)
        for child in children:
            element.appendChild(self.dom.createTextNode(child) if isinstance(child, str) else child)
        return element


def _divides(factor: Any) -> bool:
    return factor.is_Pow and factor.exp.is_number and factor.exp.is_negative
