"""What stands in a TF1 checkpoint, by names, shapes and dtypes: variables told apart from slots and averages."""

import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import tensorflow as tf

from core import InputError

from .graph import Graph, graph_beside
from .names import AVERAGES, CENTERED, GLOBAL_STEP, KIND_NAMES, SlotSet, is_slot_name, power_set, scope_of, slot_set
from .saver_file import Reader

Shape = tuple[int, ...]
MOST = 40
"""The variables that a sentence lists."""


class CheckpointIndex:
    """A checkpoint of `tf.train.Saver`'s, in either of its formats, before its values are read.

    path:        what its files' names begin with.
    shapes:      of all tensors, by their names.
    dtypes:      the same.
    graph:       what was saved beside it as .meta; None where that is missing.
    sets:        the slots of the graph's optimizers, all or in part.
    owners:      the variables that have slots of each set, with the set's scope.
    power_pairs: Adam's powers, as sets of their number and scope, whichever slots they are of.
    averages:    the averages of ExponentialMovingAverage, named as slots are.
    candidates:  what may be a network's variables: floating, and neither slot nor average; as the graph created them,
                 where it is there.

    Raises InputError where there is no such checkpoint, where it is damaged, and for a global_step that is no integer.
    """

    def __init__(self, path: Path, centered: bool | None = None):
        self._reader = Reader(path)
        self.path, self.shapes, self.dtypes = self._reader.path, self._reader.shapes, self._reader.dtypes
        if "_CHECKPOINTABLE_OBJECT_GRAPH" in self.shapes:
            raise InputError(
                f"{self.path} is an object-based checkpoint, as tf.train.Checkpoint writes; expected one that "
                "tf.train.Saver wrote, of tensors by the names of their variables."
            )
        self.graph: Graph | None = graph_beside(self.path)
        self._slots_of_rmsprop, self._told = self._most_slots(CENTERED.name), centered is not None
        self.centered = self._is_centered() if centered is None else centered
        self.global_step = self._global_step()
        found = {name: of for name in self.shapes if (of := slot_set(name, self.shapes, self.centered))}
        powers = {name: of for name, of in found.items() if power_set(name)}
        self.power_pairs = sorted({*powers.values()}, key=_order)
        self.owners: dict[SlotSet, set[str]] = defaultdict(set)
        for name, of in found.items():
            if of.kind is not AVERAGES and name not in powers:
                self.owners[of].add(name.rpartition("/")[0])
        self.sets = sorted(self.owners, key=_order)
        self.averages = sorted({of for of in found.values() if of.kind is AVERAGES}, key=_order)
        apart = {*found, self.global_step}
        self.candidates = [
            name
            for name in sorted(self.shapes, key=self._place)
            if name not in apart and self.is_floating(name) and not is_slot_name(name) and not self._is_other_slot(name)
        ]

    def tensors(self) -> dict[str, np.ndarray]:
        """All values, by their names. Raises InputError for damage."""
        return self._reader.tensors()

    def is_floating(self, name: str) -> bool:
        return tf.as_dtype(self.dtypes[name]).is_floating

    def described(self, names: list[str]) -> str:
        """Tensors with their shapes and dtypes: "W1 [784, 256], b1 [256], all float32"."""
        if not names:
            return "none"
        alike = names[1:] and len({self.dtypes[name] for name in names}) == 1
        said = [f"{name} {[*self.shapes[name]]}{'' if alike else f' {self.dtypes[name]}'}" for name in names[:MOST]]
        said += [f"and {len(names) - MOST} more"] if names[MOST:] else []
        return ", ".join(said) + (f", all {self.dtypes[names[0]]}" if alike else "")

    @property
    def listed(self) -> str:
        """All that is in it, in words."""
        apart = [of.name for of in (*self.sets, *self.averages)]
        known = {*self.candidates, *filter(None, [self.global_step])}
        others = [name for name in sorted(self.shapes) if name not in known and not self._is_known(name)]
        words = [f"the variables {self.described(self.candidates)}"]
        words += [f"slots and averages {', '.join(apart)}"] if apart else []
        words += [f"{self.global_step}"] if self.global_step else []
        words += [f"what is neither, {self.described(others)}"] if others else []
        return "; ".join(words)

    def _is_known(self, name: str) -> bool:
        return slot_set(name, self.shapes, self.centered) is not None

    def _place(self, name: str) -> tuple[int, list[tuple[int, str]]]:
        """As the graph created them; without it, by name, numbers as numbers."""
        created = self.graph.created if self.graph else {}
        parts = [(int(part or 0), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]
        return created.get(name, len(created)), parts

    def _is_other_slot(self, name: str) -> bool:
        """Whether it stands under a variable of its own shape, as slots do, whosever they are."""
        owner = name.rpartition("/")[0]
        scope = scope_of(owner, self.shapes)
        variable = owner.removeprefix(f"{scope}/") if scope else owner
        return scope is not None and self.shapes[variable] == self.shapes[name]

    def check_centered(self) -> None:
        """Raises InputError where the number of RMSProp's slots does not show whether they are of a centered one."""
        each = 3 if self.centered else 2
        if self._slots_of_rmsprop % each or not (self._told or self.graph or self._slots_of_rmsprop % 6):
            raise InputError(
                f"{self.path} has {self._slots_of_rmsprop} slots {CENTERED.name} for a variable, and an optimizer has "
                "2 of them, or 3 if it is centered: give --centered true or false."
            )

    def _is_centered(self) -> bool:
        """Two slots of RMSProp's, or three: as the graph has it, else what divides the number of a variable's."""
        if self.graph:
            return self.graph.has("ApplyCenteredRMSProp")
        return self._slots_of_rmsprop % 2 == 1

    def _most_slots(self, kind: str) -> int:
        """The slots of this name that a variable has at most."""
        owners = Counter(name.rpartition("/")[0] for name in self.shapes if re.search(rf"/{kind}(_[1-9]\d*)?$", name))
        return max(owners.values(), default=0)

    def _global_step(self) -> str | None:
        """The count of steps that some graphs have; in the scope in which it was created."""
        found = [name for name in self.shapes if name.rpartition("/")[2] == GLOBAL_STEP]
        for name in found:
            if self.dtypes[name] not in ("int64", "int32"):
                raise InputError(f"{self.path}: {name} must be int64, found {self.dtypes[name]}.")
            if self.shapes[name] != ():
                raise InputError(f"{self.path}: {name} must be a scalar, found shape {self.shapes[name]}.")
        return found[0] if len(found) == 1 else None


def _order(of: SlotSet) -> tuple[int, str, int]:
    return [*KIND_NAMES, AVERAGES.name].index(of.kind.name), of.scope, of.number
