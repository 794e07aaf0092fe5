"""What comes with rawstep: rules, pieces that go around one, and schedules."""

from rich.box import SIMPLE_HEAD
from rich.table import Table

from core import RULES
from core.rules import schedules
from core.rules.schedules.schedule import name_of
from core.rules.settings import Interval, notes

from ...output.screen import Screen
from ...runs.building import PIECES
from ...runs.rule_choice import option
from .explanation import what

EXAMPLES = (
    "piecewise:1e-3,1000=3e-4,2000=1e-4",
    "points:0=0,500=1e-3,9000=1e-3,10000=0",
    "exponential:1e-3,factor=0.96,steps=1000,stairs",
    "inverse-time:1e-3,factor=0.5,steps=1000",
    "polynomial:1e-3,steps=5500,end=1e-5,power=2",
    "cosine:3e-3,steps=5500",
    "cosine-restarts:1e-3,steps=1000,longer=2,lower=0.5",
    "one-cycle:1e-2,steps=5500",
    "1e-3,warmup=500,warmup-from=1e-5",
)
"""Texts that `schedules.parse` reads, one of each kind; a warm-up goes in front of any, and of a number."""


def print_catalogue() -> None:
    """Tables of rules, with what each is, its settings and dialects; of pieces, with their options; of schedules."""
    screen = Screen(wide=True)
    rules = [
        (name, what(kind), ", ".join(notes(kind, Interval)), ", ".join(kind.DIALECTS)) for name, kind in RULES.items()
    ]
    screen.print(_table(("rule", "what it is", "settings", "dialects"), rules))
    screen.print("\nPieces that go around a rule\n", style="bold")
    pieces = [(kind.__name__, what(kind), option(name)) for name, (kind, _) in PIECES.items()]
    screen.print(_table(("piece", "what it does", "option"), pieces))
    screen.print("\nSchedules, for --schedule and in the place of any number\n", style="bold")
    kinds = {text: type(schedules.parse(text)) for text in EXAMPLES}
    found = [(name_of(kind), what(kind), text) for text, kind in kinds.items()]
    screen.print(_table(("schedule", "what it does", "for example"), found))


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=heading in (headings[0], "option", "for example"))
    for row in rows:
        table.add_row(*row)
    return table
