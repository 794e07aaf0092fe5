"""Settings of a rule as options of a command: `--beta-2 0.95`. Free of TensorFlow, as the command line is."""

from collections.abc import Mapping
from typing import Annotated

from cyclopts import Parameter

RuleOption = Annotated[
    str,
    Parameter(
        help="A setting of the rule, such as --beta-2 0.95 or --centered true; a number may be a schedule. With --rule "
        "NAME, --help lists its own; unless given, they are the dialect's."
    ),
]
"""For `**rule_settings` of a command: every option that is none of its own."""


class NoSuchSettingError(Exception):
    """An option that is none of the command's, and no setting of the rule: `option`; the rule has `known`."""

    def __init__(self, option: str, rule: str, known: list[str]):
        super().__init__(option, rule, known)
        self.option, self.rule, self.known = option, rule, known


def by_name(options: Mapping[str, str]) -> dict[str, str]:
    """By the names of a rule's fields: beta_2 for beta-2."""
    return {name.lstrip("-").replace("-", "_"): value for name, value in options.items()}
