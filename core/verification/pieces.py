"""The formulas of what stands around a rule, written out from the libraries that have it and not from core's pieces.

Each is a function like those of the cards (see `formulas`). What goes in is "g": the gradient before the rule, the
update Δ after it. By name a formula may take the settings, the step t, the parameter x before, the parameter after the
rule's step ("after"), the rule's learning rate ("rate"), and the norm of all gradients or of the variable's own
("norm", "own_norm"). It returns the gradient that goes on, the update or the parameter as far as it changes them
("gradient", "update", "parameter"), and slots and stages.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from ..errors import InputError
from ..rules import Piece
from ..rules.averaging import Average
from ..rules.clipping import ClipByGlobalNorm, ClipByNorm, ClipByValue
from ..rules.decays import L2, DecoupledDecay
from .formulas import Formula, average
from .rounded import either


def between(g, slots, *, limit):
    """keras/src/optimizers/base_optimizer.py, clipvalue; torch.nn.utils.clip_grad_value_; optax.clip."""
    return dict(gradient=np.minimum(np.maximum(g, -1.0 * limit), limit))


def _least(g, norm, limit):
    factor = np.where(norm > limit, limit * (1 / np.maximum(norm, limit)), limit * (1 / limit))
    return dict(norm=norm, factor=factor, gradient=g * factor)


def _larger(g, norm, limit):
    longest = np.maximum(norm, limit)
    return dict(norm=norm, factor=limit / longest, gradient=g * limit / longest)


def _damped(g, norm, limit):
    factor = np.minimum(limit / (norm + 1e-6), 1.0)
    return dict(norm=norm, factor=factor, gradient=g * factor)


def _divided(g, norm, limit):
    longest = np.maximum(norm, limit)
    return dict(norm=norm, factor=limit / longest, gradient=np.where(norm < limit, g, g / longest * limit))


SHORTENED: dict[str, Callable[..., dict[str, Any]]] = {
    "least": _least,  # keras.src.optimizers.base_optimizer, clip_by_global_norm; tf.clip_by_global_norm
    "larger": _larger,  # there, clip_by_norm; tf.clip_by_norm
    "damped": _damped,  # torch.nn.utils.clip_grad_norm_
    "where": _divided,  # optax.clip_by_global_norm
}
"""Minimum and quotient as the libraries have them, but no division by a norm of 0."""


def _together(form: str) -> Callable[..., dict[str, Any]]:
    return lambda g, slots, *, norm, limit: SHORTENED[form](g, norm, limit)


def _alone(form: str) -> Callable[..., dict[str, Any]]:
    return lambda g, slots, *, own_norm, limit: SHORTENED[form](g, own_norm, limit)


TOGETHER = {form: _together(form) for form in SHORTENED}
ALONE = {form: _alone(form) for form in SHORTENED}


def l2(g, slots, *, x, weight_decay):
    """torch.optim, weight_decay of rules that are not decoupled; optax.add_decayed_weights before a rule."""
    return dict(gradient=g + weight_decay * x)


def subtracted(g, slots, *, x, weight_decay, rate):
    """keras/src/optimizers/base_optimizer.py, _apply_weight_decay."""
    decayed = x * weight_decay * rate
    return dict(decayed=decayed, parameter=x - decayed)


def shrunk(g, slots, *, x, weight_decay, rate):
    """torch/optim/adamw.py: parameter.mul_(1 − lr·λ)."""
    return dict(decayed=x * weight_decay * rate, parameter=x * (1 - rate * weight_decay))


def beside(g, slots, *, x, weight_decay, rate):
    """Loshchilov & Hutter 2019, Algorithm 2; optax.adamw, where λ·θ is added before the rate multiplies both."""
    update = either((g, x), lambda g, x: g + x * weight_decay * rate, lambda g, x: (g / rate + x * weight_decay) * rate)
    return dict(decayed=x * weight_decay * rate, update=update)


def averaged(g, slots, *, after, t, decay, copies, overwrite_every):
    """keras/src/optimizers/base_optimizer.py, use_ema; torch.optim.swa_utils.get_ema_multi_avg_fn, of an AveragedModel;
    optax.incremental_update."""
    found = average(slots["average"], after, decay)
    if copies:
        found = np.where(t == 1, after, found)
    values = dict(average=found, distance=after - found)
    if not overwrite_every:
        return values
    return values | dict(parameter=np.where(np.remainder(t, overwrite_every) == 0, found, after))


def formula_of(piece: Piece, first: bool) -> Formula:
    """What a piece should compute on the left of a rule (`first`) or on its right.

    Raises InputError for a piece that is none of core's.
    """
    numbers = {one.name: getattr(piece, one.name) for one in fields(piece) if one.name != "where"}
    form = numbers.pop("form", "")
    kind = type(piece)
    if kind is ClipByValue:
        return Formula(between, numbers, ())
    if kind is ClipByNorm:
        return Formula(ALONE[form], numbers, ())
    if kind is ClipByGlobalNorm:
        return Formula(TOGETHER[form], numbers, ())
    if kind is L2:
        return Formula(l2, numbers, ())
    if kind is DecoupledDecay:
        return Formula({"subtract": subtracted, "shrink": shrunk}[form] if first else beside, numbers, ())
    if kind is Average:
        settings = {name: numbers[name] for name in ("decay", "overwrite_every")}
        settings |= {"copies": numbers["first_step"] == "copies"}
        return Formula(averaged, settings, ("average",), {"average": "x"}, numbers["complement_in"])
    raise InputError(f"{kind.__name__} has no formula here: judge a chain with it by an optimizer of a library.")
