"""How quantities are written: in the terminal, in LaTeX and in MathML."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sympy import Expr, Mul, Pow, Symbol
from sympy.printing.latex import LatexPrinter
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.pretty_symbology import greek_unicode
from sympy.printing.pretty.stringpict import prettyForm, stringPict

HAT = "\u0302"
SUBSCRIPTS = str.maketrans("0123456789t-,", "₀₁₂₃₄₅₆₇₈₉ₜ₋,")
COMMANDS = {sign: rf"\{name}" for name, sign in greek_unicode.items()}
"""LaTeX's, by Greek letter."""

WRITTEN = {
    "learning_rate": ("α", r"\alpha"),
    "initial_accumulator_value": ("a", "a"),
    "momentum": ("μ", r"\mu"),
    "weight_decay": ("λ", r"\lambda"),
    "parameter": ("θ", r"\theta"),
    "gradient": ("g", "g"),
    "delta": ("Δ", r"\Delta"),
    "dx": ("Δx", r"\Delta x"),
    "mean_g2": ("E[g²]", "E[g^2]"),
    "mean_dx2": ("E[Δx²]", r"E[\Delta x^2]"),
    "rms_g": ("RMS[g]", r"\mathrm{RMS}[g]"),
    "rms_dx": ("RMS[Δx]", r"\mathrm{RMS}[\Delta x]"),
    "denominator": ("d", "d"),
    "correction": ("c", "c"),
    "product": ("Π", r"\Pi"),
    "mu_next": ("μ′", r"\mu'"),
    "length": ("ρ", r"\rho"),
}
"""What is written for a name that is no letter: Unicode, LaTeX. All else is written as it is called."""


class Sign(NamedTuple):
    """What stands for one quantity.

    text, command: the base in Unicode, hat included, and in LaTeX.
    ordinal:       a number that belongs to the name, as in β₁.
    time:          the step that the value is of: "t", "t-1" or a number; empty for what is no step's own.
    """

    text: str
    command: str
    ordinal: str = ""
    time: str = ""

    @property
    def below(self) -> str:
        return ",".join(part for part in (self.ordinal, self.time) if part)

    @property
    def symbol(self) -> Symbol:
        return Symbol(f"{self.text}{self.below.translate(SUBSCRIPTS)}", real=True)

    @property
    def latex(self) -> str:
        return f"{self.command}_{{{self.below}}}" if self.below else self.command

    def at(self, time: int | str) -> "Sign":
        return self._replace(time=str(time))


def sign_of(name: str, hatted: bool = False) -> Sign:
    """What is written for a name: beta_1 is β₁, m_hat is m̂, denominator is d, and velocity is velocity."""
    found = re.fullmatch(r"(.+?)(_hat)?(?:_(\d+))?", name)
    assert found is not None, "a name has at least one character"
    base, ordinal = found[1], found[3] or ""
    text, command = WRITTEN.get(base) or (greek_unicode.get(base) or base, _command(base))
    if hatted or found[2]:
        text, command = f"{text}{HAT}", rf"\hat{{{command}}}"
    return Sign(text, command, "0" if name == "initial_accumulator_value" else ordinal)


def greek(letter: str) -> Sign:
    """The sign that is a Greek letter, or any other."""
    return Sign(letter, COMMANDS.get(letter, letter))


def _command(base: str) -> str:
    if base in greek_unicode:
        return rf"\{base}"
    return base if len(base) == 1 else rf"\mathrm{{{base.replace('_', chr(92) + '_')}}}"


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
    return _MathML(signs).doprint(expression).replace("<mo>-</mo>", "<mo>−</mo>")


OVER_AXES = {"sum": ("Σ", r"\sum"), "mean": ("mean", r"\operatorname{mean}")}
"""Functions of core.xp over axes, in Unicode and in LaTeX: which axes stands below them."""
FUNCTIONS = {"Max": "max", "Min": "min"}
"""sympy's names of functions that are written otherwise."""


def _function(call: Any) -> tuple[str, list[Any], str]:
    """What is written for the function of a call, its arguments, and the axes that it goes over."""
    name, arguments = str(call.func.__name__), list(call.args)
    if name not in OVER_AXES:
        return FUNCTIONS.get(name, name), arguments, ""
    return name, arguments[:1], ",".join(map(str, arguments[1:]))


class _Text(PrettyPrinter):
    """Symbols are called what they are to be written as; sympy would read an underscore in them as an index."""

    def _print_Symbol(self, e: Symbol, bold_name: bool = False) -> prettyForm:  # noqa: N802 - sympy's protocol
        return prettyForm(e.name)

    def _print_Function(self, e: Any, *_: Any, **__: Any) -> prettyForm:  # noqa: N802
        name, arguments, axes = _function(e)
        name = OVER_AXES.get(name, (name,))[0] + (f"[axis {axes}]" if axes else "")
        inner = prettyForm(*stringPict.next(*self._separated([self._print(one) for one in arguments])))
        return prettyForm(*stringPict.next(prettyForm(name), prettyForm(*inner.parens())), binding=prettyForm.ATOM)

    _print_Max = _print_Min = _print_sign = _print_exp = _print_log = _print_Function  # noqa: N815

    def _separated(self, arguments: list[Any]) -> list[Any]:
        return [part for number, one in enumerate(arguments) for part in ([", "] if number else []) + [one]]


class _Latex(LatexPrinter):
    """Functions as a person writes them: sympy's own puts braces around what is in brackets already."""

    def _print_Function(self, expr: Any, exp: str | None = None) -> str:  # noqa: N802
        name, arguments, axes = _function(expr)
        known = name in ("exp", "log", "max", "min")
        name = OVER_AXES[name][1] if name in OVER_AXES else rf"\{name}" if known else rf"\operatorname{{{name}}}"
        below = rf"_{{\text{{axis }} {axes}}}" if axes else ""
        inner = ", ".join(map(self._print, arguments))
        return rf"{name}{below}\left({inner}\right){_raised(exp)}"

    _print_Max = _print_Min = _print_sign = _print_exp = _print_log = _print_Function  # noqa: N815

    def _print_Abs(self, expr: Any, exp: str | None = None) -> str:  # noqa: N802
        return rf"\left|{self._print(expr.args[0])}\right|{_raised(exp)}"


def _raised(exponent: str | None) -> str:
    return "" if exponent is None else f"^{{{exponent}}}"


class _MathML(MathMLPresentationPrinter):
    """sympy's own takes factors out of their order, and has no cases."""

    def __init__(self, signs: Mapping[Symbol, Sign]):
        super().__init__({"order": "none"})
        self._signs = signs

    def _print_Symbol(self, sym: Symbol, style: str = "plain") -> Any:  # noqa: N802
        if sym not in self._signs:  # a number that stands where a symbol was
            return self._element("mn", sym.name.replace("-", "−"))
        sign = self._signs[sym]
        base = self._element("mi", sign.text.removesuffix(HAT))
        if sign.text.endswith(HAT):
            base = self._element("mover", base, self._element("mo", "^"))
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
        name, arguments, axes = _function(e)
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
