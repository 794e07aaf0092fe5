"""XLA's options for a run, which are decided by its sizes before XLA compiles anything."""

from collections.abc import Mapping, Sequence

import numpy as np

from core.engine.xla_options import Options, apply, options

from ..workloads.work import Product, flop
from .settings import Settings, device


def compiled_with(
    settings: Settings, products: Sequence[Product], values: Mapping[str, np.ndarray], replicated: bool = False
) -> Options:
    """The options that suit a run, once XLA compiles this process by them; none where it does not.

    They are for one loop on one processor, in float32: a divided batch or replicas have several programs. Each process
    reads them once. So `settings.xla_options` asks for them where a run has a process to itself, as that of a command.

    products: of one example. values: of the variables. replicated: whether replicas share the batch.
    """
    looped = settings.execution == "xla-loop" and settings.parts is None and not replicated and not settings.narrow
    dense = products and all(one.multiplications == one.parameters for one in products)
    if settings.xla_options == "none" or not (looped and dense and device() == "cpu"):
        return Options()
    parameters = sum(value.size for value in values.values())
    found = options(parameters, sum(flop(products, settings.examples)))
    return found if apply(found) else Options()
