"""The options around a rule, which decide what becomes of gradients, parameters and rates. Free of TensorFlow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter, Token

from ..workloads.options import Names


def _number_or_schedule(_: type, tokens: Sequence[Token]) -> float | str:
    """A schedule stays a text, by which it is saved; what it says is found out where there is core."""
    try:
        return float(tokens[0].value)
    except ValueError:
        return tokens[0].value


Amount = Annotated[float | str, Parameter(converter=_number_or_schedule)]
"""A number, or the text of a schedule."""
Repeated = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]
"""One value after each time that the option is named."""


@dataclass(frozen=True, kw_only=True)
class Elementwise:
    """What stands around a rule and acts on each element by itself; see `core.rules.around`.

    Each number may follow the steps too, as --schedule does.

    Parameters
    ----------
    clip_value
        No element of a gradient is larger than this: --clip-value 0.5
    l2
        λ of ½·λ·‖θ‖² in the cost; its gradient is added after clipping: --l2 1e-4; of a rule with a setting of that
        name, such as Ftrl, that setting.
    weight_decay
        The share of each parameter that a step at a rate of 1 takes off, beside the gradient: --weight-decay 0.01; of a
        rule with a setting of that name, such as AdamW, that setting.
    """

    clip_value: Amount | None = None
    l2: Amount | None = None
    weight_decay: Amount | None = None


@dataclass(frozen=True, kw_only=True)
class Around(Elementwise):
    """What else stands around a rule, in the order and the form of its dialect.

    Parameters
    ----------
    decay_only
        Which variables --l2 and --weight-decay act on: matrices, vectors, biases (which are vectors), or patterns of
        names: --decay-only "h*"
    clip_norm
        No variable's gradient has a larger norm than this: --clip-norm 1
    clip_global_norm
        All gradients together have no larger norm than this: --clip-global-norm 1
    ema
        Evaluate and export an average of the weights, of which a step keeps this share: --ema 0.999
    group
        Another rule for some variables, MASK:RULE[,setting=value…], with the same options around it except for
        --schedule and --learning-rate: --group biases:sgd,learning_rate=0.1. RULE may name a dialect, as sgd:keras,
        and MASK one pattern of names. Can be repeated; the first that fits a variable decides.
    """

    decay_only: Annotated[Names, Parameter(show_default=False)] = ()
    clip_norm: Amount | None = None
    clip_global_norm: Amount | None = None
    ema: Amount | None = None
    group: Repeated = ()


SCHEDULED = ("schedule", "clip_value", "clip_norm", "clip_global_norm", "l2", "weight_decay", "ema")
"""The options that a schedule may be given to."""

NOTHING = Around()
"""A rule alone."""
