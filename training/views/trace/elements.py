"""Which single parameters a trace follows."""

import re
from collections.abc import Sequence

from core import InputError

from ...runs.settings import Settings
from ...workloads.check import checked_variables
from ...workloads.declared import checked_followed
from ...workloads.workload import Data


def elements(texts: Sequence[str]) -> dict[str, list[tuple[int, ...]]]:
    """From ["h1[300,5]", "bo[3]"] to {"h1": [(300, 5)], "bo": [(3,)]}; "scale[]" is a scalar.

    Raises InputError for what is not written so; whether there is such an element is for the recorder to say.
    """
    found: dict[str, list[tuple[int, ...]]] = {}
    for text in texts:
        parts = re.fullmatch(r"\s*([^\[\]]+)\[\s*(\d+(?:\s*,\s*\d+)*|)\s*\]\s*", text)
        if parts is None:
            raise InputError(f'--follow must name elements, such as "h1[300,5]" or "bo[3]", found {text!r}.')
        place = tuple(int(number) for number in parts[2].split(",") if number)
        if place not in found.setdefault(parts[1], []):
            found[parts[1]].append(place)
    return found


def revealing_elements(settings: Settings, data: Data) -> list[str]:
    """Those that the workload of a run suggests. Raises InputError where it fails, or suggests no texts."""
    workload = settings.make_workload()
    return checked_followed(workload, data, checked_variables(workload, data, settings.seed, settings.batch_size))
