"""From what a person types, such as "cnn" or "my_task:MyTask" and its options, to a workload."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from core import InputError
from core.mistakes import described, mistakes_in

from . import WORKLOADS
from .imports import import_named
from .workload import Workload

Options = Mapping[str, Sequence[str]]
"""By the names of fields, the words that a person types after an option's name."""


def kind_of(name: str) -> type[Workload]:
    """The class of a workload: one of rawstep's, or module:Name, a class or an instance of the user's.

    Raises InputError where there is none.
    """
    found = _found(name)
    return found if isinstance(found, type) else type(found)


def smaller(name: str) -> Workload:
    """The small one of its kind; an instance of the user's as it is. Raises InputError where there is none."""
    found = _found(name)
    return found if isinstance(found, Workload) else found.small()


def app_of(name: str) -> App:
    """The settings of a workload as the options of a command line, which returns the workload.

    Raises InputError where there is none, and where its class cannot be built.
    """
    found = _found(name)
    kind = kind_of(name)
    said = f"Settings of the workload {name}."
    app = App(name="rawstep", help=said, help_flags=(), version_flags=(), result_action="return_value")
    with mistakes_in(kind, name, "__post_init__", said="cannot be built"):
        default = found if isinstance(found, Workload) else kind()

    def take(workload: Any = default) -> Workload:
        return workload

    take.__annotations__["workload"] = Annotated[kind, Parameter(name="*")]
    app.default(take)
    return app


def chosen(name: str, options: Options) -> Workload:
    """The workload `name` with settings of one's own, all of which must be fields of its class.

    Raises InputError where there is none and for settings that cannot be, and cyclopts' errors for words that are no
    value of an option.
    """
    found, app = _found(name), app_of(name)
    words = [word for option, values in options.items() for word in (f"--{option.replace('_', '-')}", *values)]
    own: Any = None
    wrong = None
    with mistakes_in(kind_of(name), name, "__post_init__", said="cannot be built"):
        try:
            own = app(words, exit_on_error=False, print_error=False)
        except CycloptsError as error:
            wrong = error
    if wrong is not None:
        raise wrong
    return replace(found, **{one: getattr(own, one) for one in options}) if isinstance(found, Workload) else own


def name_of(workload: Workload) -> str:
    """What `chosen` takes for a workload of this class: one of rawstep's names, or module:Class."""
    place = f"{type(workload).__module__}:{type(workload).__qualname__}"
    return next((name for name, ours in WORKLOADS.items() if ours == place), place)


def shown(workload: Workload) -> dict[str, tuple[str, ...]]:
    """Every setting of a workload as `chosen` takes them; those that are None are left out."""
    values = {one.name: getattr(workload, one.name) for one in fields(workload)}
    return {name: _words(value) for name, value in values.items() if value is not None}


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, tuple | list):
        return tuple(map(str, value)) or ("none",)
    return (str(value).lower() if isinstance(value, bool) else str(value),)


def _found(name: str) -> type[Workload] | Workload:
    place = WORKLOADS.get(name.lower(), name)
    found = import_named(place) if ":" in place else None
    if found is None:
        raise InputError(
            f"There is no workload {name!r}; there are: {', '.join(WORKLOADS)}, or give module:Class for one of your "
            "own.",
            name,
            WORKLOADS,
        )
    if not isinstance(found, Workload) and not (isinstance(found, type) and issubclass(found, Workload)):
        raise InputError(
            f"{name} must be a subclass of training.workloads.Workload or an instance of one, found {described(found)}."
        )
    return found
