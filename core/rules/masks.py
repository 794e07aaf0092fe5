"""Which variables a piece or a rule acts on, as data: saved, compared and shown by their text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..errors import InputError


@dataclass(frozen=True)
class Rank:
    """Variables of at least, and at most, these numbers of axes."""

    least: int = 0
    most: int | None = None

    def __call__(self, name: str, rank: int) -> bool:
        return self.least <= rank and (self.most is None or rank <= self.most)

    def __str__(self) -> str:
        return next((name for name, mask in MASKS.items() if mask == self), repr(self))


@dataclass(frozen=True)
class Named:
    """Variables whose names match one of these patterns, as of file names: "h*"."""

    patterns: tuple[str, ...]

    def __call__(self, name: str, rank: int) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.patterns)

    def __str__(self) -> str:
        return " ".join(self.patterns)


@dataclass(frozen=True)
class Except:
    """All variables except those of a mask."""

    mask: Rank | Named

    def __call__(self, name: str, rank: int) -> bool:
        return not self.mask(name, rank)

    def __str__(self) -> str:
        return f"all except {self.mask}"


matrices = Rank(least=2)
"""Kernels of all kinds: matrices, and the kernels of convolutions."""
vectors = Rank(most=1)
"""Biases, scales and single numbers."""


def only(*patterns: str) -> Named:
    """Variables by name."""
    return Named(patterns)


MASKS: Mapping[str, Rank] = {"matrices": matrices, "vectors": vectors, "biases": vectors}
"""By the names that the command line uses."""


def mask(words: Sequence[str]) -> Rank | Named:
    """The mask that a person types: one of `MASKS`, or patterns of names such as "h*".

    Raises InputError for no word, an empty one, and one of `MASKS` among others.
    """
    if len(words) == 1 and words[0] in MASKS:
        return MASKS[words[0]]
    if not words or not all(words) or MASKS.keys() & {*words}:
        found = " ".join(words)
        raise InputError(f"Variables must be {', '.join(MASKS)}, or patterns of their names, found {found!r}.")
    return only(*words)
