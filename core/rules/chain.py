"""A rule with pieces around it, which is a rule again."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from keyword import iskeyword
from typing import Any, NamedTuple, cast

from ..errors import InputError
from ..xp import Array
from .part import Part
from .piece import Begun, Piece
from .rule import At, Rule, Step


class Chain(Rule):
    """A rule with pieces around it, in the order in which they act; see `chain`.

    Slots and stages of each part are called by its name, "adam.m" and "clip_by_global_norm.factor". The learning rate
    is the rule's: `replace(chain, learning_rate=…)` sets that.

    parts: by name, the pieces before the rule, the rule, and those after it.
    """

    parts: tuple[tuple[str, Part], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self.parts)
        if self.rule.learning_rate is not self.learning_rate:
            found = [
                (name, replace(part, learning_rate=self.learning_rate) if isinstance(part, Rule) else part)
                for name, part in self.parts
            ]
            object.__setattr__(self, "parts", tuple(found))

    @property
    def rule(self) -> Rule:
        """The one in the middle."""
        return next(part for _, part in self.parts if isinstance(part, Rule))

    @property
    def reads_norm(self) -> bool:
        return any(part.reads_norm for _, part in self.parts)

    def slots(self, x: Array) -> Any:
        return _slots_of([name for name, _ in self.parts])(*(part.first(x) for _, part in self.parts))

    def update(self, g: Array, slots: Any, x: Array, at: At) -> Step:
        at = at._replace(rate=self.learning_rate)
        step: Step | None = None
        start, kept, stages = x, [], {}
        for (name, part), own in zip(self.parts, slots, strict=True):
            if isinstance(part, Piece):
                part = part.resolved(at.t, x)
                made = part.before(g, own, x, at) if step is None else part.after(step, own, x, at).completed(x)
            else:
                made = cast(Rule, part).step(g, own, x, at)
            if isinstance(made, Begun):
                g, x = made.g, made.x
            else:
                step = made
            kept.append(made.slots)
            stages |= {f"{name}.{stage}": value for stage, value in made.stages.items()}
        assert step is not None, "a chain has a rule"
        return Step(step.delta if x is start else None, type(slots)(*kept), stages, step.x)

    @property
    def serves(self) -> bool:
        return any(part.serves for _, part in self.parts)

    def served(self, x: Array, slots: Any) -> Array:
        for (_, part), own in zip(self.parts, slots, strict=True):
            x = part.served(x, own)
        return x

    def for_variable(self, name: str, rank: int) -> Rule:
        kept = [
            (called, part.for_variable(name, rank) if isinstance(part, Rule) else part)
            for called, part in self.parts
            if not isinstance(part, Piece) or part.acts_on(name, rank)
        ]
        rate = next(part.learning_rate for _, part in kept if isinstance(part, Rule))  # groups have one each
        return replace(self, learning_rate=rate, parts=tuple(kept))


def chain(*parts: Part) -> Chain:
    """A rule with pieces around it:

        chain(ClipByGlobalNorm(1.0), Adam(), DecoupledDecay(0.01, where=matrices), Average(0.999))

    To the left of the rule pieces change the gradient and the parameter from which it starts, to its right the step;
    each in its turn. A part's name is that of its class, with _2, _3, … for more of one class.

    Raises InputError unless there is exactly one rule, for a piece on the side on which it does nothing, and for one
    that needs the norm of all gradients where another has changed them before.
    """
    names, seen = [], Counter()
    for part in parts:
        kind = type(part).__name__.strip("_") or "part"
        name = _snake(kind) if isinstance(part, Piece) else kind.lower()
        name = f"{name}_" if iskeyword(name) else name
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    together = tuple(zip(names, parts, strict=True))
    _check(together)
    return Chain(next(part.learning_rate for part in parts if isinstance(part, Rule)), together)


def _check(parts: Sequence[tuple[str, Part]]) -> None:
    for _, part in parts:
        if not isinstance(part, Part):
            raise InputError(f"A chain is made of pieces and a rule, found {part!r}.")
    rules = [name for name, part in parts if isinstance(part, Rule)]
    if len(rules) != 1:
        found = ", ".join(rules) or "none"
        raise InputError(f"A chain needs one rule, with pieces before and after it, found {found}.")
    place = [name for name, _ in parts].index(rules[0])
    for number, (name, part) in enumerate(parts):
        hook = "before" if number < place else "after"
        if isinstance(part, Piece) and getattr(type(part), hook) is getattr(Piece, hook):
            raise InputError(f"{name} does nothing {hook} the rule: put it on the other side of {rules[0]}.")
        if number and part.reads_norm:
            raise InputError(f"{name} reads the norm of all gradients as they are: no piece may stand before it.")


@cache
def _kind(names: tuple[str, ...]) -> Any:
    return NamedTuple("ChainSlots", [(name, Any) for name in names])  # pyright: ignore[reportArgumentType]


def _slots_of(names: Sequence[str]) -> Any:
    """The type of a chain's slots, one for the same names."""
    return _kind(tuple(names))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
