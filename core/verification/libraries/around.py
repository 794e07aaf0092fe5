"""Libraries with their own pieces around a rule, as references of a chain: as their users write them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..layout import Layout
from .keras import Keras
from .optax import Optax
from .reference import Reference, Slots
from .torch import Torch

Options = Mapping[str, Any]
"""What stands around the rule, by the names of `core.around`."""


class _Around(Reference):
    """options: around the rule; the slot "average" is the average of the parameters."""

    def __init__(self, rule: str, settings: Mapping[str, Any], dtype: Any, layout: Layout, options: Options):
        self._options = options
        super().__init__(rule, settings, dtype, layout)

    def _has(self, name: str) -> bool:
        return self._options.get(name) is not None

    def _decays(self) -> dict[str, bool]:
        """By variable, whether it decays."""
        where: Callable[[str, int], bool] | None = self._options.get("where")
        return {name: where is None or where(name, len(shape)) for name, shape in self.layout.shapes.items()}


class KerasAround(_Around, Keras):
    """A Keras optimizer with the options of its base class."""

    def _build(self, settings: dict[str, Any]) -> None:
        names = dict(clip_value="clipvalue", clip_norm="clipnorm", clip_global_norm="global_clipnorm")
        names |= dict(weight_decay="weight_decay", ema="ema_momentum", overwrite_every="ema_overwrite_frequency")
        given = {theirs: self._options[ours] for ours, theirs in names.items() if self._options.get(ours)}
        if self._has("ema"):
            self.slot_names = {**self.slot_names, "average": "_model_variables_moving_average"}
        super()._build({**settings, **given, "use_ema": self._has("ema")})

    def _before_building(self, optimizer: Any) -> None:
        if kept := [self._x[name] for name, decays in self._decays().items() if not decays]:
            optimizer.exclude_from_weight_decay(var_list=kept)


class TorchAround(_Around, Torch):
    """A PyTorch optimizer with the functions of torch.nn.utils called before its step, and an AveragedModel's after."""

    _t = 1

    def _build(self, settings: dict[str, Any]) -> None:
        decay = "l2" if self._has("l2") else "weight_decay"
        if self._has(decay):
            settings |= {"weight_decay": self._options[decay]}
            settings |= {"decoupled_weight_decay": True} if decay == "weight_decay" else {}
        if self._has("ema"):
            self.slot_names = {**self.slot_names, "average": "average"}
        super()._build(settings)

    def _parameters(self) -> list[Any]:
        decays = self._decays()
        left = [x for name, x in self._x.items() if not decays[name]]
        groups = [{"params": [x for name, x in self._x.items() if decays[name]]}, {"params": left, "weight_decay": 0.0}]
        return groups if left else super()._parameters()

    def _before_stepping(self) -> None:
        self._optimizer.register_step_pre_hook(lambda *_: self._clip())
        if self._has("ema"):
            self._optimizer.register_step_post_hook(lambda *_: self._average())

    def _clip(self) -> None:
        from torch.nn import utils

        parameters = list(self._x.values())
        if self._has("clip_global_norm"):
            utils.clip_grad_norm_(parameters, self._options["clip_global_norm"])
        for x in parameters if self._has("clip_norm") else ():
            utils.clip_grad_norm_([x], self._options["clip_norm"])
        if self._has("clip_value"):
            utils.clip_grad_value_(parameters, self._options["clip_value"])

    def _average(self) -> None:
        from torch.optim.swa_utils import get_ema_multi_avg_fn

        for x in self._x.values():
            state, now = self._optimizer.state[x], x.detach()
            if self._t == 1:
                state["average"] = now.clone()
            else:
                get_ema_multi_avg_fn(self._options["ema"])([state["average"]], [now], None)

    def step(self, t: int, g: np.ndarray, slots: Slots, x: np.ndarray) -> dict[str, np.ndarray]:
        self._t = t
        return super().step(t, g, slots, x)


class OptaxAround(_Around, Optax):
    """A chain of Optax's transformations, and its incremental_update of the parameters."""

    def _build(self, settings: dict[str, Any]) -> None:
        import optax

        found, given, mask = [], self._options, [*self._decays().values()]
        if self._has("clip_global_norm"):
            found.append(optax.clip_by_global_norm(given["clip_global_norm"]))
        if self._has("clip_value"):
            found.append(optax.clip(given["clip_value"]))
        if self._has("l2"):
            found.append(optax.add_decayed_weights(given["l2"], mask))
        if not self._has("weight_decay"):
            found.append(self.named(self.spelling.name)(**settings))
        elif self.rule == "adam":
            found.append(optax.adamw(**settings, weight_decay=given["weight_decay"], mask=mask))
        else:  # without slots of its own both decays are one
            found.append(optax.add_decayed_weights(given["weight_decay"], mask))
            found.append(self.named(self.spelling.name)(**settings))
        self._hold(optax.chain(*found))

    def step(self, t: int, g: np.ndarray, slots: Slots, x: np.ndarray) -> dict[str, np.ndarray]:
        import jax
        import optax

        found = super().step(t, g, {name: slots[name] for name in self.slot_names}, x)
        if not self._has("ema"):
            return found
        with self._wide():
            moved = optax.apply_updates(jax.numpy.asarray(x), jax.numpy.asarray(-found["delta"]))
            average = optax.incremental_update(moved, jax.numpy.asarray(slots["average"]), 1 - self._options["ema"])
            return {**found, "average": np.asarray(average)}


AROUND: Mapping[str, type[_Around]] = {"keras": KerasAround, "torch": TorchAround, "optax": OptaxAround}
"""By the names of `REFERENCES`."""
