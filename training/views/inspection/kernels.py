"""What an XLA program launches, one after another: from which phase, what it reads, writes and computes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal, get_args

from .arithmetic import Arithmetic, arithmetic, is_product
from .loop import Within, descend, trip_count
from .module import Instruction, Module, size, written
from .phases import PHASES, Phase, phase

Kind = Literal["fusion", "product", "call", "copy", "other"]
"""A loop that XLA generated of several operations; a matrix product, which a library computes; a library's other
function; a copy; a loop of one operation."""

KINDS: tuple[Kind, ...] = get_args(Kind)

LAUNCHES_NOTHING = frozenset(
    ("parameter", "constant", "get-tuple-element", "tuple", "bitcast", "after-all", "while", "call", "conditional")
)
NAMES_NO_PHASE = LAUNCHES_NOTHING | {"broadcast", "iota"}
"""Constants that are equal become one, which keeps the name of one of them; and with it what spreads them."""


@dataclass(frozen=True)
class Kernel:
    """One launch of an XLA program.

    name, result: XLA's, as in the program's text, and the shape of its result.
    phase:        of the instruction whose value it is.
    others:       phases of other operations in it.
    operations:   how many instructions of each opcode it computes; of a fusion, those inside.
    read:         bytes of its operands, each array once; of a gather or a slice, what is taken.
    written:      bytes of its result; where a part of an array is set in place, of that part.
    flop:         see `arithmetic`.
    times:        launches of it in a step; more than one in a loop within the step, of known length.
    """

    name: str
    kind: Kind
    phase: Phase
    others: tuple[Phase, ...]
    result: str
    operations: Mapping[str, int]
    read: int
    written: int
    flop: Arithmetic
    times: int


def kernels(module: Module, computation: int, within: Within = ()) -> Iterator[Kernel]:
    """Those of a computation in their order. What it calls, loops over or chooses from is listed with it.

    Of a choice all branches are listed, though one of them runs, and a loop of unknown length counts once.

    within: what runs the computation.
    """
    phases: dict[int, Phase] = {}
    for one, around in descend(module, computation, within):
        phases[one.id] = _phase(module, one, phases)
        if one.opcode not in LAUNCHES_NOTHING:
            times = prod(trip_count(outer) or 1 for outer in around[len(within) :])
            yield _kernel(module, one, phases[one.id], times)


def _kernel(module: Module, launched: Instruction, own: Phase, times: int) -> Kernel:
    inside = list(module.fused(launched)) if launched.opcode == "fusion" else [launched]
    operations = Counter(one.opcode for one in inside if one.opcode not in LAUNCHES_NOTHING | {"fusion"})
    named = {phase(one.metadata.op_name) for one in inside if one.opcode not in NAMES_NO_PHASE}
    return Kernel(
        name=launched.name,
        kind=_kind(launched, operations),
        phase=own,
        others=tuple(one for one in PHASES if one in named and one != own),
        result=written(launched.shape),
        operations=dict(operations),
        read=_read(module, launched),
        written=_written(module, launched),
        flop=arithmetic(module, [launched]),
        times=times,
    )


def _kind(launched: Instruction, operations: Mapping[str, int]) -> Kind:
    if is_product(launched) or "dot" in operations:
        return "product"
    if launched.opcode == "custom-call" or launched.fusion_kind == "kCustom":
        return "call"
    if set(operations) == {"copy"}:
        return "copy"
    return "fusion" if sum(operations.values()) > 1 else "other"


def _phase(module: Module, one: Instruction, known: Mapping[int, Phase]) -> Phase:
    """By its own name; parts that XLA cuts an operation into have none, and belong to the phase of their operand.

    A copy without a name is none of the step's work: the loop makes it to keep a value from being overwritten.
    """
    named = phase(one.metadata.op_name)
    if named is not None:
        return named
    if one.opcode == "copy" or one.opcode in LAUNCHES_NOTHING:
        return "loop"
    before: list[Phase] = [
        known[operand.id] for operand in module.operands(one) if operand.opcode not in LAUNCHES_NOTHING
    ]
    return before[0] if before else "loop"


def _read(module: Module, launched: Instruction) -> int:
    """Each array counts once, however often it is read."""
    read = 0
    for operand in {operand.id: operand for operand in module.operands(launched)}.values():
        places = [place for place, number in enumerate(launched.operand_ids) if number == operand.id]
        users = [user for place in places for user in _users(module, launched, place)]
        read += min(size(operand.shape), sum(_taken(module, user, place) for user, place in users))
    return read


def _users(module: Module, launched: Instruction, place: int) -> Iterator[tuple[Instruction, int]]:
    """Who reads an operand, and as which of its own operands: the instruction itself, or those inside a fusion."""
    if launched.opcode != "fusion":
        yield launched, place
        return
    (computation,) = launched.called_computation_ids
    for one in module.instructions(computation):
        for number, operand in enumerate(module.operands(one)):
            behind = module.behind(operand)
            if one.opcode != "bitcast" and behind.opcode == "parameter" and behind.parameter_number == place:
                yield one, number


def _taken(module: Module, user: Instruction, place: int) -> int:
    """Bytes that an instruction reads of one of its operands."""
    if place == 0 and user.opcode in ("gather", "dynamic-slice", "slice"):
        return size(user.shape)
    if place == 0 and user.opcode == "dynamic-update-slice":  # all else stays where it is
        return 0
    return size(module.operands(user)[place].shape)


def _written(module: Module, launched: Instruction) -> int:
    root = launched
    if launched.opcode == "fusion":
        root = module.root(launched.called_computation_ids[0])
    parts = [module.behind(part) for part in (module.operands(root) if root.opcode == "tuple" else [root])]
    return sum(
        size(module.operands(part)[1].shape if part.opcode == "dynamic-update-slice" else part.shape) for part in parts
    )
