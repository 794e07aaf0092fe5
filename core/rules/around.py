"""What a library's user asks for around a rule, in that library's order and in its form of each piece."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import InputError
from .averaging import Average
from .chain import chain
from .clipping import ClipByGlobalNorm, ClipByNorm, ClipByValue
from .decays import L2, DecoupledDecay
from .part import Part
from .piece import Where
from .rule import Rule


class _Order(NamedTuple):
    """How a library writes each piece, and on which side of the rule it decays."""

    norm: str = "larger"
    global_norm: str = "larger"
    decays_first: bool = False
    decay: str = "subtract"
    average: Mapping[str, Any] = MappingProxyType({})


ORDERS: dict[str, _Order] = {
    "paper": _Order(),
    "keras": _Order("larger", "least", True, "subtract", dict(first_step="copies", complement_in="variable")),
    "torch": _Order("damped", "damped", True, "shrink", dict(first_step="copies", incremental=True)),
    "optax": _Order("larger", "where"),
    "tf1": _Order("larger", "least", average=dict(incremental=True, complement_in="variable")),
}
"""By dialect."""


def around(
    rule: Rule,
    dialect: str = "paper",
    *,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    clip_global_norm: float | None = None,
    l2: float | None = None,
    weight_decay: float | None = None,
    where: Where | None = None,
    ema: float | None = None,
    overwrite_every: int = 0,
) -> Rule:
    """The rule with these pieces around it, in the order and the form of a dialect; the rule itself without any.

    Everywhere gradients are clipped first, the global norm before others, then L2 is added, and the average is taken
    last. Keras and PyTorch decay the parameter before the rule's step; Optax, the paper, and TF1, which has no decay of
    its own, beside it.

    clip_value, clip_norm, clip_global_norm: the limits of `ClipByValue`, `ClipByNorm` and `ClipByGlobalNorm`.
    l2, weight_decay: λ in the gradient (`L2`), and beside the step (`DecoupledDecay`).
    where: on which variables both of these act, see `masks`; all where None.
    ema, overwrite_every: the decay of `Average`, and every how many steps it is written over the parameters.

    Raises InputError for an unknown dialect, and for a value that a piece cannot have.
    """
    if dialect not in ORDERS:
        raise InputError(f"There is no order {dialect!r}; there are: {', '.join(ORDERS)}.", dialect, ORDERS)
    for name, value, needed in ("where", where, (l2, weight_decay)), ("overwrite_every", overwrite_every, (ema,)):
        if value and all(one is None for one in needed):
            raise InputError(f"{name} needs {'l2 or weight_decay' if name == 'where' else 'ema'}.")
    order = ORDERS[dialect]
    decay = _made(weight_decay, lambda value: DecoupledDecay(value, order.decay, where=where))  # pyright: ignore
    before = [
        *_made(clip_global_norm, lambda value: ClipByGlobalNorm(value, order.global_norm)),  # pyright: ignore
        *_made(clip_norm, lambda value: ClipByNorm(value, order.norm)),  # pyright: ignore
        *_made(clip_value, ClipByValue),
        *_made(l2, lambda value: L2(value, where=where)),
        *(decay if order.decays_first else []),
    ]
    after = [
        *([] if order.decays_first else decay),
        *_made(ema, lambda value: Average(value, overwrite_every=overwrite_every, **order.average)),
    ]
    return chain(*before, rule, *after) if before or after else rule


def _made(value: float | None, make: Callable[[Any], Part]) -> list[Part]:
    return [] if value is None else [make(value)]
