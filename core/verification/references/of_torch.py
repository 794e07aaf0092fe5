"""PyTorch's optimizers as references."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from .reference import Reference, Slots


class Torch(Reference):
    """torch.optim, one tensor at a time."""

    package, dialect = "torch", "torch"
    constructor = "torch.optim.{Rule}(parameters, {settings})"
    settings: ClassVar = {"learning_rate": "lr", "epsilon": "eps"}
    slots: ClassVar = {
        "adam": {"m": "exp_avg", "v": "exp_avg_sq"},
        "adagrad": {"a": "sum"},
        "adadelta": {"mean_g2": "square_avg", "mean_dx2": "acc_delta"},
        "sgd": {},
    }

    @classmethod
    def call(cls, rule: str, settings: Mapping[str, Any]) -> str:
        paired = dict(settings)
        if rule == "adam":
            betas = (paired.pop("beta_1"), paired.pop("beta_2"))
            paired = dict(learning_rate=paired.pop("learning_rate"), betas=betas, **paired)
        return super().call(rule, paired)

    def _build(self, settings: dict[str, Any]) -> None:
        import torch

        betas = {name: settings.pop(name) for name in ("beta_1", "beta_2") if name in settings}
        if betas:
            settings["betas"] = (betas.get("beta_1", 0.9), betas.get("beta_2", 0.999))
        self._x = torch.nn.Parameter(torch.from_numpy(np.zeros(self.size, self.dtype)))
        self._optimizer = getattr(torch.optim, self.spelled(self.rule))([self._x], foreach=False, **settings)
        if self.rule == "adagrad":
            return
        # Torch makes the other slots in the first step; a gradient of 0 leaves them as they begin.
        self._x.grad = torch.zeros_like(self._x)
        self._optimizer.step()

    def first(self) -> dict[str, np.ndarray]:
        state = self._optimizer.state[self._x]
        return {ours: state[theirs].numpy().copy() for ours, theirs in self.slot_names.items()}

    def step(self, t: int, g: np.ndarray, slots: Slots) -> dict[str, np.ndarray]:
        import torch

        state = self._optimizer.state[self._x]
        state["step"] = torch.tensor(float(t - 1))
        for ours, theirs in self.slot_names.items():
            state[theirs].copy_(torch.from_numpy(np.ascontiguousarray(slots[ours])))
        with torch.no_grad():
            self._x.zero_()
        self._x.grad = torch.from_numpy(np.ascontiguousarray(g))
        self._optimizer.step()
        return {"delta": -self._x.detach().numpy(), **self.first()}
