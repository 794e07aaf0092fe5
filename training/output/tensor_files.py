"""TensorFlow's files of named tensors: written by one operation, and looked through before TensorFlow parses them.

Its readers check each block of an index and each tensor by a checksum, but not the last bytes of an index, which say
where its blocks are; and they ask for the memory that those bytes, or a shape, name before they look whether so much is
in the file. Both are looked at here first.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import tensorflow as tf

DATA, INDEX = ".data-00000-of-00001", ".index"
"""The endings of the two files that `write_tensors` writes: all values, and the names, shapes and dtypes."""
FOOTER, HANDLES, MAGIC = 48, 40, bytes.fromhex("57fb808b247547db")
"""The last bytes of an index, which is a table of LevelDB's: at first two handles of blocks, at the end the magic.

https://github.com/google/leveldb/blob/main/doc/table_format.md
"""
TRAILER = 5
"""Bytes after each block: its compression and its checksum."""


class DamagedError(Exception):
    """Files that cannot be read whole; the message says why."""


class TensorFiles:
    """The tensors of one prefix, `rnn2.ckpt` of rnn2.ckpt.index and rnn2.ckpt.data-…: what they are, then their values.

    A table alone, as `tf.train.Saver` once wrote, is read too; it has no ending.

    dtypes: by the tensors' names. shapes: the same.

    Raises DamagedError for what is no such index, and for tensors larger than the file that should hold them.
    """

    def __init__(self, prefix: Path):
        index = _beside(prefix, INDEX)
        is_table = not index.exists()
        check_footer(prefix if is_table else index)
        with _damage():
            self._reader = tf.train.load_checkpoint(str(prefix))
            self.dtypes: Mapping[str, tf.DType] = self._reader.get_variable_to_dtype_map()
            self.shapes = {name: tuple(shape) for name, shape in self._reader.get_variable_to_shape_map().items()}
        if not is_table:
            self._check_sizes(sum(path.stat().st_size for path in _data_files(prefix)))

    def tensors(self) -> dict[str, Any]:
        """All values by their names in order: arrays, and bytes where a tensor is one text. Each has a checksum, which
        is compared. Raises DamagedError where one differs."""
        with _damage():
            return {name: self._reader.get_tensor(name) for name in sorted(self.shapes)}

    def _check_sizes(self, there: int) -> None:
        """A text takes a byte or more."""
        for name, shape in self.shapes.items():
            least = prod(shape) * (1 if self.dtypes[name] == tf.string else self.dtypes[name].size)
            if min(shape, default=0) < 0 or least > there:
                raise DamagedError(f"{name} of shape {[*shape]} does not fit into {there:,} bytes of data")


def write_tensors(prefix: Path, tensors: Mapping[str, Any]) -> None:
    """Writes arrays, and texts, as `tf.train.Saver` and `tf.train.Checkpoint` do: two files, the index last.

    Raises tf.errors.OpError where they cannot be written. They need not be on the disk by the end.
    """
    with tf.device("CPU"):
        tf.raw_ops.SaveV2(
            prefix=str(prefix),
            tensor_names=list(tensors),
            shape_and_slices=[""] * len(tensors),
            tensors=[tf.constant(tensor) for tensor in tensors.values()],
        )


def check_footer(index: Path) -> None:
    """Raises DamagedError where the last bytes of an index are none, or name blocks beyond it."""
    with index.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - FOOTER))
        footer = file.read()
    if len(footer) < FOOTER or not footer.endswith(MAGIC):
        raise DamagedError(f"{index.name} does not end as TensorFlow's tables do")
    numbers = _varints(footer[:HANDLES])
    for _ in range(2):
        offset, length = next(numbers, size), next(numbers, size)
        if offset + length + TRAILER > size - FOOTER:
            raise DamagedError(f"{index.name} names a block beyond its {size:,} bytes")


def _varints(content: bytes) -> Iterator[int]:
    """Numbers of seven bits a byte, the lowest first; the last byte of each is below 128."""
    number = place = 0
    for byte in content:
        number |= (byte & 127) << place
        place += 7
        if byte < 128:
            yield number
            number = place = 0


def _beside(prefix: Path, ending: str) -> Path:
    return prefix.with_name(f"{prefix.name}{ending}")


def _data_files(prefix: Path) -> list[Path]:
    return [path for path in prefix.parent.iterdir() if path.name.startswith(f"{prefix.name}.data-")]


@contextmanager
def _damage() -> Iterator[None]:
    """Raises DamagedError for what TensorFlow raises meanwhile: the first line of it."""
    try:
        yield
    except (tf.errors.OpError, IndexError, ValueError, MemoryError) as error:
        raise DamagedError(str(error).partition("\n")[0]) from error
