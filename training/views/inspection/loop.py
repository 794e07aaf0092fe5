"""The loop over the steps in an XLA program: how often it runs, and which of the program's arguments it carries."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from .module import Instruction, Module

Within = tuple[Instruction, ...]
"""The calls, choices and loops that a computation is run by, the outermost first."""


class Loop(NamedTuple):
    """The training loop.

    within: what runs a step: the loop last, and before it the calls that lead to it, as XLA makes for small programs.
    """

    within: Within
    condition: int
    body: int


def descend(module: Module, computation: int, within: Within = ()) -> Iterator[tuple[Instruction, Within]]:
    """The instructions of a computation in their order, each followed by those that it calls, loops over or chooses."""
    for one in module.instructions(computation):
        yield one, within
        if one.opcode in ("while", "call", "conditional"):
            for called in one.called_computation_ids:
                yield from descend(module, called, (*within, one))


def training_loop(module: Module) -> Loop | None:
    """The loop that the program itself runs; None for a program of one step.

    There may be others within a step; of several beside each other the one is meant that carries the most.
    """
    loops = [
        (*within, one)
        for one, within in descend(module, module.entry)
        if one.opcode == "while" and all(around.opcode == "call" for around in within)
    ]
    if not loops:
        return None
    widest = max(loops, key=lambda within: len(within[-1].shape.tuple_shapes))
    body, condition = widest[-1].called_computation_ids
    return Loop(widest, condition, body)


def trip_count(instruction: Instruction) -> int | None:
    """How often a loop runs, where XLA found that out while it compiled."""
    if instruction.opcode != "while" or not instruction.backend_config:
        return None
    known = json.loads(instruction.backend_config).get("known_trip_count")
    return None if known is None else int(known["n"])


def argument(module: Module, value: Instruction, within: Within) -> int | None:
    """Which argument of the program a value is, as it was before the loops around it; None where it is computed."""
    if value.opcode in ("bitcast", "copy"):
        return argument(module, module.operands(value)[0], within)
    if value.opcode == "get-tuple-element":
        (whole,) = module.operands(value)
        if whole.opcode == "parameter" and within and within[-1].opcode == "while":
            whole, within = module.operands(within[-1])[0], within[:-1]
        if whole.opcode == "tuple":
            return argument(module, module.operands(whole)[value.tuple_index], within)
    if value.opcode == "parameter":
        if not within:
            return value.parameter_number
        if within[-1].opcode == "call":
            return argument(module, module.operands(within[-1])[value.parameter_number], within[:-1])
    return None
