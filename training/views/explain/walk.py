"""A step of a rule, part by part: a chain's pieces and its rule in their turn, a rule by itself alone."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from core import At, Chain, InputError, Rule, Step
from core.engine.checks import step_of
from core.mistakes import mistakes_in
from core.rules import Begun, Piece, named
from core.rules.groups import Groups
from core.rules.part import Part
from core.xp import is_condition


class Turn(NamedTuple):
    """What one part was given, and what it made of that.

    path: its name in the chain, as "clip_by_norm" or, in a chain of chains, "chain.adam"; "" for a rule by itself.
    g, x: the gradient and the parameter that it was given.
    step: the step before it; None up to the rule.
    made: a Begun, or a Step with both Δ and the parameter.
    """

    path: str
    part: Part
    g: Any
    x: Any
    step: Step | None
    made: Any

    def name(self, value: str) -> str:
        """What a value of this part is called in all the step: "adam.m"."""
        return f"{self.path}.{value}" if self.path else value

    @property
    def values(self) -> dict[tuple[str, str], Any]:
        """New slots and the stages that are numbers, by "slot" or "stage" and name."""
        slots = named(self.made.slots) if self.made.slots else {}
        stages = {name: value for name, value in self.made.stages.items() if not is_condition(value)}
        return {("slot", self.name(name)): value for name, value in slots.items()} | {
            ("stage", self.name(name)): value for name, value in stages.items()
        }


def leaves(rule: Rule, path: str = "") -> Iterator[tuple[str, Part]]:
    """Every piece and the rule, by path, in the order in which they act. Raises InputError for groups of variables."""
    if isinstance(rule, Groups):
        raise InputError(
            "Groups of variables have a formula each, and there is none of all: explain the rule of each group alone."
        )
    if not isinstance(rule, Chain):
        yield path, rule
        return
    for name, part in rule.parts:
        here = f"{path}.{name}" if path else name
        yield from leaves(part, here) if isinstance(part, Rule) else [(here, part)]


def with_parts(rule: Rule, parts: Mapping[str, Part], path: str = "") -> Rule:
    """The same with other pieces and another rule, by path; see `leaves`."""
    if not isinstance(rule, Chain):
        made: Any = parts[path]
        return made
    found = []
    for name, part in rule.parts:
        here = f"{path}.{name}" if path else name
        found.append((name, with_parts(part, parts, here) if isinstance(part, Rule) else parts[here]))
    rate = next(part.learning_rate for _, part in found if isinstance(part, Rule))
    return type(rule)(rate, tuple(found))


def walked(
    rule: Rule, g: Any, slots: Any, x: Any, at: At, handed: Callable[[Turn], Any], said: str = "failed", path: str = ""
) -> Step:
    """One step, as `Chain.update` takes it, on whatever the rule can run on.

    handed: called with each turn; what it returns goes on to the next part.
    said:   of a part that raises, see `mistakes_in`.
    """
    if not isinstance(rule, Chain):
        return handed(Turn(path, rule, g, x, None, step_of(rule, g, slots, x, at, said)))
    rule = rule.resolved(at.t, x)  # type: ignore[assignment]
    at = at._replace(rate=rule.learning_rate)
    step: Any = None
    start, kept = x, []
    for (name, part), own in zip(rule.parts, slots, strict=True):
        here = f"{path}.{name}" if path else name
        if isinstance(part, Rule):
            made = walked(part, g, own, x, at, handed, said, here)
        else:
            made = handed(Turn(here, part, g, x, step, _made(part, g, own, x, at, step, said)))
        if isinstance(made, Begun):
            g, x = made.g, made.x
        else:
            step = made
        kept.append(made.slots)
    return Step(step.delta if x is start else None, type(slots)(*kept), {}, step.x).completed(start)


def _made(part: Any, g: Any, slots: Any, x: Any, at: At, step: Step | None, said: str) -> Begun | Step:
    piece: Piece = part
    with mistakes_in(piece, method="before" if step is None else "after", said=said):
        piece = piece.resolved(at.t, x)
        return piece.before(g, slots, x, at) if step is None else piece.after(step, slots, x, at).completed(x)


def values_of(rule: Rule, g: Any, slots: Any, x: Any, at: At) -> tuple[Step, dict[tuple[str, str], Any]]:
    """One step, and all values on its way, by `Equation.kind` and name."""
    found: dict[tuple[str, str], Any] = {}

    def kept(turn: Turn) -> Any:
        made = turn.made
        moved = {"gradient": made.g} if isinstance(made, Begun) else {"delta": made.delta}
        for name, value in (moved | {"parameter": made.x}).items():
            found["gradient" if name == "gradient" else "step", turn.name(name)] = value
        found.update(turn.values)
        return made

    step = walked(rule, g, slots, x, at, kept)
    found |= {("step", "delta"): step.delta, ("step", "parameter"): step.x}
    for path, part in leaves(rule):
        own = part.resolved(at.t, x)
        found |= {("setting", setting_name(path, part, name)): value for name, value in vars(own).items()}
    return step, found


def setting_name(path: str, part: Part, name: str) -> str:
    """What a setting of a part is called: as it is in a rule, by its part in a piece."""
    return name if isinstance(part, Rule) else f"{path}.{name}"
