"""What the recorder's columns are called, what they mean and how they are drawn: for page and terminal alike."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import numpy as np

from ..explain.notation import sign_of

Scale = Literal["logarithmic", "share", "linear"]


class Figure(NamedTuple):
    """One figure of every layer, or of the whole network.

    key:     what a column is called behind its layer; "rates" for the five that make a band.
    title:   how it is written.
    meaning: a sentence or two.
    scale:   of its axis.
    """

    key: str
    title: str
    meaning: str
    scale: Scale


KNOWN = {
    figure.key: figure
    for figure in (
        Figure("cost", "cost", "The mean cost of the step's batch, before the step.", "logarithmic"),
        Figure("norm_g", "‖g‖", "The norm of the gradient over the layer's elements.", "logarithmic"),
        Figure("norm_delta", "‖Δ‖", "The norm of what the step subtracted.", "logarithmic"),
        Figure("norm_x", "‖θ‖", "The norm of the parameters after the step.", "logarithmic"),
        Figure(
            "relative_delta", "‖Δ‖/‖θ‖",
            "The relative update: how far the step moved the layer, measured by the layer itself.", "logarithmic",
        ),
        Figure(
            "rates", "|Δ|/|g|",
            "The effective learning rate: how far an element moved per unit of its gradient. The line is the median, "
            "the band the middle half, the thin lines the least and the greatest, which may leave the picture; of "
            "elements with a gradient.",
            "logarithmic",
        ),
        Figure("share_zero_g", "g = 0", "The share of elements whose gradient is exactly 0.", "share"),
        Figure(
            "share_epsilon_outweighs", "ε outweighs",
            "The share of elements where ε is greater than what stands beside it in the denominator: there the rule "
            "hardly adapts to the gradient any more.", "share",
        ),
        Figure("nonfinite_g", "∞ or NaN in g", "How many elements of the gradient are ∞ or NaN.", "linear"),
        Figure("nonfinite_x", "∞ or NaN in θ", "How many parameters are ∞ or NaN after the step.", "linear"),
        Figure(
            "norm_served", "‖served‖",
            "The norm of the parameters that the rule serves to evaluation and export, where it trains others.",
            "logarithmic",
        ),
        Figure("learning_rate", "learning rate", "The learning rate of the step, as its schedule has it.", "linear"),
        Figure(
            "factor", "clip factor", "What the gradient was multiplied by: 1 where it was no longer than the limit.",
            "share",
        ),
        Figure("norm_decayed", "‖decay‖", "The norm of what weight decay subtracted.", "logarithmic"),
        Figure("relative_decayed", "‖decay‖/‖Δ‖", "How much of the update is decay, by their norms.", "logarithmic"),
        Figure(
            "norm_distance", "‖θ − average‖", "The distance between the parameters and their average.", "logarithmic"
        ),
        Figure(
            "relative_distance", "‖θ − average‖/‖θ‖",
            "The distance between the parameters and their average, measured by the parameters.", "logarithmic",
        ),
        Figure("correction_1", "1 − β₁ᵗ", "The bias correction of m: small at first, then 1.", "linear"),
        Figure("correction_2", "1 − β₂ᵗ", "The bias correction of v: small at first, then 1.", "linear"),
        Figure("histogram_g", "|g|", "How the magnitudes of the gradient are spread.", "linear"),
        Figure("histogram_delta", "|Δ|", "How the magnitudes of what the step subtracted are spread.", "linear"),
        Figure("histogram_x", "|θ|", "How the magnitudes of the parameters are spread.", "linear"),
    )
}  # fmt: skip
RATES = {name: f"rate_{name}" for name in ("min", "quartile_1", "median", "quartile_3", "max")}
"""The columns of the effective learning rate, in their order."""
HISTOGRAM = "histogram_"
OF_A_PART = re.compile(r"(?P<kind>norm_root_|norm_|relative_|share_|)(?P<part>\w+)\.(?P<value>.+)")
"""What a key is called behind the name of a chain's part: norm_adam.m, clip_by_norm.factor."""
WHOLE = 1 - 2.0**-20
"""A factor that is 1 except for rounding: c·(1/c)."""


class Place(NamedTuple):
    """A column: the layer it is of, "" for the whole network; and what it is called there."""

    layer: str
    key: str


def place(column: str) -> Place:
    """Where a column belongs: h1/norm_g is norm_g of h1, and cost is of the network."""
    layer, _, key = column.rpartition("/")
    return Place(layer, key)


def without_part(key: str) -> str:
    """The key of the same figure of a rule by itself: norm_m of norm_adam.m."""
    return OF_A_PART.sub(r"\g<kind>\g<value>", key)


def is_of_an_element(column: str) -> bool:
    """Whether a column is that of one element that is followed, such as h1[300,5]/m."""
    return place(column).layer.endswith("]")


def figure(key: str) -> Figure:
    """The figure of this key; one that only a rule of the user's own or --values has is described by its name."""
    if key in KNOWN:
        return KNOWN[key]
    if part := OF_A_PART.fullmatch(key):
        found, of = figure(without_part(key)), part["part"].replace("_", " ")
        return found._replace(key=key, title=f"{found.title}, {of}", meaning=f"{found.meaning} Of the part {of}.")
    if found := re.fullmatch("norm_root_(.+)", key):
        sign = sign_of(found[1]).text
        return Figure(key, f"‖√{sign}‖", f"The norm of √{sign} over the layer, the slot {found[1]}'s.", "logarithmic")
    if found := re.fullmatch("norm_(.+)", key):
        sign = sign_of(found[1]).text
        return Figure(key, f"‖{sign}‖", f"The norm of {sign} over the layer, the rule's {found[1]}.", "logarithmic")
    if found := re.fullmatch("share_(.+)", key):
        return Figure(
            key, found[1].replace("_", " "), f"The share of elements where the rule's {found[1]} holds.", "share"
        )
    return Figure(key, sign_of(key).symbol.name, f"The rule's {key}.", "linear")


def curves(columns: Iterable[str]) -> dict[str, Figure]:
    """The figures that are drawn as curves over the steps, by their keys, in the columns' order."""
    keys = (key for key in _keys(columns) if not key.startswith(HISTOGRAM))
    return {key: figure(key) for key in dict.fromkeys("rates" if key in RATES.values() else key for key in keys)}


def clipped(columns: Mapping[str, np.ndarray]) -> dict[str, float]:
    """By the layer, and once for all layers where one factor is theirs: the share of records in which a clip took
    something off a gradient, as {"clip_by_global_norm": 0.25} and {"h1/clip_by_norm": 0.5}."""
    found, everywhere = {}, {}
    for name, column in columns.items():
        layer, key = place(name)
        piece, _, stage = key.rpartition(".")
        if piece and stage == "factor" and not is_of_an_element(name) and len(column):
            found[f"{layer}/{piece}"] = share = float(np.mean(column < WHOLE))
            everywhere.setdefault(piece, []).append((layer, column, share))
    for piece, of in everywhere.items():
        if all(np.array_equal(column, of[0][1]) for _, column, _ in of):
            found = {name: share for name, share in found.items() if place(name).key != piece} | {piece: of[0][2]}
    return found


def histograms(columns: Iterable[str]) -> dict[str, Figure]:
    """The figures that are drawn as histograms, by their keys."""
    return {key: figure(key) for key in _keys(columns) if key.startswith(HISTOGRAM)}


def _keys(columns: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(place(column).key for column in columns if not is_of_an_element(column))
