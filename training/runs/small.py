"""Small workloads: what a view needs where a whole run would take too long."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from ..workloads.choice import shown, smaller
from .own_options import NoSuchSettingError
from .rule_choice import option
from .settings import Settings


def small(name: str, options: Mapping[str, Sequence[str]], seed: int = 0) -> Settings:
    """The settings of a run of the workload `name` in its small form, with settings of one's own.

    Raises InputError for a workload that is not there, and NoSuchSettingError for options that are none of its own.
    """
    workload = smaller(name)
    known = [one.name for one in fields(workload)]
    if others := [one for one in options if one not in known]:
        raise NoSuchSettingError(option(others[0]), name, [*map(option, known)])
    return Settings(workload=name, workload_options={**shown(workload), **options}, seed=seed)
