"""The least time that a sample can take on this machine, and what may be said of an engine beside it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from threadpoolctl import threadpool_info

from .contestants import Contestant
from .engines import PRODUCTS
from .engines.ceilings import STREAM_BYTES
from .work import Work

FEWEST = 6
"""Rounds that a 95 % interval takes: the range of n holds the median in all but one of 2ⁿ⁻¹ cases."""


class Ceiling(NamedTuple):
    """The least time of a sample.

    seconds:  in each round. products: the name in `PRODUCTS` that was the fastest; None where a work has no products.
    """

    seconds: list[float]
    products: str | None


def ceiling(contestants: Sequence[Contestant], work: Work) -> Ceiling | None:
    """The time of the matrix products alone, where the work has any, by the library with the least median, and of the
    optimizer's traffic at the bandwidth of the stream. None where one of the two was not measured, or failed."""
    able = {one.name: one for one in contestants if one.failure is None and not one.beaten}
    if "stream" not in work.ceilings or "stream" not in able:
        return None
    traffic = work.bytes_a_step / (STREAM_BYTES * sum(work.shapes()))
    least = np.array(able["stream"].walls) * traffic
    if not any(name in PRODUCTS for name in work.ceilings):
        return Ceiling(least.tolist(), None)
    measured = [able[name] for name in work.ceilings if name in PRODUCTS and name in able]
    if not measured:
        return None
    best = min(measured, key=lambda contestant: np.median(contestant.walls))
    return Ceiling((least + best.walls).tolist(), best.name)


Share = Literal["share_of_ceiling", "share_of_all_reduce"]


def shown_share(figure: Mapping[str, Any], which: Share = "share_of_ceiling") -> float | None:
    """A share that may be shown of an engine's figures, at most 1.

    A ratio above 1 whose interval contains 1 is 1. None where it was not measured, and where the whole interval is
    above 1: then the part takes longer by itself than within the whole, as on a machine that has other work.
    """
    share = figure.get(which)
    return min(share["median"], 1.0) if share and share["low"] <= 1 else None


def blas() -> dict[str, Any] | None:
    """NumPy's BLAS in this process, as in those of the engines: its version, and the kernel that it chose for the
    processor or that an environment variable, such as OPENBLAS_CORETYPE, made it choose. None where none is found."""
    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    libraries.sort(key=lambda library: "numpy.libs" not in library["filepath"])  # SciPy's wheel brings another
    if not libraries:
        return None
    found = libraries[0]
    kernel, threads = found.get("architecture"), found["num_threads"]
    return {"library": found["internal_api"], "version": found["version"], "kernel": kernel, "threads": threads}


def notes(measured: Mapping[str, Any]) -> list[str]:
    """Sentences below a comparison's table: which engines failed, whose products are the ceiling, and which engines'
    share of it is not measured; and where the rounds are too few.

    measured: of `measure`; older records have no "ceiling", and nothing is said of it.
    """
    figures, best = measured["figures"], measured.get("ceiling")
    sentences = [f"{figure['engine']} failed: {figure['failure']}." for figure in figures if "failure" in figure]
    if 0 < measured.get("rounds", FEWEST) < FEWEST:
        sentences.append(f"{measured['rounds']} rounds are a first look: below {FEWEST}, no interval covers 95 %.")
    if best is None:
        return sentences
    if best["products"]:
        names = ", ".join(name.removeprefix("products by ") for name in PRODUCTS)
        sentences.append(f"Ceiling: {best['products']}, the fastest of {names}{_numpy(best['blas'])}.")
    above = [row["engine"] for row in figures if "failure" not in row and shown_share(row) is None]
    if above:
        reason = "less time than its ceiling, by more than the interval"
        sentences.append(f"Not measured: the share of {', '.join(above)}, {reason}; {load(measured)}.")
    return sentences


def _numpy(blas: Mapping[str, Any] | None) -> str:
    kernel = f", kernel {blas['kernel']}" if blas and blas["kernel"] else ""
    return f"; NumPy's BLAS is {blas['library']} {blas['version']}{kernel}" if blas else ""


def load(record: Mapping[str, Any]) -> str:
    """The machine's load during a measurement, in words."""
    before, after = record["load_before"][0], record["load_after"][0]
    return f"the load average was {before:.1f} before and {after:.1f} after, on {record['cores']} cores"
