"""Adam's step, which a TF1 checkpoint holds only as running float32 products of β1 and β2.

TensorFlow 1 starts `beta1_power` at β1 and multiplies it by β1 after every step, each time rounded to float32, whatever
the variables' dtype. What it holds after t steps is therefore not the power's nearest float32, but the end of t rounded
products; repeated here, they have the same bits, and the bits determine t where β is known, and even both where β has
few decimals. Below the smallest normal number TensorFlow flushes to 0: at the usual β, β1's product after 828 steps,
β2's after 87,293.
"""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from core import InputError

BETAS = (0.9, 0.999)
"""AdamOptimizer's defaults; a checkpoint holds neither."""
SMALLEST = float(np.finfo(np.float32).tiny)
NEVER = 2**63 - 1
"""The end of the steps that an int64 counts."""
ROUNDED = 4 * 2.0**-23
"""Four ulp: what another rounding may do to a power, and far less than another β of few decimals."""
MOST_STEPS, DECIMALS = 200_000, 4
"""Among how many steps, and among β of how many decimals, `recovered` looks."""


@lru_cache
def running_products(beta: float) -> np.ndarray:
    """β^(t+1) as TensorFlow 1 has it after t = 0, 1, … steps, float32, as far as it is not flushed to 0."""
    if beta < SMALLEST:
        return np.zeros(0, np.float32)
    enough = 2 * math.ceil(math.log(SMALLEST) / math.log(beta))
    products = np.multiply.accumulate(np.full(enough, beta, np.float32))
    return products[: int(np.argmax(products < SMALLEST))]


def power(beta: float, step: int) -> np.ndarray:
    """What a session holds after this many steps, a float32 scalar."""
    products = running_products(beta)
    return np.asarray(products[step] if step < len(products) else 0, np.float32)


def step_of(powers: Mapping[str, float], betas: tuple[float, float] = BETAS) -> int | None:
    """The number of steps after which a session holds these two powers, by their names, β1's first.

    None where both have been flushed to 0, which they are at the usual β from step 87,293 on. A power that was rounded
    otherwise counts as the nearest, within `ROUNDED` of it.

    Raises InputError for a power of no step, and where the two are of different steps.
    """
    name_1, name_2 = powers
    first, last = (_span(name, powers[name], beta) for name, beta in zip(powers, betas, strict=True))
    if first.stop == last.stop == NEVER:
        return None
    one, other = (first, last) if first.stop != NEVER else (last, first)
    if one.start in other:
        return one.start
    raise InputError(
        f"{name_1} = {powers[name_1]:.7g} is that of {_told(first)} at β1 = {betas[0]}, "
        f"but {name_2} = {powers[name_2]:.7g} that of {_told(last)} at β2 = {betas[1]}: "
        "give the optimizer's own as --beta-1 and --beta-2."
    )


def flushed_from(betas: tuple[float, float] = BETAS) -> int:
    """The first step after which both powers are 0."""
    return max(len(running_products(beta)) for beta in betas)


def recovered(powers: tuple[float, float]) -> tuple[float, float] | None:
    """The only β1 and β2 of at most four decimals whose powers after one number of steps have these bits.

    None where there is no such pair or more than one, and where either power is 0, which shows no step.
    """
    if not all(SMALLEST <= value < 1 for value in powers):
        return None
    candidates = [_near(value) for value in powers]
    found = [
        (first, last)
        for step, first in candidates[0].items()
        if (last := candidates[1].get(step))
        if (power(first, step), power(last, step)) == tuple(map(np.float32, powers))
    ]
    return found[0] if len(found) == 1 else None


def _near(value: float) -> dict[int, float]:
    """By step, the β of few decimals whose power after it lies as near to this value as roundings allow: half an ulp,
    2⁻²⁴, of β and of each product."""
    counts = np.arange(1, MOST_STEPS + 1)
    betas = np.round(value ** (1 / counts), DECIMALS)
    inside = (betas > 0) & (betas < 1)
    apart = np.abs(np.log(betas, where=inside, out=np.zeros(MOST_STEPS)) - math.log(value) / counts)
    return {int(step): float(betas[step]) for step in np.flatnonzero(inside & (apart <= 2 * 2.0**-24))}


def _span(name: str, value: float, beta: float) -> range:
    """The steps after which a power has this value: one, or all from the first at which it is flushed."""
    products = running_products(beta)
    if 0 <= value < SMALLEST:
        return range(len(products), NEVER)
    nearest = int(np.argmin(np.abs(products - value))) if len(products) else 0
    found = float(products[nearest]) if len(products) else 0.0
    if not abs(found / value - 1) <= ROUNDED:
        raise InputError(
            f"{name} = {value:.7g} is no power of β = {beta} that any step leaves; nearest is step {nearest:,}'s, "
            f"{found:.7g}: give the optimizer's own as --beta-1 and --beta-2."
        )
    return range(nearest, nearest + 1)


def _told(span: range) -> str:
    return f"step {span.start:,}" if span.stop != NEVER else f"step {span.start:,} or later"
