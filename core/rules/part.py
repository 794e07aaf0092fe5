"""What rules and the pieces around them have in common: settings, checked and resolved, and slots."""

import dataclasses
import inspect
from typing import Any, ClassVar, Self, dataclass_transform

from ..errors import InputError
from ..xp import Array
from .settings import accepted, hints, resolved


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
@dataclasses.dataclass(frozen=True)
class Part:
    """A rule, or a piece around one: its settings are its fields, its slots what it remembers of a parameter.

    Every subclass is a frozen dataclass, decorated or not. A field annotated with `Rate`, `Decay`, `Positive`,
    `NonNegative`, `bool` or a `Literal` is checked on construction, and each number may be a schedule, or an array with
    a value for each run; see `settings.Number`. What a field means may stand beside its type:
    `beta: Annotated[Decay, "the share of m that a step keeps"] = 0.9`. A setting of the parent that the class body
    assigns, `epsilon = 1e-3`, has that default and the parent's annotation.
    """

    NEEDS_NORM: ClassVar[bool] = False
    """Whether a class of these reads the norm of all gradients, `at.norm_g`."""

    @property
    def reads_norm(self) -> bool:
        """Whether it, or what it is made of, reads the norm of all gradients."""
        return self.NEEDS_NORM

    def slots(self, x: Array) -> Any:
        """The slots before the first step for a parameter x: a NamedTuple of arrays of its dtype, see `rules.slots`, or
        () for none.

        It is called through `first`, which resolves the settings.
        """
        return ()

    def served(self, x: Array, slots: Any) -> Array:
        """The parameter that evaluation and export use: x itself, unless another one is trained than is served."""
        return x

    @property
    def serves(self) -> bool:
        """Whether it has evaluation and export use another parameter than the one that is trained."""
        return type(self).served is not Part.served

    def first(self, x: Array) -> Any:
        """The slots before the first step, with the settings of that step: see `slots`."""
        return self.resolved(1.0, x).slots(x)

    def resolved(self, t: Array, x: Array) -> Self:
        """The same with its settings as they are in step t for a parameter x: see `settings.Number`."""
        settings = resolved(vars(self), type(self), t, x)
        return dataclasses.replace(self, **settings) if settings else self

    def __init_subclass__(cls, **options: Any) -> None:
        """Makes the class a dataclass: without that, Python ignores a setting that its body changes or adds.

        A class without a docstring would have its signature for one, from this dataclass or a decorator.
        """
        super().__init_subclass__(**options)
        parents = [base for base in cls.__bases__ if issubclass(base, Part)]
        if not cls.__doc__:
            made = " and ".join(base.__name__ for base in parents if dataclasses.fields(base))
            cls.__doc__ = f"{cls.__name__}{f', made of {made}' if made else ''}, without a docstring."
        own = inspect.get_annotations(cls)
        inherited: dict[str, Any] = {}
        for base in reversed(parents):
            inherited |= hints(base)
        reassigned = {
            field.name: inherited[field.name]
            for field in dataclasses.fields(cls)
            if field.name not in own and getattr(cls, field.name, dataclasses.MISSING) is not field.default
        }
        for name in own:
            if callable(getattr(super(cls, cls), name, None)) and name not in inherited:
                raise InputError(f"{cls.__name__}: {name} is a method of every rule: call the setting otherwise.")
        for name in reassigned:
            if isinstance(getattr(cls, name), property):
                raise InputError(f"{cls.__name__}: {name} is a setting and must be a value, found a property.")
        cls.__annotations__ = own | reassigned
        dataclasses.dataclass(frozen=True)(cls)
        del cls.__setattr__, cls.__delattr__  # a class that has them cannot be decorated once more; Part's serve

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            where = f"{type(self).__name__}: {field.name}"
            value = accepted(where, getattr(self, field.name), hints(type(self))[field.name])
            object.__setattr__(self, field.name, value)


def _refuse_change(part: Part, name: str, *_: Any) -> None:
    raise dataclasses.FrozenInstanceError(
        f"{type(part).__name__}.{name} is a setting of a frozen rule or piece: use replace."
    )


Part.__setattr__ = Part.__delattr__ = _refuse_change
