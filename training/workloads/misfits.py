"""Words that are no value of an option, in a sentence that says what can be given instead. Free of TensorFlow."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from enum import Enum
from typing import Literal, get_args, get_origin

from cyclopts import CoercionError, CycloptsError, MissingArgumentError, default_name_transform
from cyclopts.exceptions import UnusedCliTokensError


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question to end a sentence with, where one known name is close to this one or has it as one of its words.

    Close: 7 of 10 characters agree, as difflib counts them; below that it finds unrelated names.
    """
    known = list(known)
    words = [one for one in known if name in one.split("-")]
    meant = get_close_matches(name.lower(), known, n=1, cutoff=0.7) or words
    return f" Did you mean {meant[0]}?" if len(meant) == 1 else ""


def misfit(error: CoercionError, name: str) -> str:
    """What to print for a word that is no value of the option `name`."""
    if error.msg is not None:
        return f"{name} {error.msg}."
    if error.token is None:
        return str(error)
    value = error.token.value
    choices = _choices(error.target_type)
    if choices:
        return f"{name} must be one of {', '.join(choices)}, found {value!r}.{did_you_mean(value, choices)}"
    wanted = _WANTED.get(error.target_type)
    return str(error) if wanted is None else f"{name} must be {wanted}, found {value!r}."


def wrong_words(error: CycloptsError, name: str, words: Sequence[str]) -> str:
    """What to print for all words of the option `name`: one that is no value of it, too many or too few."""
    match error:
        case CoercionError():
            return misfit(error, name)
        case UnusedCliTokensError(unused_tokens=[*unused]):
            return f"{name} takes {_values(len(words) - len(unused))}, found {len(words)}: {' '.join(words)}."
        case MissingArgumentError(argument=argument) if argument is not None:
            needed, _ = argument.token_count()
            if needed > len(words):
                return f"{name} takes {_values(needed)}, found {' '.join(words) or 'none'}."
    return f"{name} cannot be given on a command line, found {' '.join(words)}."


_WANTED = {float: "a number", int: "a whole number", bool: "true or false"}


def _choices(kind: object) -> Sequence[str]:
    if get_origin(kind) is Literal:
        return [*map(str, get_args(kind))]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [*map(default_name_transform, kind.__members__)]
    return ()


def _values(number: int) -> str:
    return "1 value" if number == 1 else f"{number} values"
