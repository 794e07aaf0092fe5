"""AdamW: Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

from typing import Annotated, Literal

from ..xp import Array
from .adam import Adam, AdamSlots
from .rule import At, Dialect, Step
from .settings import Letter, NonNegative


class AdamW(Adam):
    """AdamW: Adam, and beside it a pull of every parameter towards 0.

    Loshchilov & Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, Algorithm 2, with the schedule η = 1.

        Δ = α·m̂ / (√v̂ + ε) + λ·θ       θ ← θ − Δ

    m̂ and v̂ are Adam's, of gradients without a decay. The paper multiplies λ by its schedule alone; the libraries, which
    have no such schedule, by the rate: α·λ·θ. They differ in rounding too: Optax adds λ·θ to m̂/(√v̂ + ε) before it
    multiplies, Keras and PyTorch shrink θ first and then take Adam's step, PyTorch by the factor 1 − α·λ. λ is 0.004 in
    Keras, 0.01 in PyTorch, 0.0001 in Optax, and left open in the paper: 1e-5 here, PyTorch's at α = 0.001.
    """

    weight_decay: Annotated[NonNegative, "the share of a parameter that a step takes off", Letter("λ")] = 1e-5
    decay_form: Annotated[Literal["unscaled", "sum", "before", "shrink"], "λ·θ, α·λ·θ, or α·λ·θ before"] = "unscaled"

    def update(self, g: Array, slots: AdamSlots, x: Array, at: At) -> Step:
        step = super().update(g, slots, x, at)
        decayed = self.weight_decay * x
        if self.decay_form != "unscaled":
            decayed = decayed * self.learning_rate
        stages = dict(step.stages, adaptive=step.delta, decayed=decayed)
        after = None
        if self.decay_form == "before":
            after = x - decayed - step.delta
        elif self.decay_form == "shrink":
            after = x * (1 - self.learning_rate * self.weight_decay) - step.delta
        return Step(step.delta + decayed, step.slots, stages, after)


AdamW.DIALECTS = {
    "paper": Dialect("Loshchilov & Hutter 2019, Algorithm 2", dict(learning_rate=1e-3)),
    "keras": Dialect(
        "Keras, keras/src/optimizers/adamw.py",
        {**Adam.DIALECTS["keras"].settings, "weight_decay": 0.004, "decay_form": "before"},
    ),
    "torch": Dialect(
        "PyTorch, torch/optim/adamw.py",
        {**Adam.DIALECTS["torch"].settings, "weight_decay": 0.01, "decay_form": "shrink"},
    ),
    "optax": Dialect(
        "Optax, optax/_src/alias.py, adamw",
        {**Adam.DIALECTS["optax"].settings, "weight_decay": 1e-4, "decay_form": "sum"},
    ),
}
