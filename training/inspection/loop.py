"""The loop over the steps in an XLA program: how often it runs, and which variable is which of its values."""

import json
from typing import NamedTuple

from .module import Instruction, Module


class Loop(NamedTuple):
    """The training loop: its instruction, and the computations that one step runs."""

    instruction: Instruction
    condition: int
    body: int


def training_loop(module: Module) -> Loop | None:
    """The loop that the program itself runs; None for a program of one step.

    Within a step there may be others; of several beside each other the one is meant that carries the most.
    """
    loops = [one for one in module.instructions(module.entry) if one.opcode == "while"]
    if not loops:
        return None
    longest = max(loops, key=lambda one: len(one.shape.tuple_shapes))
    body, condition = longest.called_computation_ids
    return Loop(longest, condition, body)


def trip_count(instruction: Instruction) -> int | None:
    """How often a loop runs, where XLA found that out while it compiled."""
    if instruction.opcode != "while" or not instruction.backend_config:
        return None
    known = json.loads(instruction.backend_config).get("known_trip_count")
    return None if known is None else int(known["n"])


def argument(module: Module, value: Instruction, loop: Loop | None) -> int | None:
    """Which argument of the program a value within a step is, at the step's beginning; None where it is computed."""
    if value.opcode in ("bitcast", "copy"):
        return argument(module, module.operands(value)[0], loop)
    if value.opcode == "parameter":
        return value.parameter_number
    if value.opcode == "get-tuple-element" and loop is not None:
        (carried,) = module.operands(loop.instruction)
        if carried.opcode == "tuple":
            return argument(module, module.operands(carried)[value.tuple_index], None)
    return None
