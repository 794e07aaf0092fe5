"""Formulas that go on in a new line where one ends: browsers keep a math element in one line, so each factor is one."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, fromstring, tostring

from markupsafe import Markup

RELATIONS, SIGNS, TIMES = ("=", "≈"), ("+", "−"), ("⋅",)


def displayed(*parts: str, kind: str = "") -> Markup:
    """A formula as an element of the classes "formula" and `kind`; it needs mathematics.css.jinja.

    parts: expressions, each one element of Presentation MathML, and between them relations, "=" or "≈". A line may
           end before a relation, before a term of a sum, and before a factor of a term that is too wide for a line.
    """
    return Markup(f'<div class="{f"formula {kind}".strip()}">{terms(*parts)}</div>')


def terms(*parts: str) -> Markup:
    """The inside of a displayed formula, for scripts that add to it."""
    written, relation = "", ""
    for part in parts:
        if part in RELATIONS:
            relation = f'<mo form="infix">{part}</mo>'
            continue
        for term in _split(_row(fromstring(_escaped(part))), SIGNS):
            first, *others = [
                "".join(tostring(one, "unicode") for one in factor) for factor in _split(_inner(term), TIMES)
            ]
            factors = "".join(map(_math, [relation + first, *others]))
            written, relation = f'{written}<span class="term">{factors}</span>', ""
    return Markup(written)


def _math(inner: str) -> str:
    return f'<math displaystyle="true"><mrow>{inner}</mrow></math>'


def _split(row: Sequence[Element], operators: Sequence[str]) -> list[list[Element]]:
    """The row in pieces, each but the first with the operator before it."""
    pieces: list[list[Element]] = [[]]
    for element in row:
        if _operator(element) in operators:  # it may come to stand first, which would make it a prefix
            element.set("form", "infix" if pieces[-1] else "prefix")
            if pieces[-1]:
                pieces.append([])
        pieces[-1].append(element)
    return pieces


def _inner(term: Sequence[Element]) -> list[Element]:
    """The term's sign and its factors, where those are a row of their own."""
    *sign, last = term
    return [*sign, *_row(last)] if all(map(_operator, sign)) else [*term]


def _row(element: Element) -> list[Element]:
    return [*element] if element.tag == "mrow" else [element]


def _operator(element: Element) -> str:
    return element.text or "" if element.tag == "mo" else ""


def _escaped(mathml: str) -> str:
    """As XML, which requires < to be escaped."""
    return mathml.replace("<mo><</mo>", "<mo>&lt;</mo>")
