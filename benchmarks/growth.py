"""How rates change as the work grows: one comparison a point."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .updates import Updates
from .workload import Work, Workload

TRAINING = ("xla-loop", "tf1-session")
UPDATING = ("rawstep", "rawstep-one-pass", "tf1-kernel")


class Study(NamedTuple):
    """One quantity of the work, and the values that it takes.

    what:    for a picture's axis.
    work:    with one value, from a seed.
    engines: that are compared at each.
    rate:    the figure that grows or falls.
    """

    what: str
    values: Sequence[int]
    work: Callable[[int, int], Work]
    engines: Sequence[str] = TRAINING
    rate: str = "steps_per_second"


def _network(hidden: tuple[int, ...], batch_size: int, seed: int) -> Workload:
    """He's weights: from N(0,1) the costs of deep networks would be too large to be compared."""
    return Workload(hidden, batch_size, seed=seed, init="he")


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
}
