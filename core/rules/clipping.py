"""Gradients, or steps, that are made no larger than a limit."""

from typing import Annotated, Any, Literal

from ..xp import Array, cast_like, clip, maximum, minimum, sqrt, sum, where
from .piece import Begun, Piece
from .rule import At, Step
from .settings import Letter, Positive

Form = Annotated[
    Literal["least", "larger", "damped", "where"],
    "g·(c·min(1/N, 1/c)), g·c/max(N, c), g·min(1, c/(N + 1e-6)), or (g/N)·c where N ≥ c",
]
"""How a factor is rounded that is 1 below the limit c and c/N above it, N being the norm: as Keras, TF1, PyTorch or
Optax have it. They agree in exact arithmetic, except for PyTorch's 1e-6."""


class _Clip(Piece):
    """Before the rule it acts on gradients, after it on steps."""

    def clipped(self, g: Array, at: At) -> tuple[Array, dict[str, Array]]:
        """The same no larger, and stages."""
        raise NotImplementedError

    def before(self, g: Array, slots: Any, x: Array, at: At) -> Begun:
        g, stages = self.clipped(g, at)
        return Begun(g, x, slots, stages)

    def after(self, step: Step, slots: Any, x: Array, at: At) -> Step:
        delta, stages = self.clipped(step.delta, at)
        return Step(delta, slots, stages)


class ClipByValue(_Clip):
    """Every element of a gradient between −c and c: Keras's clipvalue, PyTorch's clip_grad_value_, Optax's clip."""

    limit: Annotated[Positive, "the largest size of an element that is left alone", Letter("c")]

    def clipped(self, g: Array, at: At) -> tuple[Array, dict[str, Array]]:
        return clip(g, -self.limit, self.limit), {}


class ClipByNorm(_Clip):
    """A variable's gradient shortened to the norm c where it is longer: Keras's clipnorm, TF1's clip_by_norm."""

    limit: Annotated[Positive, "the largest norm of a variable's gradient that is left alone", Letter("c")]
    form: Form = "larger"

    def clipped(self, g: Array, at: At) -> tuple[Array, dict[str, Array]]:
        return shortened(g, sqrt(sum(g * g)), self.limit, self.form)


class ClipByGlobalNorm(Piece):
    """All gradients by one factor, so that they are no longer than c together: Pascanu, Mikolov & Bengio, "On the
    difficulty of training recurrent neural networks", ICML 2013, Algorithm 1; Keras's global_clipnorm, PyTorch's
    clip_grad_norm_, Optax's clip_by_global_norm."""

    NEEDS_NORM = True

    limit: Annotated[Positive, "the largest norm of all gradients together that is left alone", Letter("c")]
    form: Form = "least"

    def before(self, g: Array, slots: Any, x: Array, at: At) -> Begun:
        g, stages = shortened(g, cast_like(at.norm_g, g), self.limit, self.form)
        return Begun(g, x, slots, stages)


def shortened(g: Array, norm: Array, limit: Any, form: str) -> tuple[Array, dict[str, Array]]:
    """g·min(1, c/N), rounded as `form` says; the norm N and the factor."""
    limit = cast_like(limit, g)
    if form == "where":
        return where(norm < limit, g, g / norm * limit), dict(norm=norm, factor=minimum(limit / norm, 1.0))
    if form == "larger":
        longest = maximum(norm, limit)
        return g * limit / longest, dict(norm=norm, factor=limit / longest)
    factor = limit * minimum(1.0 / norm, 1.0 / limit) if form == "least" else minimum(limit / (norm + 1e-6), 1.0)
    return g * factor, dict(norm=norm, factor=factor)
