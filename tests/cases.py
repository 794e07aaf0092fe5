"""The one table of cases that drives the tests of the rules: every rule in every dialect, and its formula.

Formulas and settings stand in core/verification/cards, written from the papers and the libraries' sources and held to
tests/papers.py; they are not read from the rules.
"""

from itertools import product
from typing import Any

import pytest

from core.verification import FORMULAS
from core.verification.implementations import Known
from core.verification.judge import judge
from core.verification.known import known
from core.verification.layout import Layout
from core.verification.trajectory import Run, Trajectory, compiled_trajectories

CASES = {(name, dialect): known(name, dialect, {}) for name, dialects in FORMULAS.items() for dialect in dialects}
IDS = ["-".join(key) for key in CASES]

DTYPES = ("float32", "float64")


def checkered(*axes: dict[str, Any] | tuple[str, ...]) -> list[Any]:
    """Parameters for a test: every combination of the axes' values, of which half are left to `pytest -m whole`.

    Like the squares of a chessboard, so that every value of an axis is there with other values of each other axis.
    """
    named = [axis if isinstance(axis, dict) else dict(zip(axis, axis, strict=True)) for axis in axes]
    parameters = []
    for places in product(*map(enumerate, named)):
        values = [axis[name] for axis, (_, name) in zip(named, places, strict=True)]
        marks = [pytest.mark.whole] if sum(place for place, _ in places) % 2 else []
        parameters.append(pytest.param(*values, marks=marks, id="-".join(name for _, name in places)))
    return parameters


BOUND = 4.0
"""Units of ε_machine·Σ|terms| that one step may err by, from the same state, where flushing to 0 plays no part.

What rounding may come to is computed from each formula, and goes up to 7 units for an update, were all roundings to
fall to one side. They do not: the largest error seen over all cases, dtypes and executions here is below 3.
"""


def in_one_program(rules, streams, execution) -> dict[Any, Trajectory]:
    """What several rules, each on one vector, do along the same streams, in one program of an execution."""
    layout = Layout.flat(len(streams.kinds))
    return compiled_trajectories({name: Run(rule) for name, rule in rules.items()}, streams, execution, layout)


def assert_close(case: Known, trajectory: Trajectory) -> None:
    """Every value of every step within what rounding may come to, and within `BOUND` units."""
    found = judge(case.formula, trajectory)
    assert found.agrees, found.first
    assert found.worst.units <= BOUND, found.worst
