"""A trace on a terminal."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

from ...output.screen import Screen
from .figures import clipped, figure, is_of_an_element, place, without_part
from .own_cost import in_words
from .trace import Trace

SHOWN = (
    "norm_g", "norm_delta", "norm_x", "relative_delta", "relative_decayed", "relative_distance", "rate_median",
    "share_zero_g", "share_epsilon_outweighs",
)  # fmt: skip
"""In their order, of any part of a chain."""


def print_trace(trace: Trace, paths: Sequence[Path]) -> None:
    """The last record of every layer, what the run is judged by, what recording cost, and where things are, if any are,
    to standard output."""
    screen = Screen(wide=True)
    if len(trace.steps) and trace.layers:
        screen.print(last_record(trace))
    for name, value in trace.judged.items():
        screen.print(f"{name}: {value}")
    for sentence in clips(trace):
        screen.print(sentence)
    screen.print(in_words(trace.about["own_cost"]), soft_wrap=True)
    if paths:
        screen.print(f"written: {', '.join(map(str, paths))}", soft_wrap=True)


def clips(trace: Trace) -> list[str]:
    """A sentence for each clip, and for each layer where they differ."""
    return [
        f"{name} shortened {share:.1%} of the recorded gradients." for name, share in clipped(trace.columns).items()
    ]


def last_record(trace: Trace) -> Table:
    """A row a layer, of what was recorded of it in the last recorded step."""
    table = Table(title=f"step {trace.steps[-1]:,}")
    table.add_column("layer")
    there = dict.fromkeys(place(column).key for column in trace.columns if not is_of_an_element(column))
    keys = sorted((key for key in there if without_part(key) in SHOWN), key=lambda key: SHOWN.index(without_part(key)))
    for key in keys:
        table.add_column("median |Δ|/|g|" if key == "rate_median" else figure(without_part(key)).title, justify="right")
    for layer in trace.layers:
        table.add_row(layer, *(_text(key, trace.columns.get(f"{layer}/{key}")) for key in keys))
    return table


def _text(key: str, column: np.ndarray | None) -> str:
    if column is None or np.isnan(column[-1]):
        return "–"
    return f"{column[-1]:.1%}" if key.startswith("share") else f"{column[-1]:.3g}"
