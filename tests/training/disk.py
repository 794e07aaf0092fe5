"""Disks that are full, for tests."""

import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@contextmanager
def files_no_larger_than(size):
    """The system then refuses to write more, as it does on a full disk."""
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1][1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before[1])
        signal.signal(signal.SIGXFSZ, before[0])


@dataclass(frozen=True)
class Disk:
    """A real disk of a few bytes, which fills up: a tmpfs, mounted where only processes started by `on` see it.

    path:   where it is, for those processes.
    holder: the process that keeps it.
    """

    path: Path
    holder: int

    def on(self, *command: str | Path) -> list[str]:
        """The command, for a process that has the disk."""
        return ["nsenter", "-t", str(self.holder), "-U", "-m", "--preserve-credentials", *map(str, command)]

    @property
    def seen(self) -> Path:
        """Where it is for all others."""
        return Path(f"/proc/{self.holder}/root{self.path}")

    def resize(self, size: int) -> None:
        """Makes room, or takes it away; pages of 4 kB each."""
        subprocess.run(self.on("mount", "-o", f"remount,size={size}", self.path), check=True)


@contextmanager
def disk_of(size: int, path: Path) -> Iterator[Disk]:
    """A new disk of `size` bytes at `path`, an empty folder; nothing is left of it afterwards, even if this process
    is killed. A test is skipped where the system lets nobody mount one.
    """
    mount = f'mount -t tmpfs -o size={size} tmpfs "$1" && echo mounted && exec cat'
    command = ["unshare", "-rm", "sh", "-c", mount, "sh", str(path)]
    try:
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError:
        pytest.skip("unshare and mount are not installed")
    with holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            if holder.stdout.readline() != b"mounted\n":
                pytest.skip("this system lets no user mount a disk of his own")
            yield Disk(path, holder.pid)
        finally:
            holder.stdin.close()
