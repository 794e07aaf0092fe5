"""The settings of a rule as options, with the values that a dialect has for them, for `--rule NAME --help`."""

from collections.abc import Sequence
from dataclasses import MISSING
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table


def named_rule(arguments: Sequence[str]) -> tuple[str, str | None] | None:
    """The rule and the dialect of a command line that asks for help; None where it does not, or names no rule."""
    if not {"--help", "-h"} & {*arguments}:
        return None
    rule = _value(arguments, "--rule")
    return None if rule is None else (rule, _value(arguments, "--dialect"))


def _value(arguments: Sequence[str], option: str) -> str | None:
    for place, one in enumerate(arguments):
        if one.startswith(f"{option}="):
            return one.partition("=")[2]
        if one == option and place + 1 < len(arguments) and not arguments[place + 1].startswith("-"):
            return arguments[place + 1]
    return None


def print_rule_help(rule: str, dialect: str | None = None, /) -> None:
    """Print the settings of a rule as options, with their values in a dialect and what they mean."""
    from core.rules.settings import notes

    from ..runs.display import Screen
    from ..runs.rule_choice import option, usual_dialect, usual_settings

    chosen = dialect or usual_dialect(rule.lower())
    kind, usual = usual_settings(rule, chosen)
    meanings = notes(kind, str)
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    for heading in ("option", chosen or "default", "meaning"):
        table.add_column(heading, no_wrap=heading != "meaning")
    for name, value in usual.items():
        table.add_row(option(name), "asked for" if value is MISSING else _shown(value), meanings.get(name, ""))
    screen = Screen(wide=True)
    screen.print(f"\nSettings of {kind.__name__}{f', {chosen}' if chosen else ''}\n", style="bold")
    screen.print(table)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
