"""Where a run computes, as options. Free of TensorFlow, so that --help answers at once."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from ...workloads.options import Whole


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a run computes; it decides nothing of what is computed but the last bits.

    Parameters
    ----------
    strategy
        one: on one device of this process. mirrored: on several GPUs, or logical devices of the CPU. multi-worker: in
        all processes, on one machine or more, that the variable TF_CONFIG lists; `rawstep launch` starts some here.
        Each replica computes the gradients of its share of every batch, and all take the same step.
    replicas
        Devices of mirrored. Unless given, all GPUs, or two logical devices of the CPU.
    cluster_timeout
        Seconds in which all workers must answer each other at the start.
    """

    strategy: Literal["one", "mirrored", "multi-worker"] = "one"
    replicas: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None
    cluster_timeout: Annotated[float, Parameter(validator=Number(gt=0))] = 60.0

    def __post_init__(self) -> None:
        if self.replicas is not None and self.strategy != "mirrored":
            raise CycloptsError(f"--replicas is for --strategy mirrored, found {self.strategy}.")


ALONE = Placement()
