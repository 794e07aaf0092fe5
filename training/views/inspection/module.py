"""An XLA program after all of XLA's passes, with the buffers that it was given: the proto that XLA itself writes."""

import re
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from tensorflow.compiler.xla.service import hlo_pb2
from tensorflow.compiler.xla.xla_data_pb2 import PrimitiveType

Instruction = Any
"""An HloInstructionProto. Protocol buffers make their classes when they are imported, unseen by a type checker."""
Shape = Any
"""A ShapeProto: of an array, or of a tuple of shapes."""


class Module:
    """The instructions of an XLA program, and what each of them reads and calls.

    serialized: an HloProto, as a compiled tf.function returns for the stage "optimized_hlo_proto_serialized".
    """

    def __init__(self, serialized: bytes):
        proto: Any = getattr(hlo_pb2, "HloProto").FromString(serialized)  # noqa: B009 - unseen by a type checker
        self.buffers = proto.buffer_assignment.buffer_allocations
        self.aliases = proto.hlo_module.input_output_alias.entries
        self.entry: int = proto.hlo_module.entry_computation_id
        self._schedules = proto.hlo_module.schedule.sequences
        self._computations = {computation.id: computation for computation in proto.hlo_module.computations}
        self._instructions = {one.id: one for each in self._computations.values() for one in each.instructions}

    def instructions(self, computation: int) -> Sequence[Instruction]:
        """Of a computation, in the order in which they run where they are scheduled; inside a fusion they are not."""
        if computation in self._schedules:
            return [self._instructions[number] for number in self._schedules[computation].instruction_ids]
        return self._computations[computation].instructions

    def root(self, computation: int) -> Instruction:
        """The instruction whose value is the computation's."""
        return self._instructions[self._computations[computation].root_id]

    def operands(self, instruction: Instruction) -> list[Instruction]:
        """What an instruction reads, in its order."""
        return [self._instructions[number] for number in instruction.operand_ids]

    def fused(self, fusion: Instruction) -> Iterator[Instruction]:
        """All instructions of a fusion, and of those fused within it."""
        (computation,) = fusion.called_computation_ids
        for one in self.instructions(computation):
            yield one
            if one.opcode == "fusion":
                yield from self.fused(one)

    def behind(self, instruction: Instruction) -> Instruction:
        """The instruction itself, or the operand of a bitcast, which changes the shape alone."""
        while instruction.opcode == "bitcast":
            (instruction,) = self.operands(instruction)
        return instruction


def size(shape: Shape) -> int:
    """Bytes of an array, or of all arrays of a tuple."""
    if shape.tuple_shapes:
        return sum(size(part) for part in shape.tuple_shapes)
    return prod(shape.dimensions) * _itemsize(shape)


def elements(shape: Shape) -> int:
    """Numbers in an array."""
    return prod(shape.dimensions)


def is_floating(shape: Shape) -> bool:
    """Whether an array's numbers are floating-point ones."""
    return re.match(r"B?F\d", _element(shape)) is not None


def written(shape: Shape) -> str:
    """As XLA's text has it: f32[100,256]."""
    if shape.tuple_shapes:
        return f"({', '.join(written(part) for part in shape.tuple_shapes)})"
    return f"{_element(shape).lower()}[{','.join(map(str, shape.dimensions))}]"


def _element(shape: Shape) -> str:
    return PrimitiveType.Name(shape.element_type)


def _itemsize(shape: Shape) -> int:
    """PRED takes a byte, as 4-bit numbers do unless they are packed; a token has no digits in its name and no bytes."""
    if _element(shape) == "PRED":
        return 1
    bits = re.search(r"\d+", _element(shape))
    return max(1, int(bits[0]) // 8) if bits else 0
