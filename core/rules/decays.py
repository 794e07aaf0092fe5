"""Weight decay: a pull towards 0, in the gradient or beside the step."""

from typing import Annotated, Any, Literal

from ..xp import Array
from .piece import Begun, Piece
from .rule import At, Step
from .settings import Letter, NonNegative


class L2(Piece):
    """A gradient with that of ½·λ·‖θ‖²: g + λ·θ, which an adaptive rule scales like the rest. PyTorch's weight_decay of
    all rules but AdamW; Optax's add_decayed_weights before the rule; not what Keras calls weight_decay."""

    weight_decay: Annotated[NonNegative, "λ of ½·λ·‖θ‖² in the cost", Letter("λ")]

    def before(self, g: Array, slots: Any, x: Array, at: At) -> Begun:
        return Begun(g + self.weight_decay * x, x, slots, {})


class DecoupledDecay(Piece):
    """Beside the step, a share α·λ of every parameter is taken off: Loshchilov & Hutter, "Decoupled Weight Decay
    Regularization", ICLR 2019, as the libraries have it, which multiply λ by the rate.

    Before the rule, θ is decayed first and the step taken from there, as in Keras and PyTorch; after it, α·λ·θ is added
    to the step, as in Optax. They round differently.
    """

    weight_decay: Annotated[NonNegative, "the share of a parameter that a step at a rate of 1 takes off", Letter("λ")]
    form: Annotated[Literal["subtract", "shrink"], "θ − (θ·λ)·α, or θ·(1 − α·λ) as PyTorch"] = "subtract"

    def before(self, g: Array, slots: Any, x: Array, at: At) -> Begun:
        decayed = x * self.weight_decay * at.rate
        after = x - decayed if self.form == "subtract" else x * (1 - at.rate * self.weight_decay)
        return Begun(g, after, slots, dict(decayed=decayed))

    def after(self, step: Step, slots: Any, x: Array, at: At) -> Step:
        decayed = x * self.weight_decay * at.rate
        return Step(step.delta + decayed, slots, dict(decayed=decayed))
