"""Rprop (Riedmiller & Braun 1993)."""

from typing import Annotated, NamedTuple

from ..xp import Array, clip, full_like, sign, where, zeros_like
from .rule import At, Dialect, Rule, Step
from .settings import Interval, Letter, Number, Positive


class RpropSlots(NamedTuple):
    """The size starts at the learning rate, the gradient at 0."""

    previous: Annotated[Array, "the last gradient; 0 where it had changed its sign"]
    size: Annotated[Array, "how far the coordinate moves"]


class Rprop(Rule):
    """Rprop: only the sign of a gradient counts; steps grow while it stays, and shrink when it changes.

    Riedmiller & Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm", ICNN 1993,
    without its step back: Igel & Hüsken, "Improving the Rprop Learning Algorithm", NC 2000, iRprop−.

        s = sign(g·g′)                  size ← min(max(size·η, smallest), largest), η = η⁺, 1 or η⁻ for s = 1, 0 or −1
        g ← 0 where s < 0               Δ = size·sign(g)                g′ ← g                          θ ← θ − Δ

    The learning rate is the first size, and nothing else: a schedule of it changes nothing. It is made for gradients of
    all the data; those of batches change their signs by chance. g·g′ may underflow, which counts as 0. Keras and TF1
    have no Rprop; Optax's moves one step late, by the step that it should have taken before.
    """

    learning_rate: Annotated[Positive, "the first size of a step"]
    eta_minus: Annotated[Number, Interval(0.0, 1.0), "of the size, where the sign changes", Letter("η⁻")] = 0.5
    eta_plus: Annotated[Number, Interval(1.0), "of the size, where the sign stays", Letter("η⁺")] = 1.2
    smallest: Annotated[Positive, "no step is shorter"] = 1e-6
    largest: Annotated[Positive, "no step is longer"] = 50.0

    def slots(self, x: Array) -> RpropSlots:
        return RpropSlots(previous=zeros_like(x), size=full_like(x, self.learning_rate))

    def update(self, g: Array, slots: RpropSlots, x: Array, at: At) -> Step:
        s = sign(g * slots.previous)
        factor = where(s > 0, self.eta_plus, where(s < 0, self.eta_minus, zeros_like(g) + 1.0))
        size = clip(slots.size * factor, self.smallest, self.largest)
        g = where(s < 0, zeros_like(g), g)
        return Step(sign(g) * size, RpropSlots(g, size), dict(turns=s < 0))


Rprop.DIALECTS = {
    "paper": Dialect(
        "Igel & Hüsken 2000, iRprop−, with the numbers of Riedmiller & Braun 1993", dict(learning_rate=0.1)
    ),
    "torch": Dialect("PyTorch, torch/optim/rprop.py", dict(learning_rate=1e-2)),
}
