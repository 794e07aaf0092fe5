"""A setting of a workload in its three forms: as its class holds it, as JSON does, and as a person types it."""

from collections.abc import Sequence
from dataclasses import fields
from enum import Enum
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
from cyclopts import App, CycloptsError, Parameter, default_name_transform

from core import InputError

from .misfits import wrong_words
from .options import Whole

_SEVERAL: Sequence[Any] = (tuple, list, set, frozenset)


def option(field: str) -> str:
    """What a field is called on the command line."""
    return f"--{default_name_transform(field)}"


def by_option(kind: type) -> dict[str, str]:
    """The fields of a class that can be set, by what a person types for them: data_dir for --data-dir."""
    return {option(one.name)[2:].replace("-", "_"): one.name for one in fields(kind) if one.init}


def as_json(value: Any) -> Any:
    """A field's value as JSON can hold it: a path by its text, a member of an Enum by its name, a tuple as a list.

    Raises TypeError for any other that JSON lacks.
    """
    match value:
        case Enum():
            return value.name
        case np.generic():
            return as_json(value.item())
        case None | bool() | int() | float() | str():
            return value
        case PurePath():
            return str(value)
        case tuple() | list():
            return [*map(as_json, value)]
        case set() | frozenset():
            return sorted(map(as_json, value))
        case dict() if all(isinstance(name, str) for name in value):
            return {name: as_json(one) for name, one in value.items()}
    raise TypeError


def from_json(hint: Any, value: Any) -> Any:
    """What `as_json` was given, of a field with this annotation; where that leaves it open, a list is a tuple."""
    for form in _forms(hint):
        kind, of = _kind(form), get_args(form)
        if get_origin(form) is Literal and value in of:
            return value
        if isinstance(value, str) and _is(kind, Enum) and value in kind.__members__:
            return kind[value]
        if isinstance(value, str) and _is(kind, str | PurePath) and not _is(kind, Enum):
            return kind(value)
        if isinstance(value, list) and kind in _SEVERAL:
            return kind(map(from_json, _each(kind, of, len(value)), value))
        if isinstance(value, dict) and kind is dict and of:
            return {name: from_json(of[1], one) for name, one in value.items()}
    return tuple(value) if isinstance(value, list) else value


def typed(field: str, hint: Any, words: Sequence[str]) -> Any:
    """The value of a field with this annotation for the words after its option; of a union, of the first that fits.

    No words are those of a flag, --centred for --centred true.

    Raises InputError for words that are none.
    """
    if not words:
        if bool not in _forms(hint):
            raise InputError(f"{option(field)} needs a value.")
        words = ["true"]
    wrong, forms = CycloptsError(), _members(hint)
    if NoneType in forms and [*words] == ["none"]:
        return None
    for form in forms:
        if form is NoneType:
            continue
        try:
            return _parsed(_of_whole_numbers(form), words)
        except CycloptsError as error:
            wrong = error
    raise InputError(wrong_words(wrong, option(field), words))


def text(value: Any) -> Any:
    """A value that JSON holds as a person types it; None stays None."""
    if isinstance(value, list):
        return " ".join(str(text(one)) for one in value) or "none"
    return str(value).lower() if isinstance(value, bool) else value if value is None else str(value)


def _parsed(hint: Any, words: Sequence[str]) -> Any:
    """Raises CycloptsError."""
    app = App(name="rawstep", help_flags=(), version_flags=(), result_action="return_value")

    def take(value: Any, /) -> Any:
        return value

    take.__annotations__["value"] = hint
    app.default(take)
    return app(["--", *words], exit_on_error=False, print_error=False)


def _each(kind: Any, of: Sequence[Any], length: int) -> Sequence[Any]:
    """The annotations of each element of a list."""
    if kind is tuple and len(of) == length and Ellipsis not in of:
        return of
    return [of[0] if of else Any] * length


def _kind(form: Any) -> Any:
    return get_origin(form) or form


def _is(kind: Any, of: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, of)


def _forms(hint: Any) -> list[Any]:
    """The types that an annotation allows."""
    return [get_args(one)[0] if get_origin(one) is Annotated else one for one in _members(hint)]


def _members(hint: Any) -> list[Any]:
    """Those of a union, each with what the whole is annotated with."""
    kind, of = get_origin(hint), get_args(hint)
    if kind is Annotated:
        return [one if one is NoneType else Annotated[(one, *of[1:])] for one in _members(of[0])]
    return [each for one in of for each in _members(one)] if kind in (Union, UnionType) else [hint]


def _of_whole_numbers(hint: Any) -> Any:
    """An annotation with `Whole` for every int that has no converter of its own."""
    kind: Any = get_origin(hint)
    of = get_args(hint)
    if hint is int:
        return Whole
    if kind is Annotated:
        own = any(isinstance(one, Parameter) and one.converter is not None for one in of[1:])
        return hint if own else Annotated[(_of_whole_numbers(of[0]), *of[1:])]
    return kind[tuple(map(_of_whole_numbers, of))] if kind in _SEVERAL else hint
