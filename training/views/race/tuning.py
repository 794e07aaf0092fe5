"""Learning rates tuned by one budget for every rule, and how runs are judged."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .heat import Heat, Runs
from .landscapes import Landscape

LOWEST, HIGHEST = 1e-5, 1e2
"""Learning rates of the grid: wide enough for a rule that moves by α a step and for one that moves by α·g."""
WITHIN = 1e-4
"""A run has arrived when its cost stays above the minimum by at most this share of what the start's cost is above it,
to the end of the run."""


class Outcome(NamedTuple):
    """A rule at its best learning rate on one landscape.

    rate:     the best of all that were tried, and `amount`, that of the piece that is tuned beside it, if one is.
    tried:    [tried] all learning rates, in ascending order, and for each `amounts`, the piece's, None where none is
              tuned; `arrived` [tried], the number of starts from which it arrived; and `finals` [tried], the mean of
              its last costs (not finite where a run diverged).
    runs:     of the best rate: x [steps + 1, starts, 2], cost [steps + 1, starts].
    steps:    [starts] steps until each run has arrived; NaN where it does not.
    distance: [starts] from the last point of each run to the nearest of the minima.
    """

    rate: float
    amount: float | None
    tried: np.ndarray
    amounts: Sequence[float | None]
    arrived: np.ndarray
    finals: np.ndarray
    x: np.ndarray
    cost: np.ndarray
    steps: np.ndarray
    distance: np.ndarray

    @property
    def chosen(self) -> str:
        """The best learning rate, and the amount that it was run at."""
        return f"{self.rate:.3g}" + ("" if self.amount is None else f" at {self.amount:g}")


def tuned(heat: Heat, landscape: Landscape, count: int, amounts: Sequence[float | None] = (None,)) -> Outcome:
    """The best of many learning rates, each run from every start: a logarithmic grid of `count` at each of the amounts
    of a piece, then as many between the neighbours of the best, at its amount.

    Better is what arrives from more starts; then, what arrives in fewer steps on average, where a run that does not
    arrive counts with all of its steps; then, what ends at a lower cost.
    """
    coarse = np.geomspace(LOWEST, HIGHEST, count)
    grids = [heat.run(coarse, amount) for amount in amounts]
    amount, best = divmod(int(np.argmin(ranks(_together(grids), landscape))), count)
    low, high = coarse[max(best - 1, 0)], coarse[min(best + 1, count - 1)]
    fine = np.geomspace(low, high, count + 2)[1:-1]
    runs = _together([*grids, heat.run(fine, amounts[amount])])
    rates = np.concatenate([*[coarse] * len(amounts), fine])
    tried = [one for one in (*amounts, amounts[amount]) for _ in range(count)]
    order = np.argsort(rates, kind="stable")
    ordered = Runs(*(part[:, order] for part in runs))
    return _outcome(rates[order], [tried[place] for place in order], ordered, landscape)


def _together(runs: Sequence[Runs]) -> Runs:
    return Runs(*(np.concatenate(parts, axis=1) for parts in zip(*runs, strict=True)))


def _outcome(rates: np.ndarray, amounts: Sequence[float | None], runs: Runs, landscape: Landscape) -> Outcome:
    steps, best = arrivals(runs.cost, landscape), int(np.argmin(ranks(runs, landscape)))
    ends = runs.x[-1, best]
    with np.errstate(all="ignore"):
        distances = np.linalg.norm(ends[:, np.newaxis] - np.array(landscape.minima), axis=-1).min(axis=1)
        finals = runs.cost[-1].mean(axis=1)
    arrived = np.sum(np.isfinite(steps), axis=1)
    chosen, best_runs = (float(rates[best]), amounts[best]), (runs.x[:, best], runs.cost[:, best])
    return Outcome(*chosen, rates, amounts, arrived, finals, *best_runs, steps[best], distances)


def threshold(landscape: Landscape) -> float:
    """The cost at which a run has arrived."""
    start = float(landscape.costs(np.array(landscape.start)))
    return landscape.least + WITHIN * (start - landscape.least)


def arrivals(cost: np.ndarray, landscape: Landscape) -> np.ndarray:
    """Steps until a run's cost is within the tolerance for good, for costs [steps + 1, …]; NaN where it never is."""
    outside = ~(cost <= threshold(landscape))
    last_outside = np.where(outside.any(axis=0), len(cost) - 1 - outside[::-1].argmax(axis=0), -1)
    return np.where(outside[-1], np.nan, last_outside + 1)


def ranks(runs: Runs, landscape: Landscape) -> np.ndarray:
    """[rates] the place of each learning rate, 0 being the best; see `tuned`."""
    steps = arrivals(runs.cost, landscape)
    late = np.where(np.isnan(steps), len(runs.cost) - 1, steps).mean(axis=1)
    with np.errstate(all="ignore"):
        final = np.nan_to_num(runs.cost[-1].mean(axis=1), nan=np.inf, posinf=np.inf)
    lost = ~np.isfinite(runs.cost[-1]).all(axis=1)
    order = np.lexsort((final, late, np.isnan(steps).sum(axis=1), lost))
    places = np.empty(len(order), int)
    places[order] = np.arange(len(order))
    return places
