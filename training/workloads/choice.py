"""From what a person types, such as "cnn" or "my_task:MyTask" and its options, to a workload."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from typing import Annotated, Any

from cyclopts import App, Parameter

from core import InputError
from core.mistakes import described, mistakes_in
from core.rules.settings import hints

from . import WORKLOADS
from .imports import import_named
from .taken import TAKEN
from .values import as_json, by_option, from_json, option, typed
from .workload import Workload

Options = Mapping[str, Any]
"""By the names of fields: a value as JSON can hold it, or a tuple of the words that a person types after an option."""


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
    """The settings of a workload as the options of a command line, for its help.

    Raises InputError where there is none, and where its class cannot be built.
    """
    default, kind = chosen(name, {}), kind_of(name)
    said = f"Settings of the workload {name}."
    app = App(name="rawstep", help=said, help_flags=(), version_flags=(), default_parameter=Parameter(negative=()))

    def take(workload: Any = default) -> None:
        """Never called."""

    take.__annotations__["workload"] = Annotated[kind, Parameter(name="*")]
    app.default(take)
    return app


def chosen(name: str, options: Options) -> Workload:
    """The workload `name` with settings of one's own, all of which must be fields of its class.

    Raises InputError where there is none, and for settings that cannot be.
    """
    found, kind = _found(name), kind_of(name)
    if lacking := [one for one in options if one not in by_option(kind).values()]:
        raise InputError(f"The workload {name} has no setting {lacking[0]}.")
    with mistakes_in(kind, name, "__post_init__", said="cannot be built"):
        of = hints(kind)
        own = {
            one: typed(one, of[one], value) if isinstance(value, tuple) else from_json(of[one], value)
            for one, value in options.items()
            if not _is_usual(found, one, value)
        }
        return replace(found, **own) if isinstance(found, Workload) else found(**own)


def name_of(workload: Workload) -> str:
    """What `chosen` takes for a workload of this class: one of rawstep's names, or module:Class."""
    place = f"{type(workload).__module__}:{type(workload).__qualname__}"
    return next((name for name, ours in WORKLOADS.items() if ours == place), place)


def settings_of(workload: Workload) -> dict[str, Any]:
    """Every setting of a workload by name, as JSON can hold it, of which `chosen` makes it again.

    Raises InputError for one that JSON cannot hold.
    """
    found = {}
    for name in by_option(type(workload)).values():
        value = getattr(workload, name)
        try:
            found[name] = as_json(value)
        except TypeError:
            raise InputError(
                f"The field {name} of {name_of(workload)} must be a number, a text, true or false, None, a path, a "
                f"member of an Enum, or a tuple of such, since a run is saved with it; found {described(value)}."
            ) from None
    return found


def _is_usual(found: type[Workload] | Workload, name: str, value: Any) -> bool:
    """Whether JSON has the default, which need not come from there: an annotation may say too little of it."""
    field = next(one for one in fields(found) if one.name == name)
    made = field.default if field.default_factory is MISSING else field.default_factory()
    usual = getattr(found, name) if isinstance(found, Workload) else made
    try:
        return not isinstance(value, tuple) and as_json(usual) == value and type(value) is type(as_json(usual))
    except TypeError:
        return False


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
    for typed_as, field in by_option(found if isinstance(found, type) else type(found)).items():
        if typed_as in TAKEN:
            raise InputError(
                f"{name} has a field {field}, but {option(field)} is an option of rawstep's own: give it another name."
            )
    return found
