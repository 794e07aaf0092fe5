"""Update rules as pure functions, readable as the paper's equations; their dialects as data."""

from collections.abc import Mapping

from .adadelta import Adadelta, AdadeltaSlots
from .adagrad import Adagrad, AdagradSlots
from .adam import Adam, AdamSlots
from .rule import (
    Decay,
    Dialect,
    NonNegative,
    Positive,
    Precision,
    Rate,
    Rule,
    Step,
    average,
    one_minus,
    one_minus_power,
)
from .sgd import SGD, SGDSlots

RULES: Mapping[str, type[Rule]] = {"adam": Adam, "adagrad": Adagrad, "adadelta": Adadelta, "sgd": SGD}
"""The rules that come with rawstep, by the name that the command line uses."""

__all__ = [
    "RULES", "SGD", "Adadelta", "AdadeltaSlots", "Adagrad", "AdagradSlots", "Adam", "AdamSlots", "Decay", "Dialect",
    "NonNegative", "Positive", "Precision", "Rate", "Rule", "SGDSlots", "Step", "average", "one_minus",
    "one_minus_power",
]  # fmt: skip
