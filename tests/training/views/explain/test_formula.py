"""The formula that is shown computes what the rule computes: its expressions, its MathML and its LaTeX."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

from core import (
    RULES,
    Adagrad,
    Adam,
    At,
    InputError,
    Momentum,
    Rule,
    Step,
    around,
    xp,
)
from core.rules import Rate, named, refilled
from core.rules.around import ORDERS
from core.rules.schedules import parse
from core.verification import CARDS
from core.verification.known import known
from core.xp import Array, sqrt, where, zeros_like
from training.views.explain.formula import formula
from training.views.explain.notation import in_latex, in_mathml, in_unicode

from .evaluated import from_latex, from_mathml, units_off

CASES = {(name, dialect): kind.dialect(dialect, learning_rate=0.01)
         for name, kind in RULES.items() for dialect in kind.DIALECTS}  # fmt: skip
AROUND = dict(clip_value=0.5, clip_norm=2.0, clip_global_norm=3.0, l2=0.1, weight_decay=0.01, ema=0.9)
"""Every piece; the average is written over the parameter, too."""
CASES |= {("chain", order): around(Adam(), order, **AROUND, overwrite_every=3) for order in ORDERS}
CASES |= {
    ("schedule", text.partition(":")[0]): Momentum(parse(text), momentum=0.5)
    for text in (
        "1e-2,warmup=5,warmup-from=1e-3", "piecewise:1e-2,10=3e-3,20=1e-3", "points:0=0,5=1e-2,30=1e-2,35=0",
        "exponential:1e-2,factor=0.9,steps=3,stairs", "inverse-time:1e-2,factor=0.5,steps=3",
        "polynomial:1e-2,steps=9,power=0.5,end=1e-3,cycles", "cosine:1e-2,steps=30,warmup=5,end=1e-3",
        "cosine-restarts:1e-2,steps=5,longer=2,lower=0.5", "one-cycle:1e-2,steps=30",
    )
}  # fmt: skip
IDS = ["-".join(key) for key in CASES]

BOUND = 4.0
"""Units of ε_machine, relative. Sums keep the rule's order and round as it does; products may be taken in another
order, each of their factors, at most seven, rounding by half a unit in both. The largest error seen is 2.9."""

SEEN = 1e4
"""What a planted error is to come to: far from rounding. The smallest seen is 8e8."""


@pytest.mark.parametrize("rule", CASES.values(), ids=IDS)
def test_the_shown_equations_compute_what_the_rule_computes(rule):
    """Would catch a stage replaced by another, an ε that moved, a 0 or 1 left out where it mattered."""
    off = units_off(formula(rule), rule)
    first = rule.step(np.ones(1), rule.first(np.ones(1)), np.ones(1), At(np.float64(1), np.float64(1)))
    assert off.keys() >= {*first.values, "parameter"}
    assert max(off.values()) <= BOUND, off


@pytest.mark.parametrize("read", [from_mathml, from_latex])
@pytest.mark.parametrize("rule", CASES.values(), ids=IDS)
def test_what_is_printed_computes_what_the_rule_computes(rule, read):
    """Would catch brackets that a printer leaves out, or factors that it puts under the wrong line."""
    off = units_off(formula(rule), rule, read)
    assert max(off.values()) <= BOUND, off


def longer(rule, value):
    """The rule with one value of its step a thousandth too long."""

    class Longer(type(rule)):
        def update(self, g, slots, x, at):
            step = super().update(g, slots, x, at)
            after = named(step.slots)
            if value in after:
                return step._replace(slots=refilled(step.slots, {**after, value: after[value] * 1.001}))
            if value in step.stages:
                return step._replace(stages={**step.stages, value: step.stages[value] * 1.001})
            return step._replace(
                **{one: 1.001 * of for one, of in (("delta", step.delta), ("x", step.x)) if of is not None}
            )

    return Longer(**vars(rule))


@pytest.mark.parametrize("name", RULES)
def test_a_formula_of_a_wrong_rule_is_told_from_the_right_one_by_each_of_its_values(name):
    """Planted: each slot, stage and update a thousandth too long. Would catch a value that is compared nowhere."""
    dialect = [*RULES[name].DIALECTS][-1]
    rule = known(name, dialect, CARDS[name].revealed(dialect)[0]).rule
    step = rule.step(np.ones(1), rule.slots(np.ones(1)), np.ones(1), At(np.float64(1)))
    follows = formula(rule).equations[-1].name  # Δ, of a rule that returns where it goes
    for value in (*step.values, "parameter" if follows == "delta" else "delta"):
        assert units_off(formula(longer(rule, value)), rule)[value] > SEEN, value


@pytest.mark.parametrize("read", [from_mathml, from_latex])
def test_an_error_in_what_is_printed_is_told(read):
    """Planted: what is read back is a formula with ε̂ for ε."""
    assert max(units_off(formula(Adam(epsilon_form="epsilon-hat")), Adam(), read).values()) > SEEN


def test_the_equations_are_adam_s_as_its_paper_writes_them():
    shown = [in_unicode(symbol, " = ", expression) for *_, symbol, expression in formula(Adam()).equations]
    assert shown[0] == "mₜ = β₁⋅mₜ₋₁ + (1 - β₁)⋅gₜ"
    assert shown[2] == "           t\nc₁ = 1 - β₁"
    assert shown[4] == "     mₜ\nm̂ₜ = ──\n     c₁"
    assert shown[6] == "       ____\ndₜ = ╲╱ v̂ₜ  + ε"
    assert shown[8] == "θₜ = θₜ₋₁ - Δₜ"


def test_what_the_step_s_number_alone_decides_is_said():
    assert formula(Adam()).of_t_alone == {"correction_1", "correction_2"}
    assert formula(Adagrad(0.1)).of_t_alone == set()


def test_a_setting_of_zero_leaves_no_trace_and_another_does():
    signs = {symbol.name for symbol in formula(Adam()).settings.values()}
    assert signs == {"α", "β₁", "β₂", "ε"}
    assert "epsilon_root" in {symbol.name for symbol in formula(Adam(epsilon_root=1e-8)).settings.values()}


def test_the_letters_are_those_of_the_rule_s_docstring():
    """Adagrad's paper has η and δ; ε̂ is not ε."""
    assert [formula(Adagrad(0.1)).settings[name].name for name in ("learning_rate", "epsilon")] == ["η", "δ"]
    assert formula(Adam.dialect("keras")).settings["epsilon"].name == "ε̂"


class Own(NamedTuple):
    v: Array
    same: Array


@dataclass(frozen=True)
class Hostile(Rule):
    """Names that collide, a slot that does not change, a stage twice, cases within cases, two signs."""

    learning_rate: Rate = 0.25
    alpha: float = 0.5

    def slots(self, x):
        return Own(zeros_like(x), zeros_like(x) + 2.0)

    def update(self, g, slots, x, at):
        v = slots.v + (g * g + 1.0)
        far = where(g < 0, -g / (1 / self.alpha), where(g > 1.0, g * g * g, x + g))
        stages = {"v_hat": v, "far": far, "delta": sqrt(v * v) * sqrt(v * v), "copy": far}
        return Step(self.learning_rate * far / self.alpha * -1.0, Own(v, slots.same), stages)


@pytest.mark.parametrize("read", [None, from_mathml])
def test_a_rule_that_is_hard_to_write_down_is_written_right(read):
    """Would catch values taken for others of their name. from_latex reads no cases within cases."""
    shown = formula(Hostile())
    symbols = [equation.symbol for equation in shown.equations]
    assert len(set(symbols)) == len(symbols)
    assert {shown.settings["learning_rate"].name, shown.settings["alpha"].name} == {"α", "α′"}
    assert shown.equations[-2].symbol.name == "Δₜ"
    off = units_off(shown, Hostile(), read)
    assert max(off.values()) <= BOUND, off


class Every(Rule):
    """Every elementwise function of core.xp, and powers of what they return."""

    learning_rate: Rate = 0.1
    p: float = 0.3

    def slots(self, x):
        return Own(zeros_like(x), zeros_like(x))

    def update(self, g, slots, x, at):
        v = xp.maximum(0.9 * slots.v, xp.abs(g)) ** 2
        small = xp.clip(g, -1, 1.0)
        stages = dict(
            chosen=xp.minimum(small, v) ** 2 * xp.sign(-g) / xp.abs(x + 1) ** 3,
            grown=xp.exp(-xp.square(small) / 2) ** 2 + xp.log(xp.abs(x) + 1) ** 2,
            raised=xp.power(xp.abs(g) + 1, -self.p) - xp.full_like(g, 0.5) * xp.ones_like(g),
        )
        return Step(self.learning_rate * stages["grown"], Own(v, slots.same), stages)


@pytest.mark.parametrize("read", [None, from_mathml, from_latex])
def test_every_function_of_an_element_is_written_so_that_it_is_read_back(read):
    shown = formula(Every())
    assert not any("{{" in in_latex(one.expression, shown.signs) for one in shown.equations)
    off = units_off(shown, Every(), read)
    assert max(off.values()) <= 2 * BOUND, "libraries' functions differ by a unit or two"


class Combined(Every):
    def update(self, g, slots, x, at):
        norm = sqrt(xp.sum(g * g)) + xp.mean(x, axis=(0, -1), keepdims=True) ** 2
        turned = xp.matmul(xp.transpose(g), x)
        return Step(turned / norm, slots, dict(norm=norm, turned=turned, total=xp.sum(x)))


def test_what_combines_elements_is_written_by_name():
    shown = {one.name: one for one in formula(Combined()).equations}
    signs = formula(Combined()).signs
    written = r"\left\lVert g_{t} \right\rVert + \operatorname{mean}_{\text{axis } 0,-1}\left(\theta_{t-1}\right)^{2}"
    assert in_latex(shown["norm"].expression, signs) == written
    assert in_unicode(shown["turned"].expression) == "matmul(transpose(gₜ), θₜ₋₁)"
    assert in_mathml(shown["norm"].expression, signs).count("<mo>&#8214;</mo>") == 2
    assert "<mo>&#931;</mo>" in in_mathml(shown["total"].expression, signs)


class Negated(Every):
    def update(self, g, slots, x, at):
        return Step(where((g > 0) & ~(x > 2), g, x), slots, {})


def test_a_condition_that_does_not_hold_is_written_as_the_one_that_does():
    assert "gₜ > 0" in in_unicode(formula(Negated()).equations[-2].expression)
    assert "θₜ₋₁ ≤ 2" in in_unicode(formula(Negated()).equations[-2].expression)


def test_values_that_do_not_enter_the_update_are_known():
    assert formula(Adam.dialect("keras")).unused == {"m_hat", "v_hat", "denominator"}
    assert formula(Adam()).unused == formula(Adagrad(0.1)).unused == set()


@dataclass(frozen=True)
class Branching(Hostile):
    def update(self, g, slots, x, at):
        return Step(g if g > 0 else -g, slots, {})


@dataclass(frozen=True)
class OnArrays(Hostile):
    def update(self, g, slots, x, at):
        return Step(np.exp(g), slots, {})


@dataclass(frozen=True)
class Halves(Hostile):
    def update(self, g, slots, x, at):
        return g, slots


@dataclass(frozen=True)
class NoSlots(Hostile):
    def slots(self, x):
        return x


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            Branching(),
            "Branching does not run on symbols: Python's `if`, `while`",
        ),
        (OnArrays(), "OnArrays does not run on symbols"),
        (Halves(), r"update must return Step\(delta, Own\(…\), stages\)"),
        (NoSlots(), "NoSlots.slots: slots must return a NamedTuple, found a NumPy array, float64"),
    ],
    ids=["branch", "numpy", "no step", "no slots"],
)
def test_a_rule_that_has_no_formula_is_refused_in_a_sentence(rule, sentence):
    with pytest.raises(InputError, match=sentence):
        formula(rule)
