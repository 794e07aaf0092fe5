"""A disk that is full, for tests."""

import resource
import signal
from contextlib import contextmanager


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
