"""Types of options: what cyclopts would take otherwise than a person meant."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import CycloptsError, Parameter, Token


def _whole_numbers(_: type, tokens: Sequence[Token]) -> tuple[int, ...]:
    """cyclopts alone rounds 1.5 to 2."""
    for token in tokens:
        if not re.fullmatch(r"[+-]?\d+", token.value):
            raise ValueError(f"must be a whole number, found {token.value!r}")
    return tuple(int(token.value) for token in tokens)


def _layers(hint: type, tokens: Sequence[Token]) -> tuple[int, ...]:
    """None at all is a word: an option without a value is more likely a slip."""
    return () if [token.value for token in tokens] == ["none"] else _whole_numbers(hint, tokens)


def _whole_number(hint: type, tokens: Sequence[Token]) -> int:
    return _whole_numbers(hint, tokens)[0]


def _path(_: type, tokens: Sequence[Token]) -> Path:
    """An empty text, as an unset variable of the shell leaves, would be the working directory."""
    if not tokens[0].value:
        raise ValueError("must not be empty")
    return Path(tokens[0].value)


Whole = Annotated[int, Parameter(converter=_whole_number)]
Several = Parameter(consume_multiple=1, negative=())
"""One value or more after the option's name."""
HiddenLayers = Annotated[tuple[int, ...], Parameter(converter=_layers), Several]
Channels = Annotated[tuple[int, ...], Parameter(converter=_whole_numbers), Several]
FilePath = Annotated[Path, Parameter(converter=_path)]
Names = Annotated[tuple[str, ...], Several]
Best = Annotated[bool, Parameter(negative=(), help="Of the best epoch that --keep-best kept, not the newest state.")]
Raw = Annotated[bool, Parameter(negative=(), help="Of the weights as they are trained, where a run has --ema.")]


def check_stream(stream: Path | None, window: int | None, others: Mapping[str, object]) -> None:
    """Raises InputError for options that mean nothing beside --stream, and for --window without it."""
    from core.errors import InputError  # only now: --help answers without TensorFlow

    if stream is None and window is not None:
        raise InputError("--window is of a stream: give --stream DIR.")
    if stream is not None and (given := [option for option, value in others.items() if value is not None]):
        raise InputError(f"--stream and {given[0]} say twice where the data are: give one, and none for the other.")


def numbers_by_name(texts: Sequence[str] | None, option: str) -> dict[str, float] | None:
    """Of texts such as epsilon=1e-3. Raises CycloptsError for another text, and for a name that is given twice."""
    if texts is None:
        return None
    found: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = None
        if not name or value is None or name in found:
            raise CycloptsError(f"{option} takes each name=number once, such as epsilon=1e-3, found {text!r}.")
        found[name] = value
    return found
