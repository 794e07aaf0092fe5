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
        kind: Any = get_origin(form) or form
        of = get_args(form)
        if kind is Literal and value in of:
            return value
        if isinstance(value, str) and isinstance(kind, type):
            if issubclass(kind, Enum) and value in kind.__members__:
                return kind[value]
            if issubclass(kind, PurePath | str) and not issubclass(kind, Enum):
                return kind(value)
        if isinstance(value, list) and kind in _SEVERAL:
            each = (
                of
                if kind is tuple and len(of) == len(value) and of[-1] is not Ellipsis
                else (of or (Any,))[:1] * len(value)
            )
            return kind(from_json(*one) for one in zip(each, value, strict=True))
        if isinstance(value, dict) and kind is dict and of:
            return {name: from_json(of[1], one) for name, one in value.items()}
    return tuple(value) if isinstance(value, list) else value


def typed(field: str, hint: Any, words: Sequence[str]) -> Any:
    """The value of a field with this annotation for the words after its option.

    Raises InputError for words that are none.
    """
    if tuple(words) == ("none",) and NoneType in (forms := _forms(hint)) and {*forms} <= {int, float, bool, NoneType}:
        return None  # `Whole` has no word for it
    app = App(name="rawstep", help_flags=(), version_flags=(), result_action="return_value")

    def take(value: Any, /) -> Any:
        return value

    take.__annotations__["value"] = _of_whole_numbers(hint)
    app.default(take)
    try:
        return app(["--", *words], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise InputError(wrong_words(error, option(field), words)) from None


def text(value: Any) -> Any:
    """A value that JSON holds as a person types it; None stays None."""
    if isinstance(value, list):
        return " ".join(str(text(one)) for one in value) or "none"
    return str(value).lower() if isinstance(value, bool) else value if value is None else str(value)


def _forms(hint: Any) -> list[Any]:
    """The types that an annotation allows."""
    if get_origin(hint) is Annotated:
        return _forms(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return [form for one in get_args(hint) for form in _forms(one)]
    return [hint]


def _of_whole_numbers(hint: Any) -> Any:
    """An annotation with `Whole` for every int that has no converter of its own."""
    kind: Any = get_origin(hint)
    of = get_args(hint)
    if hint is int:
        return Whole
    if kind is Annotated:
        own = any(isinstance(one, Parameter) and one.converter is not None for one in of[1:])
        return hint if own else Annotated[(_of_whole_numbers(of[0]), *of[1:])]
    if kind in (Union, UnionType):
        return Union[tuple(map(_of_whole_numbers, of))]  # noqa: UP007 - made of a tuple
    return kind[tuple(map(_of_whole_numbers, of))] if kind in _SEVERAL else hint
