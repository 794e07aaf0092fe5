"""The executions: what each is called, what compiles it, how a function of it is made, and what takes its steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import tensorflow as tf

from ..errors import InputError
from .runners import EachStep, LookedAt, Loop, Maker, Runner, Untraced
from .training_step import TrainingStep

Execution = Literal["eager", "graph", "xla-step", "xla-loop"]
"""The names in `EXECUTIONS`."""


@dataclass(frozen=True)
class ExecutionMode:
    """How the steps of a call run.

    name:     what it is called, and how it prints.
    runner:   made of a step and of `function`; it takes the steps of a call on one device.
    traced:   its functions are graphs, traced once for each shape; else they run operation by operation.
    compiled: XLA compiles these.
    looped:   one call of a function takes all steps.
    """

    name: str
    runner: Callable[[TrainingStep, Maker], Runner]
    traced: bool = True
    compiled: bool = False
    looped: bool = False

    def function(self, body: Callable[..., Any]) -> Any:
        """What runs a body: a tf.function, where it is traced."""
        # TensorFlow counts retracings by code, and warns of many programs of one class; a partial is its own.
        body = partial(body)
        return tf.function(body, autograph=False, jit_compile=self.compiled) if self.traced else body

    def __str__(self) -> str:
        return self.name


EXECUTIONS: Mapping[str, ExecutionMode] = {
    mode.name: mode
    for mode in (
        ExecutionMode("eager", Untraced, traced=False),
        ExecutionMode("graph", LookedAt),
        ExecutionMode("xla-step", EachStep, compiled=True),
        ExecutionMode("xla-loop", Loop, compiled=True, looped=True),
    )
}
"""TensorFlow operation by operation; a traced graph a step; one XLA program called for each step; one XLA program that
loops over all steps of a call."""


def execution_mode(execution: str | ExecutionMode) -> ExecutionMode:
    """The one of this name; one that is passed itself, as it is. Raises InputError for an unknown name."""
    if isinstance(execution, ExecutionMode):
        return execution
    if execution not in EXECUTIONS:
        raise InputError(
            f"There is no execution {execution!r}; there are: {', '.join(EXECUTIONS)}.", execution, EXECUTIONS
        )
    return EXECUTIONS[execution]
