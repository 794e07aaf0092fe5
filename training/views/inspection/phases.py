"""Which part of a training step an instruction belongs to: XLA keeps the name scopes in which TensorFlow traced it."""

import re
from typing import Literal, get_args

Phase = Literal["gather", "forward", "backward", "update", "observe", "loop"]
"""The scopes of `core.Program`'s step; "loop" is what is in none: the counter, the row of a batch, copies of XLA's."""

PHASES: tuple[Phase, ...] = get_args(Phase)


def phase(op_name: str) -> Phase | None:
    """Of an instruction by the name of the TensorFlow operation that it comes from; None where XLA kept no name.

    The tape's scope stands before all others, and a loop's comes before the step's: while/forward/MatMul,
    gradient_tape/while/forward/MatMul/MatMul. A scope that is entered again has a number: forward_1.
    """
    if not op_name:
        return None
    if op_name.startswith("gradient_tape/"):
        return "backward"
    scope = re.search(r"(?:^|/)(gather|forward|update|observe)(?:_\d+)?/", op_name)
    return next(phase for phase in PHASES if phase == scope[1]) if scope else "loop"
