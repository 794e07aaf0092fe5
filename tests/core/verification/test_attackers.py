"""Broken rules that know how the judge works are caught; what a certificate does not cover is known by name."""

import pytest

from core import InputError
from core.verification import synthetic, verify

from .attackers import ATTACKERS, FUNCTIONS, RULES

REFUSED = {"setting-snaps-back": "epsilon was set to 0.0078125 and is 1e-08."}
"""Those that cannot be judged, and what they are told."""


def test_there_are_thirty_that_are_caught_half_of_them_functions():
    caught = [attacker for attacker in ATTACKERS if attacker.caught]
    assert len(caught) >= 30
    assert min(sum(attacker.caught for attacker in half) for half in (RULES, FUNCTIONS)) >= 15
    assert len({attacker.name for attacker in ATTACKERS}) == len(ATTACKERS)


def judged(attacker):
    return verify(
        attacker.subject(),
        attacker.reference,
        dtypes=[attacker.dtype],
        executions=[attacker.execution],
        streams=lambda dtype: synthetic(dtype, attacker.steps),
    )


def is_quick(number, attacker):
    """Each costs a compilation or a search for causes: every third function, every third rule that runs as a graph for
    a few steps, and one of each other execution that shows an error of its own. `pytest -m whole` takes the others."""
    return number % 3 == 0 if attacker.execution == "graph" else attacker.name in ("only-eagerly", "only-in-a-loop")


PARAMETERS = [
    pytest.param(attacker, id=attacker.name, marks=[] if is_quick(number, attacker) else [pytest.mark.whole])
    for attackers in (RULES, FUNCTIONS)
    for number, attacker in enumerate(attackers)
]


@pytest.mark.parametrize("attacker", PARAMETERS)
def test_an_attacker_is_caught_or_known_to_be_beyond_what_is_covered(attacker):
    if attacker.name in REFUSED:
        with pytest.raises(InputError, match=REFUSED[attacker.name]):
            judged(attacker)
        return
    verdicts = {row.verdict for row in judged(attacker)}
    assert verdicts <= ({"differs", "drifts"} if attacker.caught else {"certified"})
