"""What is said of a rule: its dialects' differences, its slots, its numbers; each against the rule itself."""

from dataclasses import dataclass

import numpy as np
import pytest
import sympy

from core import RULES, Adam, At, InputError
from core.rules import named
from training.runs.around import Around
from training.views.explain.dialects import default_rate, other_forms, rounding_only
from training.views.explain.explanation import EXAMPLE_RATE, explain
from training.views.explain.formula import formula

from .test_formula import Hostile


def test_the_dialects_of_adam_differ_as_the_libraries_do():
    forms = {form.dialects: form for form in explain("adam").forms}
    assert forms.keys() == {("tf1", "keras"), ("torch",)}
    hat = forms["tf1", "keras"]
    assert [equation.name for equation in hat.equations] == ["m", "v", "denominator", "delta"]
    assert hat.rounding == {"m", "v"}
    assert [equation.name for equation in forms["torch",].equations] == ["m"]
    assert forms["torch",].rounding == {"m"}


def test_the_dialects_of_adagrad_differ_in_the_denominator():
    forms = {form.dialects: [equation.name for equation in form.equations] for form in explain("adagrad").forms}
    assert forms == {("tf1",): ["denominator"], ("keras",): ["denominator"], ("optax",): ["denominator", "delta"]}
    assert not any(form.rounding for form in explain("adagrad").forms)


def test_adadelta_and_sgd_have_one_form():
    assert explain("adadelta").forms == explain("sgd").forms == ()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dialect", ["paper", "keras", "optax"])
def test_what_changes_rounding_alone_is_found_and_explained(rule, dialect):
    """Would catch epsilon_form or rest_at_zero called a rounding, and a setting that says nothing of itself."""
    if dialect not in RULES[rule].DIALECTS:
        return
    found = explain(rule, dialect)
    settings = {rounding.setting for rounding in found.rounding}
    forms = {name for form in ("epsilon_form", "rest_at_zero") for name in vars(found.rule) if name == form}
    assert not settings & forms
    assert settings <= vars(found.rule).keys()
    assert all(len(rounding.meaning) > 10 for rounding in found.rounding)
    if rule == "adam":
        assert settings == {"incremental", "complement_in", "power_in"}


def test_a_change_of_form_is_no_rounding():
    """Planted: dialects that differ in ε's place alone."""
    rule, other = Adam(), Adam(epsilon_form="epsilon-hat")
    assert rounding_only(rule, {"here": rule, "there": other}) == ()
    (form,) = other_forms(formula(rule), {"there": formula(other)})
    assert form.rounding == set()


def test_the_dialects_of_a_chain_differ_in_order_and_form_and_rounding_is_named():
    """Would catch a case of one step, t = 1, that is taken for rounding, and 1e-6 beside a norm."""
    found = explain("sgd", "keras", around=Around(clip_global_norm=1.0, weight_decay=0.01, ema=0.9))
    forms = {form.dialects: form for form in found.forms}
    assert forms.keys() == {("paper",), ("tf1",), ("torch",), ("optax",)}
    names = {dialect: {one.name for one in form.equations} - form.rounding for (dialect,), form in forms.items()}
    assert names["paper"] == names["tf1"] == names["optax"] == {"delta", "parameter", "average.average"}
    assert names["torch"] == {"clip_by_global_norm.factor", "clip_by_global_norm.gradient"} & names["torch"]
    assert "clip_by_global_norm.factor" in names["torch"]
    assert forms["torch",].rounding == {"decoupled_decay.parameter", "average.average"}
    assert {one.setting for one in found.rounding} == {
        "decoupled_decay.form", "average.incremental", "average.complement_in",
    }  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_settings_are_those_of_the_rule_in_every_dialect(rule):
    found = explain(rule)
    for dialect in RULES[rule].DIALECTS:
        rate = default_rate(RULES[rule], dialect)
        expected = vars(RULES[rule].dialect(dialect, learning_rate=rate or 123.0)) | {"learning_rate": rate}
        assert {name: values[dialect] for name, values in found.settings.items()} == expected


def test_a_learning_rate_that_is_asked_for_is_the_example_s_and_said_to_be():
    asked, given = explain("adagrad"), explain("adagrad", settings={"learning_rate": 0.5})
    assert (asked.rule.learning_rate, asked.rate_given) == (EXAMPLE_RATE, False)
    assert (given.rule.learning_rate, given.rate_given) == (0.5, True)
    assert explain("adagrad", "keras").rule.learning_rate == 1e-3


def test_settings_that_only_go_together_here_do_not_stop_the_dialects():
    """Optax's Adagrad alone may have ε = 0 and start at 0: would catch another dialect built with both."""
    zero = {"epsilon": 0.0, "initial_accumulator_value": 0.0}
    assert explain("adagrad", "optax", zero, gradients=(0.0,)).steps[0].lines[-1].value == 1.0


@pytest.mark.parametrize("rule", RULES)
def test_every_slot_has_its_meaning_and_its_first_value(rule):
    dialect = [*RULES[rule].DIALECTS][1]
    slots = explain(rule, dialect).slots
    first = named(explain(rule, dialect).rule.slots(np.ones(1)))
    assert {slot.name: slot.first for slot in slots} == {name: value[0] for name, value in first.items()}
    assert all(len(slot.meaning) > 10 for slot in slots)


def terms_of(expression, written):
    """Σ|terms|: what an expression comes to if nothing in it cancels."""
    if expression.is_Add:
        return sum(terms_of(one, written) for one in expression.args)
    if expression.is_Mul:
        return np.prod([terms_of(one, written) for one in expression.args])
    if expression.is_Pow:
        return terms_of(expression.base, written) ** float(expression.exp.subs(written))
    return abs(float(expression.subs(written)))


@pytest.mark.parametrize("rule", RULES)
def test_worked_steps_are_the_rule_s_own_and_the_numbers_in_them_add_up(rule):
    """The right sides are computed from what is written in them: six digits, so 1e-4 of what they come to.

    Or of what their terms come to, where these cancel: RAdam's ρ is a difference of 1999 and 1996. 1 − β^t loses digits
    where β^t is near 1, but β is written in full. Would catch a slot of the step before or after.
    """
    found = explain(rule, "paper", gradients=(0.5, -1.0, 0.0, 3e-4), parameter=-0.25)
    own, x, slots = found.rule, np.array([-0.25]), found.rule.slots(np.ones(1))
    for step, g in zip(found.steps, (0.5, -1.0, 0.0, 3e-4), strict=True):
        expected = own.step(np.array([g]), slots, x, At(np.float64(step.t)))
        slots, x = expected.slots, expected.x
        values = expected.values | {"delta": expected.delta, "parameter": x}
        assert {line.name: line.value for line in step.lines} == {name: np.ravel(v)[0] for name, v in values.items()}
        for line in step.lines:
            written = {symbol: sympy.Float(symbol.name.strip("()")) for symbol in line.numbers.free_symbols}
            found = float(line.numbers.subs(written))
            if found != pytest.approx(line.value, rel=1e-4, abs=1e-12):
                assert abs(found - line.value) <= 1e-5 * terms_of(line.numbers, written), line.name
            shown = float(line.result.name)
            assert (line.relation == "=") == (shown == pytest.approx(line.value, rel=1e-12, abs=0))


def test_what_overflows_is_shown_and_not_hidden():
    values = {line.name: line.value for line in explain("adam", gradients=(1e200,)).steps[0].lines}
    assert values["v"] == values["denominator"] == float("inf")


@dataclass(frozen=True)
class Fails(Hostile):
    """A rule that runs on symbols, not on arrays."""

    def update(self, g, slots, x, at):
        assert g.free_symbols
        return super().update(g, slots, x, at)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(name="nosuch"), "There is no rule 'nosuch'"),
        (dict(name="adam", dialect="caffe"), "Adam has no dialect 'caffe'; it has: paper, "),
        (dict(name="adam", settings={"beta_1": 1.0}), "beta_1 must lie in [0, 1), found 1."),
        (dict(name="adam", settings={"learning_rate": -1.0}), "learning_rate must lie in [0, ∞), found -1."),
        (dict(name="adam", gradients=(0.5, float("nan"))), "--gradients must be finite, found nan."),
        (dict(name="adam", parameter=float("inf")), "--parameter must be finite, found inf."),
        (dict(name=f"{__name__}:Fails"), "Fails.update: AttributeError"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_a_sentence(arguments, sentence):
    with pytest.raises(InputError) as refusal:
        explain(**arguments)
    assert sentence in str(refusal.value)
