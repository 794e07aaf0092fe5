"""The tables of a replication: the notebook's figures beside ours, its orderings, and those of two questions."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ..bands import FEWEST

Table = tuple[Sequence[tuple[str, str]], Sequence[Sequence[str]]]
"""Columns and rows, as the macro `table` of parts.html.jinja takes them."""


def tables(results: Mapping[str, Any]) -> dict[str, Table]:
    """Those of the parts that were made: "beside", "orderings", and by name those of questions 3 and 4."""
    questions = {"question-3": _optimizers, "question-4": _batch_sizes}
    return {
        "beside": _beside(beside(results)),
        "orderings": _orderings(results["orderings"]),
        **{name: table(results["parts"][name]) for name, table in questions.items() if name in results["parts"]},
    }


def beside(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every figure that the notebook printed beside ours, with "verdict": where it is relative to our band."""
    few = len(results["scale"]["seeds"]) < FEWEST
    return [
        {"experiment": name, **row, "verdict": "few seeds" if few else _verdict(row)}
        for name, part in results["parts"].items()
        for row in part.get("beside", ())
    ]


def figure(value: float | None, what: str) -> str:
    """A cost to four digits, an accuracy as a percentage; a dash for what is not finite."""
    if value is None:
        return "–"
    return f"{value:.2%}" if "accuracy" in what else f"{value:.4g}"


def _verdict(row: Mapping[str, Any]) -> str:
    if row["outside"] is None:
        return "not finite"
    if row["outside"] == 0:
        return "inside"
    far, side = abs(row["outside"]), "above" if row["outside"] > 0 else "below"
    return f"{100 * far:.2f} points {side}" if "accuracy" in row["what"] else f"{far:.2g} {side}"


def signed(value: float | None, digits: int = 2) -> str:
    """With its sign; a dash for what is not finite."""
    return "–" if value is None else f"{value:+.{digits}f}".replace("-", "−")


def _beside(rows: Sequence[Mapping[str, Any]]) -> Table:
    columns = (("experiment", "name"), ("figure", "name"), ("notebook", "number"), ("in our band?", "word"),
               ("mean", "number"), ("deviation", "number"), ("band", "number"), ("off by", "number"))  # fmt: skip
    classes = {"inside": "inside", "few seeds": "muted"}
    cells = []
    for row in rows:
        what, band = row["what"], row["band"]
        printed, mean, deviation, low, high = (
            figure(value, what)
            for value in (row["printed"], band["mean"], band["deviation"], band["low"], band["high"])
        )
        verdict = Markup('<span class="{}">{}</span>').format(classes.get(row["verdict"], "outside"), row["verdict"])
        off = f"{signed(row['deviations'], 1)} σ"
        cells.append([row["experiment"], what, printed, verdict, mean, deviation, f"{low} – {high}", off])
    return columns, cells


def _orderings(rows: Sequence[Mapping[str, Any]]) -> Table:
    columns = (("ordering", "name"), ("notebook, points", "number"), ("ours, points", "number"),
               ("95 %", "number"), ("seeds that agree", "number"))  # fmt: skip
    cells = []
    for row in rows:
        difference = row["difference"]
        printed, mean, low, high = (
            _points(value) for value in (row["printed"], difference["mean"], difference["low"], difference["high"])
        )
        agree = f"{row['seeds_that_agree']} of {row['seeds']}"
        cells.append([f"{row['better']} over {row['worse']}", printed, mean, f"{low} to {high}", agree])
    return columns, cells


def _optimizers(question: Mapping[str, Any]) -> Table:
    columns = (("optimizer", "name"), ("learning rate", "number"), ("whose", "word"), ("test accuracy", "number"),
               ("deviation", "number"), ("cost", "number"), ("epochs to 95 %", "number"))  # fmt: skip
    return columns, [
        [
            row["rule"],
            f"{row['learning_rate']:g}",
            row["whose"],
            *(figure(row["test_accuracy"][what], "accuracy") for what in ("mean", "deviation")),
            figure(row["cost"]["mean"], "cost"),
            "–" if row["reached"] is None else f"{row['reached']:g}",
        ]
        for row in question["rows"]
    ]


def _batch_sizes(question: Mapping[str, Any]) -> Table:
    columns = (("batch", "name"), ("steps an epoch", "number"), ("accuracy after equal epochs", "number"),
               ("accuracy after equal steps", "number"), ("time of an epoch", "number"),
               ("95 %", "number"))  # fmt: skip
    return columns, [
        [
            f"{row['batch']}",
            f"{row['steps_per_epoch']:,}",
            *(figure(row[equal]["test_accuracy"], "accuracy") for equal in ("equal_epochs", "equal_steps")),
            f"{row['times_as_long']['median']:.2f}×",
            f"{row['times_as_long']['low']:.2f}–{row['times_as_long']['high']:.2f}",
        ]
        for row in question["rows"]
    ]


def _points(share: float | None) -> str:
    """Percentage points with their sign."""
    return signed(None if share is None else 100 * share)
