"""Settings of a rule and of a workload as options of a command: `--beta-2 0.95 --hidden 64 64`. Free of TensorFlow."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Annotated, Self, TypeVar

from cyclopts import UNSET, Parameter, Token

RuleOption = Annotated[
    str,
    Parameter(
        help="A setting of the rule, such as --beta-2 0.95 or --centered true; a number may be a schedule. With --rule "
        "NAME, --help lists its own; unless given, they are the dialect's."
    ),
]
"""For `**own` of a command that takes a rule: every option that is none of its own."""


def _words(_: type, tokens: Sequence[Token]) -> tuple[str, ...]:
    """None after an option alone, as a flag is typed."""
    return tuple(token.value for token in tokens if token.implicit_value is UNSET)


WithWords = Parameter(consume_multiple=True, negative=(), converter=_words)
"""Of an option whose words are those up to the next one."""
OwnOption = Annotated[
    tuple[str, ...],
    Parameter(
        help="A setting of the workload, such as --hidden 64 64, or of the rule, such as --beta-2 0.95, where a number "
        "may be a schedule. With --workload NAME or --rule NAME, --help lists them."
    ),
    WithWords,
]
"""The same of a command that takes a workload too, each with its words."""


class NoSuchSettingError(Exception):
    """An option that is none of the command's, and no setting of what it takes: `option`; that has `known`."""

    def __init__(self, option: str, of: str, known: Sequence[str]):
        super().__init__(option, of, known)
        self.option, self.of, self.known = option, of, known

    def nor_of(self, workload: str, settings: Sequence[str]) -> Self:
        """The same of a command that takes a workload too, with these settings."""
        return type(self)(self.option, f"{self.of} or {workload}", [*settings, *self.known])


_Value = TypeVar("_Value", str, Sequence[str])


def by_name(options: Mapping[str, _Value]) -> dict[str, _Value]:
    """By the names of fields: beta_2 for beta-2."""
    return {name.lstrip("-").replace("-", "_"): value for name, value in options.items()}


def split(options: Mapping[str, Sequence[str]], workload: str) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Those of a workload, by the names of its fields, and the others, as settings of a rule.

    Raises InputError for a workload that is not there.
    """
    from ..workloads.choice import kind_of
    from ..workloads.values import by_option

    there = by_option(kind_of(workload))
    return (
        {there[name]: tuple(words) for name, words in options.items() if name in there},
        {name: " ".join(words) for name, words in options.items() if name not in there},
    )


def refuse_ambiguous(workload: str, rule: str) -> None:
    """Raises InputError where an option would be one of both."""
    from core import InputError

    from ..workloads.choice import kind_of
    from ..workloads.values import by_option
    from .rule_choice import kind_of as kind_of_rule

    kind = kind_of_rule(rule)
    for one in fields(kind):
        if one.name in by_option(kind_of(workload)):
            raise InputError(
                f"{workload} has a field {one.name}, and so has the rule {kind.__name__}: "
                f"--{one.name.replace('_', '-')} can be of one alone; give the workload's another name."
            )
