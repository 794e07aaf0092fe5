"""Types of options: what cyclopts would take otherwise than a person meant."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, Token


def _whole_numbers(_: type, tokens: Sequence[Token]) -> tuple[int, ...]:
    """cyclopts alone rounds 1.5 to 2."""
    for token in tokens:
        if not re.fullmatch(r"[+-]?\d+", token.value):
            raise ValueError(f"{token.value!r} is no whole number")
    return tuple(int(token.value) for token in tokens)


def _whole_number(hint: type, tokens: Sequence[Token]) -> int:
    return _whole_numbers(hint, tokens)[0]


def _path(_: type, tokens: Sequence[Token]) -> Path:
    """An empty text, which an unset variable of the shell gives, would be the working directory."""
    if not tokens[0].value:
        raise ValueError("it is empty")
    return Path(tokens[0].value)


def _numbers(_: type, tokens: Sequence[Token]) -> dict[str, float]:
    """Of texts such as epsilon=1e-3."""
    found = {}
    for token in tokens:
        name, equals, number = token.value.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            equals = ""
        if not (name and equals):
            raise ValueError(f"{token.value!r} is no name=number, such as epsilon=1e-3")
    return found


def not_empty(_: type, values: tuple | None) -> None:
    """A list that is given has something in it."""
    if values is not None and not values:
        raise ValueError("Needs at least one value.")


Whole = Annotated[int, Parameter(converter=_whole_number)]
WholeNumbers = Annotated[tuple[int, ...], Parameter(converter=_whole_numbers, consume_multiple=True, negative=())]
FilePath = Annotated[Path, Parameter(converter=_path)]
Names = Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative=(), validator=not_empty)]
Numbers = Annotated[dict[str, float], Parameter(converter=_numbers, consume_multiple=True, negative=(), n_tokens=1)]
