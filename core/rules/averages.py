"""Running averages and their bias corrections, as the libraries round them."""

from ..xp import Array, cast_like
from .settings import Number, Precision


def one_minus(beta: Number, x: Array, precision: Precision) -> Array:
    """1 − β in the dtype of x, subtracted as `precision` says.

    float32's 1 − 0.999 is 9.99987e-4: TF1 and its kernels compute it so, the others subtract in Python's float64.
    """
    return cast_like(1 - beta, x) if precision == "float64" else 1 - cast_like(beta, x)


def average(old: Array, new: Array, beta: Number, precision: Precision, incremental: bool = False) -> Array:
    """The running average β·old + (1 − β)·new, or the same in increments, old + (1 − β)·(new − old).

    The two round differently. Where β and 1 − β are rounded apart, as float32 rounds 0.999 and 0.001, their sum is
    not 1: the first form then settles 1e-5 off the mean, the second does not.
    """
    weight = one_minus(beta, new, precision)
    return old + weight * (new - old) if incremental else beta * old + weight * new


def one_minus_power(beta: Number, t: Array, x: Array, precision: Precision) -> Array:
    """1 − β^t, the bias correction, in the dtype of x; the power and the subtraction computed as `precision` says."""
    if precision == "variable":
        t = cast_like(t, x)
    return cast_like(1 - cast_like(beta, t) ** t, x)
