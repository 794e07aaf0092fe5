"""Translations: what they claim, and that source and target, run here once more, do as claimed."""

from itertools import permutations

import numpy as np
import pytest

from core import InputError
from core.rules.schedules import parse
from core.verification import CARDS, REFERENCES, OfLibrary, synthetic
from core.verification.translation import translate
from tests.cases import CASES

STREAMS = synthetic("float64", 40)
EXACT = [
    ("adam", "tf1", "keras"), ("adam", "keras", "tf1"), ("adam", "torch", "optax"), ("adam", "optax", "paper"),
    ("adagrad", "keras", "torch"), ("adagrad", "keras", "tf1"), ("adagrad", "optax", "keras"),
    ("adagrad", "optax", "torch"), ("adagrad", "tf1", "keras"), ("adagrad", "tf1", "torch"),
    ("adagrad", "torch", "paper"), ("adadelta", "keras", "torch"), ("adadelta", "torch", "keras"),
    ("adadelta", "tf1", "optax"),
]  # fmt: skip
INEXACT = [
    ("adam", "torch", "keras"), ("adam", "keras", "torch"), ("adam", "paper", "tf1"), ("adam", "tf1", "optax"),
    ("adagrad", "torch", "keras"), ("adagrad", "torch", "tf1"), ("adagrad", "paper", "optax"),
]  # fmt: skip


def library(dialect):
    return next(kind for name, kind in REFERENCES.items() if kind.dialect == dialect and name != "tf1-kernel")


def end(dialect, rule, settings):
    """Σ Δ of the library itself, in float32."""
    run = OfLibrary(dialect, library(dialect), rule, settings).run(STREAMS.held_by("float32"))
    return run.after["delta"].astype(np.float64).sum(axis=0)


def test_every_pair_of_dialects_is_claimed_to_be_exact_or_not_to_be():
    """A rule that has one form everywhere is translated exactly."""
    for rule, card in CARDS.items():
        one_form = len({formula.compute for formula in card.formulas.values()}) == 1
        for source, target in permutations(card.formulas, 2):
            if (rule, source, target) not in {*EXACT, *INEXACT}:
                found = translate(rule, source, target, {}, STREAMS.first(10))
                assert found.holds, (rule, source, target)
                assert found.exact or not one_form, (rule, source, target)


@pytest.mark.parametrize(("rule", "source", "target"), EXACT)
def test_an_exact_translation_makes_the_target_do_what_the_source_does(rule, source, target):
    """Would catch a setting that is not carried over, and ε carried into another form as it is.

    The libraries are run again, all settings given as they are printed; their float32 differs by 1e-5 of the way.
    """
    found = translate(rule, source, target, {}, STREAMS)
    assert found.exact
    assert found.holds
    assert found.schedule is None
    assert found.runs[0].distance < 1e-14
    if "paper" not in (source, target):
        theirs, ours = end(source, rule, CASES[rule, source].formula.settings), end(target, rule, found.settings)
        assert np.linalg.norm(ours - theirs) < 1e-5 * np.linalg.norm(theirs)
        assert len(found.runs) == 2


@pytest.mark.parametrize(("rule", "source", "target"), INEXACT)
def test_where_no_constant_does_it_is_said_and_shown_how_far_the_closest_ends(rule, source, target):
    found = translate(rule, source, target, {}, STREAMS)
    assert not found.exact
    assert found.why.startswith(("no ", "TF1 has no ε"))
    carried, closest, *rest = found.runs
    assert carried.distance >= closest.distance > 1e-6
    assert (found.schedule is not None) == (rule == "adam")
    if rule == "adam":
        assert rest[0].what == found.schedule.words
        assert rest[0].distance < 1e-12, "the schedule that does"
        assert rest[0].share <= 1


def test_the_schedule_of_epsilon_is_the_paper_s():
    """ε̂ = ε·√(1 − β2^t): Kingma & Ba, end of section 2."""
    there, back = (translate("adam", *pair, {"epsilon": 1e-4}, STREAMS.first(5)).schedule for pair in
                   [("torch", "keras"), ("keras", "torch")])  # fmt: skip
    assert there.at(1) == pytest.approx(1e-4 * 0.001**0.5)
    assert back.at(1) == pytest.approx(1e-4 / 0.001**0.5)
    assert there.at(100_000) == pytest.approx(1e-4)


def test_epsilon_inside_the_root_goes_into_the_accumulator():
    found = translate("adagrad", "keras", "torch", {"epsilon": 0.01}, STREAMS)
    assert found.settings["initial_accumulator_value"] == pytest.approx(0.11)
    assert found.settings["epsilon"] == 0
    assert found.call == (
        "torch.optim.Adagrad(parameters, lr=0.001, initial_accumulator_value=0.11, eps=0.0)"
    )  # fmt: skip


def test_the_closest_constant_is_never_further_than_the_one_carried_over():
    """A constant between two of the grid, and one far above it."""
    for settings in (dict(initial_accumulator_value=0.15), dict(initial_accumulator_value=100.0, epsilon=1e-3)):
        carried, closest, *_ = translate("adagrad", "torch", "tf1", settings, STREAMS).runs
        assert closest.distance <= carried.distance


def test_without_beta_2_epsilon_is_epsilon_hat():
    assert translate("adam", "torch", "keras", {"beta_2": 0.0}, STREAMS.first(20)).exact


def test_a_first_accumulator_of_many_digits_is_carried_over_with_all_of_them():
    settings = dict(initial_accumulator_value=0.1234567890123456, learning_rate=1.0)
    assert translate("adagrad", "keras", "torch", settings, STREAMS).holds


def test_settings_that_are_given_are_translated():
    found = translate("adam", "torch", "optax", {"learning_rate": 0.25, "epsilon": 1e-3}, STREAMS.first(20))
    assert found.call == "optax.adam(learning_rate=0.25, b1=0.9, b2=0.999, eps=0.001)"


def test_a_claim_that_does_not_hold_would_be_seen():
    """Two formulas said to agree that do not: the share of what rounding allows is far above 1."""
    from core.verification.translation import _agreeing

    assert _agreeing("planted", CASES["adam", "keras"], CASES["adam", "torch"], STREAMS).share > 1e6


def test_what_is_not_there_is_refused():
    for arguments, sentence in [
        (("nosuch", "keras", "torch", {}), "no rule 'nosuch'"),
        (("adam", "keras", "caffe", {}), "adam has no dialect 'caffe'"),
        (("adam", "keras", "torch", {"rho": 0.9}), "no setting 'rho'"),
        (("adam", "keras", "torch", {"beta_1": parse("polynomial:0.9,steps=9")}), "must be a number to be translated"),
        (("adagrad", "tf1", "keras", {"epsilon": 1e-5}), "This formula has no epsilon, found 1e-05"),
        (("adam", "torch", "keras", {"epsilon": 1e300}), "has no finite figures, or the parameters do not move"),
    ]:
        with pytest.raises(InputError, match=sentence):
            translate(*arguments, STREAMS)
