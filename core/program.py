"""One training step of any cost function, run four ways."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context, executor

from .errors import InputError
from .optimizer import Gradients, Optimizer, Variables
from .rules import Step

Execution = Literal["eager", "graph", "xla-step", "xla-loop"]
"""How steps run: TensorFlow operation by operation; a traced graph a step; one XLA program called for each step; one
XLA program that loops over all steps of a call."""

Cost = Callable[..., tf.Tensor]
"""cost(variables, *batch): a scalar. It is traced as written: no Python `if` or `for` on tensor values."""

Observer = Callable[[tf.Tensor, Gradients, dict[str, Step]], Any]
"""observe(cost, gradients, updates): a nest of tensors to keep of each step. cost is a float64 scalar, gradients and
updates are by the variables' names. What is not kept costs nothing in the compiled executions. "xla-loop" calls it
once more, on zeros, to learn the shapes."""


def cost_only(cost: tf.Tensor, gradients: Gradients, updates: dict[str, Step]) -> tf.Tensor:
    """The observer that keeps nothing but the cost."""
    return cost


class Program:
    """A training step made of a cost function, its variables and an optimizer, compiled once and run many times.

    One Python body serves all four executions: gather the batch, differentiate the cost, apply the optimizer,
    observe. In "xla-loop" that body is a loop of known length, which updates the variables in place. Operations stand
    in the name scopes gather, forward, gradient_tape (the tape's own), update and observe, which XLA's programs keep.

    cost:      cost(variables, *batch), a scalar tensor.
    variables: the variables to train, by name, the same that `optimizer` has.
    execution: see `Execution`.
    observe:   what to keep of each step; the cost, as a float64 scalar, where none is given.

    Raises InputError for an unknown execution, for an optimizer of other variables, and from `run` for data and
    batches that do not fit, a cost that is not a scalar, and gradients that the optimizer refuses.
    """

    def __init__(
        self,
        cost: Cost,
        variables: Variables,
        optimizer: Optimizer,
        execution: Execution = "xla-loop",
        observe: Observer = cost_only,
    ):
        self._cost = cost
        self._variables = dict(variables)
        self._optimizer = optimizer
        self._observe = observe
        if not optimizer.owns(variables):
            raise InputError(f"The optimizer must have the variables {', '.join(variables)}, these and no others.")
        if execution not in get_args(Execution):
            raise InputError(f"There is no execution {execution!r}; there are: {', '.join(get_args(Execution))}.")
        if optimizer.one_pass and not execution.startswith("xla"):
            raise InputError(f"An optimizer with one_pass needs an xla execution, found {execution!r}.")
        self.execution = execution
        # TensorFlow counts retracings by code, and warns of many programs of one class; a partial is its own.
        body = partial(self._loop if execution == "xla-loop" else self._step)
        self._function: Any = body
        if execution != "eager":
            self._function = tf.function(body, autograph=False, jit_compile=execution.startswith("xla"))

    def run(self, data: Sequence[tf.Tensor], batches: Any) -> Any:
        """Takes one step for each row of `batches`; returns what was observed, stacked along a first axis of steps.

        data:    tensors whose first axis is examples, such as (images, labels). Pass tensors, not arrays: they stay
                 on the device, and a call does not copy them. () for a cost that takes no batch.
        batches: integers [steps, batch size], the examples of each step. Each other shape compiles once more.
        """
        data, batches = _resident(data, batches)
        if self.execution == "xla-loop":
            return self._function(data, batches)
        rows = tf.unstack(batches)
        observed = [self._function(data, row) for row in rows] if self.execution == "eager" else self._calls(data, rows)
        return tf.nest.map_structure(lambda *values: tf.stack(values), *observed)

    @property
    def trace_count(self) -> int:
        """How often the body has been traced: once for each shape of data and batch; never in "eager"."""
        return 0 if self.execution == "eager" else self._function.experimental_get_tracing_count()

    def compiler_ir(self, data: Sequence[tf.Tensor], batches: Any, stage: str = "optimized_hlo") -> str:
        """What XLA makes of a call of `run` with these arguments, as text; see tf.function's compiler IR for stages."""
        if not self.execution.startswith("xla"):
            raise InputError(f"Only the xla executions have a compiler IR, found {self.execution!r}.")
        data, batches = _resident(data, batches)
        argument = batches if self.execution == "xla-loop" else batches[0]
        return self._function.experimental_get_compiler_ir(data, argument)(stage=stage)

    def captured(self, data: Sequence[tf.Tensor], batches: Any) -> list[tf.Variable]:
        """The variables that a compiled call of `run` with these arguments takes after data and batches, in its order.

        Raises InputError in "eager", and where the cost or a rule holds tensors that would be arguments too.
        """
        if self.execution == "eager":
            raise InputError("Only a compiled program captures its variables, found 'eager'.")
        data, batches = _resident(data, batches)
        traced = self._function.get_concrete_function(data, batches if self.execution == "xla-loop" else batches[0])
        variables = {id(variable.handle): variable for variable in traced.variables}
        if others := [tensor for tensor in traced.captured_inputs if id(tensor) not in variables]:
            raise InputError(f"The cost and the rules must hold variables and numbers alone, found {others[0]!r}.")
        return [variables[id(handle)] for handle in traced.captured_inputs]

    def _calls(self, data: tuple[tf.Tensor, ...], batches: list[tf.Tensor]) -> list[Any]:
        """What was observed in a call of the compiled step for each batch."""
        first, *others = batches
        observed = [self._function(data, first)]  # which traces and compiles, where the shapes are new
        if others:
            launch = launcher(self._function, data, first)
            with _asynchronous():
                observed += [launch(*data, batch) for batch in others]
        return observed

    def _step(self, data: tuple[tf.Tensor, ...], batch: tf.Tensor) -> Any:
        with tf.name_scope("gather"):
            examples = [tf.gather(d, batch) for d in data]
        with tf.GradientTape() as tape, tf.name_scope("forward"):
            cost = self._cost(self._variables, *examples)
        if not tf.is_tensor(cost) or cost.shape.rank != 0:
            raise InputError(f"The cost must be a scalar tensor, found {getattr(cost, 'shape', cost)!r}.")
        gradients = tape.gradient(cost, self._variables)
        with tf.name_scope("update"):
            updates = self._optimizer.apply(gradients)
        with tf.name_scope("observe"):
            return self._observe(tf.cast(cost, tf.float64), gradients, updates)

    def _loop(self, data: tuple[tf.Tensor, ...], batches: tf.Tensor) -> Any:
        # A Python number in the condition and no maximum_iterations: XLA then knows the trip count.
        steps = batches.shape[0]
        arrays = tf.nest.map_structure(
            lambda like: tf.TensorArray(like.dtype, steps, element_shape=like.shape), self._observation()
        )

        def body(i, arrays):
            observed = self._step(data, tf.gather(batches, i))
            return i + 1, tf.nest.map_structure(lambda array, value: array.write(i, value), arrays, observed)

        _, arrays = tf.while_loop(lambda i, _: i < steps, body, (tf.constant(0), arrays))
        return tf.nest.map_structure(lambda array: array.stack(), arrays)

    def _observation(self) -> Any:
        """An observation of zero gradients, for its structure, shapes and dtypes."""
        gradients = {name: tf.zeros_like(variable) for name, variable in self._variables.items()}
        return self._observe(tf.zeros([], tf.float64), gradients, self._optimizer.updates(gradients))


def launcher(function: Any, *arguments: Any) -> Callable[..., Any]:
    """The trace of a tf.function for arguments like these, as a function of their tensors, one after another.

    A call of a tf.function, or of what its `get_concrete_function` returns, binds the arguments to parameters and
    checks their types, which takes Python longer than TensorFlow takes to launch the trace. Here their number alone is
    checked.
    """
    traced = function.get_concrete_function(*arguments)
    # inference_fn is of TensorFlow's API; its call_flat, without an underscore, is of the class behind it alone.
    call, captured, pack = traced.inference_fn.call_flat, traced.captured_inputs, traced.function_type.pack_output
    return lambda *tensors: pack(call(*tensors, *captured))


@contextmanager
def _asynchronous() -> Iterator[None]:
    """Lets Python prepare a call while the one before it runs; they run in their order, and are done at the end.

    The first that fails ends the others, and its error is raised at the end.
    """
    # Private: tf.config.experimental.set_synchronous_execution does so too, but TensorFlow then raises an error again
    # at every operation, and tf.experimental.async_clear_error, which should end that, crashes the process.
    queue = executor.new_executor(enable_async=True)
    try:
        with context.executor_scope(queue):
            yield
    finally:
        try:
            queue.wait()
        finally:
            queue.clear_error()


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
