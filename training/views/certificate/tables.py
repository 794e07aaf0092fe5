"""Certificates as a person reads them, and as JSON, CSV and JUnit XML hold them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from io import BytesIO
from math import isfinite
from typing import Any

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite
from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.verification import CARDS, Coverage, Row, Streams

from ...output.screen import Screen

HEADINGS = ("rule", "dialect", "reference", "dtype", "execution", "steps", "units", "of", "where", "relative", "drift",
            "errors", "verdict")  # fmt: skip

NUMBERS = ("steps", "units", "of", "relative", "drift")
DISPENSABLE = ("where", "relative", "drift", "steps", "of", "dialect")
"""Columns that a narrow screen does without, the first of these first; --json has them all."""

LEGEND = (
    "units: the largest error of any value of any step, taken from the state before it, in ε_machine·Σ|terms of the "
    "formula|; of: what rounding may come to there; where: value, step, gradients; relative: the largest relative "
    "difference; drift: of a run left alone, the share of what rounding may have come to at its last step; errors: "
    "planted ones that these settings, gradients and bounds would show."
)

VERDICTS = {
    "certified": "certified",
    "rounding": "rounding only",
    "differs": "differs",
    "drifts": "drifts",
    "blind": "not certified",
    "missing": "not installed",
    "lacks": "–",
}


def print_certificate(rows: Sequence[Row]) -> None:
    """The table, a sentence for each row that is not certified, and the count, to standard output."""
    screen = Screen(wide=True)
    cells: list[Mapping[str, str]] = [dict(zip(HEADINGS, _cells(row), strict=True)) for row in rows]
    shown = [[heading for heading in HEADINGS if heading not in DISPENSABLE[:n]] for n in range(len(DISPENSABLE) + 1)]
    tables = [_table(headings, cells) for headings in shown]
    unbounded = screen.options.update(max_width=1_000)
    fitting = (table for table in tables if screen.measure(table, options=unbounded).maximum <= screen.width)
    screen.print(next(fitting, tables[0]))
    screen.print(LEGEND)
    for sentence in dict.fromkeys(_reason(row) for row in rows if row.verdict not in ("certified", "lacks")):
        screen.print(sentence, soft_wrap=True)
    for sentence in _surprises(rows):
        screen.print(sentence, soft_wrap=True)
    for sentence in _covered(rows):
        screen.print(sentence, soft_wrap=True)
    counts = Counter(VERDICTS[row.verdict] for row in rows)
    lacking = counts.pop(VERDICTS["lacks"], 0)
    said = [f"{count} {verdict}" for verdict, count in counts.items()]
    said += [f"{lacking} of a library that lacks the rule"] if lacking else []
    screen.print(f"{len(rows)} rows: {', '.join(said)}.")


def _surprises(rows: Sequence[Row]) -> list[str]:
    """Where a library computes something else than a person would expect of it, in a sentence each."""
    asked = dict.fromkeys((row.rule, row.reference) for row in rows if row.dialect and row.rule in CARDS)
    said = {(rule, name): CARDS[rule].surprise(name) for rule, name in asked}
    return [f"{name}'s {rule}: {words}." for (rule, name), words in said.items() if words]


def _table(headings: Sequence[str], rows: Sequence[Mapping[str, str]]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for heading in headings:
        table.add_column(heading, justify="right" if heading in NUMBERS else "left")
    for row in rows:
        table.add_row(*(row[heading] for heading in headings))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    head = (row.rule, row.dialect, row.reference, row.dtype, row.execution)
    if row.comparison is None:
        return (*head, *[""] * (len(HEADINGS) - len(head) - 1), VERDICTS[row.verdict])
    worst = row.comparison.worst
    return (
        *head,
        f"{row.steps:,}",
        f"{worst.units:.3g}",
        f"{worst.bound:.3g}",
        f"{worst.value}, {worst.step}, {_place(row)}" if worst.units else "equal bits",
        f"{row.comparison.relative:.1e}",
        "" if row.drift is None else f"{row.drift.share:.2g}",
        f"{row.planted - len(row.missed)}/{row.planted}",
        VERDICTS[row.verdict],
    )


def records(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The table's figures in full, a row for each of its rows."""
    return [_record(row) for row in rows]


def _record(row: Row) -> dict[str, Any]:
    worst = row.comparison and row.comparison.worst
    return {
        "rule": row.rule,
        "dialect": row.dialect,
        "reference": row.reference,
        "dtype": row.dtype,
        "execution": row.execution,
        "steps": row.steps,
        "units": worst and worst.units,
        "of": worst and worst.bound,
        "value": worst and worst.value,
        "step": worst and worst.step,
        "where": _place(row),
        "relative": row.comparison and row.comparison.relative,
        "drift": row.drift and row.drift.share,
        "planted": row.planted,
        "seen": row.planted - len(row.missed),
        "verdict": row.verdict,
    }


def _reason(row: Row) -> str:
    """Why a row is not certified."""
    who = f"{row.rule} ({row.dialect})" if row.dialect else row.rule
    head = f"{who} against {row.reference}, {row.dtype}, {row.execution}"
    if row.verdict == "missing":
        return f"{row.reference} is not installed: pip install {row.missing}."
    if row.verdict == "rounding":
        return f"{head}: rounding only: {'; '.join(row.rounding)}."
    if row.verdict == "blind":
        return f"{head}: these errors would not be seen: {', '.join(row.missed)}."
    first = row.first if row.first is not None else row.drift and row.drift.first
    assert first is not None, "a row that differs has a first difference"
    assert row.coverage is not None, "what was compared is covered"
    place = row.coverage.place(first.coordinate)
    where = f"step {first.step}, {place}" if first.step else "before the first step"
    numbers = f"found {first.found:.9g}, expected {first.expected:.9g}"
    if isfinite(first.units):
        numbers += f", {first.units:.3g} units of {first.bound:.3g}"
    if row.why is None:
        return f"{head}: {first.value} differs at {where}: {numbers}."
    return f"{head}: {row.why.stage} is wrong: {'; '.join(row.why.words)}. {first.value} at {where}: {numbers}."


def _covered(rows: Sequence[Row]) -> list[str]:
    """What the rows of each dtype rest on, in a sentence; and which roundings they could not distinguish."""
    sentences = []
    for dtype in dict.fromkeys(row.dtype for row in rows):
        all_of = [row.coverage for row in rows if row.dtype == dtype and row.coverage is not None]
        if not all_of:
            continue
        one, asked = all_of[0], [coverage.asked for coverage in all_of if coverage.asked is not None]
        shapes = ", ".join("scalar" if not shape else "×".join(map(str, shape)) for shape in one.shapes)
        sizes = min(c.gradients[0] for c in all_of), max(c.gradients[1] for c in all_of)
        parameters = min(c.parameters[0] for c in all_of), max(c.parameters[1] for c in all_of)
        steps = sorted({coverage.steps for coverage in all_of})
        parts = [
            f"tensors of shape {shapes}, updated in an order that changes",
            f"{' or '.join(f'{n:,}' for n in steps)} steps, all of them compared",
            f"|g| from {sizes[0]:.1g} to {sizes[1]:.1g}{' and 0' if one.zeros else ''}",
            f"θ from {parameters[0]:.1g} to {parameters[1]:.1g}",
            f"settings: {_settings(all_of)}",
        ]
        if asked:
            parts.insert(2, f"a library itself asked about {' or '.join(f'{n:,}' for n in sorted(set(asked)))}")
        unsettled = max(row.comparison.unsettled for row in rows if row.dtype == dtype and row.comparison)
        if unsettled:
            parts.append(
                f"up to {unsettled:,} values a row that roundings alone decide, such as the sign of 0 or the root of "
                "what may be below it: any answer is right"
            )
        if any(coverage.drawn for coverage in all_of):
            parts.append("slots from their own first values and from drawn ones")
        if any(coverage.estimated for coverage in all_of):
            parts.append("what rounding may come to is estimated: the reference has no formula here")
        if unread := dict.fromkeys(name for coverage in all_of for name in coverage.unread):
            parts.append(f"not compared, as the reference has no value of that name: {', '.join(unread)}")
        sentences.append(f"Covered in {dtype}: {'; '.join(parts)}.")
    alike = dict.fromkeys(error for row in rows for error in row.alike)
    if alike:
        sentences.append(f"Roundings that these settings do not distinguish: {', '.join(alike)}.")
    return sentences


def _settings(coverages: Sequence[Coverage]) -> str:
    """The sets of settings, where all rows have the same; else how many at most."""
    sets = [coverage.settings for coverage in coverages]
    if any(one != sets[0] for one in sets):
        return f"each dialect's own, and up to {max(map(len, sets)) - 1} sets chosen to reveal, a schedule among them"
    named = [", ".join(f"{name} = {_number(value)}" for name, value in one.items()) for one in sets[0]]
    return " | ".join(dict.fromkeys(one or "its own" for one in named))


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def junit_xml(rows: Sequence[Row], strict: bool) -> bytes:
    """The certificate as JUnit XML: a test case a row; a rounding fails where `strict`, and a missing package too."""
    suite = TestSuite("rawstep verify")
    for row in rows:
        case = TestCase(f"{row.reference} {row.dtype} {row.execution}", f"{row.rule}.{row.dialect or 'own'}")
        if row.verdict == "lacks":
            case.result = [Skipped(f"{row.reference} has no {row.rule}.")]
        elif row.verdict == "missing" and not strict:
            case.result = [Skipped(_reason(row))]
        elif row.verdict != "certified" and (strict or row.verdict != "rounding"):
            case.result = [Failure(_reason(row), row.verdict)]
        suite.add_testcase(case)
    xml = JUnitXml()
    xml.add_testsuite(suite)
    text = BytesIO()
    xml.write(text)
    return text.getvalue()


def failed(rows: Sequence[Row], strict: bool) -> bool:
    """Whether a row is not certified; where `strict`, a rounding counts too, and a missing package."""
    wrong = {"differs", "drifts", "blind"} | ({"missing", "rounding"} if strict else set())
    return any(row.verdict in wrong for row in rows)


def certificate(rows: Sequence[Row], streams: Mapping[str, Streams]) -> dict[str, Any]:
    """All rows and what they were judged with, as JSON can hold it."""
    return {
        "streams": {
            dtype: {"steps": len(one.gradients), "kinds": dict(Counter(one.kinds)), "seed": one.seed}
            for dtype, one in streams.items()
        },
        "rows": [*map(_in_full, rows)],
    }


def _in_full(row: Row) -> dict[str, Any]:
    found = asdict(row)
    if found["coverage"]:
        del found["coverage"]["kinds"]  # of every coordinate; those that are named are named
    return {**found, "steps": row.steps, "verdict": row.verdict, "where": _place(row)}


def _place(row: Row) -> str | None:
    compared, covered = row.comparison, row.coverage
    return None if compared is None or covered is None else covered.place(compared.worst.coordinate)
