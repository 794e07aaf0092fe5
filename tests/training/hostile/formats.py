"""Every kind of file that a command reads: its name, seeds to damage, and what reads it."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tensorflow.core.protobuf.saver_pb2 import SaverDef

from training.exchange.tf1.typed_map import parsed
from training.views.certificate.gradients import load_streams
from training.views.trace.trace import NAME
from training.workloads.data import load_shards
from training.workloads.data.idx import IdxFile
from training.workloads.data.npy import NpyFile
from training.workloads.data.shard_files import MANIFEST
from training.workloads.data.table import read_table

from ..workloads.data.idx_bytes import idx
from .readers import (
    read_checkpoint,
    read_environment,
    read_graph,
    read_outcome,
    read_pictures,
    read_run,
    read_run_of_text,
    read_shard,
    read_splits,
    read_trace,
    whole_and_by_rows,
)
from .writers import (
    ABOUT,
    DATA,
    IMAGES,
    INDEX,
    META,
    SPLITS,
    STATE_DATA,
    STATE_INDEX,
    another_picture,
    arrays,
    beside_files,
    beside_run,
    cluster,
    examples,
    manifest,
    npz_of,
    outcomes,
    pair,
    pictures,
    records,
    records_of_pair,
    run_file,
    run_texts,
    saved,
    session_files,
    shards,
    streams,
    tables,
    texts,
    trace_about,
    traces,
)


class Format(NamedTuple):
    """A kind of file.

    file:    its name in a folder of its own, as a command finds it there.
    seeds:   contents to begin from.
    read:    what a command does with the file.
    wrapped: makes a whole file of what is damaged, where checksums would hide what stands behind them.
    beside:  what else the folder must hold.
    """

    file: str
    seeds: Callable[[], list[bytes]]
    read: Callable[[Path], object]
    wrapped: Callable[[bytes], bytes] = bytes
    beside: Callable[[Path], object] = id


FORMATS = {
    "idx": Format("file", lambda: [idx(one) for one in arrays()], whole_and_by_rows(IdxFile)),
    "gzip": Format("file", lambda: [gzip.compress(idx(one)) for one in arrays()], whole_and_by_rows(IdxFile)),
    "idx in gzip": Format("file", lambda: [idx(one) for one in arrays()], whole_and_by_rows(IdxFile), gzip.compress),
    "npy": Format("file", lambda: [saved(np.save, one) for one in arrays()], whole_and_by_rows(NpyFile)),
    "npz": Format(
        "f.npz", lambda: [saved(save, **SPLITS) for save in (np.savez, np.savez_compressed)], read_splits
    ),
    "npy in npz": Format("f.npz", lambda: [saved(np.save, IMAGES)], read_splits, npz_of),
    "TFRecord": Format("train-0.tfrecord", lambda: [records(one, one) for one in examples()], read_shard),
    "examples": Format("train-0.tfrecord", lambda: [pair(one, one) for one in examples()], read_shard, records_of_pair),
    "shards.json": Format(MANIFEST, manifest, lambda path: load_shards(path.parent), beside=shards),
    "CSV": Format("table.csv", texts, read_table),
    "Parquet": Format("table.parquet", tables, read_table),
    "image": Format("images/dog/2.png", pictures, read_pictures, beside=another_picture),
    "Saver index": Format(INDEX, lambda: [session_files()[INDEX]], read_checkpoint, beside=beside_files(DATA)),
    "Saver data": Format(DATA, lambda: [session_files()[DATA]], read_checkpoint, beside=beside_files(INDEX)),
    "Saver V1": Format("net.ckpt", lambda: [session_files(SaverDef.V1)["net.ckpt"]], read_checkpoint),
    "Saver graph": Format(META, lambda: [session_files()[META]], read_graph, beside=beside_files(INDEX, DATA)),
    "run index": Format(STATE_INDEX, run_file(STATE_INDEX), read_run, beside=beside_run(STATE_DATA)),
    "run data": Format(STATE_DATA, run_file(STATE_DATA), read_run, beside=beside_run(STATE_INDEX)),
    "JSON in run": Format("text", run_texts, read_run_of_text),
    "trace": Format(NAME, traces, read_trace),
    "JSON in trace": Format(NAME, lambda: [json.dumps(ABOUT).encode()], read_trace, trace_about),
    "streams": Format("file.npz", streams, lambda path: load_streams(path, "float16")),
    "map": Format("map.json", lambda: [b'{"h1": "W1", "b1": "B1"}'], lambda path: parsed([str(path)])),
    "outcome": Format("runs/run.json", outcomes, read_outcome),
    "TF_CONFIG": Format("variable", cluster, read_environment),
}  # fmt: skip
"""By name. What is one file within another is damaged on its own too, and wrapped whole."""
