"""The exceptions that mean: this sentence says what is wrong, and a person can do something about it."""

from collections.abc import Iterable


class InputError(ValueError):
    """A setting, tensor or file that cannot be used; its message is one sentence for the person who passed it.

    name, known: where a name is unknown, the name and the known ones, of which a close one can be suggested.
    """

    def __init__(self, sentence: str, name: str = "", known: Iterable[str] = ()):
        super().__init__(sentence)
        self.name, self.known = name, tuple(known)


class NonFiniteError(FloatingPointError):
    """A run that left the finite numbers.

    step: the first step that did, from 1. what: the first of its values that is not finite, in words.
    """

    def __init__(self, step: int, what: str):
        super().__init__(f"step {step:,} left the finite numbers: {what}")
        self.step, self.what = step, what


class SlowExecutionWarning(UserWarning):
    """A cost holds operations that its execution is slow at on the device it runs on; the message says which."""


class WorkerLostError(RuntimeError):
    """A worker of a cluster that no longer answers; the message says which, and from where to go on."""
