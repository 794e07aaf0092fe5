"""The memory that XLA set aside for a program: its buffer assignment, which it makes when it compiles."""

from typing import NamedTuple

from .module import Module


class Memory(NamedTuple):
    """Bytes of a program's buffers, all of which stand while it runs.

    arguments:   data, batches and variables, those that are updated in place included.
    outputs:     what it returns besides: what was observed, variables that are not updated in place.
    constants:   numbers of the program itself.
    temporaries: everything in between; buffers that are not needed at one time share their place.
    """

    arguments: int
    outputs: int
    constants: int
    temporaries: int

    @property
    def total(self) -> int:
        return sum(self)


def memory(module: Module) -> Memory:
    """As XLA assigned it. A thread's own scratch, some bytes of a reduction, is on its stack and not counted."""
    arguments = outputs = constants = temporaries = 0
    for buffer in module.buffers:
        if buffer.is_entry_computation_parameter:
            arguments += buffer.size
        elif buffer.is_constant:
            constants += buffer.size
        elif buffer.maybe_live_out:
            outputs += buffer.size
        elif not buffer.is_thread_local:
            temporaries += buffer.size
    return Memory(arguments, outputs, constants, temporaries)
