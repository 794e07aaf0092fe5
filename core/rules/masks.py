"""Which variables a piece acts on, as data: saved, compared and shown by their repr."""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Rank:
    """Variables of at least, and at most, so many axes."""

    least: int = 0
    most: int | None = None

    def __call__(self, name: str, rank: int) -> bool:
        return self.least <= rank and (self.most is None or rank <= self.most)


@dataclass(frozen=True)
class Named:
    """Variables whose names match one of these patterns, as of file names: "h*"."""

    patterns: tuple[str, ...]

    def __call__(self, name: str, rank: int) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.patterns)


@dataclass(frozen=True)
class Except:
    """All variables but those of a mask."""

    mask: Rank | Named

    def __call__(self, name: str, rank: int) -> bool:
        return not self.mask(name, rank)


matrices = Rank(least=2)
"""Kernels of all kinds: matrices, and the kernels of convolutions."""
vectors = Rank(most=1)
"""Biases, scales and single numbers."""


def only(*patterns: str) -> Named:
    """Variables by name."""
    return Named(patterns)
