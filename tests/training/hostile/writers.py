"""Small files of every kind that a command reads, as the real writers make them, and wrappers of what is in them."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf.saver_pb2 import SaverDef

from core.verification.streams import Streams
from training.runs.checkpoint import FILES
from training.runs.checkpoint import read as read_state
from training.runs.settings import Settings
from training.views.certificate.gradients import save_streams
from training.views.trace.trace import Trace, written
from training.workloads.data.records import example
from training.workloads.data.shard_files import MANIFEST
from training.workloads.data.sharding import Plan, write_shards
from training.workloads.data.sources import source_of

from ..exchange.tf1.files import ADAM, session_saves

IMAGES = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
LABELS = np.array([0, 1, 2, 0, 1, 2], np.uint8)
SPLITS = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:2], "y_test": LABELS[:2]}
DTYPES = ("u1", "i1", "i2", "i4", "f4", "f8")


def saved(save: Callable[..., object], *arguments: object, **named: object) -> bytes:
    """What a writer writes to a file that is open."""
    file = io.BytesIO()
    save(file, *arguments, **named)
    return file.getvalue()


def arrays() -> list[np.ndarray]:
    return [np.arange(6).reshape(shape).astype(kind) for kind in DTYPES for shape in ((6,), (3, 2), (1, 2, 3))]


def npz_of(first: bytes) -> bytes:
    """A .npz file whose first array is in this .npy file."""
    whole = io.BytesIO(saved(np.savez, **{name: array for name, array in SPLITS.items() if name != "x_train"}))
    with zipfile.ZipFile(whole, "a") as file:
        file.writestr("x_train.npy", first)
    return whole.getvalue()


def records(*contents: bytes) -> bytes:
    with TemporaryDirectory() as folder:
        path = f"{folder}/file"
        with tf.io.TFRecordWriter(path) as writer:
            for content in contents:
                writer.write(content)
        return Path(path).read_bytes()


def encoded(form: str, mode: str = "L") -> bytes:
    return saved(Image.fromarray(IMAGES[0]).convert(mode).save, format=form)


def png_example() -> bytes:
    feature = tf.train.Feature
    features = {
        "image": feature(bytes_list=tf.train.BytesList(value=[encoded("PNG")])),
        "label": feature(int64_list=tf.train.Int64List(value=[1])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def examples() -> list[bytes]:
    return [
        example(IMAGES[0], 1),
        example(IMAGES[0].astype(np.float32), 1),
        example(np.arange(3.0), 0.5),
        png_example(),
    ]


def pair(first: bytes, second: bytes) -> bytes:
    return len(first).to_bytes(2, "big") + first + second


def records_of_pair(content: bytes) -> bytes:
    """The two whole, which may be unlike."""
    end = 2 + int.from_bytes(content[:2], "big")
    return records(content[2:end], content[end:])


def frames() -> list[pd.DataFrame]:
    return [
        pd.DataFrame({"a": [1.5, 2.0], "b": [3, 4], "c": [5.0, 6e30]}),
        pd.DataFrame({"a": np.arange(9), "b": np.arange(9) / 7}),
    ]


def texts() -> list[bytes]:
    return [frame.to_csv(sep=by, index=False).encode() for frame in frames() for by in ",;\t"]


def tables() -> list[bytes]:
    return [
        saved(frame.to_parquet, compression=packed) for frame in frames() for packed in (None, "snappy", "gzip", "zstd")
    ]


def pictures() -> list[bytes]:
    forms = [("PNG", "L"), ("PNG", "RGB"), ("PNG", "P"), ("PNG", "I;16"), ("PNG", "1"), ("JPEG", "L"), ("JPEG", "RGB")]
    forms += [("GIF", "P"), ("BMP", "L"), ("TIFF", "L"), ("TIFF", "RGB"), ("WEBP", "RGB"), ("PPM", "L"), ("PPM", "RGB")]
    return [encoded(*one) for one in forms]


def another_picture(folder: Path) -> None:
    (folder.parent / "cat").mkdir()
    (folder.parent / "cat" / "1.png").write_bytes(encoded("PNG"))


def shards(folder: Path) -> None:
    with TemporaryDirectory() as other:
        source = Path(other) / "source.npz"
        np.savez(source, **{name: np.repeat(array, 4, axis=0) for name, array in SPLITS.items()})
        write_shards(source_of([source], None, None), folder, Plan(shard_bytes=100), lambda count: None)


def manifest() -> list[bytes]:
    with TemporaryDirectory() as folder:
        shards(Path(folder))
        return [(Path(folder) / MANIFEST).read_bytes()]


@cache
def session_files(version: int = SaverDef.V2) -> dict[str, bytes]:
    """What TensorFlow 1's session saves, by the files' names."""
    with TemporaryDirectory() as folder:
        session_saves(Path(folder) / "net.ckpt", ADAM, version=version, meta=version == SaverDef.V2)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


STATE_INDEX, STATE_DATA = FILES
INDEX, DATA, META = "net.ckpt.index", "net.ckpt.data-00000-of-00001", "net.ckpt.meta"


def beside_files(*names: str) -> Callable[[Path], object]:
    return lambda folder: [(folder / name).write_bytes(session_files()[name]) for name in names]


RUN = Path(__file__).parents[1] / "run_of_0_2" / "step-00000048"
"""A checkpoint of rawstep's first version, which had no digests: TensorFlow reads what is damaged."""


def run_file(name: str) -> Callable[[], list[bytes]]:
    return lambda: [(RUN / name).read_bytes()]


def beside_run(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((RUN / name).read_bytes())


def run_texts() -> list[bytes]:
    return [json.dumps(read_state(RUN).run).encode()]


ABOUT = {
    "settings": {"rule": "adam", "dialect": None, "learning_rate": 0.1, "batch_size": 2, "epochs": 1, "seed": 0,
                 "rule_settings": {"learning_rate": 0.1}, "workload_options": {"hidden": [8]}, "rule_options": {}},
    "recorder": {"every": 1}, "own_cost": {"times_as_long": 1.1, "low": 1.0, "high": 1.2, "rounds": 3, "steps": 9},
    "versions": {"numpy": "2"}, "network": "layers", "steps_taken": 3,
    "judged_by": "accuracy", "test_cost": 0.5, "test_accuracy": 0.5, "command": "", "date": "", "commit": None,
    "interrupted": False,
}  # fmt: skip


def trace(name: str = "h1") -> Trace:
    columns = {"cost": np.ones(3), f"{name}/grad_norm": np.ones(3), "learning_rate": np.ones(3)}
    return Trace(np.arange(1, 4), columns, ABOUT)


def traces() -> list[bytes]:
    return [written(trace())]


def trace_about(content: bytes) -> bytes:
    """A trace file that says this about itself."""
    columns = {"about": np.frombuffer(content, np.uint8), "steps": np.arange(1, 4), **trace().columns}
    return saved(np.savez, **columns)


def streams() -> list[bytes]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file.npz"
        save_streams(path, Streams(np.ones([3, 2], np.float32), ("a", "b"), 0))
        return [path.read_bytes()]


def outcomes() -> list[bytes]:
    settings = Settings().settled()
    epoch = {"cost": 1.0, "validation_accuracy": 0.5, "test_accuracy": 0.5}
    run = {"settings": asdict(settings), "epochs": [epoch] * (settings.epochs or 0)}
    return [json.dumps(one, default=str).encode() for one in (run, {"seconds": {"100": [1.0]}})]


def cluster() -> list[bytes]:
    found = {"cluster": {"chief": ["a:1"], "worker": ["b:2"]}, "task": {"type": "worker", "index": 0}}
    return [json.dumps(found).encode()]
