"""Small workloads: what a view needs where a whole run would take too long."""

from collections.abc import Mapping, Sequence

from core import InputError
from core.mistakes import described, mistakes_in, written

from ..workloads.choice import kind_of, settings_of, smaller
from ..workloads.values import by_option, option
from ..workloads.workload import Workload
from .own_options import NoSuchSettingError, split
from .settings import Settings


def small(name: str, options: Mapping[str, Sequence[str]], seed: int = 0) -> Settings:
    """The settings of a run of the workload `name` in its small form, with settings of one's own.

    Raises InputError for a workload that is not there, and NoSuchSettingError for options that are none of its own.
    """
    run, others = small_beside(name, options, seed)
    if others:
        raise NoSuchSettingError(option(next(iter(others))), name, settings_known(run))
    return run


def small_beside(name: str, options: Mapping[str, Sequence[str]], seed: int = 0) -> tuple[Settings, dict[str, str]]:
    """The same; and those of the options that are none of the workload's, as settings of a rule."""
    with mistakes_in(kind_of(name), name, "small"):
        workload = smaller(name)
    if not isinstance(workload, Workload):
        raise InputError(f"{written(kind_of(name), 'small')}: It must return a workload, found {described(workload)}.")
    own, others = split(options, name)
    return Settings(workload=name, workload_options={**settings_of(workload), **own}, seed=seed), others


def settings_known(run: Settings) -> list[str]:
    """The settings of a run's workload as options."""
    return [*map(option, by_option(kind_of(run.workload)).values())]
