"""Rules for groups of variables: one rule that is several, and masks."""

import numpy as np
import pytest
import tensorflow as tf

from core import SGD, Adam, Average, ClipByGlobalNorm, InputError, Optimizer, chain, groups
from core.rules import parts_of
from core.rules.masks import Except, mask, matrices, only, vectors

START = {"h1": np.linspace(-1, 1, 6).reshape(2, 3), "b1": np.array([0.5, -0.5])}
GRADIENTS = {"h1": np.full((2, 3), 3.0), "b1": np.array([4.0, -4.0])}
MAIN, BIASES = chain(ClipByGlobalNorm(1.0), Adam(0.1), Average(0.9)), chain(ClipByGlobalNorm(1.0), SGD(0.5))


def stepped(build):
    """The state of an optimizer after three steps."""
    variables = {name: tf.Variable(value, name=name) for name, value in START.items()}
    optimizer = Optimizer(*build(variables))
    for _ in range(3):
        optimizer.apply({name: tf.constant(value) for name, value in GRADIENTS.items()})
    return {name: value.numpy().tobytes() for name, value in {**optimizer.state, **optimizer.served()}.items()}


def test_groups_are_an_optimizer_of_several_rules_to_the_bit():
    """The first mask that fits decides; the global norm is that of all gradients; each serves what its rule serves."""
    rule = groups(MAIN, (only("b*"), BIASES), (vectors, Adam(9.0)))
    apart = stepped(lambda v: ([(MAIN, {"h1": v["h1"]}), (BIASES, {"b1": v["b1"]})],))
    assert stepped(lambda v: (rule, v)) == apart
    assert (rule.reads_norm, rule.serves, groups(BIASES, (vectors, SGD(1.0))).serves) == (True, True, False)


def test_pieces_around_groups_leave_each_group_its_rate():
    apart = groups(chain(ClipByGlobalNorm(9.0), SGD(0.1)), (vectors, chain(ClipByGlobalNorm(9.0), SGD(0.5))))
    around_all = chain(ClipByGlobalNorm(9.0), groups(SGD(0.1), (vectors, SGD(0.5))))
    found = [stepped(lambda v, rule=rule: (rule, v)) for rule in (apart, around_all)]
    assert found[0] == found[1]
    assert {type(part) for part in parts_of(around_all)} == {ClipByGlobalNorm, SGD}


@pytest.mark.parametrize(
    ("words", "expected", "text"),
    [
        (["matrices"], matrices, "matrices"),
        (["biases"], vectors, "vectors"),
        (["h*", "ho"], only("h*", "ho"), "h* ho"),
    ],
)
def test_a_mask_is_read_and_written_as_a_person_types_it(words, expected, text):
    assert mask(words) == expected
    assert (str(expected), str(Except(expected))) == (text, f"all except {text}")


@pytest.mark.parametrize("words", [[], [""], ["matrices", "b*"]])
def test_other_words_are_no_mask(words):
    with pytest.raises(InputError, match="Variables must be matrices, vectors, biases, or patterns of their names"):
        mask(words)
