"""What each piece around a rule costs: the compiled step of the rule alone, and of more and more pieces around it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from core import Chain, Program, Rule
from core.seeds import generator

from ...runs.paired import Ratio, paired_ratio
from .ladder import sample
from .step import inspect, together


class Piece(NamedTuple):
    """An update with one piece more than the one before.

    name:          of the rule, or of the piece that is added.
    launches:      of kernels in the update.
    read, written: bytes of these.
    passes:        how often the update reads or writes as much as all parameters.
    step_seconds:  of the whole step, the median over rounds.
    ratio:         how many times as long a step takes as with the rule alone, paired within rounds.
    """

    name: str
    launches: int
    read: int
    written: int
    passes: float
    step_seconds: float
    ratio: Ratio


def stages(rule: Rule) -> dict[str, Rule]:
    """The rule of a chain alone, and with its pieces added in their order, by the name of what is added; nothing for
    another rule."""
    if not isinstance(rule, Chain):
        return {}
    alone = next(name for name, part in rule.parts if isinstance(part, Rule))
    added = [alone, *(name for name, _ in rule.parts if name != alone)]
    found: dict[str, Rule] = {alone: rule.rule}
    for count, name in enumerate(added[1:], start=2):
        found[name] = replace(rule, parts=tuple(part for part in rule.parts if part[0] in added[:count]))
    return found


def pieces(
    programs: dict[str, Program],
    data: Sequence[tf.Tensor],
    batches: np.ndarray,
    rounds: int,
    seed: int = 0,
    heard: Callable[[str], None] = lambda doing: None,
) -> list[Piece]:
    """Of a program for each of `stages`.

    rounds: at least 2; each takes one sample of every program, in an order shuffled anew by `seed`. heard: called with
    the name of each piece of work: one for each program, and one for the rounds.
    """
    updates = {}
    for name, program in programs.items():
        heard(f"compiling {name}")
        program.run(data, batches)
        kernels = inspect(program, data, batches).kernels
        updates[name] = together([kernel for kernel in kernels if kernel.phase == "update"])
    heard("timing the pieces")
    random, names = generator(seed, "pieces"), [*programs]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for place in random.permutation(len(names)):
            seconds[names[place]].append(sample(programs[names[place]], data, batches))
    size = sum(variable.shape.num_elements() * variable.dtype.size for variable in _variables(programs[names[0]]))
    return [
        Piece(
            name,
            sum(update.launches.values()),
            update.read,
            update.written,
            (update.read + update.written) / size,
            median(seconds[name]),
            paired_ratio(seconds[name], seconds[names[0]]),
        )
        for name, update in updates.items()
    ]


def _variables(program: Program) -> list[tf.Variable]:
    return [program.optimizer.assigned(name)[0] for name in program.optimizer.slots]
