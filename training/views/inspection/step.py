"""What XLA made of a training step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from core import Program

from .arithmetic import Arithmetic
from .kernels import KINDS, Kernel, Kind, kernels
from .loop import Loop, argument, descend, training_loop, trip_count
from .memory import Memory, memory
from .module import Module
from .phases import PHASES, Phase


class VariableUse(NamedTuple):
    """A variable of a compiled program.

    in_place: whether its new value takes the place of the old one; a variable that is only read has no new value.
    copied:   whether every step copies the whole of it, so that the old value outlives the new one.
    """

    name: str
    bytes: int
    in_place: bool
    copied: bool


@dataclass(frozen=True)
class Inspection:
    """One training step as XLA compiled it.

    loops:      whether the program is a loop over steps; the step is its body then, and the whole program otherwise.
    trip_count: how often the loop runs, where XLA knows.
    kernels:    what a step launches, in order.
    variables:  in the program's order.
    memory:     of a call of the program.
    """

    loops: bool
    trip_count: int | None
    kernels: Sequence[Kernel]
    variables: Sequence[VariableUse]
    memory: Memory


@dataclass(frozen=True)
class PhaseWork:
    """What a phase of a step takes; see `Kernel`.

    launches:   of kernels, by kind.
    operations: instructions in these, those inside fusions one by one.
    """

    launches: dict[Kind, int]
    operations: dict[str, int]
    read: int
    written: int
    flop: Arithmetic


def inspect(program: Program, data: Sequence[tf.Tensor], batches: Any) -> Inspection:
    """What XLA makes of a call of `program.run` with these arguments; it is compiled for this, and not run.

    Raises InputError for an execution that XLA does not compile, and for what `Program.captured` refuses.
    """
    serialized: Any = program.compiler_ir(data, batches, "optimized_hlo_proto_serialized")
    module = Module(serialized)
    loop = training_loop(module)
    return Inspection(
        loops=loop is not None,
        trip_count=None if loop is None else trip_count(loop.within[-1]),
        kernels=list(_step(module, loop)),
        variables=list(_variables(module, loop, program.captured(data, batches), first=len(data) + 1)),
        memory=memory(module),
    )


def by_phase(launched: Sequence[Kernel]) -> dict[Phase, PhaseWork]:
    """The work of each phase that launches something, in the order of `PHASES`."""
    found: dict[Phase, list[Kernel]] = {
        phase: [kernel for kernel in launched if kernel.phase == phase] for phase in PHASES
    }
    return {phase: together(own) for phase, own in found.items() if own}


def together(launched: Sequence[Kernel]) -> PhaseWork:
    """The work of some kernels."""
    launches, operations = dict.fromkeys(KINDS, 0), dict[str, int]()
    for kernel in launched:
        launches[kernel.kind] += kernel.times
        for opcode, count in kernel.operations.items():
            operations[opcode] = operations.get(opcode, 0) + kernel.times * count
    return PhaseWork(
        launches,
        dict(sorted(operations.items())),
        sum(kernel.times * kernel.read for kernel in launched),
        sum(kernel.times * kernel.written for kernel in launched),
        Arithmetic(
            sum(kernel.times * kernel.flop.products for kernel in launched),
            sum(kernel.times * kernel.flop.elementwise for kernel in launched),
        ),
    )


def _step(module: Module, loop: Loop | None) -> Iterator[Kernel]:
    if loop is None:
        yield from kernels(module, module.entry)
    else:
        yield from kernels(module, loop.condition, loop.within)
        yield from kernels(module, loop.body, loop.within)


def _variables(module: Module, loop: Loop | None, captured: Sequence[tf.Variable], first: int) -> Iterator[VariableUse]:
    """first: the number of the first variable among the program's arguments, which begin with data and batches."""
    in_place = {alias.parameter_number for alias in module.aliases}
    step = descend(module, module.entry) if loop is None else descend(module, loop.body, loop.within)
    copied = {argument(module, one, within) for one, within in step if one.opcode == "copy"}
    for number, variable in enumerate(captured, start=first):
        name, bytes_ = variable.name.removesuffix(":0"), variable.shape.num_elements() * variable.dtype.size
        yield VariableUse(name, bytes_, number in in_place, number in copied)
