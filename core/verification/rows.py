"""The lines of a certificate, each with its verdict and with what it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass

from .causes import Cause
from .judge import Comparison, Difference, Drift
from .streams import place


@dataclass(frozen=True)
class Coverage:
    """What a row rests on.

    shapes:     of the tensors that were updated at once, in an order that changes.
    steps:      how many were compared, each from the state before it; asked: about how many of them a library itself
                was asked, which is not all of them where each costs a call; None where the reference is no library.
    gradients:  the smallest and the largest |g| beside 0. zeros: whether there were any.
    parameters: the smallest and the largest.
    settings:   the sets of settings, each as what differs from the reference's own; a schedule in words.
    drawn:      whether slots also started from drawn values.
    estimated:  whether what rounding may come to is an estimate, as it is for a library that has no formula here.
    kinds:      of gradients, that of each coordinate.
    unread:     the stages that were compared with nothing, as the reference has none of that name.
    """

    shapes: tuple[tuple[int, ...], ...]
    steps: int
    asked: int | None
    gradients: tuple[float, float]
    zeros: bool
    parameters: tuple[float, float]
    settings: tuple[Mapping[str, float | str], ...]
    drawn: bool
    estimated: bool
    kinds: tuple[str, ...]
    unread: tuple[str, ...] = ()

    def place(self, coordinate: int) -> str:
        """The name of a coordinate: its kind, and its number among those of that kind."""
        return place(self.kinds, coordinate)


@dataclass(frozen=True)
class Row:
    """One line of the certificate.

    rule, dialect: what is judged, by name, and whose formula it is held to; no dialect where there is no formula.
    missing:    the package that the reference needs and that is not installed; then there is nothing else.
    lacks:      the reference is a library that has no such rule; then there is nothing else.
    coverage:   what it rests on.
    comparison: every value of every step, over all cases.
    first:      the first value beyond its bound, slots before the first step included.
    why:        its cause, if that is known.
    rounding:   the roundings in which alone the subject is not the reference.
    drift:      from the statement's free run.
    planted, missed: how many errors these cases, gradients and bounds were tried on; the names of those not seen.
    alike:      roundings, planted too, that a user's own implementation could have unseen.
    """

    rule: str
    dialect: str
    reference: str
    dtype: str
    execution: str
    missing: str | None = None
    lacks: bool = False
    coverage: Coverage | None = None
    comparison: Comparison | None = None
    first: Difference | None = None
    why: Cause | None = None
    rounding: tuple[str, ...] = ()
    drift: Drift | None = None
    planted: int = 0
    missed: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        return self.coverage.steps if self.coverage else 0

    @property
    def verdict(self) -> str:
        """certified, rounding (only), lacks, or the first that is wrong of: missing, differs, drifts, blind.

        Blind: a planted error would not be seen.
        """
        if self.lacks:
            return "lacks"
        if self.missing:
            return "missing"
        if self.first is not None:
            return "differs"
        if self.drift is not None and self.drift.first is not None:
            return "drifts"
        if self.missed:
            return "blind"
        return "rounding" if self.rounding else "certified"
