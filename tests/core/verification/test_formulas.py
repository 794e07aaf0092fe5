"""The formulas against scalar transcriptions of the papers in 60 decimal digits, which share nothing with them."""

import inspect
from decimal import Decimal
from functools import partial

import numpy as np
import pytest

from core import InputError
from core.verification import FORMULAS
from core.verification.rounded import Precision
from tests import papers
from tests.cases import CASES

GRADIENTS = [0.5, -1e-6, 0.0, 3.0, 2.0, -2.0, 1e-3, 40.0, -0.25, 7e-5, 0.0, 1e-8] * 5


THETA = 0.75
ADAMW = partial(papers.adamw, theta=THETA)
TRANSCRIBED = {
    "adadelta.adadelta": papers.adadelta, "sgd.sgd": papers.sgd,
    "adagrad.outside_root": papers.adagrad, "adagrad.inside_root": papers.adagrad_inside_root,
    "adam.algorithm_1": papers.adam, "adam.epsilon_hat": papers.adam_epsilon_hat,
    "momentum.inside": papers.momentum_rate_inside, "momentum.outside": papers.momentum_rate_outside,
    "momentum.dampened": papers.momentum_rate_outside,
    "nesterov.inside": papers.nesterov_rate_inside, "nesterov.outside": papers.nesterov_rate_outside,
    "rmsprop.inside": partial(papers.rmsprop, epsilon_inside=True, rate_inside=True),
    "rmsprop.outside": partial(papers.rmsprop, epsilon_inside=False, rate_inside=False),
    "adamw.unscaled": partial(ADAMW, form="unscaled", epsilon_hat=False),
    "adamw.summed": partial(ADAMW, form="sum", epsilon_hat=False),
    "adamw.before": partial(ADAMW, form="before", epsilon_hat=True),
    "adamw.shrunk": partial(ADAMW, form="shrink", epsilon_hat=False),
    "amsgrad.paper": partial(papers.amsgrad, form="paper"), "amsgrad.raw": partial(papers.amsgrad, form="raw"),
    "amsgrad.raw_hat": partial(papers.amsgrad, form="raw-hat"),
    "amsgrad.corrected": partial(papers.amsgrad, form="corrected"),
    "nadam.paper": partial(papers.nadam, form="paper"), "nadam.in_step": partial(papers.nadam, form="step"),
    "nadam.in_step_at_once": partial(papers.nadam, form="step"),
    "nadam.constant": partial(papers.nadam, form="constant"),
    "nadam.kernel": partial(papers.nadam, form="kernel"),
    "radam.corrected": partial(papers.radam, raw=False), "radam.raw": partial(papers.radam, raw=True, threshold=5.0),
    "adamax.in_step": partial(papers.adamax, in_slot=False), "adamax.in_slot": partial(papers.adamax, in_slot=True),
    "lion.summed": partial(papers.lion, theta=THETA), "lion.before": partial(papers.lion, theta=THETA),
    "ftrl.once": partial(papers.ftrl, theta=THETA, twice=False),
    "ftrl.twice": partial(papers.ftrl, theta=THETA, twice=True),
    "rprop.without_backtracking": papers.rprop,
}  # fmt: skip
"""What transcribes the source of which function of a card."""
THEIRS = {
    "learning_rate": ("alpha", "eta", "first_size"), "momentum": ("mu",), "weight_decay": ("decay",),
    "epsilon": ("epsilon", "delta_0"), "initial_accumulator_value": ("first_accumulator", "first_n"),
    "momentum_decay": ("psi",), "learning_rate_power": ("power",),
}  # fmt: skip
"""What the transcriptions call our settings."""


def source(formula):
    """The card and the function of it."""
    return f"{formula.compute.__module__.split('.')[-1]}.{formula.compute.__name__}"


def as_paper(formula):
    """What the paper's transcription computes with a formula's settings, by step."""
    function = TRANSCRIBED[source(formula)]
    takes = inspect.signature(function).parameters
    named = {of: value for name, value in formula.settings.items() for of in THEIRS.get(name, (name,)) if of in takes}
    first = {"first_v": float(formula.first(np.zeros(1))["v"][0])} if "first_v" in takes else {}
    return function(GRADIENTS, **named, **first)


THIRD = [case for case in CASES if source(CASES[case].formula) in TRANSCRIBED]


@pytest.mark.parametrize(("name", "dialect"), THIRD, ids=map("-".join, THIRD))
def test_a_formula_computes_what_the_paper_computes(name, dialect):
    """Each step from the paper's state. 1e-17 of the terms is a hundred roundings of long double.

    1 − β^t loses digits for small t and is given where it is needed after that, as everywhere in the certificate.
    """
    formula, precision = FORMULAS[name][dialect], Precision.of(np.float64)
    slots = {slot: np.longdouble(value) for slot, value in formula.first(np.zeros(1)).items()}
    x = np.longdouble([THETA])
    for t, (g, expected) in enumerate(zip(GRADIENTS, as_paper(formula), strict=True), start=1):
        expected = {value: np.longdouble(str(number)) for value, number in expected.items()}
        given = {value: np.array([number]) for value, number in expected.items()}
        found = formula.values(t, np.array([g]), slots, precision, given, x=x)
        terms = formula.terms(t, np.array([g]), slots, precision, x=x)
        assert found.keys() | {"x"} == expected.keys() | {"x"}
        for value in found:
            tolerance = 1e-15 if value.startswith("correction") else 1e-17
            scale = max(np.abs(expected[value]), np.max(terms.get(value, 0)))
            assert np.abs(found[value].value - expected[value]) <= tolerance * scale, (t, value)
        slots = {slot: given[slot] for slot in slots}
        x = given.get("x", x)


def test_the_comparison_with_the_paper_can_fail():
    """ε̂ in the paper's place: 1 part in 300 at the first step."""
    formula, precision = FORMULAS["adam"]["keras"], Precision.of(np.float64)
    found = formula.values(1, np.array([1e-3]), formula.first(np.zeros(1)), precision)["delta"].value
    expected = papers.adam([1e-3], alpha=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7)[0]["delta"]
    assert isinstance(expected, Decimal)
    assert abs(float(found[0]) / float(expected) - 1) > 1e-3


def test_terms_are_the_values_for_magnitudes():
    """Would catch a scale that cancels where the value does, which would make every error look large."""
    formula, precision = FORMULAS["adam"]["keras"], Precision.of(np.float32)
    slots = {"m": np.float32([-1.0]), "v": np.float32([1.0])}
    terms = formula.terms(5, np.float32([9.0]), slots, precision)
    assert formula.values(5, np.float32([9.0]), slots, precision)["m"].value == pytest.approx(0.0, abs=1e-6)
    assert terms["m"] == pytest.approx(1.8)
    assert terms["correction_1"] == pytest.approx(1 + 0.9**5)


def test_an_unknown_setting_is_refused():
    with pytest.raises(InputError, match="no setting 'rho'; it has: learning_rate, beta_1, beta_2, epsilon"):
        FORMULAS["adam"]["paper"].given({"rho": 0.9})
