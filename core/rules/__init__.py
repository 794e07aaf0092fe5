"""Update rules as pure functions, readable as the paper's equations; their dialects as data."""

from collections.abc import Mapping

from . import builtin, schedules
from .around import around
from .averages import average, one_minus, one_minus_power
from .averaging import Average
from .builtin import *
from .chain import Chain, chain
from .clipping import ClipByGlobalNorm, ClipByNorm, ClipByValue
from .decays import L2, DecoupledDecay
from .groups import Groups, groups, parts_of
from .masks import Except, Named, Rank, matrices, only, vectors
from .piece import Begun, Piece
from .rule import At, Dialect, Rule, Step
from .settings import Decay, Letter, NonNegative, Positive, Precision, Rate
from .slots import SQUARED, named, refilled

RULES: Mapping[str, type[Rule]] = {name.lower(): kind for name, kind in vars(builtin).items() if isinstance(kind, type)}
"""The rules that come with rawstep, by the name that the command line uses."""
