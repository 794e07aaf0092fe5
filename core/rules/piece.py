"""What stands around a rule: it changes the gradient before the rule's step, or the step after it."""

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, NamedTuple

from ..xp import Array
from .part import Part
from .rule import At, Step

Where = Callable[[str, int], bool]
"""Which variables a piece acts on, by their name and rank; see `masks`."""


class Begun(NamedTuple):
    """What a piece before the rule returns.

    g:      the gradient that goes on to the next piece or the rule.
    x:      the parameter from which the rule's step starts.
    slots, stages: as of `Step`.
    """

    g: Array
    x: Array
    slots: Any
    stages: Mapping[str, Array]


class Piece(Part):
    """A piece of a chain: `before` of one to the left of the rule, `after` of one to its right. It defines one or both.

    where: on which variables it acts, all where None.
    """

    where: Where | None = field(default=None, kw_only=True)

    def before(self, g: Array, slots: Any, x: Array, at: At) -> Begun:
        """What becomes of a gradient g, and of the parameter x, before the rule's step."""
        raise NotImplementedError

    def after(self, step: Step, slots: Any, x: Array, at: At) -> Step:
        """What becomes of a step from x, which has both Δ and the parameter after it; slots and stages are its own."""
        raise NotImplementedError

    def acts_on(self, name: str, rank: int) -> bool:
        """Whether it acts on the variable of this name and rank."""
        return self.where is None or bool(self.where(name, rank))
