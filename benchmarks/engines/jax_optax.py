"""JAX with Optax's Adam: one jitted call a step, and one scan over all steps of a call."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ..networks.jax import NETWORKS
from ..work import TrainingWork


class _Jax:
    """The examples stay on the device as they come, images as bytes; parameters and state are donated, so that updates
    happen in place."""

    def __init__(self, work: TrainingWork):
        if work.device == "gpu":  # where JAX's default is TF32
            jax.config.update("jax_default_matmul_precision", "tensorfloat32" if work.tf32 else "float32")
        inputs, labels = work.examples()
        data = jnp.asarray(inputs), jnp.asarray(labels.astype(np.int32))
        parameters = {name: jnp.asarray(value) for name, value in work.first_weights().items()}
        adam = optax.adam(work.learning_rate)
        self._state = parameters, adam.init(parameters)
        logits = partial(NETWORKS[work.name], work.workload)

        def cost_of(parameters, inputs, labels):
            return optax.softmax_cross_entropy_with_integer_labels(logits(parameters, inputs), labels).mean()

        def step(state, batch):
            parameters, slots = state
            cost, gradients = jax.value_and_grad(cost_of)(parameters, *(array[batch] for array in data))
            updates, slots = adam.update(gradients, slots, parameters)
            return (optax.apply_updates(parameters, updates), slots), cost

        self._run = jax.jit(self._compiled(step), donate_argnums=0)

    def _compiled(self, step: Any) -> Any:
        raise NotImplementedError

    def prepare(self, batches: np.ndarray) -> Any:
        return jax.block_until_ready(jnp.asarray(batches))


class JaxStep(_Jax):
    def _compiled(self, step: Any) -> Any:
        return step

    def prepare(self, batches: np.ndarray) -> Any:
        return jax.block_until_ready([jnp.asarray(batch) for batch in batches])

    def train(self, prepared: Any) -> float:
        costs = []
        for batch in prepared:
            self._state, cost = self._run(self._state, batch)
            costs.append(cost)
        return float(np.mean([np.asarray(cost) for cost in costs], dtype=np.float64))


class JaxScan(_Jax):
    def _compiled(self, step: Any) -> Any:
        return lambda state, batches: jax.lax.scan(step, state, batches)

    def train(self, prepared: Any) -> float:
        self._state, costs = self._run(self._state, prepared)
        return float(np.mean(np.asarray(costs), dtype=np.float64))
