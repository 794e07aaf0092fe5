"""An engine of the user's own: one function."""

from collections.abc import Callable
from typing import Any

import numpy as np

from core import InputError
from core.mistakes import described, mistakes_in
from training.workloads.imports import import_named

from ..work import Work


class OwnEngine:
    """A user's function of a work, which returns `train`.

    train(batches) takes a step for each row of example numbers, int32 [steps, batch size], waits until they are done,
    and returns the mean of their costs. Where it has a method `prepare(batches)`, it takes what that returns instead,
    whose time is not measured.

    name: module:function.
    """

    def __init__(self, work: Work, name: str):
        function = import_named(name)
        with mistakes_in(function, name):
            self.train: Callable[[Any], float] = function(work)
        if not callable(self.train):
            raise InputError(f"{name} must return a function train(batches), found {self.train!r}.")

    def prepare(self, batches: np.ndarray) -> Any:
        prepare = getattr(self.train, "prepare", None)
        return batches if prepare is None else prepare(batches)


def check_own(name: str) -> None:
    """Raises InputError for what cannot be imported, cannot be called, or is a class whose instances cannot."""
    function = import_named(name)
    train = isinstance(function, type) and not any("__call__" in vars(one) for one in function.__mro__)
    if train or not callable(function):
        raise InputError(
            f"{name} must be a function of the work that returns train(batches), found {described(function)}."
        )
