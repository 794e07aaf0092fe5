"""The folder of a replication: what is finished, the states that later parts go on from, results and pictures."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from core import InputError

from ..output.files import check_file, check_folder, lock, make_folder
from ..output.whole_folder import check_name
from ..runs.results import write_json
from ..runs.settings import Settings
from ..workloads.workload import Data

RESULTS = "results.json"
REPORT = "report.html"
ABOUT = "rawstep replicate"
"""What stands under "about" in results.json, to distinguish it from other files of that name."""


class Place:
    """A folder in which a replication is made, and goes on where it stopped.

    runs/NAME.json     the outcome of each finished work, written whole as it ends
    states/NAME/       checkpoints of the runs that others go on from
    results.json       outcomes, bands and answers of the parts that were last asked for
    pictures/          drawn from these
    report.html        all of it on a page
    """

    def __init__(self, path: Path):
        self.path = path

    @cached_property
    def data(self) -> Data:
        return Settings().data()

    def begin(self) -> None:
        """Makes the folder, and keeps other processes out of it.

        Raises InputError where it or what goes into it cannot be written, TensorFlow cannot read there, another process
        is at work, or its results.json is damaged or another's.
        """
        check_name(self.path)
        check_folder(self.path)
        for folder in ("runs", "states", "pictures"):
            check_folder(self.path / folder)
        if self.path.exists():
            for file in (RESULTS, REPORT):
                check_file(self.path / file)
        if (self.path / RESULTS).exists():
            self.results()
        make_folder(self.path)
        lock(self.path, self, "makes a replication")

    def results(self) -> dict[str, Any]:
        """What `finish` wrote. Raises InputError where it is not there, damaged, or something else."""
        path = self.path / RESULTS
        results = _read(path, "remove it, and it is rebuilt from the finished runs")
        if not isinstance(results, dict) or results.get("about") != ABOUT:
            raise InputError(f"{path} is not of `{ABOUT}`: give another folder by --out.")
        return results

    def outcome(self, name: str) -> Any:
        """The outcome of a finished work, None of one that is not. Raises InputError where it is damaged."""
        path = self.run(name)
        return _read(path, "remove it, and that run alone is repeated") if path.exists() else None

    def keep(self, name: str, outcome: Mapping[str, Any]) -> Any:
        """Writes the outcome of a finished work; returns it as it will be read. Raises InputError where it cannot."""
        make_folder(self.run(name).parent)
        write_json(self.run(name), outcome)
        return self.outcome(name)

    def run(self, name: str) -> Path:
        """The file with the outcome of a work."""
        return self.path / "runs" / f"{name}.json"

    def state(self, name: str) -> Path:
        """The run folder of a work."""
        return self.path / "states" / name

    def finish(self, results: Mapping[str, Any]) -> dict[str, Any]:
        """Writes results.json; returns it as it will be read. Raises InputError where it cannot."""
        write_json(self.path / RESULTS, {"about": ABOUT, **results})
        return self.results()


def _read(path: Path, remedy: str) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}); {remedy}.") from error
