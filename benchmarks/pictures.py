"""Comparisons as pictures."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, ScalarFormatter

from training.plot import write_picture

from .ceiling import shown_share


def plot_comparison(measured: Mapping[str, Any], title: str, path: Path) -> None:
    """How long each engine takes, relative to the first; and its share of the ceiling where it is measured; with their
    intervals."""
    rows = [row for row in measured["figures"] if "failure" not in row]
    rows.sort(key=lambda row: -row["times_as_long"]["median"])
    figure = Figure(figsize=(9, 1.2 + 0.32 * len(rows)), layout="constrained")
    figure.suptitle(title)
    times, shares = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    places = range(len(rows))
    _with_intervals(times, places, [row["times_as_long"] for row in rows])
    times.set_yticks(places, [row["engine"] for row in rows])
    times.set_xscale("log")
    times.set_xticks([1, 2, 3, 5, 10, 20])
    times.xaxis.set_major_formatter(ScalarFormatter())
    times.minorticks_off()
    times.axvline(1, color="C0", alpha=0.5)
    times.set_xlabel("time relative to the first engine's, with 95 % interval")
    shared = [place for place in places if shown_share(rows[place]) is not None]
    _with_intervals(shares, shared, [rows[place]["share_of_ceiling"] for place in shared])
    shares.set_xlim(left=0)
    shares.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    shares.set_xlabel("share of the ceiling")
    for axes in (times, shares):
        axes.grid(alpha=0.3)
    write_picture(path, figure)


def plot_growth(points: Sequence[Mapping[str, Any]], what: str, rate: str, path: Path) -> None:
    """Each engine's rate and its share of the ceiling as the work grows; and the seconds that its compilation takes.

    points: of `measure`, each with "at", the value of `what`. rate: "steps_per_second" or "gb_per_second".
    """
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    rates, shares, seconds = figure.subplots(1, 3, sharex=True)
    for engine in dict.fromkeys(row["engine"] for point in points for row in point["figures"]):
        there = [(point["at"], row) for point in points for row in point["figures"]
                 if row["engine"] == engine and "failure" not in row]  # fmt: skip
        at = [place for place, _ in there]
        rates.plot(at, [row[rate] for _, row in there], marker=".", label=engine)
        shown = [shown_share(row) for _, row in there]
        shares.plot(at, [math.nan if share is None else share for share in shown], marker=".")
        seconds.plot(at, [row["compile"] for _, row in there], marker=".")
    rates.set_yscale("log")
    rates.set_ylabel("steps/s" if rate == "steps_per_second" else "GB/s that an update must move")
    rates.legend(fontsize="small")
    shares.set_ylim(bottom=0)
    shares.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    shares.set_ylabel("share of the ceiling")
    seconds.set_ylim(bottom=0)
    seconds.set_ylabel("seconds to trace and compile")
    for axes in (rates, shares, seconds):
        axes.set_xlabel(what)
        axes.set_xscale("log")
        axes.grid(alpha=0.3)
    write_picture(path, figure)


def _with_intervals(axes: Axes, places: Sequence[int], ratios: Sequence[Mapping[str, float]]) -> None:
    medians = [ratio["median"] for ratio in ratios]
    below = [ratio["median"] - ratio["low"] for ratio in ratios]
    above = [ratio["high"] - ratio["median"] for ratio in ratios]
    axes.errorbar(medians, places, xerr=(below, above), fmt="o", markersize=4, capsize=3)
