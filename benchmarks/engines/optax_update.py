"""Optax's update alone."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from core.verification.libraries import Optax

from ..updates import Updates
from .update_calls import SEEN, UpdateCalls


class OptaxUpdate(UpdateCalls):
    """`update` and `apply_updates` in one jitted function; parameters and state are donated."""

    def __init__(self, updates: Updates):
        optimizer = Optax.named(Optax.spelled(updates.rule).name)(**updates.settings(Optax))
        parameters = [jnp.zeros(size) for size in updates.shapes()]
        gradients = [jnp.asarray(gradient) for gradient in updates.gradients]
        self._state = parameters, optimizer.init(parameters)

        def update(state, gradients):
            parameters, slots = state
            deltas, slots = optimizer.update(gradients, slots, parameters)
            return optax.apply_updates(parameters, deltas), slots

        self._update = jax.jit(update, donate_argnums=0)
        self._gradients = gradients

    def update(self):
        self._state = self._update(self._state, self._gradients)

    def first_parameters(self):
        return np.asarray(jax.block_until_ready(self._state)[0][0][:SEEN])
