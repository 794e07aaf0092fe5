"""Chains of pieces around a rule in the optimizer: names, masks, what is served, and what is no chain."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from core import (
    L2,
    SGD,
    Adam,
    Average,
    ClipByGlobalNorm,
    ClipByNorm,
    ClipByValue,
    DecoupledDecay,
    InputError,
    Optimizer,
    around,
    chain,
    matrices,
    only,
    schedules,
)
from core.rules.clipping import ClipByNorm as Clip

EVERY = chain(
    ClipByGlobalNorm(1.0), L2(0.1, where=only("b")), Adam(0.1), DecoupledDecay(0.5, where=matrices), Average(0.9)
)


def variables():
    return {"w": tf.Variable([[1.0, -2.0]], name="w"), "b": tf.Variable([3.0], name="b")}


def test_slots_and_stages_have_their_part_s_name_and_masked_parts_are_not_there():
    of = variables()
    optimizer = Optimizer(EVERY, of)
    updates = optimizer.apply({name: tf.ones_like(value) for name, value in of.items()})
    assert set(optimizer.slots["w"]) == {"adam.m", "adam.v", "average.average"}
    stages = {name: {stage.partition(".")[0] for stage in step.stages} for name, step in updates.items()}
    assert stages["w"] == {"clip_by_global_norm", "adam", "decoupled_decay", "average"}
    assert stages["b"] == {"clip_by_global_norm", "adam", "average"}
    np.testing.assert_allclose(updates["w"].stages["decoupled_decay.decayed"], [[0.05, -0.1]], rtol=1e-6)
    served = optimizer.served()
    for name, start in variables().items():
        np.testing.assert_allclose(served[name], 0.9 * start + 0.1 * of[name], rtol=1e-6)


@pytest.mark.parametrize("form", ["least", "larger", "damped", "where"])
def test_gradients_of_zeros_are_clipped_to_zeros(form):
    """Would catch 0/0 in a form that divides by the norm."""
    of = {"w": tf.Variable([1.0, 2.0])}
    optimizer = Optimizer(chain(ClipByGlobalNorm(0.5, form), Clip(0.5, form), SGD(1.0)), of)
    update = optimizer.apply({"w": tf.zeros([2])})["w"]
    np.testing.assert_array_equal(update.delta, [0.0, 0.0])
    assert np.all(np.isfinite([*update.stages.values()]))
    optimizer.apply({"w": tf.constant([3.0, -4.0])})
    np.testing.assert_allclose(of["w"], [1 - 0.3, 2 + 0.4], rtol=1e-5)


def test_the_learning_rate_of_a_chain_is_its_rule_s():
    faster = replace(EVERY, learning_rate=0.25)
    assert (faster.rule.learning_rate, EVERY.rule.learning_rate) == (0.25, 0.1)
    assert around(Adam()) == Adam()
    assert [name for name, _ in chain(ClipByNorm(1.0), ClipByNorm(2.0), SGD(1.0)).parts] == [
        "clip_by_norm", "clip_by_norm_2", "sgd",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((ClipByNorm(1.0),), "A chain needs one rule, with pieces before and after it, found none."),
        ((Adam(), SGD(1.0)), "A chain needs one rule, with pieces before and after it, found adam, sgd."),
        ((Average(0.9), Adam()), "average does nothing before the rule: put it on the other side of adam."),
        ((Adam(), L2(0.1)), "l2 does nothing after the rule: put it on the other side of adam."),
        (
            (ClipByValue(1.0), ClipByGlobalNorm(1.0), Adam()),
            "clip_by_global_norm reads the norm of all gradients as they are: no piece may stand before it.",
        ),
        ((Adam(), "ema"), "A chain is made of pieces and a rule, found 'ema'."),
        ((ClipByValue(1.0), SGD), "A chain is made of pieces and a rule, found <class 'core.rules.sgd.SGD'>."),
        (
            (ClipByValue(1.0), chain(ClipByGlobalNorm(1.0), Adam())),
            "chain reads the norm of all gradients as they are: no piece may stand before it.",
        ),
    ],
)
def test_what_is_no_chain_is_refused_in_a_sentence(parts, said):
    with pytest.raises(InputError) as refused:
        chain(*parts)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ClipByNorm(0.0), "ClipByNorm: limit must lie in (0, ∞), found 0."),
        (lambda: Average(1.0), "Average: decay must lie in [0, 1), found 1."),
        (
            lambda: Average(0.9, overwrite_every=-1),
            "Average: overwrite_every must be a whole number in [0, ∞), found -1.",
        ),
        (
            lambda: ClipByNorm(1.0, "wide"),
            "ClipByNorm: form must be one of 'least', 'larger', 'damped', 'where', found 'wide'.",
        ),
        (
            lambda: Optimizer(chain(L2(0.1), Adam(epsilon=1e-46)), variables()),
            "Chain on 'w': epsilon = 1e-46 is out of the range of float32.",
        ),
        (lambda: around(Adam(), where=matrices), "where needs l2 or weight_decay."),
        (lambda: around(Adam(), overwrite_every=2), "overwrite_every needs ema."),
        (
            lambda: Adam(beta_1=schedules.Constant(1.5)),
            "Adam: beta_1 must lie in [0, 1), found 1.5 in the first step of constant:1.5.",
        ),
        (
            lambda: around(Adam(), "nosuch", ema=0.9),
            "There is no order 'nosuch'; there are: paper, keras, torch, optax, tf1.",
        ),
    ],
)
def test_what_a_piece_cannot_have_is_refused_in_a_sentence(make, said):
    with pytest.raises(InputError) as refused:
        make()
    assert str(refused.value) == said
