"""Settings of a rule and of a workload as options of a command: `--beta-2 0.95 --hidden 64 64`. Free of TensorFlow."""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

from cyclopts import Parameter

RuleOption = Annotated[
    str,
    Parameter(
        help="A setting of the rule, such as --beta-2 0.95 or --centered true; a number may be a schedule. With --rule "
        "NAME, --help lists its own; unless given, they are the dialect's."
    ),
]
"""For `**own` of a command that takes a rule: every option that is none of its own."""
OwnOption = Annotated[
    tuple[str, ...],
    Parameter(
        help="A setting of the workload, such as --hidden 64 64, or of the rule, such as --beta-2 0.95, where a number "
        "may be a schedule. With --workload NAME or --rule NAME, --help lists them.",
        consume_multiple=1,
        negative=(),
    ),
]
"""The same of a command that takes a workload too, each with one word or more."""


class NoSuchSettingError(Exception):
    """An option that is none of the command's, and no setting of what it takes: `option`; that has `known`."""

    def __init__(self, option: str, of: str, known: Sequence[str]):
        super().__init__(option, of, known)
        self.option, self.of, self.known = option, of, known


_Value = TypeVar("_Value", str, Sequence[str])


def by_name(options: Mapping[str, _Value]) -> dict[str, _Value]:
    """By the names of fields: beta_2 for beta-2."""
    return {name.lstrip("-").replace("-", "_"): value for name, value in options.items()}
