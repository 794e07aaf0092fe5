"""The digests of a folder's files in a file beside them, which `sha256sum --check SHA256SUMS` reads too."""

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from .tensor_files import DamagedError

SUMS = "SHA256SUMS"


def write_sums(folder: Path) -> None:
    """Writes the digests of all files in a folder. Raises OSError where that cannot be."""
    files = sorted(folder.iterdir())
    (folder / SUMS).write_text("".join(f"{_digest(file)}  {file.name}\n" for file in files))


def check_sums(folder: Path, names: Collection[str]) -> None:
    """Raises DamagedError unless these files are as they were when their digests were written.

    A bit that flipped in the digests shows as well. Raises OSError for a file that cannot be read.
    """
    found = dict(re.findall(r"^([0-9a-f]{64})  (.+)$", (folder / SUMS).read_text(errors="replace"), re.MULTILINE))
    digests = {name: digest for digest, name in found.items()}
    for name in names:
        if digests.get(name) != _digest(folder / name):
            raise DamagedError(f"{name} is not what {SUMS} says")


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
