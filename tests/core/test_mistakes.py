"""Mistakes in a user's own rule: each ends in one sentence that names this file and the line."""

import inspect
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from core import InputError, Optimizer, Program, Rule, Step
from core.mistakes import described
from core.rules import Rate
from core.xp import Array, zeros_like


class Speed(NamedTuple):
    u: Array


class Other(NamedTuple):
    u: Array


class Own(Rule):
    learning_rate: Rate = 0.01

    def slots(self, x):
        return Speed(zeros_like(x))

    def update(self, g, slots, x, at):
        return self.step(g, slots, at.t)

    def step(self, g, slots, t):
        return Step(g, slots, {})


class Raises(Own):
    def step(self, g, slots, t):
        raise RuntimeError("of mine,\n on two lines")  # here


class Undefined(Own):
    def step(self, g, slots, t):
        return Step(gradient, slots, {})  # noqa: F821 # here


class NoSuchSlot(Own):
    def step(self, g, slots, t):
        return Step(g * slots.v, slots, {})  # here


class Branches(Own):
    def step(self, g, slots, t):
        return Step(g if g > 0 else -g, slots, {})  # here


class Loops(Own):
    def step(self, g, slots, t):
        return Step(tf.stack([row for row in g]), slots, {})  # noqa: C416 # here


class OfNumpy(Own):
    def step(self, g, slots, t):
        return Step(np.exp(g), slots, {})  # here


class Method(Own):
    def step(self, g, slots, t):
        return Step(g.mean(), slots, {})  # here


class TwoDtypes(Own):
    def step(self, g, slots, t):
        return Step(g * t, slots, {})  # here


class Uncompiled(Own):
    def step(self, g, slots, t):
        return Step(tf.ensure_shape(tf.py_function(abs, [g], g.dtype), g.shape), slots, {})  # here


class NoSlots(Own):
    def slots(self, x):
        return Speed(nothing)  # noqa: F821 # here


RAISED = {
    Raises: "RuntimeError: of mine, on two lines.",
    Undefined: "NameError: name 'gradient' is not defined.",
    NoSuchSlot: "AttributeError: 'Speed' object has no attribute 'v'.",
    Branches: "Python's `if`, `while`, `and`, `or` and `not` need one True or False",
    Loops: "Python's `for` cannot go over a tensor",
    OfNumpy: "a function of NumPy cannot take a tensor or a symbol",
    Method: "a tensor has no attribute 'mean': use the functions of core.xp.",
    TwoDtypes: "(cast_like of core.xp brings a value to the dtype of another).",
    Uncompiled: "XLA cannot compile the operation EagerPyFunc",
    NoSlots: "NameError: name 'nothing' is not defined.",
}


class Signature(Own):
    def update(self, g, slots):
        return Step(g, slots, {})


class Nothing(Own):
    def update(self, g, slots, x, at):
        pass


class Pair(Own):
    def update(self, g, slots, x, at):
        return g, slots


class OthersSlots(Own):
    def update(self, g, slots, x, at):
        return Step(g, Other(g), {})


class Listed(Own):
    def update(self, g, slots, x, at):
        return Step(g, slots, [g])


class Narrow(Own):
    def update(self, g, slots, x, at):
        return Step(g[:1], slots, {})


class Half(Own):
    def update(self, g, slots, x, at):
        return Step(g, slots, {"half": 0.5})


RETURNED = {
    Signature: "Signature.update: TypeError: Signature.update() takes 3 positional arguments but 5 were given.",
    Nothing: "Nothing.update, on 'w': update must return Step(delta, Speed(…), stages), found None.",
    Pair: "on 'w': update must return Step(delta, Speed(…), stages), found tuple of float32 (500, 2), Speed of float32",
    OthersSlots: "on 'w': update must return Step(delta, Speed(…), stages), found a Step with slots of Other of",
    Listed: "on 'w': stages must be a dictionary of arrays by name, found list of float32 (500, 2).",
    Narrow: "on 'w': delta must be a float32 tensor of shape (500, 2), found float32 (1, 2).",
    Half: "on 'w': stage half must be a tensor, found 0.5.",
}


def sentence(rule, execution):
    variables = {"w": tf.Variable(tf.ones([500, 2]))}
    with pytest.raises(InputError) as error:
        Program(lambda v: tf.reduce_sum(v["w"]), variables, Optimizer(rule(), variables), execution).run((), [[0]])
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    return error.value


def line_of(rule, text):
    lines, first = inspect.getsourcelines(rule)
    return next(first + number for number, line in enumerate(lines) if text in line)


@pytest.mark.parametrize("rule", RAISED, ids=lambda rule: rule.__name__)
def test_what_a_rule_raises_is_said_in_a_sentence_with_the_line(rule):
    error = sentence(rule, "xla-loop")
    assert str(error).startswith(f"tests/core/test_mistakes.py, line {line_of(rule, '# here')}, in ")
    assert RAISED[rule] in str(error)


def test_the_cause_is_the_original_exception_without_the_frames_of_libraries():
    """Eagerly: a traced function drops the cause of what it raises."""
    cause = sentence(TwoDtypes, "eager").__cause__
    assert isinstance(cause, tf.errors.InvalidArgumentError)
    assert [frame.filename for frame in inspect.getinnerframes(cause.__traceback__)] == [__file__]


@pytest.mark.parametrize("execution", ["eager", "xla-loop"])
@pytest.mark.parametrize("rule", RETURNED, ids=lambda rule: rule.__name__)
def test_what_a_rule_returns_instead_of_a_step_is_said_with_the_line_of_its_update(rule, execution):
    error = sentence(rule, execution)
    where = f"tests/core/test_mistakes.py, line {line_of(rule, 'def update')}, in {rule.__name__}.update"
    assert str(error).startswith(where)
    assert RETURNED[rule] in str(error)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (tf.ones([9, 9]), "float32 (9, 9)"),
        (np.ones(9), "a NumPy array, float64 (9,)"),
        ([tf.ones(9)] * 5, "list of float32 (9,), float32 (9,), float32 (9,), …"),
        ((), "tuple of nothing"),
        ([((1, 2), 3), [4], (5, 6)], "list of tuple of 2, list of 4, (tuple of 5, 6)"),
        (None, "None"),
        ({}, "dict"),
        (Own, "the class Own"),
    ],
)
def test_what_is_found_is_described_without_its_numbers(value, words):
    assert described(value) == words
