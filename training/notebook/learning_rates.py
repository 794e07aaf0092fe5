"""Question 2: what happens with another learning rate?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .bands import Band
from .experiments import Experiment
from .printed import EXPERIMENTS, RULES
from .scale import FIRST, HALF_DECADES, Scale
from .works import Curves, Training, Work

NEAR = 0.01
"""Of validation accuracy: learning rates that lose no more than this are as good as the best."""
CLAIMED = ("adam-lr-0.0005", "adam", "adam-lr-0.005")
"""The experiments that the notebook answers the question by."""


@dataclass(frozen=True)
class LearningRates:
    """Each optimizer over a grid of learning rates, which grows until the best is not its last."""

    scale: Scale
    name: str = "question-2"

    def training(self, rule: str, rate: float, seed: int | None = None) -> Training:
        """Of the first seed, where none is given."""
        seed = self.scale.seeds[0] if seed is None else seed
        return Training(self.scale.settings(FIRST, seed, rule=rule, learning_rate=rate))

    def grid(self, rule: str, finished: Mapping[str, Any]) -> list[float]:
        """The learning rates to try, as far as the finished ones show."""
        rates = list(self.scale.rates)
        while all(self.training(rule, rate).name in finished for rate in rates):
            following = [rate for rate in HALF_DECADES if rate > rates[-1]]
            if self.best(rule, rates, finished) != rates[-1] or not following:
                break
            rates.append(following[0])
        return rates

    def best(self, rule: str, rates: list[float], finished: Mapping[str, Any]) -> float:
        """The learning rate of the best validation accuracy after the last epoch; the smaller one of equals."""
        return max(rates, key=lambda rate: self._last(rule, rate, finished)["validation_accuracy"])

    def works(self, finished: Mapping[str, Any]) -> list[Work]:
        return [self.training(rule, rate) for rule in RULES for rate in self.grid(rule, finished)] + self._claims()

    def figures(self, finished: Mapping[str, Any]) -> dict[str, Any]:
        rules = {}
        for rule in RULES:
            rates = self.grid(rule, finished)
            rows = [self._last(rule, rate, finished) for rate in rates]
            best = self.best(rule, rates, finished)
            most = max(row["validation_accuracy"] for row in rows)
            near = [row["learning_rate"] for row in rows if row["validation_accuracy"] >= most - NEAR]
            rules[rule] = {"grid": rows, "best": best, "near": near}
        claims = {}
        for experiment in EXPERIMENTS:
            if experiment.name in CLAIMED:
                curves = [
                    Curves.of(finished[w.name]) for w in Experiment(self.scale, experiment).runs(self.scale.seeds)
                ]
                claims[experiment.name] = {
                    "learning_rate": experiment.learning_rate,
                    "cost": asdict(Band.of([float(c.cost[-1]) for c in curves])),
                    "test_accuracy": asdict(Band.of([float(c.test_accuracy[-1]) for c in curves])),
                }
        return {"rules": rules, "claims": claims}

    def _claims(self) -> list[Work]:
        claimed = [experiment for experiment in EXPERIMENTS if experiment.name in CLAIMED]
        return [work for experiment in claimed for work in Experiment(self.scale, experiment).runs(self.scale.seeds)]

    def _last(self, rule: str, rate: float, finished: Mapping[str, Any]) -> dict[str, Any]:
        training = self.training(rule, rate)
        curves = Curves.of(finished[training.name])._asdict()
        last = {name: float(np.nan_to_num(curve[-1], nan=np.inf)) for name, curve in curves.items()}
        return {"run": training.name, "learning_rate": rate, **last}
