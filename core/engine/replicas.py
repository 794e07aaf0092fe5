"""How the steps of a call run on the replicas of a tf.distribute strategy."""

from collections.abc import Callable, Collection, Sequence
from functools import partial, reduce
from typing import Any, NoReturn

import tensorflow as tf

from ..errors import InputError
from .checks import check_gradient
from .executions import ExecutionMode
from .optimizer import Gradients
from .runners import Data, Runner, arrays, read, written
from .training_step import TrainingStep

_NOT_SINGLE = "A program on replicas, or of microbatches, is no single XLA program and lacks"


class Replicas(Runner):
    """Each replica differentiates its share of every batch; all apply the rule to the reduced gradients.

    XLA compiles what is pure, the gradients of a share and the rule; between them stands the all-reduce, and around
    them a TensorFlow loop over the steps of a call: XLA cannot compile a replicated step as a whole (TensorFlow 2.21).
    All replicas hold all data and all variables, and compute the same new values, to the bit.

    microbatches: into how many equal parts a batch is divided, each differentiated by itself; the gradients of all are
                  gathered everywhere and added in their order, so that the sum has the same bits on any number of
                  replicas. Unless given, there is one part for each replica, and the all-reduce has its own order.

    Raises InputError for microbatches that the replicas do not divide, and for variables or slots that were not made
    in the strategy's scope.
    """

    def __init__(
        self, step: TrainingStep, execution: ExecutionMode, strategy: tf.distribute.Strategy, microbatches: int | None
    ):
        self._step, self._execution, self._strategy = step, execution, strategy
        self._count: Any = strategy.num_replicas_in_sync
        self._ordered = microbatches is not None
        self._gathers = self._ordered and self._count > 1
        self._parts: int = self._count if microbatches is None else microbatches
        if self._parts < 1 or self._parts % self._count:
            raise InputError(f"{_replicas(self._count)} cannot share {self._parts} microbatches equally.")
        for name, variable in step.optimizer.state.items():
            if not strategy.extended.variable_created_in_scope(variable):
                raise InputError(
                    f"{name} must be made in the scope of the strategy: with strategy.scope(): … around variables and "
                    "optimizer."
                )
        self._differentiate = execution.function(step.differentiated)
        self._follow = execution.function(self._following)
        self._look = execution.function(self._row)
        self.function = tf.function(self._loop, autograph=False) if execution.traced else self._loop
        self._placed: tuple[Data, Any] = (), ()

    @property
    def trace_count(self) -> int:
        return self.function.experimental_get_tracing_count() if self._execution.traced else 0

    def arguments(self, data: Data, batches: tf.Tensor) -> tuple[Any, ...]:
        recorder = self._step.recorder
        return self._on_replicas(data), batches, tf.constant(0 if recorder is None else recorder.first())

    def run(self, data: Data, batches: tf.Tensor, recorded: Collection[int]) -> tuple[Any, Any]:
        self.check_batch_size(len(batches[0]))
        if self._execution.looped:
            return self.function(*self.arguments(data, batches))
        data = self._on_replicas(data)
        steps = [
            self.function(data, batch[tf.newaxis], tf.constant(0 if place in recorded else 1))
            for place, batch in enumerate(tf.unstack(batches))
        ]
        return _joined([observed for observed, _ in steps]), _joined([steps[place][1] for place in recorded])

    def check_batch_size(self, size: int) -> None:
        if size % self._parts:
            parts = f"{self._parts} microbatches" if self._ordered else _replicas(self._count)
            raise InputError(f"A batch of {size} examples cannot be divided equally among {parts}.")

    def compiler_ir(self, data: Data, batches: tf.Tensor, stage: str) -> NoReturn:
        raise InputError(f"{_NOT_SINGLE} a compiler IR of the whole.")

    def captured(self, data: Data, batches: tf.Tensor) -> NoReturn:
        raise InputError(f"{_NOT_SINGLE} one list of variables.")

    def once(self, function: Callable[..., Any], *arguments: Any) -> Any:
        traced = tf.function(lambda *given: self._first(self._run(function, *given)), autograph=False)
        return traced(*arguments)

    def _on_replicas(self, data: Data) -> Any:
        """The data on the device of each replica, where they stay as long as calls have the same."""
        if self._count == 1:
            return data
        held, placed = self._placed
        if len(held) != len(data) or any(one is not other for one, other in zip(held, data, strict=True)):
            distribute = self._strategy.experimental_distribute_values_from_function
            placed = tuple(distribute(partial(self._copied, tensor)) for tensor in data)
            self._placed = data, placed
        return placed

    def _copied(self, tensor: tf.Tensor, context: Any) -> tf.Tensor:
        """On the device of one of this process's replicas; every worker has as many."""
        devices = self._strategy.extended.worker_devices
        with tf.device(devices[context.replica_id_in_sync_group % len(devices)]):
            return tf.identity(tensor)

    def _loop(self, data: Any, batches: tf.Tensor, first: tf.Tensor) -> tuple[Any, Any]:
        """All steps of a call; the recorder's first is at place `first`."""
        steps: Any = batches.shape[0]
        every = 1 if self._step.recorder is None else self._step.recorder.every
        observation, row = self._step.observation()
        variables = self._step.optimizer.state

        def step(i, observed, rows):
            reduced = self._run(self._reduced, data, tf.gather(batches, i))
            if self._step.recorder is not None:
                rows = tf.cond(
                    (i >= first) & ((i - first) % every == 0),
                    lambda: written(rows, i // every, self._first(self._run(self._look, reduced))),
                    lambda: rows,
                )
            value, state = self._run(self._follow, reduced)
            for name, after in state.items():
                self._strategy.extended.update(variables[name], _assigned, (after,))
            return i + 1, written(observed, i, self._first(value)), rows

        begun = tf.constant(0), arrays(steps, observation), arrays(-(-steps // every), row)
        _, observed, rows = tf.while_loop(lambda i, *_: i < steps, step, begun)
        return read(observed), read(rows)

    def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        # A tf.function that `run` is passed itself would be compiled with all replicas in it.
        return self._strategy.run(lambda *given: function(*given), arguments)

    def _first(self, values: Any) -> Any:
        return tf.nest.map_structure(lambda value: self._strategy.experimental_local_results(value)[0], values)

    def _reduced(self, data: Data, batch: tf.Tensor) -> Any:
        """The cost and the gradients of all parts of a batch, of which `_mean` takes the mean; in a replica's context.

        Dense ones are summed, or, where they are to be added in their order and are on several replicas, all there,
        along a first axis. Sparse ones have the rows of all parts.
        """
        context: Any = tf.distribute.get_replica_context()
        shares = tf.reshape(batch, [self._count, self._parts // self._count, -1])[context.replica_id_in_sync_group]
        parts = []
        for part in tf.unstack(shares):
            with tf.control_dependencies(tf.nest.flatten(parts[-1:])):  # a part's own memory is free before the next
                parts.append(self._differentiate(data, part))
        for name, gradient in parts[0][1].items():
            check_gradient(name, gradient, self._step.variables[name])
        leaves = [*zip(*map(tf.nest.flatten, parts), strict=True)]
        reduced: dict[int, Any] = {}
        dense: dict[tf.DType, list[int]] = {}
        for place, leaf in enumerate(leaves):
            if isinstance(leaf[0], tf.IndexedSlices):
                values, indices = (
                    context.all_gather(tf.concat(of, 0), axis=0)
                    for of in ([one.values for one in leaf], [one.indices for one in leaf])
                )
                reduced[place] = tf.IndexedSlices(values, indices, leaf[0].dense_shape)
            else:
                dense.setdefault(leaf[0].dtype, []).append(place)
        collect = self._gathered if self._gathers else self._added if self._ordered else self._summed
        for places in dense.values():
            reduced |= dict(zip(places, collect(context, [leaves[place] for place in places]), strict=True))
        return tf.nest.pack_sequence_as(parts[0], [reduced[place] for place in range(len(leaves))])

    def _summed(self, context: Any, leaves: Sequence[Sequence[tf.Tensor]]) -> list[tf.Tensor]:
        """The sum of each tensor over all replicas; TensorFlow sends them as one."""
        return context.all_reduce(tf.distribute.ReduceOp.SUM, [tensor for (tensor,) in leaves])

    def _added(self, context: Any, leaves: Sequence[Sequence[tf.Tensor]]) -> list[tf.Tensor]:
        """The sum of each tensor over all parts of the one replica, in their order: few are in memory at a time."""
        return [reduce(tf.add, leaf) for leaf in leaves]

    def _gathered(self, context: Any, leaves: Sequence[Sequence[tf.Tensor]]) -> list[tf.Tensor]:
        """Each tensor of all parts, stacked; sent as one, since every gathering costs milliseconds."""
        own = tf.concat([tf.reshape(tf.stack(leaf), [len(leaf), -1]) for leaf in leaves], axis=1)
        everyones = tf.ensure_shape(context.all_gather(own, axis=0), [self._parts, own.shape[1]])
        pieces = tf.split(everyones, [leaf[0].shape.num_elements() for leaf in leaves], axis=1)
        return [tf.reshape(piece, [self._parts, *leaf[0].shape]) for piece, leaf in zip(pieces, leaves, strict=True)]

    def _mean(self, reduced: Any) -> tuple[tf.Tensor, Gradients]:
        """The cost and the gradients of a whole batch: the means of its parts', which are of equal size."""

        def mean(leaf: Any) -> Any:
            if isinstance(leaf, tf.IndexedSlices):
                return tf.IndexedSlices(leaf.values / self._parts, leaf.indices, leaf.dense_shape)
            return (reduce(tf.add, tf.unstack(leaf)) if self._gathers else leaf) / self._parts

        return tf.nest.map_structure(mean, reduced)

    def _following(self, reduced: Any) -> tuple[Any, dict[str, tf.Tensor]]:
        """What is observed of the next step, and what it makes of the optimizer's state."""
        cost, gradients = self._mean(reduced)
        updates, state = self._step.optimizer.computed(gradients, cost)
        return self._step.observed(cost, gradients, updates), state

    def _row(self, reduced: Any) -> Any:
        return self._step.row(*self._mean(reduced))


def _assigned(variable: tf.Variable, value: tf.Tensor) -> Any:
    return variable.assign(value)


def _joined(nests: Sequence[Any]) -> Any:
    return tf.nest.map_structure(lambda *values: tf.concat(values, 0), *nests) if nests else ()


def _replicas(count: int) -> str:
    return f"{count} replica{'s' if count > 1 else ''}"
