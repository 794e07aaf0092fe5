"""Schedules in one line of text, for commands and saved runs."""

from collections.abc import Mapping

from ...errors import InputError
from .decays import Exponential, InverseTime, Polynomial
from .points import Piecewise, Points
from .schedule import Schedule, name_of, number_of
from .warmup import Constant, Warmup
from .waves import Cosine, CosineRestarts, OneCycle

KINDS: Mapping[str, type[Schedule]] = {
    name_of(kind): kind
    for kind in (
        Constant, Piecewise, Points, Exponential, InverseTime, Polynomial, Cosine, CosineRestarts, OneCycle,
    )
}  # fmt: skip
"""The schedules that a text begins with, by name; a warm-up follows them."""


def parse(text: str) -> Schedule | float:
    """The schedule, or the plain number, that a text says; `str` of the schedule returns it in its shortest form.

        1e-3                                                    a number
        cosine:3e-3,steps=5500,warmup=500                       a kind, its first number, others by name, a warm-up
        exponential:1e-3,factor=0.96,steps=1000,stairs          a flag
        piecewise:1e-3,1000=3e-4,2000=1e-4                      a value, and others from a step on
        points:0=0,500=1e-3,9000=1e-3,10000=0                   straight lines between values
        1e-3,warmup=500,warmup-from=1e-5                        a warm-up in front of a number

    Names are those of the fields, with a hyphen for an underscore. With a warm-up, a step is still counted from the
    beginning of the run: cosine:3e-3,steps=5500,warmup=500 rises for 500 steps and falls for 5,000, as
    Warmup(Cosine(3e-3, 5000), 500) does. So are `steps` of polynomial and one-cycle, and the steps of piecewise and
    points. `steps` of exponential, inverse-time and cosine-restarts is a length, and stays as it is.

    Raises InputError for a text that says no schedule.
    """
    kind, colon, rest = text.partition(":")
    bare = not colon and _is_number(text.split(",")[0])
    kind, rest = ("constant", text) if bare else (kind.strip(), rest)
    if kind not in KINDS:
        raise InputError(
            f"The schedule {text!r} must be a number or begin with one of {', '.join(KINDS)}, found {kind!r}.",
            kind, KINDS,
        )  # fmt: skip
    try:
        items = _items(rest)
        steps, start = items.pop("warmup", None), items.pop("warmup-from", None)
        made = KINDS[kind].of_items(items)
        if steps is None:
            if start is not None:
                raise InputError("warmup-from needs warmup=STEPS")
            return made.value if bare and isinstance(made, Constant) else made
        return _warmed_up(made, number_of(steps, "warmup"), 0.0 if start is None else number_of(start, "warmup-from"))
    except InputError as error:
        raise _refused(text, error) from None


def _warmed_up(made: Schedule, steps: float, start: float) -> Warmup:
    """A schedule whose steps are counted from the beginning of the run, behind a warm-up."""
    length = Warmup(made, steps, start).steps  # type: ignore[arg-type] - which is checked there
    try:
        return Warmup(made.moved(-length), length, start)
    except InputError:
        if all(
            getattr(made, name) > length
            for name in made.FROM_THE_BEGINNING
            if not isinstance(getattr(made, name), tuple)
        ):
            raise
        moved = " and ".join(made.FROM_THE_BEGINNING)
        raise InputError(f"{moved} must come after the warm-up of {length} steps, which they include") from None


def _items(text: str) -> dict[str, str]:
    """Values by name: a number without one is "", and a name without a value a flag."""
    found: dict[str, str] = {}
    for item in text.split(",") if text.strip() else ():
        name, equals, value = (part.strip() for part in item.partition("="))
        if not name or (equals and not value):
            raise InputError(f"an item must be NUMBER, NAME or NAME=NUMBER, found {item.strip()!r}")
        if not equals and (_is_number(name) or not found):
            name, value = "", name
        if name in found:
            raise InputError(f"{name or 'a number without a name'} is there twice")
        found[name] = value
    return found


def _is_number(text: str) -> bool:
    try:
        return float(text) is not None
    except ValueError:
        return False


def _refused(text: str, error: InputError) -> InputError:
    return InputError(f"The schedule {text!r} cannot be used: {str(error).rstrip('.')}.", error.name, error.known)
