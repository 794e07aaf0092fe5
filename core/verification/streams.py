"""Gradient streams that show a wrong formula, and keep showing it on whatever machine they are replayed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import ml_dtypes
import numpy as np

from ..errors import InputError
from ..seeds import generator

STEPS = 10_000
"""Enough for β1^t and β2^t to leave the normal range of float32 or to vanish beside 1."""


STARTS = (1.0, 0.0, -0.01, 0.0, 100.0)
"""Where parameters begin, in turn: at 0, where an update shows to its last bit, and elsewhere, where a decay does."""

NARROW = ("bfloat16", "float16")
"""Dtypes of variables whose slots, updates and masters are float32."""

RANGE = {"bfloat16": 16, "float16": 4, "float32": 16, "float64": 140, np.dtype(np.longdouble).name: 140}
"""Gradients go from 10^−n to 10^n: so far that sums of their squares are no infinity and no denormal number."""

DTYPES = (np.float32, np.float64, np.longdouble)


@dataclass(frozen=True)
class Streams:
    """Gradients of several kinds, side by side: every coordinate is a parameter of its own.

    gradients: [steps, coordinates], float32, float64 or long double.
    kinds:     the kind of each coordinate, by name.
    seed:      what they were drawn from.
    narrow:    the dtype of the variables that they are of, where that is one of `NARROW`: the gradients are then
               float32, each a number of that dtype.
    """

    gradients: np.ndarray
    kinds: tuple[str, ...]
    seed: int
    narrow: str | None = None

    def __post_init__(self) -> None:
        gradients = self.gradients
        if gradients.ndim != 2 or 0 in gradients.shape or gradients.dtype not in DTYPES:
            found = f"{gradients.dtype} {gradients.shape}"
            raise InputError(f"Gradients must be float32, float64 or long double [steps, coordinates], found {found}.")
        if len(self.kinds) != gradients.shape[1]:
            raise InputError(f"There must be a kind for each of {gradients.shape[1]} coordinates, found {self.kinds}.")
        if not np.all(np.isfinite(gradients)):
            raise InputError("Gradients must be finite numbers.")

    @property
    def dtype(self) -> str:
        """The name of the variables' dtype."""
        return self.narrow or self.gradients.dtype.name

    @property
    def start(self) -> np.ndarray:
        """[coordinates] where the parameters begin."""
        return np.resize(rounded(np.array(STARTS), self.dtype), self.gradients.shape[1])

    def first(self, steps: int) -> Self:
        """The first `steps` steps."""
        return replace(self, gradients=self.gradients[:steps])

    def beside(self, other: Self) -> Self:
        """These and others of as many steps. Raises InputError for another number of steps or another dtype."""
        both = (self.gradients, other.gradients)
        if len(both[0]) != len(both[1]) or self.dtype != other.dtype:
            found = " and ".join(f"{one.dtype} {one.shape}" for one in both)
            raise InputError(f"Gradients beside each other must have one dtype and as many steps, found {found}.")
        return replace(self, gradients=np.concatenate(both, axis=1), kinds=self.kinds + other.kinds)

    def cast(self, dtype: Any) -> Self:
        """The same gradients in another dtype, of `NARROW` too. Raises InputError where it cannot hold one of them."""
        with np.errstate(over="ignore"):
            return replace(self, gradients=rounded(self.gradients, dtype), narrow=dtype if dtype in NARROW else None)

    def held_by(self, dtype: Any) -> Self:
        """The same in another dtype, without the coordinates of which it cannot hold a gradient."""
        most = np.finfo(dtype).max
        held = np.all(np.abs(self.gradients) <= most, axis=0)
        kinds = tuple(kind for kind, fits in zip(self.kinds, held, strict=True) if fits)
        return replace(self, gradients=self.gradients[:, held].astype(dtype), kinds=kinds, narrow=None)

    def place(self, coordinate: int) -> str:
        """The name of a coordinate: its kind, and its number among those of that kind."""
        return place(self.kinds, coordinate)


def place(kinds: Sequence[str], coordinate: int) -> str:
    """The name of a coordinate: its kind, and its number among those of that kind."""
    return f"{kinds[coordinate]}[{kinds[:coordinate].count(kinds[coordinate])}]"


def synthetic(dtype: Any, steps: int = STEPS, seed: int = 0) -> Streams:
    """Drawn gradients, most of them 1e-8 to 1e4 in size, in the given dtype.

    Small ones show where ε stands, constant and flipping ones the moments and their corrections, zeros a division,
    bursts what is forgotten and what is not, wide ones (1e-16 to 1e16 in float32) a clip; denormal ones are below the
    dtype's smallest normal number. In float16 what is too large is the largest number instead, and what is too small 0.
    """
    dtype = np.dtype(dtype)
    limits, random = ml_dtypes.finfo(dtype), generator(seed, "streams")
    sizes = np.logspace(-8, 4, 8)
    alternating = np.where(np.arange(steps) % 2, -1.0, 1.0)[:, np.newaxis]
    signs = random.choice([-1.0, 1.0], (steps, 8))
    bursts = np.where(np.arange(steps)[:, np.newaxis] % 50 < 5, 10 ** random.uniform(-8, 4, (steps, 4)), 0.0)
    kinds = {
        "steady": sizes * random.standard_normal((steps, 8)),
        "mixed": 10 ** random.uniform(-8, 4, (steps, 8)) * signs,
        "gaps": np.where(random.random((steps, 4)) < 0.3, 0.0, 10 ** random.uniform(-8, 4, (steps, 4))),
        "constant": np.tile(sizes, (steps, 1)),
        "flipping": sizes * alternating,
        "bursts": bursts,
        "wide": 10 ** random.uniform(-RANGE[dtype.name], RANGE[dtype.name], (steps, 6)) * signs[:, :6],
        "zero": np.zeros((steps, 1)),
        "denormal": np.float64(limits.smallest_normal) * random.uniform(0.001, 0.999, (steps, 3)) * signs[:, :3],
    }
    most = np.inf if dtype.name not in NARROW else float(limits.max)
    held = {name: rounded(np.clip(values, -most, most), dtype) for name, values in kinds.items()}
    return replace(joined(held, seed), narrow=dtype.name if dtype.name in NARROW else None)


def rounded(values: np.ndarray, dtype: Any) -> np.ndarray:
    """Numbers of a dtype; as float32, where it is one of `NARROW`."""
    held = values.astype(dtype)
    return held.astype(np.float32) if held.dtype.name in NARROW else held


def joined(kinds: Mapping[str, np.ndarray], seed: int) -> Streams:
    """Streams of gradients [steps, coordinates] of as many steps, by kind. Raises InputError; see `Streams`."""
    names = tuple(name for name, values in kinds.items() for _ in range(values.shape[1]))
    return Streams(np.concatenate(list(kinds.values()), axis=1), names, seed)
