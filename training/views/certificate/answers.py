"""Divergences and translations as a person reads them, and as JSON holds them."""

from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.verification import Divergence, Streams
from core.verification.translation import Translation

from ...output.screen import Screen

SHOWN_STEPS = (1, 10, 100, 1_000, 10_000)


def print_divergence(found: Divergence | None, a: str, b: str, streams: Streams) -> None:
    """Where two implementations part, to standard output."""
    screen = Screen(wide=True)
    if found is None:
        screen.print(
            f"{a} and {b} compute the same along {len(streams.gradients):,} steps of {len(streams.kinds)} gradients, "
            "except for rounding.",
            soft_wrap=True,
        )
        return
    where = f"step {found.step}" if found.step else "the start, before the first step"
    screen.print(f"{a} and {b} part at {where}, in {found.stage}.", soft_wrap=True)
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("coordinate", found.coordinate)
    if found.gradient is not None:
        table.add_row("gradient", f"{found.gradient:.9g}")
    table.add_row(f"{found.value} of {a}", f"{found.found:.9g}")
    table.add_row(f"{found.value} of {b}", f"{found.expected:.9g}")
    table.add_row("apart", f"{found.units:.3g} units of ε_machine·Σ|terms|; rounding explains {found.bound:.3g}")
    table.add_row("cause", f"{found.whose} has {'; '.join(found.cause)}" if found.cause else "none that is known here")
    screen.print(table)


def divergence(found: Divergence | None, a: str, b: str) -> dict[str, Any]:
    """A divergence as JSON can hold it."""
    return {"a": a, "b": b, "divergence": None if found is None else asdict(found)}


def print_translation(found: Translation) -> None:
    """The settings of the target, and what was run to see that they do, to standard output."""
    screen = Screen(wide=True)
    screen.print(found.call or _as_rule(found), soft_wrap=True)
    claim = "This computes what" if found.exact else "No constant setting computes what"
    tail = " computes, except for rounding." if found.exact else " computes; above is the closest that was found."
    screen.print(f"{claim} {found.source}'s {found.rule}{tail}", soft_wrap=True)
    if found.why:
        screen.print(f"Reason: {found.why}.", soft_wrap=True)
    if found.schedule is not None:
        values = ", ".join(f"{found.schedule.at(t):.4g} at step {t:,}" for t in SHOWN_STEPS)
        screen.print(f"What does is {found.schedule.words}: {values}.", soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 1))
    for heading in ("run", "steps", "‖θ − θ'‖ / ‖θ − θ_0‖", "of what rounding allows"):
        table.add_column(heading, justify="left" if heading == "run" else "right")
    for run in found.runs:
        table.add_row(
            run.what, f"{run.steps:,}", f"{run.distance:.2e}", "" if run.share is None else f"{run.share:.2g}"
        )
    screen.print(table)


def translation(found: Translation) -> dict[str, Any]:
    """A translation as JSON can hold it."""
    schedule = found.schedule and {
        "setting": found.schedule.name,
        "formula": found.schedule.words,
        "values": {str(t): found.schedule.at(t) for t in SHOWN_STEPS},
    }
    runs = [run._asdict() for run in found.runs]
    return {**{name: getattr(found, name) for name in ("rule", "source", "target", "settings", "call", "exact", "why")},
            "schedule": schedule, "runs": runs, "holds": found.holds}  # fmt: skip


def _as_rule(found: Translation) -> str:
    settings = ", ".join(f"{name}={value!r}" for name, value in found.settings.items())
    return f"core.{found.rule.capitalize()}({settings})"
