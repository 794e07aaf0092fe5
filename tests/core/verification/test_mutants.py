"""The planted errors: that there are enough, that each is one, and that each is seen, located and named.

That the certificate's own cases see all of them is held in test_certificate.py, for every rule and dialect.
"""

import numpy as np
import pytest

from core import RULES
from core.verification import CARDS, OfRule, diverge, synthetic
from core.verification.card import Card
from core.verification.formulas import Formula
from core.verification.graph import OfFormula, traced
from core.verification.known import known
from core.verification.trajectory import Trajectory, numpy_trajectory
from tests.cases import CASES, DTYPES, IDS, checkered


def settled(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2):
    """A formula of nobody's: a root, an ε, two averages with their corrections."""
    u = beta_1 * slots["u"] + (1 - beta_1) * g
    w = beta_2 * slots["w"] + (1 - beta_2) * g**2
    denominator = np.sqrt(w / correction_2 + epsilon)
    return dict(u=u, w=w, denominator=denominator, delta=learning_rate * (u / correction_1) / denominator)


def unguarded(g, slots, *, learning_rate):
    largest = np.maximum(slots["n"], np.abs(g))
    return dict(n=largest, delta=learning_rate * g / largest)


SETTLED = Formula(settled, dict(learning_rate=0.25, beta_1=0.9, beta_2=0.99, epsilon=1e-6), ("u", "w"))
UNGUARDED = Formula(unguarded, dict(learning_rate=0.25), ("n",), {"n": 1.0})
DOUBLED = {"Δ doubled": lambda new, old, s: {new.delta: 2.0 * new.delta}}
CARD = Card(
    formulas={"settled": SETTLED, "unguarded": UNGUARDED}, libraries={}, revealing=(), errors={settled: DOUBLED}
)


def planted(formula, dialect, dtype="float64"):
    return {mutant.name: mutant for mutant in CARD.mutants(formula, dialect, dtype)}


def test_the_common_errors_are_planted_in_any_formula():
    names = planted(SETTLED, "settled", "float32")
    assert names.keys() >= {
        "ε outside the root", "no ε", "ε ten times as large", "ε added to Δ",
        "no root", "|g| for its square", "β1 and β2 swapped", "β1 and 1 − β1 swapped",
        "w before the step for w after it", "u not updated", "t counted from 0", "t counted from 2", "no correction_1",
        "no bias correction at all", "correction_2 and correction_1 swapped", "no factor 1 − β2",
        "the first term left out in u", "w starts at 0.1", "not divided by a root",
        "1 − β subtracted in float32",
    }  # fmt: skip
    assert [name for name, mutant in names.items() if mutant.rounding] == ["1 − β subtracted in float32"]


def test_a_formula_without_epsilon_has_one_planted_and_a_largest_value_becomes_the_last():
    names = planted(UNGUARDED, "unguarded")
    assert "an ε where there is none" in names
    assert {"the first for the maximum", "the second for the maximum", "n starts at 0"} <= names.keys()
    assert not any("β" in name or "t counted" in name for name in names)


def test_a_setting_ignored_a_schedule_read_late_and_a_card_s_own_error_are_planted():
    names = planted(SETTLED.given({"beta_1": 0.5, "learning_rate": lambda step: 1 / (1 + step)}), "settled")
    assert {"β1 ignored", "a schedule read at t, not at t − 1", "Δ doubled"} <= names.keys()
    assert "β2 ignored" not in names
    g = np.ones((1, 1))
    one = Trajectory(np.array([1]), g, g, {"u": g, "w": g}, {})
    right, wrong = OfFormula("right", SETTLED).follow(one), planted(SETTLED, "settled")["Δ doubled"].wrong.follow(one)
    assert wrong["delta"] == 2 * right["delta"]


@pytest.mark.parametrize(("key", "dtype"), checkered(dict(zip(IDS, CASES, strict=True)), DTYPES))
def test_there_are_enough_under_names_of_their_own_and_each_computes_something_else(key, dtype):
    """With a library's own settings or with those that reveal more, and except where a first value is the error.

    Would catch errors that are silently the formula itself, because it was rewritten.
    """
    name, dialect = key
    alike: set[str] = set()
    found: set[str] = set()
    for settings in ({}, *CARDS[name].revealed(dialect)):
        case = known(name, dialect, settings)
        run = numpy_trajectory(case.rule, synthetic(dtype, 20))
        right = OfFormula("right", case.formula).follow(run)
        mutants = CARDS[name].mutants(case.formula, dialect, dtype)
        assert len({mutant.name for mutant in mutants}) == len(mutants)
        for mutant in mutants:
            wrong, first = mutant.wrong.follow(run), mutant.wrong.first(run.x[0])
            changed = any(np.any(wrong[value] != right[value]) for value in wrong)
            changed |= any(np.any(first[slot] != run.before[slot][0]) for slot in first)
            (found if changed else alike).add(mutant.name)
    assert len(found) >= 4
    zero = [n for n, value in CASES[key].formula.settings.items() if isinstance(value, float) and not value]
    assert not alike - found or zero, "except for a term that a setting of 0 takes away"


def test_every_rule_s_own_errors_are_planted():
    for name, card in CARDS.items():
        for dialect, formula in card.formulas.items():
            names = {mutant.name for mutant in card.mutants(formula, dialect, "float64")}
            assert card.errors.get(formula.compute, {}).keys() <= names, name


@pytest.mark.parametrize("name", RULES)
def test_an_error_in_the_formula_is_located_and_named(name):
    """Of the paper's formula, every third error; by the first divergence from the right one.

    One that another explains as well is named so: the first square for the second, where there is but one gradient.
    """
    (settings, *_), streams = CARDS[name].revealed("paper"), synthetic("float64", 40)
    right = known(name, "paper", settings)
    values = [*traced(right.formula).values]
    named, mutants = [], CARDS[name].mutants(right.formula, "paper", "float64")[::3]
    for mutant in mutants:
        seen = diverge(mutant.wrong, OfRule("right", right.rule, right), streams)
        if seen is None:
            continue
        where = mutant.name.rpartition(" in ")[2].split(" (")[0]
        if where in values:
            assert values.index(seen.stage) >= values.index(where), mutant.name
        named.append(seen.cause == (mutant.name,) or "starting at" in seen.cause[0])
    assert 2 * len(named) >= len(mutants)
    assert sum(named) >= 0.8 * len(named)


def test_one_minus_beta_in_the_other_dtype_is_an_error_wherever_there_is_an_average():
    for (name, dialect), case in CASES.items():
        mutants = [mutant for mutant in CARDS[name].mutants(case.formula, dialect, "float32") if mutant.rounding]
        other = "float64" if case.formula.complement_in == "variable" else "float32"
        averaged = {"beta_1", "beta_2", "rho"} & case.formula.settings.keys()
        assert [mutant.name for mutant in mutants] == ([f"1 − β subtracted in {other}"] if averaged else [])
