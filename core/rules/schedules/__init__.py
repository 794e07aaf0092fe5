"""Schedules: numbers that follow the step, as data, so that they are saved, compared, explained and drawn.

Any number of a rule or of a piece may be one.
"""

from .kinds import (
    Constant,
    Cosine,
    CosineRestarts,
    Exponential,
    InverseTime,
    OneCycle,
    Piecewise,
    Points,
    Polynomial,
    Warmup,
)
from .schedule import Schedule
from .text import KINDS, parse

__all__ = [
    "KINDS", "Constant", "Cosine", "CosineRestarts", "Exponential", "InverseTime", "OneCycle", "Piecewise", "Points",
    "Polynomial", "Schedule", "Warmup", "parse",
]  # fmt: skip
