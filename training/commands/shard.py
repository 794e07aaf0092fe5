"""`rawstep shard`."""

import os
from functools import partial
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from ..workloads.options import FilePath, Several, Whole

PARTS = {"train": "training", "validation": "validation", "test": "the test"}


def shard(
    *sources: FilePath,
    out: FilePath,
    format: Literal["npz", "idx", "tfrecord"] = "npz",
    size: Annotated[float, Parameter(validator=Number(gt=0, lte=256))] = 8.0,
    target: str | None = None,
    resize: Annotated[tuple[Whole, Whole] | None, Several] = None,
    validation: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None,
    test: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None,
    seed: Annotated[Whole, Parameter(validator=Number(gte=0))] = 0,
    json: FilePath | None = None,
) -> None:
    """Cut data into shards, which `rawstep train --stream` reads as it needs them: data beyond memory.

    Examples are dealt at random over all shards, and lie in a random order in each: data that are sorted by class end
    mixed. Memory is taken for one shard at a time, however large the data are; on the disk they need their size twice
    for a while.

    Examples:

    - `rawstep shard --out shards`: MNIST
    - `rawstep shard fashion --out shards --format tfrecord`: a folder of IDX or .npy files, as --data-dir takes
    - `rawstep shard mnist.npz --out shards --size 64 --validation 10000`: a .npz file, in shards of 64 MB
    - `rawstep shard pets --out shards --resize 64 64`: images in pets/train/cat, pets/train/dog, pets/test/cat, …
    - `rawstep shard 2024.csv 2025.csv --target price --out shards`: tables, for --workload regression
    - `rawstep shard shards --out smaller --size 8`: shards themselves, which are too large

    Parameters
    ----------
    sources
        A folder of IDX or .npy files, or a .npz file, as --data-dir takes; a folder of images, with a folder for each
        class, in train, validation and test or without these; a folder of shards; or CSV tables with a header.
        Unless given, MNIST.
    out
        The new folder.
    format
        npz, idx (pairs of IDX files, of images alone) or tfrecord.
    size
        Megabytes of examples in a shard, at most.
    target
        The column of a table that is to be estimated.
    resize
        Rows and columns that all images are scaled to. Unless given, they must be of one size.
    validation
        Examples to draw for validation, where the source has none of its own. Unless given, one in twelve.
    test
        Examples to draw for the test, likewise.
    seed
        Decides which example comes where.
    json
        Write what was written to this file.
    """
    from ..output.files import check_apart, check_files, check_new_folder
    from ..output.outputs import outputs
    from ..output.screen import Counted, Screen
    from ..output.whole_folder import check_name, whole_folder
    from ..runs.results import write_json
    from ..workloads.data.dataset import MNIST
    from ..workloads.data.sharding import Plan, planned, write_shards
    from ..workloads.data.sources import source_of

    check_apart(out, json)
    check_files(json)
    check_new_folder(out)
    check_name(out)
    plan = Plan(format, int(size * 1e6), seed, validation, test)
    source = source_of(sources or (MNIST,), target, resize)
    with (
        Counted("examples", 2 * planned(source)) as counted,
        whole_folder(out, out.with_name(f".rawstep.{os.getpid()}")) as folder,
    ):
        written = write_shards(source, folder, plan, counted.advance)
    counts = ", ".join(f"{count:,} for {PARTS[part]}" for part, count in written["examples"].items())
    size_mb = sum(file["bytes"] for file in written["files"].values()) / 1e6
    with outputs() as attempt:
        shards = len(written["files"]) // (2 if format == "idx" else 1)
        attempt(
            partial(Screen().print, soft_wrap=True),
            f"Wrote {out}: {written['what']} in {shards:,} {format} shards, {counts}; {size_mb:,.3g} MB.",
        )
        if json is not None:
            attempt(write_json, json, written)
