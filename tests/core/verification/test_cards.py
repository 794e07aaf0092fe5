"""What is checked of a card before it judges, each fault planted in Adam's."""

from dataclasses import replace

import pytest

from core import RULES, InputError
from core.verification import cards
from core.verification.card_check import check_card
from core.verification.cards import CARDS, FORMULAS, adam

KERAS = CARDS["adam"].formulas["keras"]


def with_formula(compute):
    return replace(CARDS["adam"], formulas={**CARDS["adam"].formulas, "keras": replace(KERAS, compute=compute)})


def renamed(g, slots, *, learning_rate, beta_1, beta_2, epsilon, correction_1, correction_2):
    found = adam.epsilon_hat(g, slots, **{n: value for n, value in locals().items() if n not in ("g", "slots")})
    return {"below" if name == "denominator" else name: value for name, value in found.items()}


def slotless(g, slots, *, learning_rate):
    return dict(delta=learning_rate * slots["momentum"])


FAULTS = {
    "a dialect": (
        replace(CARDS["adam"], formulas={n: one for n, one in CARDS["adam"].formulas.items() if n != "keras"}),
        "rule and card must have the same dialects; one of them lacks keras.",
    ),
    "a stage": (with_formula(renamed), "renamed of keras: rule and formula must show the same; the rule lacks below."),
    "a slot": (with_formula(slotless), "slotless of keras: KeyError: 'momentum'."),
    "an error's value": (
        replace(CARDS["adam"], errors={adam.algorithm_1: {"m doubled": lambda new, old, s: {new.mm: 2 * new.m}}}),
        "algorithm_1 of paper: AttributeError: 'types.SimpleNamespace' object has no attribute 'mm'.",
    ),
    "a revealing number": (
        replace(CARDS["adam"], revealing=({**CARDS["adam"].revealing[0], "beta_1": 0.9},)),
        "no set in revealing has another beta_1 than paper's, 0.9: nobody would see that it is ignored.",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_card_that_does_not_fit_its_rule_is_refused_in_a_sentence_that_names_its_file(monkeypatch, fault):
    """Would catch a dialect that vanishes, a stage that is compared with nothing, a setting that may be ignored."""
    card, sentence = FAULTS[fault]
    monkeypatch.setitem(CARDS, "adam", card)
    monkeypatch.setitem(FORMULAS, "adam", card.formulas)
    with pytest.raises(InputError) as error:
        check_card.__wrapped__("adam")
    assert str(error.value).startswith("core/verification/cards/adam.py")
    assert str(error.value).endswith(sentence)


def test_a_missing_card_is_named():
    with pytest.raises(InputError, match=r"core/verification/cards/nosuch\.py is missing: every rule"):
        cards._card("nosuch")


@pytest.mark.parametrize("name", RULES)
def test_every_card_fits_its_rule(name):
    check_card(name)
