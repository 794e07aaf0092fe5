"""Runs as the series and histograms that the page's script draws."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.engine.reductions import half_octave_edges

from .events import FINITE
from .figures import RATES, is_of_an_element, place
from .thinning import CURVES, HISTOGRAMS, thinned
from .trace import Trace

Series = list[float | None]
TAIL = 0.02
"""The share of elements that may lie left of the picture. Few gradients are below 2⁻⁴⁰, yet reach to 2⁻¹⁴⁹: shown to
the last of them, all others would be a line."""


def curves_of(trace: Trace) -> dict[str, Any]:
    """The steps that are drawn, and every curve by its column; None for what is ∞ or NaN.

    Columns that are the same in all layers are one column, without a layer's name: Adam's bias corrections, and the
    rates of a rule that moves all parameters alike.
    """
    kept = thinned(len(trace.steps), CURVES)
    columns = {
        name: _five_digits(column[kept])
        for name, column in trace.columns.items()
        if column.ndim == 1 and not is_of_an_element(name)
    }
    return {"steps": trace.steps[kept].tolist(), "columns": _once(columns, trace.layers)}


def histogram_steps(trace: Trace) -> list[int]:
    """The steps at which the histograms' slider stops."""
    return trace.steps[thinned(len(trace.steps), HISTOGRAMS)].tolist()


def histograms_of(trace: Trace, steps: Sequence[int]) -> dict[str, Any]:
    """By column: what was counted at the last record up to each of these steps, or at the first.

    first, counts: counts[position][i] elements lie in half octave number first + i; those at the ends are not empty
                   throughout.
    shown:         the half octave in which the picture begins; all but a few elements lie there or above it.
    zero, nonfinite: how many are 0, or so small that float32 counts them so, and how many ∞ or NaN.
    """
    records = np.maximum(np.searchsorted(trace.steps, steps, side="right") - 1, 0)
    return {
        name: _histogram(column[records]) for name, column in trace.columns.items() if column.ndim == 2 and len(column)
    }


def edges() -> list[float | None]:
    """The base-2 logarithms of the lower edges of all finite half octaves; None for that of 0, 128 for the end."""
    with np.errstate(divide="ignore"):
        logarithms = np.append(np.log2(half_octave_edges()[:FINITE].astype(np.float64)), 128.0)
    return [round(float(edge), 4) if np.isfinite(edge) else None for edge in logarithms]


def _once(columns: Mapping[str, Series], layers: Sequence[str]) -> dict[str, Series]:
    """With one column in the place of those that are the same in all layers; the five of the rates go together."""
    keys = dict.fromkeys(place(name).key for name in columns)
    single = [(key,) for key in keys if key not in RATES.values()]
    merged: dict[str, Any] = dict(columns)
    for group in (tuple(RATES.values()), *single):
        first, *others = [[columns.get(f"{layer}/{key}") for key in group] for layer in layers] or [[None]]
        if others and None not in first and all(other == first for other in others):
            merged = {name: values for name, values in merged.items() if place(name).key not in group}
            merged |= dict(zip(group, first, strict=True))
    return merged


def _histogram(counts: np.ndarray) -> dict[str, Any]:
    small = counts[:, 1:FINITE]
    taken = np.flatnonzero(small.any(axis=0)) + 1
    first, end = (int(taken[0]), int(taken[-1]) + 1) if len(taken) else (1, 1)
    share = np.cumsum(small.sum(axis=0)) / max(1, small.sum())
    return {
        "first": first,
        "shown": max(first, int(np.searchsorted(share, TAIL, side="right")) + 1),
        "counts": counts[:, first:end].tolist(),
        "zero": counts[:, 0].tolist(),
        "nonfinite": counts[:, FINITE:].sum(axis=1).tolist(),
    }


def _five_digits(values: np.ndarray) -> Series:
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]
