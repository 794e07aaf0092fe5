"""Schedules: numbers that follow the step, as data, so that they are saved, compared, explained and drawn.

Any number of a rule or of a piece may be one.
"""

from .decays import Exponential, InverseTime, Polynomial
from .points import Piecewise, Points
from .schedule import Schedule
from .text import KINDS, parse
from .warmup import Constant, Warmup
from .waves import Cosine, CosineRestarts, OneCycle

__all__ = [
    "KINDS", "Constant", "Cosine", "CosineRestarts", "Exponential", "InverseTime", "OneCycle", "Piecewise", "Points",
    "Polynomial", "Schedule", "Warmup", "parse",
]  # fmt: skip
