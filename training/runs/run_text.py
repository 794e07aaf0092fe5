"""All of a checkpoint that is no tensor: one JSON text, written and read."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from core import InputError

from .earlier import of_before
from .machine import machine
from .rule_choice import rule_settings
from .settings import Settings
from .trainer import Trainer
from .versions import versions

FORMAT = 6
"""A change of the keys, or of what lies beside them, makes another. See `earlier` for what those before were."""
OTHER = "is no checkpoint of a run, or of another version of rawstep"
KINDS = {
    "settings": dict[str, Any], "rule": dict[str, Any], "serves": bool | None, "data": dict[str, Any],
    "schema": dict[str, Any] | None, "versions": dict[str, Any], "computed_by": dict[str, Any] | None,
    "epochs": list[tuple[float, dict[str, float]]], "best": dict[str, int] | None, "costs": list[float],
    "feed": dict[str, Any],
}  # fmt: skip
"""What stands there under each key; what may be None may be missing."""


def run_text(trainer: Trainer) -> str:
    """That of a trainer between two calls; see `Checkpoint.run`."""
    run = {
        "format": FORMAT,
        "settings": asdict(trainer.settings),
        "rule": rule_settings(trainer.rule),
        "serves": trainer.rule.serves,
        "data": trainer.fingerprint,
        "schema": trainer.data.schema,
        "versions": versions(),
        "computed_by": computed_by(trainer),
        "epochs": trainer.history,
        "best": {"epoch": trainer.best_epoch, "step": trainer.best_step} if trainer.best_epoch else None,
        "costs": trainer.costs,
        "feed": trainer.feed.state,
    }
    return json.dumps(run, default=str)


def computed_by(trainer: Trainer) -> dict[str, Any]:
    """What decides the last bits besides versions and settings. A batch divided into parts is added up in their order,
    on any number of replicas."""
    ordered = trainer.settings.parts is not None
    return machine() | ({} if ordered else {"number of replicas": trainer.distribution.replicas})


def read_run_text(text: Any) -> tuple[dict[str, Any], int]:
    """What stands in it, in today's form, and the format in which it was written.

    Raises InputError for what is no such text, of this rawstep's or an earlier one's: what is wrong with it, in words
    that go on from its place.
    """
    try:
        run = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(OTHER) from error
    number: Any = run.get("format") if isinstance(run, dict) else None
    if not _fits(number, int) or not 1 <= number <= FORMAT:
        raise InputError(OTHER)
    if number < FORMAT:
        try:
            run = of_before(run, FORMAT)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"is no checkpoint of a run, though it says so: {error!r}") from error
    _check(run, KINDS, "")
    if run.get("best") is not None:
        _check(run["best"], {"epoch": int, "step": int}, "best, ")
    hints = get_type_hints(Settings)
    _check({**asdict(Settings()), **run["settings"]}, hints, "settings, ")
    if unknown := run["settings"].keys() - hints.keys():
        raise InputError(f"has a setting that this rawstep lacks: {min(unknown)}")
    return run, number


def _check(found: Mapping[str, Any], kinds: Mapping[str, Any], where: str) -> None:
    for name, kind in kinds.items():
        if not _fits(found.get(name), kind):
            raise InputError(f"must have {where}{name} as {_named(kind)}, found {_shown(found.get(name))}")


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value that JSON can hold is of a type, as annotations write it."""
    outer, inner = get_origin(kind) or kind, get_args(kind)
    if outer in (Union, UnionType):
        return any(_fits(value, one) for one in inner)
    if outer is Literal:
        return value in inner
    if outer is tuple and ... not in inner:
        return isinstance(value, list) and len(value) == len(inner) and all(map(_fits, value, inner))
    if outer in (list, tuple):
        return isinstance(value, list | tuple) and all(_fits(one, inner[0]) for one in value)
    if outer in (dict, Mapping):
        return isinstance(value, dict) and all(_fits(one, inner[1]) for one in value.values())
    if kind in (int, float):
        return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    return value is None if kind in (None, type(None)) else kind is Any or isinstance(value, kind)


def _named(kind: Any) -> str:
    return str(kind) if isinstance(kind, UnionType) else getattr(kind, "__name__", str(kind))


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"
