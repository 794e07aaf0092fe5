"""How much is made for a replication: seeds, epochs, grids."""

from dataclasses import dataclass
from typing import Any, Literal

from ..runs.settings import Settings
from .printed import EPOCHS, EXPERIMENTS, Printed

HALF_DECADES = tuple(float(f"{digit}e{power}") for power in range(-4, 4) for digit in (1, 3))
"""1e-4, 3e-4, 1e-3, …, 3000: learning rates, evenly spread by their logarithms except for rounding."""


@dataclass(frozen=True)
class Scale:
    """Numbers that the experiments and questions share.

    seeds:      of the experiments, question 3, and what the notebook itself ran for questions 2 and 4; the first one
                alone for the grids of questions 1, 2 and 4.
    looks:      seeds in all of an experiment of which a printed figure lies outside the band.
    epochs:     of each run, except question 1's.
    long:       epochs of question 1.
    rates:      learning rates of question 2. Where the last is the best, greater ones follow.
    batches:    batch sizes of question 4.
    steps:      about which question 4 compares at equal steps.
    rounds:     of its timing.
    on_nonfinite: of each run; see `Settings`.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    looks: int = 15
    epochs: int = EPOCHS
    long: int = 100
    rates: tuple[float, ...] = HALF_DECADES[:7]
    batches: tuple[int, ...] = (25, 50, 100, 200, 400, 800, 1600)
    steps: int = 6_600
    rounds: int = 10
    on_nonfinite: Literal["stop", "continue"] = "stop"

    @property
    def more_seeds(self) -> tuple[int, ...]:
        """Those that follow the seeds, up to `looks` in all."""
        return tuple(range(self.seeds[0] + len(self.seeds), self.seeds[0] + self.looks))

    def settings(self, printed: Printed, seed: int, **others: Any) -> Settings:
        """Of the run that an experiment of the notebook is, or one that differs from it in `others`."""
        values: dict[str, Any] = dict(
            rule=printed.rule,
            dialect="tf1",
            learning_rate=printed.learning_rate,
            batch_size=printed.batch_size,
            epochs=self.epochs,
            seed=seed,
            on_nonfinite=self.on_nonfinite,
        )
        return Settings(**values | others)


FIRST = EXPERIMENTS[0]
"""The notebook's first experiment, from which the others and the questions depart."""


def full(seeds: int | None, epochs: int | None, seed: int) -> Scale:
    """What `make replicate` makes, unless asked otherwise."""
    return Scale(seeds=tuple(range(seed, seed + (seeds or 5))), epochs=epochs or EPOCHS)


def quick(seeds: int | None, epochs: int | None, seed: int) -> Scale:
    """Every part in small, to see that all works: its bands and answers prove nothing."""
    return Scale(
        seeds=tuple(range(seed, seed + (seeds or 2))),
        epochs=epochs or 2,
        long=4,
        rates=HALF_DECADES[2:7:2],
        batches=(50, 100, 200),
        steps=1_100,
        rounds=3,
    )
