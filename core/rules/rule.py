"""What every update rule is: settings, slots, and one pure function of a gradient, slots, a parameter and a step."""

import dataclasses
import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Self

from ..errors import InputError
from ..xp import Array, is_condition
from .part import Part
from .settings import Rate
from .slots import named


class At(NamedTuple):
    """What a rule knows beside its own tensor.

    t:      the number of the step, from 1, a float at least as wide as the parameter.
    norm_g: ‖g‖ over the gradients of all variables, in float64; None unless `Part.NEEDS_NORM`.
    rate:   for a piece, the learning rate of its chain's rule at this step.
    """

    t: Array
    norm_g: Array | None = None
    rate: Array | None = None


class Step(NamedTuple):
    """What one application of a rule returns.

    delta:  what to subtract from the parameter, in its shape; None where x says where it goes.
    slots:  the new slots, of the kind that `Rule.slots` returned.
    stages: the named intermediate values of the formula, by name; XLA drops those that are not read. One of booleans
            is a condition, of which a recorder keeps the share of elements where it holds.
    x:      the parameter after the step; None where it is x − delta.
    """

    delta: Array
    slots: Any
    stages: Mapping[str, Array]
    x: Array = None

    @property
    def values(self) -> dict[str, Array]:
        """The new slots and the stages that are numbers, by name."""
        return named(self.slots) | {name: of for name, of in self.stages.items() if not is_condition(of)}

    @property
    def conditions(self) -> dict[str, Array]:
        """The stages that are conditions, by name."""
        return {name: of for name, of in self.stages.items() if is_condition(of)}

    def completed(self, x: Array) -> "Step":
        """The same with both Δ and the parameter after the step, which was x before."""
        after = x - self.delta if self.x is None else self.x
        return self._replace(delta=x - after if self.delta is None else self.delta, x=after)


class Dialect(NamedTuple):
    """One library's reading of a rule: where it is written down, and the settings that reproduce it.

    A library that asks its user for a learning rate has none in `settings`.
    """

    source: str
    settings: Mapping[str, Any]


class Rule(Part, ABC):
    """An update rule: θ ← θ − Δ, where Δ and the new slots are a pure function of the gradient.

    Its fields are the settings, `learning_rate` first; see `Part` for what a setting may be. Rules take parameters of
    any shape and real floating dtype.
    """

    DIALECTS: ClassVar[Mapping[str, Dialect]] = {}

    learning_rate: Rate

    @abstractmethod
    def slots(self, x: Array) -> Any:
        """The slots before the first step for a parameter x: a NamedTuple of arrays of its dtype, see `rules.slots`.

        It is called through `first`, which resolves the settings.
        """

    @abstractmethod
    def update(self, g: Array, slots: Any, x: Array, at: At) -> Step:
        """One step for a gradient g, slots and a parameter x of one dtype; the settings are those of that step.

        It is called through `step`, which resolves them.
        """

    def step(self, g: Array, slots: Any, x: Array, at: At) -> Step:
        """One step, with both Δ and the parameter after it."""
        return self.resolved(at.t, x).update(g, slots, x, at).completed(x)

    def for_variable(self, name: str, rank: int) -> "Rule":
        """The rule for the variable of this name and rank: itself, unless a chain's pieces leave variables out."""
        return self

    @classmethod
    def dialect(cls, name: str, **settings: Any) -> Self:
        """The rule as the library `name` computes it, with that library's defaults where `settings` has nothing.

        Raises InputError for a dialect or a setting that the rule lacks, and for a learning rate that has neither a
        default in the library nor a value from the caller.
        """
        if name not in cls.DIALECTS:
            known = ", ".join(cls.DIALECTS) or "none"
            raise InputError(f"{cls.__name__} has no dialect {name!r}; it has: {known}.", name, cls.DIALECTS)
        settings = {**cls.DIALECTS[name].settings, **settings}
        fields = [field.name for field in dataclasses.fields(cls)]
        for setting in settings:
            if setting not in fields:
                raise InputError(
                    f"{cls.__name__} has no setting {setting!r}; it has: {', '.join(fields)}.", setting, fields
                )
        if "learning_rate" not in settings:
            raise InputError(f"{cls.__name__} in the {name} dialect has no default learning rate: give learning_rate.")
        return cls(**settings)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        _refuse_old(cls)


_GONE = {
    "diagnostics": "put what it returned among the stages, a scalar or a condition each",
    "epsilon_outweighs": "put the condition among the stages, as epsilon_outweighs",
}
"""Methods of rules up to rawstep 0.2, and what stands in their place."""


def _refuse_old(kind: type) -> None:
    """Raises InputError for a rule as it was written up to rawstep 0.2, which would never be called rightly."""
    update = vars(kind).get("update")
    if inspect.isfunction(update) and [*inspect.signature(update).parameters][3:4] == ["t"]:
        raise InputError(
            f"{kind.__name__}.update(self, g, slots, t, x) is how rules were written up to rawstep 0.2: write "
            "update(self, g, slots, x, at), with at.t for t, and self.learning_rate for self.rate(t, g)."
        )
    for name in _GONE:
        if inspect.isfunction(vars(kind).get(name)):
            raise InputError(f"{kind.__name__}.{name} is not called since rawstep 0.2: {_GONE[name]}.")
