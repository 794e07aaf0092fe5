"""One training step of any cost function, run four ways, on one device or on the replicas of a strategy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ..errors import InputError
from ..mistakes import kernels_known
from .executions import Execution, ExecutionMode, execution_mode
from .feeds import Feed
from .optimizer import Gradients, Optimizer, Variables
from .recorder import Recorder
from .replicas import Replicas
from .runners import Runner
from .training_step import Cost, Observer, TrainingStep, cost_only


class Program:
    """A training step made of a cost function, its variables and an optimizer, compiled once and run many times.

    One Python body serves all executions: gather the batch, differentiate the cost, apply the optimizer, observe.

        with strategy.scope():
            variables = {"w": tf.Variable(…)}
            program = Program(cost, variables, Optimizer(Adam(), variables))

    does so on all replicas of a tf.distribute strategy. Each differentiates its share of every batch; `run` takes whole
    batches, whatever the number of replicas. The cost must then be a mean over the batch's examples, to which terms of
    the variables alone may be added.

    cost:         cost(variables, *batch), a scalar tensor.
    variables:    the variables to train, by name, the same that `optimizer` has.
    execution:    the name of one of `EXECUTIONS`, or an `ExecutionMode`; kept as the latter, which prints as its name.
                  On replicas, "xla-loop" compiles the gradients of a share and the rule by XLA, and loops over both in
                  TensorFlow.
    observe:      what to keep of each step; the cost, as a float64 scalar, where none is given.
    recorder:     keeps figures of every n-th step, and is read after `run`; it must be the same optimizer's.
    strategy:     that of the scope around, unless given.
    microbatches: divides every batch into that many equal parts, and adds their gradients in one order: equal bits on
                  any number of replicas that divides it. See `replicas.Replicas`.
    compute:      the floating dtype that the cost is computed in: the variables are cast to it on the tape, and their
                  gradients come back in their own. The variables' own where none is given. XLA may keep the results
                  between two operations of a narrower dtype in a wider one, which saves a rounding.

    Warns (SlowExecutionWarning), as it is traced for a CPU, of a cost with operations that XLA compiles badly there.

    Raises InputError for an unknown execution or dtype, for an optimizer of other variables, for a recorder of another
    optimizer, for variables outside the strategy's scope, and from `run` for data and batches that do not fit, a batch
    that the replicas do not divide, a cost that is not a scalar, and gradients that the optimizer refuses.
    """

    def __init__(
        self,
        cost: Cost,
        variables: Variables,
        optimizer: Optimizer,
        execution: Execution | ExecutionMode = "xla-loop",
        observe: Observer = cost_only,
        recorder: Recorder | None = None,
        strategy: tf.distribute.Strategy | None = None,
        microbatches: int | None = None,
        compute: str | tf.DType | None = None,
    ):
        if recorder is not None and recorder.optimizer is not optimizer:
            raise InputError("The recorder must be made of the program's own optimizer, found that of another.")
        if not optimizer.manages(variables):
            raise InputError(f"The optimizer must have the variables {', '.join(variables)}, these and no others.")
        self.execution = execution_mode(execution)
        if optimizer.one_pass and not self.execution.compiled:
            raise InputError(f"An optimizer with one_pass needs an xla execution, found {self.execution.name!r}.")
        self.optimizer, self.recorder = optimizer, recorder
        self.strategy = strategy or (tf.distribute.get_strategy() if tf.distribute.has_strategy() else None)
        self.microbatches = microbatches
        self.step = TrainingStep(
            cost, variables, optimizer, observe, recorder, self.execution.compiled, _floating(compute)
        )
        self._runner = self._chosen_runner()

    @kernels_known()
    def run(self, data: Feed | Sequence[tf.Tensor], batches: Any, then: int | None = None) -> Any:
        """Takes one step for each row of `batches`; returns what was observed, stacked along a first axis of steps.

        data:    tensors whose first axis is examples, such as (images, labels). Pass tensors, not arrays: they stay
                 on the device, and a call does not copy them. () for a cost that takes no batch.
        batches: integers [steps, batch size], the examples of each step. Each other shape compiles once more.

        Or a feed, which has both, and the number of steps:

            program.run(feed, steps)

        then:    how many steps of the feed the next call takes, which it prepares meanwhile; as many, unless given.
        """
        if isinstance(data, Feed):
            data, batches = data.take(batches, then)
        data, batches = _resident(data, batches)
        recorder = self.step.recorder
        due = {} if recorder is None else recorder.due(len(batches))
        observed, rows = self._runner.run(data, batches, due)
        if recorder is not None and due:
            recorder.keep(due.values(), rows)
        return observed

    @property
    def trace_count(self) -> int:
        """How often the body has been traced: once for each shape of data and batch; never in "eager".

        A step that is recorded is a body of its own, except in "xla-loop".
        """
        return self._runner.trace_count

    def check(self) -> None:
        """Computes the rules and the observer once, on gradients of 0, or lowers them for XLA; takes no step.

        Raises InputError for a rule that fails, does not return what it should or cannot be compiled, before anything
        else is done.
        """
        body = self.execution.function(self.step.observation)
        with kernels_known():
            if self.execution.compiled:
                body.experimental_get_compiler_ir()(stage="hlo")
            else:
                body()

    @kernels_known()
    def compiler_ir(self, data: Sequence[tf.Tensor], batches: Any, stage: str = "optimized_hlo") -> str:
        """What XLA makes of a call of `run` with these arguments, as text; see tf.function's compiler IR for stages."""
        if not self.execution.compiled:
            raise InputError(f"Only the xla executions have a compiler IR, found {self.execution.name!r}.")
        return self._runner.compiler_ir(*_resident(data, batches), stage)

    def captured(self, data: Sequence[tf.Tensor], batches: Any) -> list[tf.Variable]:
        """The variables that a compiled call of `run` with these arguments takes after data and batches, in its order.

        Raises InputError in "eager", and where the cost or a rule holds tensors that would be arguments too.
        """
        if not self.execution.traced:
            raise InputError(f"Only a compiled program captures its variables, found {self.execution.name!r}.")
        return self._runner.captured(*_resident(data, batches))

    def check_batch_size(self, size: int) -> None:
        """Raises InputError for batches of a size that the replicas, or the microbatches, do not divide."""
        self._runner.check_batch_size(size)

    def differentiated(self, data: tuple[tf.Tensor, ...], batch: tf.Tensor) -> tuple[tf.Tensor, Gradients]:
        """The cost of a batch and its gradients; operation by operation on one device, as a graph on replicas."""
        return self._runner.once(self.step.differentiated, data, batch)

    def _chosen_runner(self) -> Runner:
        if self.strategy is not None or self.microbatches is not None:
            strategy = self.strategy or tf.distribute.get_strategy()  # the default one, of one replica
            return Replicas(self.step, self.execution, strategy, self.microbatches)
        return self.execution.runner(self.step, self.execution.function)


def _floating(compute: str | tf.DType | None) -> tf.DType | None:
    if compute is None:
        return None
    try:
        dtype = tf.as_dtype(compute)
    except TypeError:
        dtype = None
    if dtype is None or not dtype.is_floating:
        raise InputError(f"compute must be a floating dtype, such as bfloat16, found {compute!r}.")
    return dtype


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
