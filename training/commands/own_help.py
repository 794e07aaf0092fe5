"""The settings of a workload and of a rule as options, for `--workload NAME --help` and `--rule NAME --help`."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import MISSING
from typing import Any

from cyclopts import App
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..output.terminal import say
from .command_line import run


def run_with_own_help(app: App, arguments: Sequence[str] | None = None) -> None:
    """Runs a command line, and the commands that print the settings of what it names where it asks for help."""
    further = _asked(sys.argv[1:] if arguments is None else arguments)
    if not further:
        run(app, arguments)
        return
    with suppress(SystemExit):
        run(app, arguments)
    for command in further:
        run(app, command)


def _asked(arguments: Sequence[str]) -> list[list[str]]:
    """The commands that print the settings of what a command line names while it asks for help."""
    if not {"--help", "-h"} & {*arguments}:
        return []
    workload, rule, dialect = (_value(arguments, option) for option in ("--workload", "--rule", "--dialect"))
    found = [["settings-of-workload", workload]] if workload else []
    return found + ([["settings-of-rule", *filter(None, (rule, dialect))]] if rule else [])


def _value(arguments: Sequence[str], option: str) -> str | None:
    for place, one in enumerate(arguments):
        if one.startswith(f"{option}="):
            return one.partition("=")[2]
        if one == option and place + 1 < len(arguments) and not arguments[place + 1].startswith("-"):
            return arguments[place + 1]
    return None


def print_workload_help(workload: str, /) -> None:
    """Print the settings of a workload as options, with their defaults and what they mean."""
    from ..workloads.choice import app_of

    say("")
    app_of(workload).help_print()


def print_rule_help(rule: str, dialect: str | None = None, /) -> None:
    """Print the settings of a rule as options, with their values in a dialect and what they mean."""
    from core.rules.settings import notes

    from ..output.screen import Screen
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
