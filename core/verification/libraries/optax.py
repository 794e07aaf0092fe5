"""Optax's transformations as references."""

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from .reference import Library, Slots


class Optax(Library):
    """optax's transformations under jax.jit, with 64-bit types for float64."""

    name, package, dialect = "optax", "optax", "optax"
    constructor = "optax.{name}({settings})"
    settings: ClassVar = {"beta_1": "b1", "beta_2": "b2", "epsilon": "eps"}
    module = ""

    @classmethod
    def holds(cls, subject: Any) -> bool:
        return all(callable(getattr(subject, name, None)) for name in ("init", "update")) and "optax" in sys.modules

    @classmethod
    def class_of(cls, rule: str) -> None:
        """None: a transformation is a pair of functions, and does not say which."""

    @classmethod
    def configuration(cls, optimizer: Any) -> dict[str, Any]:
        """Nothing: what it was made with is in its functions."""
        return {}

    @classmethod
    def copied(cls, optimizer: Any, changes: Mapping[str, Any], rule: str | None = None) -> Any:
        """The transformation itself, which holds no state."""
        return optimizer

    @classmethod
    def _copied(cls, kind: Any, configuration: Mapping[str, Any]) -> Any:
        raise NotImplementedError("a transformation is not copied")

    @classmethod
    def described(cls, optimizer: Any) -> str:
        return "the Optax transformation"

    def _build(self, settings: dict[str, Any]) -> None:
        self._hold(self.named(self.spelling.name)(**settings))

    def _hold(self, optimizer: Any) -> None:
        import jax
        import optax

        self._wide = lambda: jax.enable_x64(self.dtype == np.float64)
        with self._wide():
            zeros = [jax.numpy.zeros(shape, self.dtype) for shape in self.layout.shapes.values()]
            self._state = optimizer.init(zeros)
            self._update = jax.jit(optimizer.update)
            marked = optax.tree_utils.tree_map_params(optimizer, lambda _: _SLOT, self._state)
        self._places: dict[str, list[int]] = {}
        self._counts: list[int] = []
        self._leaves, self._tree = jax.tree_util.tree_flatten(self._state)
        with self._wide():
            after = jax.tree_util.tree_leaves(self._update(zeros, self._state, zeros)[1])
        rest = []
        paths = jax.tree_util.tree_flatten_with_path(marked, is_leaf=lambda leaf: leaf is _SLOT)[0]
        for place, (path, leaf) in enumerate(paths):
            names = [str(getattr(key, "name", getattr(key, "key", getattr(key, "idx", "")))) for key in path]
            if leaf is _SLOT:
                self._places.setdefault(".".join(names[:-1]), []).append(place)
            elif np.ndim(self._leaves[place]) == 0 and self._leaves[place] == 0 and after[place] == 1:
                self._counts.append(place)
            else:
                rest.append(".".join(names))
        self._rest, self._now = rest, self._leaves
        self._signs: dict[str, int] = {}
        if not self.rule:
            last = [name.rpartition(".")[2] for name in self._places]
            short = dict(zip(self._places, last, strict=True)) if len(set(last)) == len(last) else {}
            self.slot_names = {short.get(name, name): name for name in self._places}
        else:
            found = {name.rpartition(".")[2]: name for name in self._places}
            self._signs = {ours: -1 if theirs.startswith("-") else 1 for ours, theirs in self.slot_names.items()}
            self.slot_names = {ours: found[theirs.lstrip("-")] for ours, theirs in self.slot_names.items()}

    def _read(self, leaves: list[Any]) -> dict[str, np.ndarray]:
        tensors = list(self.layout.places)
        return {
            ours: self.layout.joined(
                {
                    t: self._signs.get(ours, 1) * np.asarray(leaves[place])
                    for t, place in zip(tensors, self._places[theirs], strict=True)
                }
            )
            for ours, theirs in self.slot_names.items()
        }

    def first(self) -> dict[str, np.ndarray]:
        return self._read(self._leaves)

    def step(self, t: int, g: np.ndarray, slots: Slots, x: np.ndarray) -> dict[str, np.ndarray]:
        import jax

        with self._wide():
            goes_on = self._continues(t, slots)
            leaves = list(self._now if goes_on else self._leaves)
            for ours, theirs in self.slot_names.items():
                parts = self.layout.split(slots[ours]).values()
                for place, part in () if goes_on else zip(self._places[theirs], parts, strict=True):
                    leaves[place] = jax.numpy.asarray(self._signs.get(ours, 1) * part)
            for place in () if goes_on else self._counts:
                leaves[place] = jax.numpy.full_like(leaves[place], t - 1)
            state = jax.tree_util.tree_unflatten(self._tree, leaves)
            gradients, parameters = ([jax.numpy.asarray(p) for p in self.layout.split(of).values()] for of in (g, x))
            updates, state = self._update(gradients, state, parameters)
            delta = {name: -np.asarray(update) for name, update in zip(self.layout.places, updates, strict=True)}
            self._now = jax.tree_util.tree_leaves(state)
            return {"delta": self.layout.joined(delta), **self._went(t, self._read(self._now))}


class _Slot:
    """Stands for a tensor of the parameters' shape in a state."""


_SLOT = _Slot()
