"""The formula of a chain is written part by part, that of a schedule as it follows the step."""

import pytest

from core import SGD, Adam, Average, ClipByNorm, InputError, Step, around, chain, groups, only
from core.rules import Begun, Piece, Rate
from core.rules.schedules import parse
from training.views.explain.formula import formula
from training.views.explain.notation import in_unicode

from .evaluated import units_off
from .test_formula import BOUND


def written(rule):
    return {one.name: in_unicode(one.symbol, " = ", one.expression) for one in formula(rule).equations}


def test_a_chain_is_written_part_by_part_with_what_goes_on_between_them():
    rule = around(SGD(0.1), "keras", clip_global_norm=1.0, clip_value=1.0, weight_decay=0.1, ema=0.9)
    assert [section.name for section in formula(rule).sections] == [name for name, _ in rule.parts]
    shown = written(rule)
    assert shown["clip_by_global_norm.gradient"] == "g′ₜ = gₜ⋅factorₜ"
    assert shown["clip_by_value.gradient"] == "g″ₜ = min(c′, max(g′ₜ, -c′))"
    assert shown["decoupled_decay.parameter"] == "θ′ₜ = θₜ₋₁ - decayedₜ"
    assert (shown["sgd.delta"], shown["parameter"]) == ("Δₜ = α⋅g″ₜ", "θₜ = θ′ₜ - Δₜ")
    assert "θ̄ₜ₋₁" in shown["average.average"]
    beside = written(around(SGD(0.1), "optax", clip_norm=1.0, weight_decay=0.1))
    assert "max(Nₜ, c)" in beside["clip_by_norm.factor"]
    assert beside["delta"] == "Δ′ₜ = Δₜ + decayedₜ"
    assert beside["parameter"] == "θₜ = θₜ₋₁ - Δ′ₜ"


class Halved(Piece):
    """Half of every gradient, and of every step."""

    share: Rate = 0.5

    def before(self, g, slots, x, at):
        return Begun(self.share * g, x, slots, {})

    def after(self, step, slots, x, at):
        return Step(None, slots, {}, x - self.share * (x - step.x))


CHAINS = [chain(Halved(), chain(Halved(parse("1,warmup=9")), Adam(), Average(0.5)), Halved(0.25), Average(0.9)),
          chain(SGD(0.1), Halved(), ClipByNorm(0.1))]  # fmt: skip


@pytest.mark.parametrize("rule", CHAINS, ids=["chain of chains", "clipped steps"])
def test_a_chain_of_one_s_own_is_written_right(rule):
    shown = formula(rule)
    assert len({one.symbol for one in shown.equations}) == len({one.name for one in shown.equations})
    off = units_off(shown, rule)
    assert max(off.values()) <= BOUND, off


def test_a_schedule_is_written_as_it_follows_t():
    cosine, points = (written(SGD(parse(text)))["learning_rate"] for text in (
        "cosine:3e-3,steps=5500,warmup=500", "points:0=1,500=0"))  # fmt: skip
    assert "π⋅min(5000, max(0, t - 501))" in cosine
    assert "for t - 1 < 500" in cosine
    assert "≥ 0" not in points, "which every step is"
    assert written(SGD(parse("piecewise:1,9=2,99=3")))["learning_rate"].count("for") == 2


def test_groups_are_refused_in_a_sentence():
    with pytest.raises(InputError, match="explain the rule of each group alone"):
        formula(groups(Adam(), (only("b*"), SGD(0.1))))
