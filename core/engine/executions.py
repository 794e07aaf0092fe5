"""How the steps of a call run on one device: one after another, or as one XLA program that loops over them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Literal

import tensorflow as tf

from .launch import asynchronous, launcher
from .optimizer import Gradients
from .training_step import TrainingStep

Execution = Literal["eager", "graph", "xla-step", "xla-loop"]
"""How steps run: TensorFlow operation by operation; a traced graph a step; one XLA program called for each step; one
XLA program that loops over all steps of a call."""

Data = tuple[tf.Tensor, ...]


class Runner(ABC):
    """What takes the steps of a call.

    function: what `run` calls with `arguments(data, batches)`.
    """

    function: Any

    @abstractmethod
    def run(self, data: Data, batches: tf.Tensor, recorded: Collection[int]) -> tuple[Any, Any]:
        """What was observed of all steps, stacked, and the recorder's rows of those whose places are in `recorded`."""

    @abstractmethod
    def arguments(self, data: Data, batches: tf.Tensor) -> tuple[Any, ...]:
        """What `function` takes in a call of `run`; for executions that call it for each step, in the first one."""

    @property
    @abstractmethod
    def trace_count(self) -> int:
        """How often the body has been traced."""

    def once(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function of tensors and the step's variables returns."""
        return function(*arguments)


def function(body: Callable[..., Any], execution: Execution) -> Any:
    """What runs a body in an execution: a tf.function, except in "eager"."""
    # TensorFlow counts retracings by code, and warns of many programs of one class; a partial is its own.
    body = partial(body)
    if execution == "eager":
        return body
    return tf.function(body, autograph=False, jit_compile=execution.startswith("xla"))


class EachStep(Runner):
    """ "eager", "graph" and "xla-step": a call of the body for each step."""

    def __init__(self, step: TrainingStep, execution: Execution):
        self._step, self._execution = step, execution
        self.function = function(self._taken, execution)
        self._recording = function(self._look if execution == "graph" else self._recorded, execution)

    @property
    def trace_count(self) -> int:
        functions = [] if self._execution == "eager" else [self.function, self._recording]
        return sum(function.experimental_get_tracing_count() for function in functions)

    def arguments(self, data: Data, batches: tf.Tensor) -> tuple[Any, ...]:
        return data, batches[0]

    def run(self, data: Data, batches: tf.Tensor, recorded: Collection[int]) -> tuple[Any, Any]:
        launches = {}

        def launch(function: Any, batch: tf.Tensor) -> Any:
            if self._execution == "eager":
                return function(data, batch)
            if function in launches:
                return launches[function](*data, batch)
            result = function(data, batch)  # which traces and compiles, where the shapes are new
            launches[function] = launcher(function, data, batch)
            return result

        def take(place: int, batch: tf.Tensor) -> tuple[Any, Any]:
            if place not in recorded or self._execution != "graph":
                return launch(self._recording if place in recorded else self.function, batch)
            row = launch(self._recording, batch)
            return launch(self.function, batch)[0], row

        with asynchronous() if self._execution != "eager" else nullcontext():
            steps = [take(place, batch) for place, batch in enumerate(tf.unstack(batches))]
        return stacked([observed for observed, _ in steps]), stacked([row for _, row in steps if row])

    def _taken(self, data: Data, batch: tf.Tensor) -> tuple[Any, Any]:
        """What is observed of a step, and the recorder's row of it: none."""
        return self._step.taken(*self._step.differentiated(data, batch)), ()

    def _recorded(self, data: Data, batch: tf.Tensor) -> tuple[Any, Any]:
        return recorded_step(self._step, data, batch)

    def _look(self, data: Data, batch: tf.Tensor) -> Any:
        """The recorder's row of the step that comes next, which is not taken.

        A graph is rewritten by what reads its values, and then rounds otherwise. So there a step that is recorded is
        looked at first, and then taken by the graph that takes all others.
        """
        return self._step.row(*self._step.differentiated(data, batch))


class Loop(Runner):
    """ "xla-loop": one XLA program, a loop of known length, which updates the variables in place."""

    def __init__(self, step: TrainingStep):
        self._step = step
        self.function = function(self._loop, "xla-loop")

    @property
    def trace_count(self) -> int:
        return self.function.experimental_get_tracing_count()

    def arguments(self, data: Data, batches: tf.Tensor) -> tuple[Any, ...]:
        recorder = self._step.recorder
        return (data, batches) if recorder is None else (data, batches, tf.constant(recorder.first()))

    def run(self, data: Data, batches: tf.Tensor, recorded: Collection[int]) -> tuple[Any, Any]:
        return self.function(*self.arguments(data, batches))

    def _loop(self, data: Data, batches: tf.Tensor, *first: tf.Tensor) -> tuple[Any, Any]:
        # A Python number in the condition and no maximum_iterations: XLA then knows the trip count.
        steps: Any = batches.shape[0]
        observation, row = self._step.observation()

        def step(i, observed):
            value = self._step.taken(*self._step.differentiated(data, tf.gather(batches, i)))
            return i + 1, written(observed, i, value)

        begun = tf.constant(0), arrays(steps, observation)
        recorder = self._step.recorder
        if recorder is None:
            _, observed = tf.while_loop(lambda i, _: i < steps, step, begun)
            return read(observed), ()
        every = recorder.every

        def unrecorded(end, i, observed):
            """The steps from i to before `end`."""
            return tf.while_loop(lambda i, _: i < end, step, (i, observed)) if every > 1 else (i, observed)

        def recorded(i, observed, rows):
            """Step i, and those after it that are not recorded."""
            value, row = recorded_step(self._step, data, tf.gather(batches, i))
            observed, rows = written(observed, i, value), written(rows, i // every, row)
            return *unrecorded(tf.minimum(i + every, steps), i + 1, observed), rows

        i, observed = unrecorded(tf.minimum(first[0], steps), *begun)
        rows = arrays(-(-steps // every), row)
        _, observed, rows = tf.while_loop(lambda i, *_: i < steps, recorded, (i, observed, rows))
        return read(observed), read(rows)


def recorded_step(step: TrainingStep, data: Data, batch: tf.Tensor) -> tuple[Any, Any]:
    """What is observed of a step, and the recorder's row of it."""
    cost, gradients = step.differentiated(data, batch)
    row = step.row(cost, gradients)
    if step.compiled:
        gradients = _after(row, gradients)
    return step.taken(cost, gradients), row


def _after(row: Any, gradients: Gradients) -> Gradients:
    """The gradients, which XLA takes to depend on a recorder's row.

    So it computes the row first and then updates in place the slots that the row has read, which it would copy else.
    What they depend on always holds, and XLA does not know; its barriers are gone before it decides on copies.
    """
    numbers, histograms = row
    finite = tf.reduce_sum(tf.cast(tf.math.is_finite(numbers), tf.int32))
    there = (finite >= 0) & (tf.reduce_min(histograms) >= 0)

    def behind(values: tf.Tensor) -> tf.Tensor:
        return tf.where(there, values, tf.zeros_like(values)) if values.dtype.is_floating else values

    return tf.nest.map_structure(behind, gradients, expand_composites=True)


def arrays(size: int, like: Any) -> Any:
    """Room for `size` values of each tensor in a nest."""
    return tf.nest.map_structure(lambda one: tf.TensorArray(one.dtype, size, element_shape=one.shape), like)


def written(arrays: Any, place: tf.Tensor, values: Any) -> Any:
    """The arrays, with these values at a place."""
    return tf.nest.map_structure(lambda array, value: array.write(place, value), arrays, values)


def read(arrays: Any) -> Any:
    """All values of each, stacked."""
    return tf.nest.map_structure(lambda array: array.stack(), arrays)


def stacked(nests: Sequence[Any]) -> Any:
    """Nests of tensors as one, stacked along a first axis; () of none."""
    return tf.nest.map_structure(lambda *values: tf.stack(values), *nests) if nests else ()
