"""How rates change as the work grows: one comparison a point."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from training.workloads.choice import name_of
from training.workloads.mlp import MLP
from training.workloads.workload import Workload

from .engines import engines_of
from .updates import Updates
from .work import TrainingWork, Work

TRAINING = ("xla-loop", "tf1-session")
UPDATING = ("rawstep", "rawstep-one-pass", "tf1-kernel")
SHARING = ("xla-loop", "mirrored-{}", "workers-{}")
HALVING = ("xla-loop", "mirrored-2", "workers-2")

Rate = Literal["steps_per_second", "images_per_second", "gb_per_second"]


class Study(NamedTuple):
    """One quantity of the work, and the values that it takes.

    what:    for a picture's axis.
    work:    with one value, from a seed.
    engines: that are compared at each; {} in a name is the value.
    rate:    the figure that grows or falls.
    """

    what: str
    values: Sequence[int]
    work: Callable[[int, int], Work]
    engines: Sequence[str] = TRAINING
    rate: Rate = "steps_per_second"

    def engines_at(self, value: int) -> list[str]:
        return [engine.format(value) for engine in self.engines]


def _network(hidden: tuple[int, ...], batch_size: int, seed: int) -> TrainingWork:
    """He's weights: from N(0,1) the costs of deep networks would be too large to be compared."""
    return TrainingWork(MLP(hidden=hidden, init="he"), batch_size, seed=seed)


@dataclass(frozen=True)
class SharedWork(TrainingWork):
    """What replicas are compared at: in short samples, since some take ten times as long as others."""

    ceilings = ()  # of one process

    @property
    def steps(self) -> int:
        return min(super().steps, 50)


def _shared(units: int, batch_size: int, seed: int) -> SharedWork:
    return SharedWork(MLP(hidden=(units, units), init="he"), batch_size, seed=seed)


STUDIES: Mapping[str, Study] = {
    "widths": Study(
        "units of each of two hidden layers",
        (16, 32, 64, 128, 256, 512, 1024, 2048),
        lambda units, seed: _network((units, units), 100, seed),
    ),
    "depths": Study(
        "hidden layers of 256 units", (1, 2, 3, 4, 6, 8), lambda layers, seed: _network((256,) * layers, 100, seed)
    ),
    "batches": Study(
        "images a step", (1, 4, 16, 64, 256, 1024, 4096), lambda images, seed: _network((256, 256), images, seed)
    ),
    "updates": Study(
        "parameters, in one tensor",
        (10**3, 10**4, 10**5, 10**6, 10**7, 10**8),
        lambda parameters, seed: Updates("adam", parameters, seed=seed),
        UPDATING,
        "gb_per_second",
    ),
    "updates-1000": Study(
        "parameters, in a thousand tensors",
        (10**4, 10**6, 10**8),
        lambda parameters, seed: Updates("adam", parameters, 1_000, seed=seed),
        ("rawstep", "tf1-kernel"),  # in one pass XLA would compile for minutes
        "gb_per_second",
    ),
    "replicas-strong": Study(
        "replicas that share a batch of 100", (1, 2, 4), lambda replicas, seed: _shared(256, 100, seed), SHARING
    ),
    "replicas-weak": Study(
        "replicas, each with 100 images a step",
        (1, 2, 4),
        lambda replicas, seed: _shared(256, 100 * replicas, seed),
        SHARING,
        "images_per_second",
    ),
    "replicas-widths": Study(
        "units of each of two hidden layers", (64, 256, 1024), lambda units, seed: _shared(units, 100, seed), HALVING
    ),
    "replicas-batches": Study(
        "images a step", (20, 200, 2000), lambda images, seed: _shared(256, images, seed), HALVING, "images_per_second"
    ),
}


def batches_of(workload: Workload, seed: int) -> Study:
    """The study of batch sizes, of any workload. Raises InputError for one that fails."""
    trained = TrainingWork(workload, seed=seed)
    trained.check()
    examples = len(trained.examples()[0])
    return STUDIES["batches"]._replace(
        what="examples a step",
        values=[size for size in STUDIES["batches"].values if size <= examples],
        work=lambda size, seed: TrainingWork(workload, size, seed=seed),
        engines=[name for name in ("rawstep", "keras-graph-epoch") if name in engines_of(name_of(workload))],
    )
