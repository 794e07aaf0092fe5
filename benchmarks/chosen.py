"""From what a person types to what is measured."""

from collections.abc import Mapping, Sequence

from core import InputError
from training.runs.own_options import NoSuchSettingError, by_name
from training.workloads.choice import chosen, kind_of
from training.workloads.values import by_option, option
from training.workloads.workload import Workload

from .growth import STUDIES, Study, batches_of

USUAL_STUDIES = ("widths", "depths", "batches", "updates", "updates-1000")

Own = Mapping[str, Sequence[str]]
"""Options that are none of a command's, with their words."""


def chosen_workload(name: str, own: Own) -> Workload:
    """Raises InputError and NoSuchSettingError for a workload or a setting of it that cannot be."""
    known, options = by_option(kind_of(name)), by_name(own)
    for one in options:
        if one not in known:
            raise NoSuchSettingError(option(one), name, [*map(option, known.values())])
    return chosen(name, {known[one]: tuple(words) for one, words in options.items()})


def chosen_studies(names: Sequence[str] | None, workload: str, own: Own, seed: int) -> dict[str, Study]:
    """By the names of their files. Raises InputError for a study that is none, and for one that is not of a workload,
    and what `chosen_workload` raises."""
    for name in names or ():
        if name not in STUDIES:
            raise InputError(f"There is no study {name!r}; there are: {', '.join(STUDIES)}.", name, STUDIES)
    if workload == "mlp" and not own:
        return {name: STUDIES[name] for name in names or USUAL_STUDIES}
    if others := [name for name in names or () if name != "batches"]:
        raise InputError(f"The study {others[0]} is of the notebook's perceptron; of any workload there is: batches.")
    return {f"{workload.replace(':', '-')}-batches": batches_of(chosen_workload(workload, own), seed)}
