"""What a workload of the user's own says of itself beside its data, variables and cost, checked before it is used."""

from collections.abc import Mapping, Sequence
from typing import Any

from core import InputError
from core.engine.executions import EXECUTIONS
from core.mistakes import described, mistakes_in, written

from .work import Product
from .workload import Data, Variables, Workload

OF_EVERY_RUN = ("workload", "seed", "execution", "xla_options", "rule_options", "workload_options")
"""Settings of a run that are no defaults of a workload; what execution suits it is a method."""


def of_rawstep(workload: Workload) -> bool:
    """Whether its class is one of rawstep's, which are tested."""
    return type(workload).__module__.startswith("training.workloads.")


def checked_defaults(workload: Workload) -> dict[str, Any]:
    """Those of a workload's runs, with `Workload`'s own batch_size and epochs where its class lacks them.

    Raises InputError where they are no mapping, for a value that an option of that name cannot have, and for what a
    workload does not decide.
    """
    where = f"{type(workload).__name__}.defaults"
    if not isinstance(workload.defaults, Mapping):
        raise InputError(
            f"{where} must be values by the names of options, such as {dict(Workload.defaults)}, found "
            f"{described(workload.defaults)}."
        )
    usual = {**Workload.defaults, **workload.defaults}
    for name, value in usual.items():
        if not isinstance(name, str):
            raise InputError(f"{where} must have names of options, found {described(name)}.")
        if name in OF_EVERY_RUN:
            raise InputError(f"{where} must not have {name}: it is no default of a workload.")
        wanted, fits = _wanted(name, value)
        if not fits:
            raise InputError(f"{where} must have {wanted} for {name}, found {described(value)}.")
    return usual


def checked_execution(workload: Workload, device: str) -> str:
    """The name of the execution that suits a workload. Raises InputError where it fails, or names none."""
    with mistakes_in(workload, method="execution"):
        found = workload.execution(device)
    if not isinstance(found, str) or found not in EXECUTIONS:
        raise InputError(
            f"{written(workload, 'execution')}: The execution must be one of {', '.join(EXECUTIONS)}, found "
            f"{described(found)}."
        )
    return found


def checked_followed(workload: Workload, data: Data, variables: Variables) -> list[str]:
    """The elements that a trace of a workload follows. Raises InputError where it fails, or names none by texts."""
    with mistakes_in(workload, method="followed"):
        found = workload.followed(data, variables)
    if not are_texts(found):
        raise InputError(
            f'{written(workload, "followed")}: It must return elements by name, such as ["w[0]"], found '
            f"{described(found)}."
        )
    return list(found)


def check_declared(workload: Workload, data: Data, variables: Variables) -> None:
    """Raises InputError for attributes of the class that cannot be, and for a method beside the cost and the metrics
    that fails or returns something else."""
    _check_attributes(workload)
    with mistakes_in(workload, method="check_fit"):
        workload.check_fit(variables, data.train)
    with mistakes_in(workload, method="title"):
        title = workload.title(data)
    if not isinstance(title, str):
        raise InputError(f"{written(workload, 'title')}: The title must be a text, found {described(title)}.")
    with mistakes_in(workload, method="products"):
        products = workload.products(data)
    if not isinstance(products, Sequence) or not all(isinstance(one, Product) for one in products):
        raise InputError(
            f"{written(workload, 'products')}: The products must be a sequence of Product, found {described(products)}."
        )
    checked_followed(workload, data, variables)


def _check_attributes(workload: Workload) -> None:
    kind = type(workload).__name__
    for name in ("evaluated_at_once", "slice_examples"):
        if not _is_count(value := getattr(workload, name)):
            raise InputError(f"{kind}.{name} must be a whole number from 1, found {described(value)}.")
    if not are_texts(workload.watched):
        raise InputError(f"{kind}.watched must be a tuple of splits, found {described(workload.watched)}.")
    if others := [split for split in workload.watched if split not in Data._fields[:3]]:
        raise InputError(f"{kind}.watched must name train, validation or test, found {others[0]!r}.")
    groups = workload.groups
    if not isinstance(groups, Mapping) or not all(are_texts([name]) and are_texts(groups[name]) for name in groups):
        found = [*groups.values()] if isinstance(groups, Mapping) else groups
        raise InputError(f"{kind}.groups must be tuples of patterns by name, found {described(found)}.")


def _wanted(name: str, value: Any) -> tuple[str, bool]:
    """What the option of a name takes, in words, and whether this is one."""
    if name in ("batch_size", "epochs"):
        return "a whole number from 1", _is_count(value)
    if name in ("rule", "dialect", "schedule"):
        return "a text", isinstance(value, str)
    if name in ("decay_only", "group"):
        return "a tuple of texts", are_texts(value)
    return "a number or a text", isinstance(value, int | float | str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def are_texts(value: Any) -> bool:
    """Whether it is a tuple or a list of texts, and not a text, whose letters are texts too."""
    return isinstance(value, tuple | list) and all(isinstance(one, str) for one in value)
