"""Adam's step, which a TF1 checkpoint holds only as running float32 products of β1 and β2.

TensorFlow 1 starts `beta1_power` at β1 and multiplies it by β1 after every step, each time rounded to float32. What
it holds after t steps is therefore not the power's nearest float32, but the end of t rounded products; repeated here,
they have the same bits, and the bits determine t. Below the smallest normal number TensorFlow flushes to 0: β1's
product after 828 steps, β2's after 87,293.
"""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from core import InputError

BETAS = (0.9, 0.999)
"""AdamOptimizer's defaults, the notebook's; a checkpoint holds neither."""
SMALLEST = float(np.finfo(np.float32).tiny)
NEVER = 2**63 - 1
"""The end of the steps that an int64 counts."""


@lru_cache
def running_products(beta: float) -> np.ndarray:
    """β^(t+1) as TensorFlow 1 has it after t = 0, 1, … steps, float32, as far as it is not flushed to 0."""
    enough = 2 * math.ceil(math.log(SMALLEST) / math.log(beta))
    products = np.multiply.accumulate(np.full(enough, beta, np.float32))
    return products[: int(np.argmax(products < SMALLEST))]


def power(beta: float, step: int) -> np.ndarray:
    """What a session holds after this many steps, a float32 scalar."""
    products = running_products(beta)
    return np.asarray(products[step] if step < len(products) else 0, np.float32)


def step_of(powers: Mapping[str, float]) -> int | None:
    """The number of steps after which a session holds these two powers, by their names, β1's first.

    None where both have been flushed to 0, which they are from step 87,293 on. A power that was rounded otherwise
    counts as the nearest, within a tenth of what it is from one step to the next.

    Raises InputError for a power of no step, and where the two are of different steps.
    """
    name_1, name_2 = powers
    first, last = (_span(name, powers[name], beta) for name, beta in zip(powers, BETAS, strict=True))
    if last.start in first:
        return None if last.stop == NEVER else last.start
    raise InputError(
        f"{name_1} = {powers[name_1]:.7g} is that of {_told(first)} at β1 = {BETAS[0]}, "
        f"but {name_2} = {powers[name_2]:.7g} that of {_told(last)} at β2 = {BETAS[1]}; only these β are supported."
    )


def _span(name: str, value: float, beta: float) -> range:
    """The steps after which a power has this value: one, or all from the first at which it is flushed."""
    products = running_products(beta)
    if 0 <= value < SMALLEST:
        return range(len(products), NEVER)
    nearest = int(np.argmin(np.abs(products - value)))
    if not abs(float(products[nearest]) / value - 1) <= (1 - beta) / 10:
        raise InputError(
            f"{name} = {value:.7g} is no power of β = {beta} that any step leaves; nearest is step {nearest:,}'s, "
            f"{products[nearest]:.7g}. Only Adam with β1 = {BETAS[0]} and β2 = {BETAS[1]} is supported."
        )
    return range(nearest, nearest + 1)


def _told(span: range) -> str:
    return f"step {span.start:,}" if span.stop != NEVER else f"step {span.start:,} or later"
