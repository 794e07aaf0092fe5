"""The race on a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from ...output.screen import Screen

HEADINGS = ("rule", "tuned learning rate", "steps to arrive", "final cost above the minimum", "distance to the minimum")


def print_results(results: Mapping[str, Any]) -> None:
    """A table for each landscape, the first to arrive at the top, and the budget of each rule."""
    screen = Screen(wide=True)
    for figures in results["landscapes"].values():
        table = Table(title=figures["title"])
        for heading in HEADINGS:
            table.add_column(heading, justify="left" if heading == "rule" else "right")
        for row in rows(figures):
            table.add_row(*row)
        screen.print(table)
    screen.print(results["budget"], soft_wrap=True)


def records(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same figures as numbers, a row for each rule on each landscape."""
    return [
        {
            "landscape": landscape,
            "rule": name,
            "learning_rate": rule["rate"],
            **({"amount": rule["amount"]} if "amount" in rule else {}),
            "arrived": rule["arrived"],
            "mean_steps": rule["mean_steps"],
            "final_over_least": rule["final"] - figures["least"],
            "distance": rule["distance"],
        }
        for landscape, figures in results["landscapes"].items()
        for name, rule in _ranked(figures)
    ]


def rows(figures: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The figures of one landscape by `HEADINGS`, as text; the first to arrive at the top, then by final cost."""
    return [
        (
            name,
            f"{rule['rate']:.3g}" + (f" at {rule['amount']:g}" if "amount" in rule else ""),
            _steps(rule),
            _number(rule["final"] - figures["least"]),
            _number(rule["distance"]),
        )
        for name, rule in _ranked(figures)
    ]


def _ranked(figures: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return sorted(figures["rules"].items(), key=lambda item: _place(item[1]))


def _place(rule: Mapping[str, Any]) -> tuple:
    final = rule["final"]
    return -rule["arrived"], rule["mean_steps"] or 0, final if final == final else float("inf")


def _steps(rule: Mapping[str, Any]) -> str:
    starts = len(rule["steps"])
    if rule["mean_steps"] is not None:
        return f"{rule['mean_steps']:,.0f}"
    return "–" if not rule["arrived"] else f"{rule['arrived']} of {starts} starts"


def _number(value: float) -> str:
    """To two digits; 0 where it is below what float64 can distinguish."""
    return "lost" if value != value or value == float("inf") else f"{value:.2g}"
