"""An optimizer's update alone: given gradients, parameters that nothing else reads."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core import RULES, Rule
from core.rules import named
from core.seeds import generator
from core.verification.cards import FORMULAS
from core.verification.libraries import Reference
from training.workloads.work import update_bytes

from .devices import Device

BYTES_A_SAMPLE = 3e9
"""A sample takes about a tenth of a second from main memory, so that the clock and one slow call weigh little."""


class Calls:
    """A sampler for steps that take no examples."""

    def take(self, steps: int) -> np.ndarray:
        return np.zeros((steps, 0), np.int32)


@dataclass(frozen=True)
class Updates:
    """One update a call, of parameters that start at 0, by a rule with Keras's settings, from the same gradients.

    An engine's cost is the mean |θ| of the first thousand parameters, which a rule's every number decides.

    rule:       one of rawstep's that Keras has.
    parameters: how many, in float32.
    tensors:    how many tensors they are divided into, of sizes that differ by one at most.
    learning_rate: the same for all.
    """

    rule: str = "adam"
    parameters: int = 10_000_000
    tensors: int = 1
    learning_rate: float = 0.001
    seed: int = 0
    device: Device = "cpu"
    tf32: bool = False  # no products, so it means nothing here

    name = ""
    ceilings = ("stream",)
    first_steps_may_differ = warm_up_may_differ = 1e-3
    """Libraries put ε = 1e-7 in other places, which matters where a gradient is small: 1e-4 of the mean. With a
    learning rate that is 1 % off, costs differ by ten times this."""

    @property
    def steps(self) -> int:
        """Updates of one sample."""
        return int(np.clip(BYTES_A_SAMPLE / self.bytes_a_step, 5, 200))

    @property
    def bytes_a_step(self) -> int:
        """What an update moves at least."""
        return self.parameters * update_bytes(len(named(self.own_rule().first(np.zeros(1, np.float32)))))

    def own_rule(self) -> Rule:
        """rawstep's."""
        return RULES[self.rule].dialect("keras", learning_rate=self.learning_rate)

    def settings(self, library: type[Reference]) -> dict[str, Any]:
        """The rule's numbers and choices as a library calls them, with what selects the rule there.

        Raises InputError for a library that lacks it.
        """
        rule, spelling = self.own_rule(), library.spelled(self.rule)
        there = FORMULAS[self.rule][library.dialect].decided
        numbers = {name: getattr(rule, name) for name in there if hasattr(rule, name)}
        return {**spelling.options, **library.by_their_names(self.rule, numbers)}

    def sampler(self) -> Calls:
        return Calls()

    def described(self) -> dict[str, Any]:
        return asdict(self)

    def shapes(self) -> Sequence[int]:
        """Parameters of each tensor."""
        return [len(part) for part in np.array_split(np.empty(self.parameters, np.bool_), self.tensors)]

    @cached_property
    def gradients(self) -> list[np.ndarray]:
        """float32, N(0, 1), one array a tensor."""
        random = generator(self.seed, "gradients")
        return [random.standard_normal(size, np.float32) for size in self.shapes()]
