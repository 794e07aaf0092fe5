"""What rounding may come to in the gradients of a perceptron, whatever the order in which its sums are taken."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

U = 2.0**-24
"""float32's unit roundoff: a product, a sum or a quotient errs by this share of itself at most."""
EXP = 4
"""Roundings that XLA's exp may err by; its own tests allow 4 units in the last place."""


class Value(NamedTuple):
    """What a number is without rounding, float64, and how far float32 may be off, to first order."""

    exact: np.ndarray
    error: np.ndarray


def gradients(weights: Mapping[str, np.ndarray], images: np.ndarray, labels: np.ndarray) -> dict[str, Value]:
    """The gradients of the mean softmax cross-entropy by h1, b1, ho, bo, for uint8 images [examples, pixels].

    A sum of n terms errs by at most (n − 1)·u·Σ|terms| in any order (Higham 2002, equation 4.4), so that n roundings
    bound it on one device as on any number of replicas, each of which sums its share. Errors of what is summed pass
    through linearly. A unit whose input may be 0 within its error may be on or off.
    """
    w = {name: Value(np.float64(value), np.zeros_like(value, np.float64)) for name, value in weights.items()}
    scale = np.float64(np.float32(1 / 255))
    pixels = Value(images * scale, U * images * scale)
    before = _plus(_product(pixels, w["h1"]), w["b1"])
    hidden = Value(np.maximum(before.exact, 0), np.where(before.exact > -before.error, before.error, 0))
    scores = _plus(_product(hidden, w["ho"]), w["bo"])
    examples = len(labels)
    slope = _softmax(scores)
    right = np.eye(scores.exact.shape[1])[labels]
    slope = Value(slope.exact - right, slope.error + U * np.abs(slope.exact - right))
    slope = Value(slope.exact / examples, slope.error / examples + 2 * U * np.abs(slope.exact) / examples)
    back = _product(slope, Value(w["ho"].exact.T, w["ho"].error.T))
    on, unsure = before.exact > 0, np.abs(before.exact) <= before.error
    inner = Value(back.exact * on, np.where(unsure, np.abs(back.exact) + back.error, back.error * on))
    return {
        "h1": _product(Value(pixels.exact.T, pixels.error.T), inner),
        "b1": _summed(inner),
        "ho": _product(Value(hidden.exact.T, hidden.error.T), slope),
        "bo": _summed(slope),
    }


def _product(a: Value, b: Value) -> Value:
    terms = a.exact.shape[1] + 2  # and the roundings of a mean over replicas
    size = np.abs(a.exact) @ np.abs(b.exact)
    return Value(a.exact @ b.exact, terms * U * size + a.error @ np.abs(b.exact) + np.abs(a.exact) @ b.error)


def _summed(a: Value) -> Value:
    terms = len(a.exact) + 2
    return Value(a.exact.sum(0), terms * U * np.abs(a.exact).sum(0) + a.error.sum(0))


def _plus(a: Value, b: Value) -> Value:
    return Value(a.exact + b.exact, a.error + b.error + U * (np.abs(a.exact) + np.abs(b.exact)))


def _softmax(scores: Value) -> Value:
    """exp(z − max z)/Σ, whose exponents' errors are relative ones of the result."""
    below = scores.exact - scores.exact.max(1, keepdims=True)
    error = scores.error + scores.error.max(1, keepdims=True) + U * np.abs(below) + EXP * U
    shares = np.exp(below)
    shares /= shares.sum(1, keepdims=True)
    of_sum = (shares * error).sum(1, keepdims=True) + (scores.exact.shape[1] + 1) * U
    return Value(shares, shares * (error + of_sum))
