"""Formulas as they are written: in the terminal, in LaTeX and in MathML."""

from collections.abc import Mapping
from typing import Any

from sympy import Expr, Symbol
from sympy.printing.latex import LatexPrinter
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.stringpict import prettyForm, stringPict

from .functions import OVER_AXES, called
from .mathml import MathML
from .signs import Sign, greek, sign_of

__all__ = ["Sign", "greek", "in_latex", "in_mathml", "in_unicode", "sign_of"]


def in_unicode(*parts: Expr | str) -> str:
    """Expressions and texts beside each other: as many lines as fractions and powers need, without spaces at ends."""
    printer = _Text({"use_unicode": True, "order": "none", "full_prec": False, "wrap_line": False})
    pieces = [part if isinstance(part, str) else printer._print(part) for part in parts]
    lines = prettyForm(*stringPict.next(*pieces)).render(wrap_line=False).splitlines()
    return "\n".join(line.rstrip() for line in lines)


def in_latex(expression: Expr, signs: Mapping[Symbol, Sign]) -> str:
    """LaTeX, without a surrounding environment."""
    names = {symbol: sign.latex for symbol, sign in signs.items()}
    return _Latex({"order": "none", "full_prec": False, "symbol_names": names}).doprint(expression)


def in_mathml(expression: Expr, signs: Mapping[Symbol, Sign]) -> str:
    """Presentation MathML, without the surrounding math element."""
    return MathML(signs).doprint(expression).replace("<mo>-</mo>", "<mo>−</mo>")


class _Text(PrettyPrinter):
    """Symbols are called what they are to be written as; sympy would read an underscore in them as an index."""

    def _print_Symbol(self, e: Symbol, bold_name: bool = False) -> prettyForm:  # noqa: N802 - sympy's protocol
        return prettyForm(e.name)

    def _print_Function(self, e: Any, *_: Any, **__: Any) -> prettyForm:  # noqa: N802
        name, arguments, axes = called(e)
        if name == "norm":
            return prettyForm(*stringPict.next("‖", self._print(arguments[0]), "‖"), binding=prettyForm.ATOM)
        name = OVER_AXES.get(name, (name,))[0] + (f"[axis {axes}]" if axes else "")
        inner = prettyForm(*stringPict.next(*self._separated([self._print(one) for one in arguments])))
        return prettyForm(*stringPict.next(prettyForm(name), prettyForm(*inner.parens())), binding=prettyForm.ATOM)

    _print_Max = _print_Min = _print_sign = _print_exp = _print_log = _print_Function  # noqa: N815

    def _separated(self, arguments: list[Any]) -> list[Any]:
        return [part for number, one in enumerate(arguments) for part in ([", "] if number else []) + [one]]


class _Latex(LatexPrinter):
    """Functions as a person writes them: sympy's own puts braces around what is in brackets already."""

    def _print_Function(self, expr: Any, exp: str | None = None) -> str:  # noqa: N802
        name, arguments, axes = called(expr)
        if name == "norm":
            return rf"\left\lVert {self._print(arguments[0])} \right\rVert{_raised(exp)}"
        known = name in ("cos", "exp", "log", "max", "min")
        name = OVER_AXES[name][1] if name in OVER_AXES else rf"\{name}" if known else rf"\operatorname{{{name}}}"
        below = rf"_{{\text{{axis }} {axes}}}" if axes else ""
        inner = ", ".join(map(self._print, arguments))
        return rf"{name}{below}\left({inner}\right){_raised(exp)}"

    _print_Max = _print_Min = _print_sign = _print_exp = _print_log = _print_Function  # noqa: N815

    def _print_Abs(self, expr: Any, exp: str | None = None) -> str:  # noqa: N802
        return rf"\left|{self._print(expr.args[0])}\right|{_raised(exp)}"


def _raised(exponent: str | None) -> str:
    return "" if exponent is None else f"^{{{exponent}}}"
