"""One training step of any cost function, as pure pieces: whoever runs it decides what is compiled, and where."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from ..costs import at_least_float32
from ..errors import InputError
from ..rules import Step
from .masters import slot_dtype
from .optimizer import Gradients, Optimizer, Variables
from .recorder import Recorder
from .slow import operations_since, warn_of_slow
from .sparse import summed

Cost = Callable[..., tf.Tensor]
"""cost(variables, *batch): a scalar. It is traced as written: no Python `if` or `for` on tensor values."""

Observer = Callable[[tf.Tensor, Gradients, dict[str, Step]], Any]
"""observe(cost, gradients, updates): a nest of tensors to keep of each step. cost is a float64 scalar, gradients and
updates are by the variables' names, sparse gradients made dense and narrow ones float32. What is not kept costs nothing
in the compiled executions. "xla-loop" calls it once more, on zeros, to learn the shapes."""


def cost_only(cost: tf.Tensor, gradients: Gradients, updates: dict[str, Step]) -> tf.Tensor:
    """The observer that keeps nothing but the cost."""
    return cost


class TrainingStep:
    """Gather the batch, differentiate the cost, apply the optimizer, observe; see `Program`.

    Operations stand in the name scopes gather, forward, gradient_tape (the tape's own), update, observe and record; XLA
    keeps them.

    compiled: whether XLA compiles the step.
    compute:  the dtype that the variables are cast to before the cost is computed; None for their own.
    """

    def __init__(
        self,
        cost: Cost,
        variables: Variables,
        optimizer: Optimizer,
        observe: Observer,
        recorder: Recorder | None,
        compiled: bool,
        compute: tf.DType | None = None,
    ):
        self.cost = cost
        self.compute = compute
        self.variables = dict(variables)
        self.optimizer = optimizer
        self.recorder = recorder
        self.compiled = compiled
        self._observe = observe
        self._looks = compiled

    def differentiated(self, data: tuple[tf.Tensor, ...], batch: tf.Tensor) -> tuple[tf.Tensor, Gradients]:
        """The cost of a batch and its gradients, those of the cost itself where it is scaled on the way.

        Both are of float32 where the cost or a variable is narrower: parts of a batch are added up, and float16 would
        overflow at 65,504.
        """
        scale = self.optimizer.loss_scale
        with tf.name_scope("gather"):
            examples = [tf.gather(d, batch) for d in data]
        with tf.GradientTape() as tape, tf.name_scope("forward"), self._looked_at():
            cost = self.cost(self._as_computed(), *examples)
            if not tf.is_tensor(cost) or cost.shape.rank != 0:
                raise InputError(f"The cost must be a scalar tensor, found {getattr(cost, 'shape', cost)!r}.")
            scaled = cost if scale is None else scale.scaled(cost)
        gradients = {
            name: None if gradient is None else at_least_float32(gradient)
            for name, gradient in tape.gradient(scaled, self.variables).items()
        }
        return at_least_float32(cost), gradients if scale is None else scale.unscaled(gradients)

    def _as_computed(self) -> dict[str, Any]:
        """The variables as the cost takes them."""
        if self.compute is None:
            return self.variables
        return {name: tf.cast(variable, self.compute) for name, variable in self.variables.items()}

    @contextmanager
    def _looked_at(self) -> Iterator[None]:
        """Warns, once, where the operations that are traced meanwhile are slow when XLA compiles them for a CPU."""
        if not self._looks or tf.executing_eagerly():
            yield
            return
        graph = tf.compat.v1.get_default_graph()
        before = len(graph.get_operations())
        yield
        self._looks = False
        warn_of_slow(operations_since(graph, before), [variable.device for variable in self.variables.values()])

    def stepped(self, data: tuple[tf.Tensor, ...], batch: tf.Tensor) -> Any:
        """What is observed of a step on a batch, which is taken."""
        return self.taken(*self.differentiated(data, batch))

    def taken(self, cost: tf.Tensor, gradients: Gradients) -> Any:
        """What is observed of a step, which is taken."""
        with tf.name_scope("update"):
            updates = self.optimizer.apply(gradients, cost)
        return self.observed(cost, gradients, updates)

    def observed(self, cost: tf.Tensor, gradients: Gradients, updates: dict[str, Step]) -> Any:
        """What is kept of a step."""
        with tf.name_scope("observe"):
            dense = {name: summed(gradient, self.variables[name]) for name, gradient in gradients.items()}
            return self._observe(tf.cast(cost, tf.float64), dense, updates)

    def row(self, cost: tf.Tensor, gradients: Gradients) -> Any:
        """The recorder's row of the step that comes next, which is not taken; () without a recorder."""
        if self.recorder is None:
            return ()
        with tf.name_scope("record"):
            return self.recorder.row(cost, gradients, self.compiled)

    def observation(self) -> tuple[Any, Any]:
        """An observation and a recorder's row of zero gradients, for their structure, shapes and dtypes."""
        gradients = {name: tf.zeros(variable.shape, slot_dtype(variable)) for name, variable in self.variables.items()}
        cost = tf.zeros([], tf.float64)
        return self._observe(cost, gradients, self.optimizer.updates(gradients)), self.row(cost, gradients)
