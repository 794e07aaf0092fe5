"""The planted errors: that there are enough, that each is what it says, and that each is seen, located and named."""

import inspect
from dataclasses import fields

import numpy as np
import pytest

from core import RULES, Adam
from core.verification import MUTANTS, OfRule, diverge, synthetic
from core.verification.claims import REVEALING
from core.verification.implementations import known
from core.verification.mutants import Mutant, planted
from tests.cases import CASES, DTYPES, IDS, checkered


def test_there_are_enough_and_the_asked_ones_are_among_them():
    assert sum(map(len, MUTANTS.values())) >= 25
    names = {name for mutants in MUTANTS.values() for mutant in mutants for name in [mutant.name]}
    assert {
        "ε inside the root", "ε outside both roots", "ε on the other side of the root", "E[Δx²] before the step",
        "moments averaged after the step", "learning rate inside E[Δx²]", "bias corrections at t + 1",
        "β1 and β2 swapped", "first accumulator 0.1 for 0, or 0 for 0.1", "1 − β in float32", "1 − ρ in float32",
    } <= names  # fmt: skip


FEWEST = {"sgd": 7}
"""Planted errors: one multiplication has room for few."""


def clearer(one, other):
    """Whether one divergence exceeds its bound by more than another does."""
    return other is None or one.units * other.bound > other.units * one.bound


@pytest.mark.parametrize(("key", "dtype"), checkered(dict(zip(IDS, CASES, strict=True)), DTYPES))
def test_every_error_is_seen_at_its_stage_and_named(key, dtype):
    """With the library's own settings or with those that reveal it; by the first divergence from the right rule.

    Each case in one dtype, so that every rule and every dialect has both; `pytest -m whole` takes the other.
    """
    name, dialect = key
    own = CASES[key].formula.settings
    sets = [{}, *({n: v for n, v in one.items() if n != "epsilon" or own[n]} for one in REVEALING[name])]
    streams, found, expected = synthetic(dtype, 40), {}, {}
    for settings in sets:
        right = known(name, dialect, settings)
        for mutant, rule in planted(right.rule, dtype):
            expected[mutant.name] = mutant.stage
            seen = diverge(OfRule(mutant.name, rule), OfRule("right", right.rule, right), streams)
            if seen is not None and clearer(seen, found.get(mutant.name)):
                found[mutant.name] = seen
    assert found.keys() == expected.keys()
    assert len(found) >= FEWEST.get(name, 10)
    for error, seen in found.items():
        assert seen.stage == expected[error], error
        starts = "slot a starting at" in seen.cause[0]
        assert seen.cause == (error,) or (starts and error.startswith("first accumulator"))


def test_one_minus_beta_in_float32_is_an_error_in_every_dialect_but_tf1():
    for (name, dialect), case in CASES.items():
        names = {mutant.name for mutant, _ in planted(case.rule, np.float32)}
        if name in ("adam", "adadelta"):
            assert bool(names & {"1 − β in float32", "1 − ρ in float32"}) == (dialect != "tf1")
            assert bool(names & {"1 − β in float64", "1 − ρ in float64"}) == (dialect == "tf1")


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_has_the_rule_s_settings_and_another_source(name):
    right = CASES[name, "keras"].rule
    for mutant in MUTANTS[name]:
        wrong = mutant.of(right)
        assert type(wrong) is not type(right)
        assert {f.name: getattr(wrong, f.name) for f in fields(wrong)} == vars(right)
        assert all(old in inspect.getsource(RULES[name]) for old in mutant.changes)


def test_a_mutant_of_what_the_rule_has_not_says_so():
    """Would catch a rule that was rewritten, and mutants that are silently the rule itself since."""
    with pytest.raises(LookupError, match="Adam has no 'colour' in its source"):
        Mutant("nothing", "m", {"colour": "hue"}).of(Adam())
