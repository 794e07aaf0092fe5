"""The race itself: every rule on every landscape, from the same starts, with the same noise and the same budget."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core import InputError, NonFiniteError
from core.engine.guard import OnNonfinite
from core.seeds import generator

from ...runs.rule_choice import option
from ...runs.settings import Settings
from .contestants import Contestant
from .heat import Heat
from .landscapes import FORMULAS, NAMES, SLICE, Landscape
from .loss_slice import loss_slice
from .tuning import HIGHEST, LOWEST, WITHIN, Outcome, threshold, tuned

NEAR = 0.02
"""Standard deviation of the further starts around the first, as a share of the picture's width and height."""


@dataclass(frozen=True)
class Terms:
    """What is the same for every rule.

    steps:  of each run.
    rates:  learning rates in the grid of a rule; the same number is tried around its best.
    starts: the landscape's own, and further ones drawn near it.
    noise:  standard deviation of what is added to each coordinate of the gradient in each step.
    seed:   decides starts and noise.
    around: what stands around every rule, by the names of options; see `contestants`.
    tuned:  the piece around every rule that is tuned beside the learning rate, if one is, and `amounts`, those that are
            tried, with a grid of learning rates each.
    """

    steps: int = 1000
    rates: int = 20
    starts: int = 1
    noise: float = 0.0
    seed: int = 0
    around: Mapping[str, Any] = field(default_factory=dict)
    tuned: str | None = None
    amounts: Sequence[float | None] = (None,)

    @property
    def runs(self) -> int:
        """Of each rule on each landscape, from each start."""
        return self.rates * (len(self.amounts) + 1)

    def drawn_starts(self, landscape: Landscape) -> np.ndarray:
        """[starts, 2], the landscape's own first."""
        width = np.array([high - low for low, high in landscape.bounds])
        drawn = generator(self.seed, "starts").standard_normal((self.starts - 1, 2))
        return np.concatenate([[landscape.start], landscape.start + NEAR * width * drawn])

    def drawn_noise(self) -> np.ndarray:
        """[steps, 2], one draw for every rule, learning rate, start and landscape."""
        return self.noise * generator(self.seed, "noise").standard_normal((self.steps, 2))


@dataclass(frozen=True)
class Race:
    """The results on one landscape: the outcome of each rule, by the name that the user typed."""

    landscape: Landscape
    outcomes: Mapping[str, Outcome]


def known(names: Sequence[str] | None) -> list[str]:
    """Landscapes by name, each once, or all. Raises InputError for one that is not there."""
    for name in names or ():
        if name not in NAMES:
            raise InputError(f"There is no landscape {name!r}; there are: {', '.join(NAMES)}.", name, NAMES)
    return [*dict.fromkeys(names or NAMES)]


def made(name: str, run: Settings) -> Landscape:
    """One of `landscapes.NAMES`; `slice`, for which a run's workload is trained."""
    if name == SLICE:
        return loss_slice(run)
    return next(landscape for landscape in FORMULAS if landscape.name == name)


def race(
    landscape: Landscape,
    contestants: Mapping[str, Contestant],
    terms: Terms,
    begin: Callable[[str], None],
    on_nonfinite: OnNonfinite = "stop",
) -> Race:
    """Every rule on one landscape. begin: called with the name of the rule that runs next.

    Raises InputError for a rule that the optimizer refuses, and NonFiniteError for one whose cost is not finite at any
    learning rate, unless `on_nonfinite` is "continue".
    """
    outcomes, starts, noise = {}, terms.drawn_starts(landscape), terms.drawn_noise()
    for name, contestant in contestants.items():
        begin(f"{name} on {landscape.name}")
        heat = Heat(landscape, contestant, starts, terms.rates, noise)
        outcomes[name] = outcome = tuned(heat, landscape, terms.rates, terms.amounts)
        if on_nonfinite == "stop" and not np.isfinite(outcome.cost[-1]).all():
            try:
                heat.watch(outcome.rate, outcome.amount)
            except NonFiniteError as error:
                where = (
                    f"{name} on {landscape.name} at {outcome.chosen}, the best of {len(outcome.tried)} learning rates"
                )
                raise NonFiniteError(error.step, f"{error.what}; this was {where}") from error
    return Race(landscape, outcomes)


def races(
    names: Sequence[str],
    run: Settings,
    contestants: Mapping[str, Contestant],
    terms: Terms,
    begin: Callable[[str], None],
    on_nonfinite: OnNonfinite = "stop",
) -> list[Race]:
    """The race on each of these landscapes. run: what `slice` is made of. begin: called with the name of each piece of
    work, as often as `pieces` says.

    Raises what `race` and `made` raise.
    """
    found = []
    for name in names:
        begin(f"preparing {name}")
        found.append(race(made(name, run), contestants, terms, begin, on_nonfinite))
    return found


def pieces(names: Sequence[str], contestants: Mapping[str, Contestant]) -> int:
    """How often `races` calls `begin`."""
    return len(names) * (len(contestants) + 1)


def budget(terms: Terms) -> str:
    """The budget of each rule, in a sentence."""
    starts = "from one start" if terms.starts == 1 else f"as many from each of {terms.starts} starts"
    return (
        f"On each landscape each rule got the same {terms.runs * terms.starts} runs of {terms.steps:,} steps, "
        f"{starts}: at {terms.rates} learning rates from {LOWEST:g} to {HIGHEST:g} on a logarithmic grid"
        f"{_amounts(terms)}, then at {terms.rates} around its best{_around(terms)}. A run has arrived when its cost "
        f"stays above the minimum by at most {WITHIN:g} of what the start's cost is above it."
    )


def _amounts(terms: Terms) -> str:
    tried = ", ".join(f"{amount:g}" for amount in terms.amounts if amount is not None)
    return f" at each {option(terms.tuned)} of {tried}" if terms.tuned else ""


def _around(terms: Terms) -> str:
    given = ", ".join(f"{option(name)} {value}" for name, value in terms.around.items())
    return f"; every rule with {given}" if given else ""


def results(races: Sequence[Race], terms: Terms) -> dict[str, Any]:
    """All figures for JSON; the trajectories are in `trajectories`."""
    return {
        "terms": {**vars(terms), "lowest_rate": LOWEST, "highest_rate": HIGHEST, "within": WITHIN},
        "rules": list(races[0].outcomes),
        "budget": budget(terms),
        "landscapes": {one.landscape.name: _figures(one, terms) for one in races},
    }


def trajectories(races: Sequence[Race]) -> dict[str, np.ndarray]:
    """landscape/rule/x [steps + 1, starts, 2] and landscape/rule/cost [steps + 1, starts], at the tuned rates."""
    return {
        f"{one.landscape.name}/{rule}/{kind}": getattr(outcome, kind)
        for one in races
        for rule, outcome in one.outcomes.items()
        for kind in ("x", "cost")
    }


def _figures(one: Race, terms: Terms) -> dict[str, Any]:
    land = one.landscape
    return {
        "title": land.title,
        "formula": land.formula,
        "source": land.source,
        "starts": terms.drawn_starts(land).tolist(),
        "minima": [list(point) for point in land.minima],
        "least": land.least,
        "arrived_at": threshold(land),
        "rules": {name: _outcome(outcome, terms) for name, outcome in one.outcomes.items()},
    }


def _outcome(outcome: Outcome, terms: Terms) -> dict[str, Any]:
    arrived = outcome.steps[np.isfinite(outcome.steps)]
    return {
        "rate": outcome.rate,
        **_amount(terms, outcome.amount),
        "arrived": len(arrived),
        "steps": [None if np.isnan(steps) else int(steps) for steps in outcome.steps],
        "mean_steps": float(arrived.mean()) if len(arrived) == terms.starts else None,
        "final": float(outcome.cost[-1].mean()),
        "distance": float(outcome.distance.mean()),
        "runs": len(outcome.tried) * terms.starts,
        "tried": [
            {"rate": float(rate), **_amount(terms, amount), "arrived": int(count), "final": float(final)}
            for rate, amount, count, final in zip(
                outcome.tried, outcome.amounts, outcome.arrived, outcome.finals, strict=True
            )
        ],
    }


def _amount(terms: Terms, amount: float | None) -> dict[str, float]:
    return {} if terms.tuned is None or amount is None else {"amount": amount}
