"""One training step of any cost function, run four ways."""

from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import tensorflow as tf

from .errors import InputError
from .launch import asynchronous, launcher
from .mistakes import kernels_known
from .optimizer import Gradients, Optimizer, Variables
from .recorder import Recorder
from .rules import Step
from .sparse import Occurrences

Execution = Literal["eager", "graph", "xla-step", "xla-loop"]
"""How steps run: TensorFlow operation by operation; a traced graph a step; one XLA program called for each step; one
XLA program that loops over all steps of a call."""

Cost = Callable[..., tf.Tensor]
"""cost(variables, *batch): a scalar. It is traced as written: no Python `if` or `for` on tensor values."""

Observer = Callable[[tf.Tensor, Gradients, dict[str, Step]], Any]
"""observe(cost, gradients, updates): a nest of tensors to keep of each step. cost is a float64 scalar, gradients and
updates are by the variables' names, sparse gradients made dense. What is not kept costs nothing in the compiled
executions. "xla-loop" calls it once more, on zeros, to learn the shapes."""


def cost_only(cost: tf.Tensor, gradients: Gradients, updates: dict[str, Step]) -> tf.Tensor:
    """The observer that keeps nothing but the cost."""
    return cost


class Program:
    """A training step made of a cost function, its variables and an optimizer, compiled once and run many times.

    One Python body serves all four executions: gather the batch, differentiate the cost, apply the optimizer,
    observe. In "xla-loop" that body is a loop of known length, which updates the variables in place. Operations stand
    in the name scopes gather, forward, gradient_tape (the tape's own), update, observe and record; XLA keeps them.

    cost:      cost(variables, *batch), a scalar tensor.
    variables: the variables to train, by name, the same that `optimizer` has.
    execution: see `Execution`.
    observe:   what to keep of each step; the cost, as a float64 scalar, where none is given.
    recorder:  keeps figures of every n-th step, and is read after `run`; it must be the same optimizer's.

    Raises InputError for an unknown execution, for an optimizer of other variables or a recorder of another optimizer,
    and from `run` for data and batches that do not fit, a cost that is not a scalar, and gradients that the optimizer
    refuses.
    """

    def __init__(
        self,
        cost: Cost,
        variables: Variables,
        optimizer: Optimizer,
        execution: Execution = "xla-loop",
        observe: Observer = cost_only,
        recorder: Recorder | None = None,
    ):
        self.cost = cost
        self.variables = dict(variables)
        self.optimizer = optimizer
        self._observe = observe
        self._recorder = recorder
        if recorder is not None and recorder.optimizer is not optimizer:
            raise InputError("The recorder must be made of the program's own optimizer, found that of another.")
        if not optimizer.manages(variables):
            raise InputError(f"The optimizer must have the variables {', '.join(variables)}, these and no others.")
        if execution not in get_args(Execution):
            raise InputError(
                f"There is no execution {execution!r}; there are: {', '.join(get_args(Execution))}.",
                execution,
                get_args(Execution),
            )
        if optimizer.one_pass and not execution.startswith("xla"):
            raise InputError(f"An optimizer with one_pass needs an xla execution, found {execution!r}.")
        self.execution: Execution = execution
        self._function = self._compiled(self._loop if execution == "xla-loop" else self._step)
        self._recording = self._compiled(self._look if execution == "graph" else self._recorded_step)

    @kernels_known()
    def run(self, data: Sequence[tf.Tensor], batches: Any) -> Any:
        """Takes one step for each row of `batches`; returns what was observed, stacked along a first axis of steps.

        data:    tensors whose first axis is examples, such as (images, labels). Pass tensors, not arrays: they stay
                 on the device, and a call does not copy them. () for a cost that takes no batch.
        batches: integers [steps, batch size], the examples of each step. Each other shape compiles once more.
        """
        data, batches = _resident(data, batches)
        due = {} if self._recorder is None else self._recorder.due(len(batches))
        if self.execution == "xla-loop":
            observed, rows = self._function(*self._arguments(data, batches))
        else:
            steps = self._steps(data, tf.unstack(batches), due)
            observed = _stacked([observed for observed, _ in steps])
            rows = _stacked([row for _, row in steps if row])
        if self._recorder is not None and due:
            self._recorder.keep(due.values(), rows)
        return observed

    @property
    def trace_count(self) -> int:
        """How often the body has been traced: once for each shape of data and batch; never in "eager".

        A step that is recorded is a body of its own, except in "xla-loop".
        """
        functions = [] if self.execution == "eager" else [self._function, self._recording]
        return sum(function.experimental_get_tracing_count() for function in functions)

    def check(self) -> None:
        """Computes the rules and the observer once, on gradients of 0, or lowers them for XLA; takes no step.

        Raises InputError for a rule that fails, does not return what it should or cannot be compiled, before anything
        else is done.
        """
        body = self._compiled(self._observation)
        with kernels_known():
            if self.execution.startswith("xla"):
                body.experimental_get_compiler_ir()(stage="hlo")
            else:
                body()

    @kernels_known()
    def compiler_ir(self, data: Sequence[tf.Tensor], batches: Any, stage: str = "optimized_hlo") -> str:
        """What XLA makes of a call of `run` with these arguments, as text; see tf.function's compiler IR for stages."""
        if not self.execution.startswith("xla"):
            raise InputError(f"Only the xla executions have a compiler IR, found {self.execution!r}.")
        arguments = self._arguments(*_resident(data, batches))
        return self._function.experimental_get_compiler_ir(*arguments)(stage=stage)

    def captured(self, data: Sequence[tf.Tensor], batches: Any) -> list[tf.Variable]:
        """The variables that a compiled call of `run` with these arguments takes after data and batches, in its order.

        Raises InputError in "eager", and where the cost or a rule holds tensors that would be arguments too.
        """
        if self.execution == "eager":
            raise InputError("Only a compiled program captures its variables, found 'eager'.")
        traced = self._function.get_concrete_function(*self._arguments(*_resident(data, batches)))
        variables = {id(variable.handle): variable for variable in traced.variables}
        if others := [tensor for tensor in traced.captured_inputs if id(tensor) not in variables]:
            raise InputError(f"The cost and the rules must hold variables and numbers alone, found {others[0]!r}.")
        return [variables[id(handle)] for handle in traced.captured_inputs]

    def _compiled(self, body: Callable[..., Any]) -> Any:
        # TensorFlow counts retracings by code, and warns of many programs of one class; a partial is its own.
        body = partial(body)
        if self.execution == "eager":
            return body
        return tf.function(body, autograph=False, jit_compile=self.execution.startswith("xla"))

    def _arguments(self, data: tuple[tf.Tensor, ...], batches: tf.Tensor) -> tuple[Any, ...]:
        """What the compiled body takes in a call of `run`: in "xla-loop" of all of it, else of its first step."""
        if self.execution != "xla-loop":
            return data, batches[0]
        return (data, batches) if self._recorder is None else (data, batches, tf.constant(self._recorder.first()))

    def _steps(
        self, data: tuple[tf.Tensor, ...], batches: list[tf.Tensor], recorded: Collection[int]
    ) -> list[tuple[Any, Any]]:
        """What was observed and what was recorded in each step, of which those in `recorded` are recorded."""
        launches = {}

        def launch(function: Any, batch: tf.Tensor) -> Any:
            if self.execution == "eager":
                return function(data, batch)
            if function in launches:
                return launches[function](*data, batch)
            result = function(data, batch)  # which traces and compiles, where the shapes are new
            launches[function] = launcher(function, data, batch)
            return result

        def take(step: int, batch: tf.Tensor) -> tuple[Any, Any]:
            if step not in recorded or self.execution != "graph":
                return launch(self._recording if step in recorded else self._function, batch)
            row = launch(self._recording, batch)
            return launch(self._function, batch)[0], row

        with asynchronous() if self.execution != "eager" else nullcontext():
            return [take(step, batch) for step, batch in enumerate(batches)]

    def _step(self, data: tuple[tf.Tensor, ...], batch: tf.Tensor) -> tuple[Any, Any]:
        """What is observed of a step, and the recorder's row of it: none."""
        return self._taken(*self.differentiated(data, batch)), ()

    def _recorded_step(self, data: tuple[tf.Tensor, ...], batch: tf.Tensor) -> tuple[Any, Any]:
        """What is observed of a step, and the recorder's row of it."""
        cost, gradients = self.differentiated(data, batch)
        row = self._row(cost, gradients)
        if self.execution.startswith("xla"):
            gradients = _after(row, gradients)
        return self._taken(cost, gradients), row

    def _look(self, data: tuple[tf.Tensor, ...], batch: tf.Tensor) -> Any:
        """The recorder's row of the step that comes next, which is not taken.

        A graph is rewritten by what reads its values, and then rounds otherwise. So there a step that is recorded is
        looked at first, and then taken by the graph that takes all others.
        """
        return self._row(*self.differentiated(data, batch))

    def differentiated(self, data: tuple[tf.Tensor, ...], batch: tf.Tensor) -> tuple[tf.Tensor, Gradients]:
        """The cost of a batch and its gradients."""
        with tf.name_scope("gather"):
            examples = [tf.gather(d, batch) for d in data]
        with tf.GradientTape() as tape, tf.name_scope("forward"):
            cost = self.cost(self.variables, *examples)
        if not tf.is_tensor(cost) or cost.shape.rank != 0:
            raise InputError(f"The cost must be a scalar tensor, found {getattr(cost, 'shape', cost)!r}.")
        return cost, tape.gradient(cost, self.variables)

    def _taken(self, cost: tf.Tensor, gradients: Gradients) -> Any:
        """What is observed of a step, which is taken."""
        with tf.name_scope("update"):
            updates = self.optimizer.apply(gradients)
        with tf.name_scope("observe"):
            return self._observe(tf.cast(cost, tf.float64), self._dense(gradients), updates)

    def _dense(self, gradients: Gradients) -> Gradients:
        def summed(gradient: Any, variable: tf.Variable) -> tf.Tensor:
            if isinstance(gradient, tf.IndexedSlices):
                return Occurrences(gradient.values, gradient.indices, variable.shape[0]).dense
            return gradient

        return {name: summed(gradient, self.variables[name]) for name, gradient in gradients.items()}

    def _row(self, cost: tf.Tensor, gradients: Gradients) -> Any:
        if self._recorder is None:
            return ()
        with tf.name_scope("record"):
            return self._recorder.row(cost, self._dense(gradients), self.execution.startswith("xla"))

    def _loop(self, data: tuple[tf.Tensor, ...], batches: tf.Tensor, *first: tf.Tensor) -> tuple[Any, Any]:
        # A Python number in the condition and no maximum_iterations: XLA then knows the trip count.
        steps: Any = batches.shape[0]
        observation, row = self._observation()

        def step(i, observed):
            value, _ = self._step(data, tf.gather(batches, i))
            return i + 1, _written(observed, i, value)

        begun = tf.constant(0), _arrays(steps, observation)
        if self._recorder is None:
            _, observed = tf.while_loop(lambda i, _: i < steps, step, begun)
            return _read(observed), ()
        every = self._recorder.every

        def unrecorded(end, i, observed):
            """The steps from i to before `end`."""
            return tf.while_loop(lambda i, _: i < end, step, (i, observed)) if every > 1 else (i, observed)

        def recorded(i, observed, rows):
            """Step i, and those after it that are not recorded."""
            value, row = self._recorded_step(data, tf.gather(batches, i))
            observed, rows = _written(observed, i, value), _written(rows, i // every, row)
            return *unrecorded(tf.minimum(i + every, steps), i + 1, observed), rows

        i, observed = unrecorded(tf.minimum(first[0], steps), *begun)
        rows = _arrays(-(-steps // every), row)
        _, observed, rows = tf.while_loop(lambda i, *_: i < steps, recorded, (i, observed, rows))
        return _read(observed), _read(rows)

    def _observation(self) -> tuple[Any, Any]:
        """An observation and a recorder's row of zero gradients, for their structure, shapes and dtypes."""
        gradients = {name: tf.zeros_like(variable) for name, variable in self.variables.items()}
        cost = tf.zeros([], tf.float64)
        return self._observe(cost, gradients, self.optimizer.updates(gradients)), self._row(cost, gradients)


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


def _arrays(size: int, like: Any) -> Any:
    """Room for `size` values of each tensor in a nest."""
    return tf.nest.map_structure(lambda one: tf.TensorArray(one.dtype, size, element_shape=one.shape), like)


def _written(arrays: Any, place: tf.Tensor, values: Any) -> Any:
    return tf.nest.map_structure(lambda array, value: array.write(place, value), arrays, values)


def _read(arrays: Any) -> Any:
    return tf.nest.map_structure(lambda array: array.stack(), arrays)


def _stacked(nests: Sequence[Any]) -> Any:
    return tf.nest.map_structure(lambda *values: tf.stack(values), *nests) if nests else ()


def _resident(data: Sequence[Any], batches: Any) -> tuple[tuple[tf.Tensor, ...], tf.Tensor]:
    """Data and batches as tensors. The examples are looked up by number, and XLA would clamp a wrong one in silence."""
    if not isinstance(data, list | tuple):
        raise InputError(f"data must be a tuple of tensors, such as (images, labels), found {type(data).__name__}.")
    tensors, numbers = tuple(tf.convert_to_tensor(d) for d in data), np.asarray(batches)
    integers = numbers.ndim == 2 and np.issubdtype(numbers.dtype, np.integer)
    if not integers or 0 in numbers.shape[: 2 if tensors else 1]:
        raise InputError(
            "batches must be integers [steps, batch size], of at least one step and, where there is data, one example, "
            f"found {numbers.dtype} {numbers.shape}."
        )
    shapes = [tuple(tensor.shape) for tensor in tensors]
    if len({shape[:1] for shape in shapes}) > 1 or () in shapes:
        raise InputError(f"All data must have a first axis of as many examples, found shapes {shapes}.")
    if tensors and not 0 <= numbers.min() <= numbers.max() < len(tensors[0]):
        raise InputError(
            f"batches must name examples from 0 to {len(tensors[0]) - 1}, found {numbers.min()} to {numbers.max()}."
        )
    return tensors, tf.constant(numbers, tf.int32)
