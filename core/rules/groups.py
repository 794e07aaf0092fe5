"""Rules for groups of variables, which together are a rule."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ..xp import Array
from .chain import Chain
from .part import Part
from .piece import Where
from .rule import At, Rule, Step


class Groups(Rule):
    """A rule, and others for variables that a mask matches; see `groups`.

    The learning rate is that of the rule for all other variables: `replace(rule, learning_rate=…)` sets that.

    rule:   for variables that no mask matches.
    groups: a mask and a rule each; of several masks that match, the first decides.
    """

    rule: Rule
    groups: tuple[tuple[Where, Rule], ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rule.learning_rate is not self.learning_rate:
            object.__setattr__(self, "rule", replace(self.rule, learning_rate=self.learning_rate))

    @property
    def reads_norm(self) -> bool:
        return any(rule.reads_norm for rule in self._rules)

    @property
    def serves(self) -> bool:
        return any(rule.serves for rule in self._rules)

    def slots(self, x: Array) -> Any:
        return self.rule.first(x)

    def update(self, g: Array, slots: Any, x: Array, at: At) -> Step:
        return self.rule.step(g, slots, x, at)

    def served(self, x: Array, slots: Any) -> Array:
        return self.rule.served(x, slots)

    def for_variable(self, name: str, rank: int) -> Rule:
        rule = next((rule for matches, rule in self.groups if matches(name, rank)), self.rule)
        return rule.for_variable(name, rank)

    @property
    def _rules(self) -> list[Rule]:
        return [self.rule, *(rule for _, rule in self.groups)]


def parts_of(rule: Rule) -> Iterator[Part]:
    """All pieces and rules of a chain or of groups, down to those within; a rule that is neither, itself."""
    if isinstance(rule, Groups):
        for one in (rule.rule, *(of for _, of in rule.groups)):
            yield from parts_of(one)
    elif isinstance(rule, Chain):
        for _, part in rule.parts:
            yield from parts_of(part) if isinstance(part, Rule) else [part]
    else:
        yield rule


def groups(rule: Rule, *others: tuple[Callable[[str, int], bool], Rule]) -> Groups:
    """A rule, and others for variables that a mask matches:

        groups(Adam(), (only("b*"), SGD(0.1)))

    Each holds its own learning rate; a clip by the global norm in any of them reads the gradients of all variables.
    """
    return Groups(rule.learning_rate, rule, others)
