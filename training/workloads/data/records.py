"""Examples in TensorFlow's own files of records, TFRecord: tf.train.Examples with the features x and y.

    image, label            of images: PNG, JPEG, GIF or BMP as it is, or raw bytes with their sizes in `shape`, or
                            floats with their sizes there; and the class number, int64
    x, y                    of tables: floats, and the float to be estimated

TensorFlow checks every record's checksum as it reads it.
"""

import math
import os
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError

from .image_file import opened_image
from .npy import reason

LENGTH, CHECKSUMS = struct.Struct("<Q"), 8
"""What a record begins with, and bytes of its two checksums."""
AT_ONCE = 2_048
"""Records that are parsed together."""
ENCODED = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")
"""How images begin that tf.io.decode_image reads."""


@dataclass(frozen=True)
class RecordArray:
    """A feature of all records of a file, as an array [records, …] that `read` returns.

    first: the records' feature as the first one has it; what the others must be like.
    """

    path: Path
    short: str
    dtype: np.dtype
    shape: tuple[int, ...]
    encoded: bool = field(default=False, repr=False)

    def __str__(self) -> str:
        return f"{self.path}, {self.short}"

    def read(self) -> np.ndarray:
        """Raises InputError, naming the file, for one that is damaged or has other records than its first is."""
        return read_together([self])[0]

    def rows(self, count: int) -> Iterator[np.ndarray]:
        """The array, this many records at a time. Raises as `read` does."""
        for (some,) in rows_together([self], count):
            yield some

    @property
    def feature(self) -> Any:
        """What TensorFlow is to look for in a record."""
        import tensorflow as tf

        if self.dtype == np.uint8:
            return tf.io.FixedLenFeature([], tf.string)
        return tf.io.FixedLenFeature(self.shape[1:], tf.float32 if self.dtype.kind == "f" else tf.int64)

    def parsed(self, found: Any) -> np.ndarray:
        """The feature of some records, [records] or [records, …], as a part of the array."""
        contents, shape = found.numpy(), self.shape[1:]
        if self.dtype != np.uint8:
            return contents
        if self.encoded:
            return np.stack([_decoded(one, shape, self) for one in contents])
        if wrong := next((one for one in contents if len(one) != math.prod(shape)), None):
            raise InputError(f"{self} must have {math.prod(shape):,} bytes each, found {len(wrong):,}.")
        return np.frombuffer(b"".join(contents), np.uint8).reshape(-1, *shape)


def read_together(arrays: Sequence[Any]) -> tuple[np.ndarray, ...]:
    """What `Stored.read` returns of each; features of one file of records are read in one pass over it."""
    if not _are_of_one_file(arrays):
        return tuple(array.read() for array in arrays)
    found = tuple(np.empty(array.shape, array.dtype) for array in arrays)
    filled = 0
    for some in rows_together(arrays, AT_ONCE):
        for array, part in zip(found, some, strict=True):
            array[filled : filled + len(part)] = part
        filled += len(some[0])
    return found


def rows_together(arrays: Sequence[Any], count: int) -> Iterator[tuple[np.ndarray, ...]]:
    """What `Stored.rows` returns of each array, `count` examples at a time, in one pass over the file."""
    import tensorflow as tf

    if not _are_of_one_file(arrays):
        yield from zip(*(array.rows(count) for array in arrays), strict=True)
        return
    path, wanted, found = arrays[0].path, arrays[0].shape[0], 0
    features = {array.short: array.feature for array in arrays}
    with _failures_named(path):
        for batch in _batches(path, count):
            found += len(batch)
            if found > wanted:
                raise InputError(f"{path} must hold {wanted:,} records, found more.")
            parsed = tf.io.parse_example(batch, features)
            yield tuple(array.parsed(parsed[array.short]) for array in arrays)
    if found < wanted:
        raise InputError(f"{path} must hold {wanted:,} records, found {found:,}.")


def _are_of_one_file(arrays: Sequence[Any]) -> bool:
    return all(isinstance(array, RecordArray) and array.path == arrays[0].path for array in arrays)


def record_arrays(path: Path, names: Sequence[str], records: int | None = None) -> list[RecordArray]:
    """Features of a file by these names, after a look at its first record.

    records: how many it has, where that is known; else they are counted, for which the file is read.

    Raises InputError, naming the file, where it holds no such records.
    """
    import tensorflow as tf

    with _failures_named(path):
        first = next((batch.numpy()[0] for batch in _batches(path, 1)), None)
        if first is None:
            raise InputError(f"{path} holds no record.")
        try:
            features = tf.train.Example.FromString(first).features.feature
        except Exception as error:
            raise InputError(f"{path} must hold tf.train.Examples, found other records.") from error
        if lacking := [name for name in names if name not in features]:
            found = ", ".join(sorted(features)) or "none"
            raise InputError(f"{path} must have the features {' and '.join(names)}, found no {lacking[0]}: {found}.")
        count = _count(path) if records is None else records
        return [_array(path, name, features, count) for name in names]


def _array(path: Path, name: str, features: Mapping[str, Any], count: int) -> RecordArray:
    feature = features[name]
    sizes = tuple(features["shape"].int64_list.value) if "shape" in features and name in ("image", "x") else None
    if feature.bytes_list.value:
        content = feature.bytes_list.value[0]
        if content.startswith(ENCODED) and (sizes is None or math.prod(sizes) != len(content)):
            shape = _decoded(content, None, path).shape
            return RecordArray(path, name, np.dtype(np.uint8), (count, *shape), encoded=True)
        if sizes is None or math.prod(sizes) != len(content):
            raise InputError(
                f"{path}, {name} must be a PNG, JPEG, GIF or BMP, or bytes as many as the feature shape says, found "
                f"{len(content):,} bytes and {'no shape' if sizes is None else f'the shape {[*sizes]}'}."
            )
        return RecordArray(path, name, np.dtype(np.uint8), (count, *sizes))
    values = feature.float_list.value or feature.int64_list.value
    dtype = np.dtype(np.float32 if feature.float_list.value else np.int64)
    own = sizes if sizes is not None else (() if len(values) == 1 and name in ("label", "y") else (len(values),))
    if math.prod(own) != len(values):
        raise InputError(f"{path}, {name} has {len(values):,} numbers, found the shape {[*own]}.")
    return RecordArray(path, name, dtype, (count, *own))


def _decoded(content: Any, shape: Sequence[int] | None, where: object) -> np.ndarray:
    import tensorflow as tf

    with opened_image(BytesIO(content), where):
        pass
    channels = 0 if shape is None or len(shape) < 3 else shape[2]
    image = tf.io.decode_image(content, channels=channels, expand_animations=False).numpy()
    if shape is not None and image.shape != tuple(shape):
        raise InputError(f"{where} must be {'×'.join(map(str, shape))} each, found {'×'.join(map(str, image.shape))}.")
    return image


def _count(path: Path) -> int:
    """How many records there are, each of which is as long as it says: of one that is not, TensorFlow would crash.

    A record is its length in 8 bytes, a checksum of that in 4, what it holds, and a checksum of that.
    """
    count = 0
    if not path.is_file():
        raise InputError(f"{path} is no file.")
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size
        while head := file.read(LENGTH.size):
            left -= LENGTH.size + CHECKSUMS
            length = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
            count += 1
            if length > left:
                raise InputError(
                    f"{path} is no whole TFRecord of such examples: record {count:,} must hold {length:,} bytes, found "
                    f"{max(left, 0):,}."
                )
            left -= length
            file.seek(CHECKSUMS + length, os.SEEK_CUR)
    return count


def _batches(path: Path, records: int) -> Iterator[Any]:
    import tensorflow as tf

    _count(path)
    return iter(tf.data.TFRecordDataset(str(path), buffer_size=1 << 20).batch(records))


@contextmanager
def _failures_named(path: Path) -> Iterator[None]:
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        said = re.sub(r"\{\{.*?\}\} ?", "", " ".join(str(error.message).partition(" [Op:")[0].split()))
        raise InputError(f"{path} is no whole TFRecord of such examples: {said[:200].rstrip('. ')}.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error
    except UnicodeDecodeError as error:  # TensorFlow's own sentence names a feature whose name is no UTF-8
        raise InputError(f"{path} is no whole TFRecord of such examples: a name is no UTF-8.") from error


def example(x: np.ndarray, y: Any) -> bytes:
    """An example as `record_arrays` reads it: an image and its label, or a row and what is to be estimated."""
    import tensorflow as tf

    def whole(numbers: Any) -> Any:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=numbers))

    def real(numbers: Any) -> Any:
        return tf.train.Feature(float_list=tf.train.FloatList(value=numbers))

    if x.ndim == 1:
        features = {"x": real(x), "y": real([y])}
    elif x.dtype == np.uint8:
        image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[x.tobytes()]))
        features = {"image": image, "label": whole([y]), "shape": whole(x.shape)}
    else:
        features = {"image": real(x.ravel()), "label": whole([y]), "shape": whole(x.shape)}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
