"""Comparisons as pictures."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, ScalarFormatter

from training.output.plot import write_picture

from .ceiling import Share, shown_share
from .growth import Rate, Study

SHARES: Mapping[Share, str] = {
    "share_of_ceiling": "share of the ceiling",
    "share_of_all_reduce": "share that the all-reduce takes",
}

RATES: Mapping[Rate, str] = {
    "steps_per_second": "steps/s",
    "images_per_second": "images/s",
    "gb_per_second": "GB/s that an update must move",
}


def plot_comparison(measured: Mapping[str, Any], title: str, path: Path) -> None:
    """How long each engine takes, relative to the first; and its shares of the ceiling and of the all-reduce where they
    are measured; with their intervals."""
    rows = [row for row in measured["figures"] if "failure" not in row]
    rows.sort(key=lambda row: -row["times_as_long"]["median"])
    shown = _shown(rows) or ["share_of_ceiling"]
    figure = Figure(figsize=(6 + 3 * len(shown), 1.2 + 0.32 * len(rows)), layout="constrained")
    figure.suptitle(title)
    times, *shares = figure.subplots(1, 1 + len(shown), sharey=True, width_ratios=(3, *[2] * len(shown)))
    places = range(len(rows))
    _with_intervals(times, places, [row["times_as_long"] for row in rows])
    times.set_yticks(places, [row["engine"] for row in rows])
    times.set_xscale("log")
    times.set_xticks([1, 2, 3, 5, 10, 20])
    times.xaxis.set_major_formatter(ScalarFormatter())
    times.minorticks_off()
    times.axvline(1, color="C0", alpha=0.5)
    times.set_xlabel("time relative to the first engine's, with 95 % interval")
    for axes, share in zip(shares, shown, strict=True):
        measured_there = [place for place in places if shown_share(rows[place], share) is not None]
        _with_intervals(axes, measured_there, [rows[place][share] for place in measured_there])
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_xlabel(SHARES[share])
    for axes in (times, *shares):
        axes.grid(alpha=0.3)
    write_picture(path, figure)


def plot_growth(points: Sequence[Mapping[str, Any]], study: Study, path: Path) -> None:
    """Each engine's rate as the work grows, its shares of the ceiling and of the all-reduce, where they are measured,
    and the seconds that its compilation takes.

    points: of `measure`, each with "at", the value of the study's quantity.
    """
    shown = _shown([row for point in points for row in point["figures"]])
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    rates, *shares, seconds = figure.subplots(1, 2 + len(shown), sharex=True)
    for engine in study.engines:
        there = [(point, row) for point in points for row in point["figures"]
                 if row["engine"] == engine.format(point["at"]) and "failure" not in row]  # fmt: skip
        at = [point["at"] for point, _ in there]
        rates.plot(at, [_rate(study.rate, point, row) for point, row in there], marker=".", label=engine.format("N"))
        for axes, share in zip(shares, shown, strict=True):
            values = [shown_share(row, share) for _, row in there]
            axes.plot(at, [math.nan if value is None else value for value in values], marker=".")
        seconds.plot(at, [row["compile"] for _, row in there], marker=".")
    rates.set_yscale("log")
    rates.set_ylabel(RATES[study.rate])
    rates.legend(fontsize="small")
    for axes, share in zip(shares, shown, strict=True):
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_ylabel(SHARES[share])
    seconds.set_ylim(bottom=0)
    seconds.set_ylabel("seconds to trace and compile")
    for axes in (rates, *shares, seconds):
        axes.set_xlabel(study.what)
        axes.set_xscale("log")
        if max(study.values) < 10:  # within a decade, where it would label one
            axes.set_xticks(study.values, map(str, study.values))
            axes.xaxis.minorticks_off()
        axes.grid(alpha=0.3)
    write_picture(path, figure)


def _shown(rows: Sequence[Mapping[str, Any]]) -> list[Share]:
    """The shares that any of them has."""
    return [share for share in SHARES if any(shown_share(row, share) is not None for row in rows)]


def _rate(rate: Rate, point: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    if rate == "images_per_second":
        return row["steps_per_second"] * point["work"]["batch_size"]
    return row[rate]


def _with_intervals(axes: Axes, places: Sequence[int], ratios: Sequence[Mapping[str, float]]) -> None:
    medians = [ratio["median"] for ratio in ratios]
    below = [ratio["median"] - ratio["low"] for ratio in ratios]
    above = [ratio["high"] - ratio["median"] for ratio in ratios]
    axes.errorbar(medians, places, xerr=(below, above), fmt="o", markersize=4, capsize=3)
