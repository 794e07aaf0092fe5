"""Optax's transformations as references."""

from typing import Any, ClassVar

import numpy as np

from .reference import Reference, Slots


class Optax(Reference):
    """optax's transformations under jax.jit, with 64-bit types for float64."""

    package, dialect = "optax", "optax"
    constructor = "optax.{rule}({settings})"
    settings: ClassVar = {"beta_1": "b1", "beta_2": "b2", "epsilon": "eps"}
    slots: ClassVar = {
        "adam": {"m": "mu", "v": "nu"},
        "adagrad": {"a": "sum_of_squares"},
        "adadelta": {"mean_g2": "e_g", "mean_dx2": "e_x"},
        "sgd": {},
    }

    def _build(self, settings: dict[str, Any]) -> None:
        import jax
        import optax

        self._wide = lambda: jax.enable_x64(self.dtype == np.float64)
        optimizer = getattr(optax, self.rule)(**settings)
        with self._wide():
            self._state = optimizer.init(jax.numpy.zeros(self.size, self.dtype))
            self._update = jax.jit(lambda g, state: optimizer.update(g, state, g))

    def _read(self, state: Any) -> dict[str, np.ndarray]:
        import optax

        return {ours: np.asarray(optax.tree_utils.tree_get(state, theirs)) for ours, theirs in self.slot_names.items()}

    def first(self) -> dict[str, np.ndarray]:
        return self._read(self._state)

    def step(self, t: int, g: np.ndarray, slots: Slots) -> dict[str, np.ndarray]:
        import jax
        import optax

        with self._wide():
            given = {theirs: jax.numpy.asarray(slots[ours]) for ours, theirs in self.slot_names.items()}
            if self.rule == "adam":
                given["count"] = jax.numpy.asarray(t - 1, jax.numpy.int32)
            updates, state = self._update(jax.numpy.asarray(g), optax.tree_utils.tree_set(self._state, **given))
            return {"delta": -np.asarray(updates), **self._read(state)}
