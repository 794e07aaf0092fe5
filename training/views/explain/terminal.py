"""An explanation as a person reads it in a terminal, or as LaTeX."""

from collections.abc import Iterable
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ...output.screen import Screen
from .explanation import HERE, Explanation
from .formula import Equation, Formula, Section
from .notation import in_latex, in_unicode
from .worked import number


def print_explanation(explanation: Explanation) -> None:
    """Formula, slots, settings, dialects and worked steps, to standard output."""
    screen = Screen(wide=True)
    for heading, parts in _sections(explanation):
        if heading:
            screen.print(f"\n{heading}\n", style="bold")
        for part in parts:
            screen.print(part, soft_wrap=isinstance(part, str) and "\n" in part)


def aligned(explanation: Explanation) -> str:
    """The equations as an align* environment of LaTeX; the parts of a chain are named in comments."""
    signs, lines = explanation.formula.signs, []
    for section in explanation.formula.sections:
        name = f"  % {explanation.heading(section.name)}\n" if section.name else ""
        of = [f"  {in_latex(one.symbol, signs)} &= {in_latex(one.expression, signs)}" for one in section.equations]
        lines += [name + of[0], *of[1:]]
    return "\n".join((r"\begin{align*}", " \\\\\n".join(lines), r"\end{align*}"))


def settings_table(explanation: Explanation) -> list[list[str]]:
    """A row a setting: how it is written, its name, its value in each of the explanation's columns."""
    symbols = {**explanation.formula.settings, **explanation.formula.scheduled}
    return [
        [symbols[name].name if name in symbols else "", name, *(_setting(value) for value in values.values())]
        for name, values in explanation.settings.items()
    ]


def beginning(explanation: Explanation) -> str:
    """Where the worked steps begin: parameter and slots before the first of them."""
    start = explanation.steps[0]
    theta = next(line for line in start.lines if line.name == "parameter")
    firsts = [f"{slot.sign.at(0).symbol.name} = {number(slot.first)}" for slot in explanation.slots]
    return ", ".join([f"{theta.sign.at(0).symbol.name} = {number(explanation.parameter)}", *firsts])


def _sections(explanation: Explanation) -> Iterable[tuple[str, Iterable[Any]]]:
    head, *prose = explanation.paragraphs
    sources = explanation.sources()
    shown = [f"Shown: {explanation.dialect}, from {sources[explanation.dialect]}."] if explanation.dialect else []
    yield "", [head, *prose[:1], *shown]
    if explanation.links:
        yield "The chain, in the order in which its parts act", [_links(explanation)]
    shown = explanation.formula
    yield (
        "One step, t being its number, from 1",
        [_by_part(explanation, shown.sections, shown, {}), *_said_of_formula(explanation)],
    )
    if explanation.slots:
        yield "Slots: what the rule remembers", [_slots(explanation)]
    yield "Settings", [_settings(explanation), *_meanings(explanation), *_remarks(explanation)]
    for form in explanation.forms:
        notes = dict.fromkeys(form.rounding, "the same except for rounding")
        lines = _by_part(explanation, form.sections, form.formula, notes)
        yield f"Otherwise in {', '.join(form.dialects)}", [*_order(explanation, form.formula), lines]
    if explanation.rounding:
        yield (
            "Settings that change rounding alone",
            [f"  {rounding.setting}: {rounding.meaning}" for rounding in explanation.rounding],
        )
    if prose[1:]:
        yield "Notes", prose[1:]
    if len(explanation.formulas) > 1:
        yield "Sources", [f"  {name}: {source}" for name, source in sources.items()]
    yield f"On numbers, from {beginning(explanation)}", _steps(explanation)


def _said_of_formula(explanation: Explanation) -> list[str]:
    """What the equations leave to be said, a paragraph each."""
    return [f"\n{remark}" for remark in explanation.remarks]


def _links(explanation: Explanation) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for link in explanation.links:
        table.add_row(f"    {link.name}", link.on, link.what)
    return table


def _order(explanation: Explanation, other: Formula) -> Iterable[str]:
    """The order of the parts, where it is another."""
    names = {link.name for link in explanation.links}
    here, there = ([one.name for one in of.sections if one.name in names] for of in (explanation.formula, other))
    return [f"In the order {', '.join(there)}.\n"] if here != there else []


def _meanings(explanation: Explanation) -> Iterable[str]:
    """What settings mean, except those of which that is said below."""
    below = {rounding.setting for rounding in explanation.rounding}
    return (f"  {name}: {meaning}" for name, meaning in explanation.meanings.items() if name not in below)


def _remarks(explanation: Explanation) -> Iterable[str]:
    if not explanation.rate_given:
        yield f"The learning rate has to be given; the numbers below are of {explanation.rule.learning_rate}."
    if len(explanation.formulas) > 1 and not explanation.forms:
        yield "The formula is the same in all dialects."


def _steps(explanation: Explanation) -> Iterable[str]:
    for step in explanation.steps:
        yield f"  step {step.t}, gradient {number(step.gradient)}\n"
        yield (
            _spaced(
                [
                    in_unicode(line.sign.symbol, " = ", line.numbers, f" {line.relation} ", line.result)
                    for line in step.lines
                ]
            )
            + "\n"
        )


def _by_part(explanation: Explanation, sections: Iterable[Section], formula: Formula, notes: dict[str, str]) -> str:
    """Equations under the name of their part, which a rule by itself lacks."""
    named = {f"  {explanation.heading(name)}\n\n" if name else "": equations for name, equations in sections}
    return "\n\n".join(name + _equations(equations, formula, notes) for name, equations in named.items())


def _equations(equations: Iterable[Equation], formula: Formula, notes: dict[str, str]) -> str:
    kinds = (
        dict.fromkeys(formula.of_t_alone, "depends on t alone"),
        dict.fromkeys(formula.unused, "not used in Δ"),
        notes,
    )

    def noted(name: str) -> str:
        said = "; ".join(of[name] for of in kinds if name in of)
        return f"   ({said})" if said else ""

    return _spaced([in_unicode(one.symbol, " = ", one.expression, noted(one.name)) for one in equations])


def _spaced(blocks: list[str]) -> str:
    """Blocks of lines, indented, with an empty line around each that is more than a line high."""
    text = ""
    for block, before in zip(blocks, ["", *blocks], strict=False):
        gap = "\n" if before and ("\n" in block or "\n" in before) else ""
        text += gap + "".join(f"    {line}\n" for line in block.splitlines())
    return text.removesuffix("\n")


def _slots(explanation: Explanation) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for slot in explanation.slots:
        first = f"starts at {number(slot.first)}"
        table.add_row(f"    {slot.sign.symbol.name}", slot.name, f"{slot.meaning}; {first}" if slot.meaning else first)
    return table


def _settings(explanation: Explanation) -> Table:
    """What is set here and in this dialect, and what is set otherwise elsewhere; dialects of one value together."""
    *here, dialect = [one for one in explanation.columns if one == HERE or one in list(explanation.formulas)[:1]]
    others = explanation.columns[len(here) + 1 :]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 1))
    for heading in ("", "", *here, dialect, *(["elsewhere"] if others else [])):
        table.add_column(heading)
    for symbol, name, *values in settings_table(explanation):
        used, value, elsewhere = values[: len(here)], values[len(here)], values[len(here) + 1 :]
        found: dict[str, list[str]] = {}
        for dialect, other in zip(others, elsewhere, strict=True):
            found.setdefault(other, []).append(dialect)
        found.pop(value, None)
        differing = "; ".join(f"{other} in {', '.join(dialects)}" for other, dialects in found.items())
        table.add_row(symbol, name, *used, value, *([differing] if others else []))
    return table


def _setting(value: Any) -> str:
    if value is None:
        return "to be given"
    return f"{value:g}" if isinstance(value, float) else str(value)
