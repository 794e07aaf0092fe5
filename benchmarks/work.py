"""The work that all engines do alike: one workload, from the same first values, on the same batches."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from core.engine.feeds import Sampler
from training.workloads.check import checked_data, checked_values, checked_variables
from training.workloads.choice import name_of
from training.workloads.declared import of_rawstep
from training.workloads.mlp import MLP
from training.workloads.work import Product, flop, update_bytes
from training.workloads.workload import Data, Examples, Workload

from .devices import Device

SAMPLE_FLOP, FEWEST_STEPS, SHORT_EPOCH, MOST_STEPS = 7e10, 10, 100, 2_000
"""A sample is an epoch of the notebook's; of larger networks fewer steps, so that it takes about a second as well; of
small batches no more than the intervals need; and of few examples more than one epoch, so that a call weighs little."""


class Work(Protocol):
    """What engines are compared at.

    name:                    of the training workload, by which engines have a network of it; "" of other work.
    device, tf32:            as in `TrainingWork`.
    steps:                   of one sample.
    ceilings:                what the machine's own rates are taken from; none where they would not be those of a step.
    bytes_a_step:            what the optimizer's update moves at least.
    first_steps_may_differ,
    warm_up_may_differ:      relative differences of the mean cost, of ten steps and of the sample after them.
    """

    @property
    def name(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def device(self) -> Device: ...
    @property
    def tf32(self) -> bool: ...
    @property
    def steps(self) -> int: ...
    @property
    def ceilings(self) -> Sequence[str]: ...
    @property
    def bytes_a_step(self) -> int: ...
    @property
    def first_steps_may_differ(self) -> float: ...
    @property
    def warm_up_may_differ(self) -> float: ...
    def sampler(self) -> Any:
        """Its `take(steps)` returns what an engine's `prepare` takes."""
        ...

    def shapes(self) -> Sequence[int]:
        """Parameters of each tensor."""
        ...

    def described(self) -> dict[str, Any]:
        """What a record says of it, by name."""
        ...


@dataclass(frozen=True)
class TrainingWork:
    """A workload in batches, by Adam as TensorFlow 1 computes it: the notebook's first experiment, unless given others.

    workload: what is trained.
    batch_size, learning_rate, seed: as in `rawstep train`. Adam and a constant rate are every workload's here, whatever
            its runs have by default.
    device: where the engines compute.
    tf32:   whether a GPU may multiply float32 matrices in TF32, with 10 bits of mantissa instead of 23. TensorFlow and
            JAX do so by default, PyTorch does not; so records state both.
    """

    workload: Workload = MLP()  # noqa: RUF009 - frozen
    batch_size: int = 100
    learning_rate: float = 0.001
    seed: int = 0
    device: Device = "cpu"
    tf32: bool = False

    def __getstate__(self) -> dict[str, Any]:
        """Without the data, which each process reads by itself."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @property
    def name(self) -> str:
        """What the workload is called on a command line."""
        return name_of(self.workload)

    @property
    def first_steps_may_differ(self) -> float:
        """float32 rounds each engine's products and means apart by 1e-6 or less of the notebook's cost; a learning rate
        1 % off, the smallest of planted errors, by more than 1e-5. TF32 rounds products by 5e-4.

        Where a gradient is no larger than rounding errors, Adam's first steps are of full size in either direction, and
        libraries put its ε in other places: that comes to 8e-6 of a cnn's cost in ten steps, where a rate 1 % off comes
        to 3e-3, and to 1.2e-5 of a transformer's, where one 2 % off comes to 5e-5.
        """
        if self.tf32:
            return 5e-3
        return 1e-5 if self.name == "mlp" else 5e-5

    @property
    def warm_up_may_differ(self) -> float:
        """From N(0,1) the rounding errors of 550 steps grow to less than 1 %."""
        return 0.05 if self.tf32 else 0.01

    @cached_property
    def data(self) -> Data:
        """The workload's own. Raises InputError where they are not as they should be."""
        return checked_data(self.workload, self.seed)

    def examples(self) -> Examples:
        """The training examples: of images uint8 [55,000, 784] and their labels."""
        return self.data.train

    def first_weights(self) -> dict[str, np.ndarray]:
        """The first value of each variable, by name. Raises InputError where they are not as they should be."""
        return checked_values(self.workload, self.data, self.seed)

    def check(self) -> None:
        """Raises InputError for a workload that fails, before an engine's process is started."""
        self.first_weights()
        if not of_rawstep(self.workload):
            os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # a GPU's memory is for the engines' processes
            checked_variables(self.workload, self.data, self.seed, self.batch_size)

    def shapes(self) -> list[int]:
        """Parameters of each tensor."""
        return [value.size for value in self.first_weights().values()]

    @property
    def title(self) -> str:
        """The workload, its sizes and the batch size, in words."""
        sizes = self.workload.title(self.data)
        of = sizes if self.name == "mlp" else f"{self.name} {sizes}"
        return f"{of} in batches of {self.batch_size}{', TF32' if self.tf32 else ''}"

    @property
    def file_name(self) -> str:
        """The same, for a file."""
        of = self.workload.title(self.data) if self.name == "mlp" else self.name.replace(":", "-")
        return f"{of}-batch-{self.batch_size}{'-tf32' if self.tf32 else ''}"

    @cached_property
    def products(self) -> Sequence[Product]:
        """Those of one example."""
        return self.workload.products(self.data)

    @property
    def ceilings(self) -> Sequence[str]:
        """The names in `engines.CEILINGS`; none on a GPU, whose rates NumPy's products do not show, and for workloads
        of which a step is more than plain products of matrices: convolutions, and the products of attention."""
        plain = self.products and all(one.multiplications == one.parameters for one in self.products)
        measured = ("products by NumPy", "products by TensorFlow", "products by XLA", "stream")
        return measured if self.device == "cpu" and plain else ()

    @property
    def bytes_a_step(self) -> int:
        """What Adam's update moves at least."""
        return sum(self.shapes()) * update_bytes(slots=2)

    @property
    def steps(self) -> int:
        """Steps of one sample."""
        counted = sum(flop(self.products, self.batch_size)) or 6 * self.batch_size * sum(self.shapes())
        affordable = int(SAMPLE_FLOP / counted)
        return min(max(self.sampler().steps_per_epoch, SHORT_EPOCH), max(affordable, FEWEST_STEPS), MOST_STEPS)

    def sampler(self) -> Sampler:
        """Example numbers, int32 [steps, batch_size], from one shuffled epoch after another."""
        return Sampler(len(self.examples()[0]), self.batch_size, self.seed)

    def described(self) -> dict[str, Any]:
        """The workload by name, its settings and the others beside each other."""
        own = asdict(self)
        return {"workload": self.name, **own.pop("workload"), **own}
