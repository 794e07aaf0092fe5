"""What takes the steps of a call on one device: one after another, or as one loop over all of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import Any

import tensorflow as tf

from ..errors import InputError
from .optimizer import Gradients
from .private import asynchronous, launcher
from .training_step import TrainingStep

Data = tuple[tf.Tensor, ...]
Maker = Callable[[Callable[..., Any]], Any]
"""Makes of a body what runs it in an execution."""


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

    def check_batch_size(self, size: int) -> None:  # noqa: B027 - one device needs none
        """Raises InputError for batches of a size that cannot be shared out; one device takes any."""

    def compiler_ir(self, data: Data, batches: tf.Tensor, stage: str) -> str:
        """What XLA makes of a call of `run`, as text."""
        return self.function.experimental_get_compiler_ir(*self.arguments(data, batches))(stage=stage)

    def captured(self, data: Data, batches: tf.Tensor) -> list[tf.Variable]:
        """The variables that a traced call of `run` takes after its arguments, in its order.

        Raises InputError where the cost or a rule holds tensors that would be arguments too.
        """
        traced = self.function.get_concrete_function(*self.arguments(data, batches))
        variables = {id(variable.handle): variable for variable in traced.variables}
        if others := [tensor for tensor in traced.captured_inputs if id(tensor) not in variables]:
            raise InputError(f"The cost and the rules must hold variables and numbers alone, found {others[0]!r}.")
        return [variables[id(handle)] for handle in traced.captured_inputs]


class Untraced(Runner):
    """The body itself for each step, operation by operation."""

    def __init__(self, step: TrainingStep, function: Maker):
        self._step = step
        self.function = function(step.stepped)

    @property
    def trace_count(self) -> int:
        return 0

    def arguments(self, data: Data, batches: tf.Tensor) -> tuple[Any, ...]:
        return data, batches[0]

    def run(self, data: Data, batches: tf.Tensor, recorded: Collection[int]) -> tuple[Any, Any]:
        return _apart(
            [
                recorded_step(self._step, data, batch) if place in recorded else (self.function(data, batch), ())
                for place, batch in enumerate(tf.unstack(batches))
            ]
        )


class EachStep(Runner):
    """A call of the traced body for each step; a step that is recorded has a body of its own."""

    def __init__(self, step: TrainingStep, function: Maker):
        self._step = step
        self.function, self._recording = function(step.stepped), function(self._recorded)

    @property
    def trace_count(self) -> int:
        return sum(one.experimental_get_tracing_count() for one in (self.function, self._recording))

    def arguments(self, data: Data, batches: tf.Tensor) -> tuple[Any, ...]:
        return data, batches[0]

    def run(self, data: Data, batches: tf.Tensor, recorded: Collection[int]) -> tuple[Any, Any]:
        launches = {}

        def launch(function: Any, batch: tf.Tensor) -> Any:
            if function in launches:
                return launches[function](*data, batch)
            result = function(data, batch)  # which traces and compiles, where the shapes are new
            launches[function] = launcher(function, data, batch)
            return result

        with asynchronous():
            steps = [
                self._taken_and_recorded(launch, batch) if place in recorded else (launch(self.function, batch), ())
                for place, batch in enumerate(tf.unstack(batches))
            ]
        return _apart(steps)

    def _taken_and_recorded(self, launch: Callable[..., Any], batch: tf.Tensor) -> tuple[Any, Any]:
        return launch(self._recording, batch)

    def _recorded(self, data: Data, batch: tf.Tensor) -> Any:
        return recorded_step(self._step, data, batch)


class LookedAt(EachStep):
    """A step that is recorded is looked at first, and then taken by the graph that takes all others.

    A graph that XLA does not compile is rewritten by what reads its values, and then rounds otherwise.
    """

    def _taken_and_recorded(self, launch: Callable[..., Any], batch: tf.Tensor) -> tuple[Any, Any]:
        row = launch(self._recording, batch)
        return launch(self.function, batch), row

    def _recorded(self, data: Data, batch: tf.Tensor) -> Any:
        return self._step.row(*self._step.differentiated(data, batch))


class Loop(Runner):
    """One call for all steps: a loop of known length, which updates the variables in place where XLA compiles it."""

    def __init__(self, step: TrainingStep, function: Maker):
        self._step = step
        self.function = function(self._loop)

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
            value = self._step.stepped(data, tf.gather(batches, i))
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


def _apart(steps: Sequence[tuple[Any, Any]]) -> tuple[Any, Any]:
    """What was observed of each step, and the recorder's row where there is one, each stacked."""
    return stacked([observed for observed, _ in steps]), stacked([row for _, row in steps if row])


def stacked(nests: Sequence[Any]) -> Any:
    """Nests of tensors as one, stacked along a first axis; () of none."""
    return tf.nest.map_structure(lambda *values: tf.stack(values), *nests) if nests else ()
