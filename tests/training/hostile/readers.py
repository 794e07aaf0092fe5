"""What commands do with the files that they read."""

import math
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from core import Adam, InputError
from training.exchange.tf1.contents import read as read_saver_file
from training.notebook.place import Place
from training.notebook.works import Curves, EpochTimes, Training
from training.output.sums import write_sums
from training.output.tensor_files import DamagedError, write_tensors
from training.runs.checkpoint import PREFIX
from training.runs.checkpoint import read as read_state
from training.runs.distribution.cluster import cluster_of_environment
from training.runs.object_graph import TEXT, key
from training.runs.settings import Settings
from training.views.trace.page import page
from training.views.trace.trace import load
from training.workloads.data import Form
from training.workloads.data.files import stored
from training.workloads.data.idx import IdxFile
from training.workloads.data.image_shards import ImageShard
from training.workloads.data.npy import NpyFile
from training.workloads.data.shard_files import shard_files
from training.workloads.data.sources import _kind_of, source_of

from .writers import RUN, trace


def whole_and_by_rows(kind: type[IdxFile] | type[NpyFile]) -> Callable[[Path], object]:
    def read(path: Path) -> None:
        file = kind.of(path)
        file.read()
        if math.prod(file.shape) and file.shape:  # no command asks for rows of what has none
            _ = [*file.rows(2)]

    return read


def read_splits(place: Path) -> None:
    for split in filter(None, stored(place, 1)):
        split.read()


def read_shard(path: Path) -> None:
    (files,) = shard_files(path.parent)["train"]
    shard = _kind_of(files).of(files)
    if isinstance(shard, ImageShard) and shard.stored.images.dtype.kind == "f":
        shard = ImageShard.of(files, Form("standardised"))
    shard.read()


def read_pictures(path: Path) -> None:
    source = source_of([path.parent.parent], None, None)
    for piece in source.parts["train"]:
        _ = [*piece.rows(2)]


def read_checkpoint(path: Path) -> None:
    found = read_saver_file(path.with_name("net.ckpt"))
    _ = found.index.listed, found.described_sets(), found.averages, found.global_step
    for slots in found.sets:
        found.power_choices(slots)


def read_graph(path: Path) -> None:
    """With all that import-tf1 asks of it."""
    found = read_saver_file(path.with_name("net.ckpt"))
    graph = found.index.graph
    assert graph is not None
    variables = [*found.variables.values()]
    _ = graph.places, graph.trainable, graph.decays(), graph.has_counted_decay(), graph.activations(variables)
    for slots in found.sets:
        graph.settings([*slots.slot_names(variables[0]).values()], variables[0])
        found.power_choices(slots)


def read_run(path: Path) -> None:
    try:
        checkpoint = read_state(path.parent)
    except DamagedError as error:
        raise InputError(str(error)) from error
    _ = str(checkpoint), checkpoint.workload, checkpoint.nonfinite, checkpoint.digest


def read_run_of_text(path: Path) -> None:
    """Of a checkpoint that has this text, and whose digests are right."""
    whole = read_state(RUN)
    tensors = {key(tuple(name.split("/"))): tensor for name, tensor in whole.tensors.items()}
    with TemporaryDirectory() as folder:
        write_tensors(Path(folder) / PREFIX, {**tensors, TEXT: path.read_bytes()})
        write_sums(Path(folder))
        read_run(Path(folder) / path.name)


def read_trace(path: Path) -> None:
    """As --beside does."""
    page("own", trace(), Adam(0.1), {"other": load(path.parent)})


def read_outcome(path: Path) -> None:
    outcome = Place(path.parent.parent).outcome(path.stem)
    if Training(Settings().settled()).fits(outcome):
        Curves.of(outcome)
    EpochTimes((100,), 1, 0).fits(outcome)


def read_environment(path: Path) -> None:
    """The variable stands in a file here."""
    cluster_of_environment({"TF_CONFIG": path.read_bytes().decode(errors="surrogateescape").replace("\0", "")})
