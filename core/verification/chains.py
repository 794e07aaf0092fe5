"""A chain as the formulas of its parts say it: what should come out of a step, and implementations with errors in them.

The rule's formula is that of its card, those of the pieces stand in `pieces`. One walk along the parts serves both: on
numbers that carry their rounding errors it is the statement, on arrays of the judged dtype an implementation.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np

from ..rules import Chain, Piece
from .formulas import Formula
from .graph import OfFormula
from .implementations import Implementation, Known, run_along
from .layout import Layout
from .mutants import Mutant, planted
from .pieces import beside, formula_of, l2, shrunk, subtracted
from .rounded import Precision, Rounded
from .statements import Numbers, flushed, widened
from .streams import Streams
from .trajectory import Trajectory, Values


@dataclass(frozen=True)
class Link:
    """A part of a chain with its formula.

    where: whether it acts on a variable of a name and a rank; on all where None.
    first: whether it stands before the rule. is_rule: whether it is the rule.
    wrong: the formula with an error in it, in its place.
    """

    name: str
    formula: Formula
    is_rule: bool = False
    first: bool = True
    where: Callable[[str, int], bool] | None = None
    wrong: OfFormula | None = None

    @property
    def slots(self) -> dict[str, str]:
        """The chain's names of its slots, by its own."""
        return {slot: f"{self.name}.{slot}" for slot in self.formula.slots}


def links_of(chain: Chain, rule: Known) -> tuple[Link, ...]:
    """The parts of a chain; rule: what its rule should compute."""
    found, first = [], True
    for name, part in chain.parts:
        if isinstance(part, Piece):
            found.append(Link(name, formula_of(part, first), first=first, where=part.where))
        else:
            first = False
            found.append(Link(name, rule.formula, is_rule=True))
    return tuple(found)


def _rate(links: Sequence[Link]) -> Any:
    return next(link.formula.settings["learning_rate"] for link in links if link.is_rule)


Computed = Callable[[Link, Any, Any, dict[str, Any]], Mapping[str, Any]]
"""The values of a part for what goes in, the parameter, and what else it may read by name."""


def _walk(
    links: Sequence[Link],
    g: Any,
    x: Any,
    layout: Layout,
    computed: Computed,
    norm: Callable[[Any], Any],
    own_norm: Callable[[Any], Any],
) -> dict[str, Any]:
    """All values of a step by the chain's names, "delta" and "x" last.

    moving: the gradient, and from the rule on the update. after: where the parameter goes from x, from the rule on.
    norm, own_norm: of all elements of the last axis, those of all variables, and of one.
    """
    start, moving, after, found = x, g, None, {}
    for link in links:
        reads = dict(
            norm=lambda moving=moving: norm(moving),
            own_norm=lambda moving=moving: _own_norms(moving, layout, own_norm),
            after=lambda x=x, after=after: x if after is None else after,
        )
        values = dict(computed(link, moving, x, {n: read() for n, read in reads.items() if n in link.formula.takes}))
        if link.is_rule:
            moving = values.pop("delta")
            after = values.pop("x", x - moving)
            found |= _named(link, values)
            continue
        acts = _places(link, layout)
        moved = values.pop("update" if "update" in values else "gradient", None)
        parameter = values.pop("parameter", None)
        if moved is not None:
            moving = moved if acts is None else np.where(acts, moved, moving)
            after = None if after is None else x - moving
        if parameter is not None and after is None:
            x = parameter if acts is None else np.where(acts, parameter, x)
        elif parameter is not None:
            after = parameter if acts is None else np.where(acts, parameter, after)
            moving = x - after
        found |= _named(link, values)
    return {**found, "delta": moving if x is start else start - after, "x": after}


def _named(link: Link, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{link.name}.{name}": value for name, value in values.items()}


def _places(link: Link, layout: Layout) -> Any:
    """[coordinates] where a part acts; None for all."""
    if link.where is None:
        return None
    return layout.joined({name: np.full(shape, link.where(name, len(shape))) for name, shape in layout.shapes.items()})


def _own_norms(values: Any, layout: Layout, norm: Callable[[Any], Any]) -> Any:
    """At each coordinate, the norm of its variable."""
    norms = {name: norm(values[..., places.ravel()]) for name, places in layout.places.items()}

    def joined(part: Callable[[Any], np.ndarray]) -> np.ndarray:
        flat = np.empty(values.shape, part(next(iter(norms.values()))).dtype)
        for name, places in layout.places.items():
            flat[..., places.ravel()] = part(norms[name])
        return flat

    if isinstance(values, Rounded):
        return Rounded(joined(lambda norm: norm.value), joined(lambda norm: norm.error), values.precision)
    return joined(lambda norm: norm)


class StatedChain:
    """What should come out of a chain's step.

    narrow_norm: the norm of all gradients is added up in the judged dtype, as that of a variable is, not in float64.
    """

    estimated: ClassVar[bool] = False

    def __init__(self, links: Sequence[Link], layout: Layout | None = None, narrow_norm: bool = False):
        self.links, self.layout, self.narrow_norm = tuple(links), layout, narrow_norm
        self.slots = tuple(slot for link in links for slot in link.slots.values())

    def laid_out(self, layout: Layout) -> Self:
        """The same on tensors, of which it takes norms and ranks."""
        return type(self)(self.links, layout, self.narrow_norm)

    def first(self, like: np.ndarray) -> dict[str, np.ndarray]:
        return {link.slots[slot]: value for link in self.links for slot, value in link.formula.first(like).items()}

    def values(
        self, t: Any, g: Any, slots: Numbers, precision: Precision, found: Numbers | None = None, x: Any = None
    ) -> dict[str, Rounded]:
        rate = _at(_rate(self.links), t, precision)

        def computed(link: Link, moving: Any, x: Any, reads: dict[str, Any]) -> Mapping[str, Any]:
            own = {slot: slots[name] for slot, name in link.slots.items()}
            shown = {
                name.removeprefix(f"{link.name}."): value
                for name, value in (found or {}).items()
                if name.startswith(f"{link.name}.")
            }
            return link.formula.values(t, moving, own, precision, shown or None, x, {**reads, "rate": rate})

        g, x = flushed(g, precision), widened(x, precision)
        layout = self.layout or Layout.flat(g.shape[-1])
        norm, own_norm = (partial(_norm_of_rounded, narrow=narrow) for narrow in (self.narrow_norm, True))
        found_values = _walk(self.links, g, x, layout, computed, norm, own_norm)
        return {
            name: value if isinstance(value, Rounded) else precision.exact(value)
            for name, value in found_values.items()
        }

    def terms(
        self, t: Any, g: np.ndarray, slots: Values, precision: Precision, values: Mapping[str, Rounded], x: Any = None
    ) -> dict[str, np.ndarray]:
        """Its units of error are its bounds: it does not know the terms of its parts' sums."""
        return {name: value.error / precision.unit for name, value in values.items()}


def _at(rate: Any, t: Any, precision: Precision) -> Any:
    if callable(rate):
        return precision.exact(np.asarray(rate(precision.wide(t) - 1)).astype(precision.dtype))
    return precision.wide(rate)


def _norm_of_rounded(values: Rounded, narrow: bool) -> Rounded:
    """√Σg² with what it may be off: half a unit, and, where it is added up in the judged dtype, half of one for each
    square and each addition, of which the root takes half (Higham 2002, section 4.2)."""
    norm = np.sqrt(np.sum(values.value**2, axis=-1, keepdims=True))
    count, precision = values.shape[-1], values.precision
    roundings = 1 + (count + 1) / 2 if narrow or precision.dtype is not np.float32 else 1
    passed_on = np.sqrt(np.sum(values.error**2, axis=-1, keepdims=True))
    return Rounded(norm, passed_on + precision.unit / 2 * roundings * norm + precision.tiny, precision)


def _norm(values: np.ndarray) -> np.ndarray:
    wide = values.astype(np.result_type(values.dtype, np.float64))
    return np.sqrt(np.sum(wide**2, axis=-1, keepdims=True)).astype(values.dtype)


class OfChain(Implementation):
    """A chain by its parts' formulas in the dtype of what it is given, with an error in it if there is one.

    early: how many steps ahead the rate is read by the pieces.
    """

    def __init__(self, name: str, links: Sequence[Link], early: int = 0, slots: Sequence[Link] | None = None):
        self.name, self.links, self._early = name, tuple(links), early
        self._kept = tuple(slots or links)

    def first(self, like: np.ndarray) -> Values:
        found = {}
        for link in self._kept:
            of = link.wrong or OfFormula(link.name, link.formula)
            found |= {link.slots[slot]: value for slot, value in of.first(like).items()}
        return found

    def run(self, streams: Streams, start: Values | None = None) -> Trajectory:
        layout = Layout.of(streams.kinds)

        def step(t: int, g: np.ndarray, slots: Values, x: np.ndarray) -> Values:
            rows = {name: slot[np.newaxis] for name, slot in slots.items()}
            found = self.follow(Trajectory(np.array([t]), g[np.newaxis], x[np.newaxis], rows, {}, None, layout))
            return {name: np.asarray(np.broadcast_to(v, (1, *g.shape))[0], g.dtype) for name, v in found.items()}

        return run_along(self.name, step, streams, start or self.first(streams.start), streams.start, layout=layout)

    def follow(self, trajectory: Trajectory) -> Values:
        dtype = trajectory.g.dtype
        layout = trajectory.layout or Layout.flat(trajectory.g.shape[1])
        rate = _rate(self.links)
        if callable(rate):
            rate = np.asarray(rate(trajectory.t[:, np.newaxis] - 1.0 + self._early)).astype(dtype)

        def computed(link: Link, moving: Any, x: Any, reads: dict[str, Any]) -> Mapping[str, Any]:
            own = {slot: trajectory.before[name] for slot, name in link.slots.items()}
            part = replace(trajectory, g=moving, x=x, before=own, after={})
            of = link.wrong or OfFormula(link.name, link.formula)
            return of.follow(part, {**reads, "rate": rate})

        with np.errstate(all="ignore"):
            found = _walk(self.links, trajectory.g, trajectory.x, layout, computed, _norm, _norm)
        kept = {slot: trajectory.before[slot] for link in self._kept for slot in link.slots.values()}
        return {**kept, **{name: np.asarray(value, dtype) for name, value in found.items()}}


def errors_in(links: Sequence[Link], dtype: Any) -> list[Mutant]:
    """Planted errors of a chain: of order, mask, counter and norm, a part left out, and those of each piece's formula.

    Those of the rule's formula are the business of its own certificate.
    """
    found: dict[str, Mutant] = {}
    for name, wrong in _structural(links):
        found[name] = Mutant(name, wrong)
    for place, link in enumerate(links):
        for mutant in [] if link.is_rule else planted(link.formula, link.formula, {}, dtype):
            if "an ε where" in mutant.name and dtype == np.float32:
                continue  # beside a limit 1e-7 is a rounding
            changed = replace(link, wrong=mutant.wrong)
            name = f"{link.name}: {mutant.name}"
            found[name] = Mutant(name, OfChain(name, _exchanged(links, place, changed)), mutant.rounding)
    return [*found.values()]


def _exchanged(links: Sequence[Link], place: int, link: Link) -> list[Link]:
    return [*links[:place], link, *links[place + 1 :]]


def _structural(links: Sequence[Link]) -> Iterator[tuple[str, OfChain]]:
    rule = next(place for place, link in enumerate(links) if link.is_rule)
    for place, link in enumerate(links):
        rest = [*links[:place], *links[place + 1 :]]
        if not link.is_rule:
            yield f"{link.name} left out", OfChain("", rest, slots=links)
        if place + 1 < len(links) and place + 1 != rule and place != rule:
            following = links[place + 1]
            swapped = [*links[:place], following, link, *links[place + 2 :]]
            yield f"{following.name} before {link.name}", OfChain("", swapped, slots=links)
        if link.where is not None:
            everywhere, elsewhere = replace(link, where=None), replace(link, where=_not(link.where))
            yield f"{link.name} on all variables", OfChain("", _exchanged(links, place, everywhere))
            yield f"{link.name} on the other variables", OfChain("", _exchanged(links, place, elsewhere))
        for late, counted in (-1, "0"), (1, "2"):
            if link.is_rule and link.formula.counts:
                changed = replace(link, wrong=OfFormula(link.name, link.formula, late=late))
                yield f"{link.name}: t counted from {counted}", OfChain("", _exchanged(links, place, changed))
        decays = link.formula.compute in (l2, subtracted, shrunk, beside)
        if decays and links[rule].slots:  # else the step is linear in the gradient, and both decays are one
            kind = l2 if link.formula.compute is not l2 else subtracted
            changed = replace(link, formula=replace(link.formula, compute=kind), first=True)
            at = rule - 1 if link.first else rule
            said = "beside the step" if kind is subtracted else "in the gradient"
            yield f"{link.name} {said}", OfChain("", [*rest[:at], changed, *rest[at:]], slots=links)
        elif not link.is_rule and not decays:
            moved = [*rest[:rule], replace(link, first=not link.first), *rest[rule:]]
            yield f"{link.name} on the other side of the rule", OfChain("", moved, slots=links)
    if callable(_rate(links)) and any("rate" in link.formula.takes for link in links):
        yield "the pieces' rate read at t, not at t − 1", OfChain("", links, early=1)


def _not(where: Callable[[str, int], bool]) -> Callable[[str, int], bool]:
    return lambda name, rank: not where(name, rank)
