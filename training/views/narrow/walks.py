"""Where rules go in a dtype: a library's own optimizer, or rawstep's with masters, along one constant gradient."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from core import Optimizer, Program
from core.rules import named
from core.verification import REFERENCES, OfLibrary
from core.verification.known import known

START = 1.0
GRADIENTS = (1.0, 2.0**-13)
"""Both are numbers of every dtype. The square of the second is below what float16 holds."""

OURS = "rawstep"
LIBRARIES = ("keras", "torch", "optax", "tf1-kernel")


class Walk(NamedTuple):
    """Where a rule went from `START`, for each of `GRADIENTS` by itself.

    x:     [steps + 1, gradients] the parameters, in float64: masters, where there are any.
    slots: by name, [gradients], after the last step, or the first after which a parameter was not finite.
    delta: [gradients] what a step more would subtract, asked from a parameter of 0, so that it is not rounded to θ's.
    still: [gradients] whether that step leaves all slots as they are.
    """

    x: np.ndarray
    slots: Mapping[str, np.ndarray]
    delta: np.ndarray
    still: np.ndarray


def of_library(library: str, rule: str, dtype: str, steps: int) -> Walk:
    """The library's optimizer with its default settings, all of its state in the dtype, as far as it makes it so.

    Raises whatever the library raises where it does not take the dtype.
    """
    like = np.full(len(GRADIENTS), START, dtype)
    g = np.array(GRADIENTS).astype(dtype)
    made = OfLibrary(library, REFERENCES[library], rule, {}).made(like)
    slots, x, path, kept = made.first(), like, [like], {}
    with np.errstate(all="ignore"):
        for t in range(1, steps + 1):
            found = made.step(t, g, slots, x)
            x = found["x"] if "x" in found else x - found["delta"]
            slots = {name: found[name] for name in slots}
            path.append(x)
            for place in np.flatnonzero(~np.isfinite(x.astype(float))):
                kept.setdefault(int(place), slots)
            if len(kept) == len(GRADIENTS):
                break
        after = made.step(len(path), g, slots, np.zeros_like(x))
        delta = -after["x"] if "x" in after else after["delta"]
    held = {
        name: np.array([kept.get(place, slots)[name][place] for place in range(len(GRADIENTS))], float)
        for name in slots
    }
    return Walk(_whole(np.array(path, float), steps), held, np.asarray(delta, float), _still(slots, after))


def of_rawstep(rules: Sequence[str], dtype: str, steps: int) -> dict[str, Walk]:
    """Our rules in their paper's form, in one compiled program; slots and masters in float32."""
    variables = {rule: tf.Variable(tf.cast(tf.fill([len(GRADIENTS)], START), dtype)) for rule in rules}
    optimizer = Optimizer([(known(rule, "paper", {}).rule, {rule: variables[rule]}) for rule in rules])
    g = tf.constant(GRADIENTS)

    def cost(values: Mapping[str, Any]) -> tf.Tensor:
        return tf.add_n([tf.reduce_sum(tf.cast(value, tf.float32) * g) for value in values.values()])

    def observe(*_: Any) -> dict[str, tf.Tensor]:
        return {rule: tf.identity(optimizer.parameter(rule)) for rule in rules}

    first = {rule: optimizer.parameter(rule).numpy() for rule in rules}
    found = Program(cost, variables, optimizer, observe=observe).run((), np.zeros((steps, 1), int))
    more = optimizer.updates({rule: tf.cast(g, dtype) for rule in rules})
    return {
        rule: Walk(
            np.concatenate([[first[rule]], found[rule].numpy()]).astype(float),
            {
                name: slot.numpy().astype(float) * np.ones(len(GRADIENTS))
                for name, slot in optimizer.slots[rule].items()
            },
            more[rule].delta.numpy().astype(float),
            _still(
                {name: slot.numpy() for name, slot in optimizer.slots[rule].items()},
                {name: slot.numpy() for name, slot in named(more[rule].slots).items()},
            ),
        )
        for rule in rules
    }


def _still(slots: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]) -> np.ndarray:
    same = [np.asarray(slot == after[name]) & np.ones(len(GRADIENTS), bool) for name, slot in slots.items()]
    return np.all(same, axis=0) if same else np.zeros(len(GRADIENTS), bool)


def _whole(path: np.ndarray, steps: int) -> np.ndarray:
    """Of as many steps, the last repeated."""
    return np.concatenate([path, np.repeat(path[-1:], steps + 1 - len(path), axis=0)])
