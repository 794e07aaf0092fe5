"""What a TF1 checkpoint holds for a network: its variables, the slots of their optimizers, and their averages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from core import InputError

from .checkpoint_index import CheckpointIndex, Shape
from .maps import check_chain, check_pairs, in_order, proposed, proposed_layers
from .names import SlotSet, entered_once
from .powers import BETAS, flushed_from, power, recovered, step_of
from .typed_map import Map


@dataclass(frozen=True)
class Contents:
    """A checkpoint, read whole and understood.

    index:    what is in it.
    tensors:   everything in it, by the names in the file.
    variables: the file's names of the workload's variables, by rawstep's.
    """

    index: CheckpointIndex
    tensors: dict[str, np.ndarray]
    variables: Map

    @property
    def path(self) -> Path:
        """What the file's names begin with."""
        return self.index.path

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """The workload's variables, by rawstep's names."""
        return {name: self.tensors[variable] for name, variable in self.variables.items()}

    @property
    def layers(self) -> list[int]:
        """Of a perceptron, the units from the inputs to the outputs."""
        matrices = [weight.shape for weight in self.weights.values() if weight.ndim == 2]
        return [matrices[0][0], *(units for _, units in matrices)]

    @cached_property
    def sets(self) -> list[SlotSet]:
        """The optimizers' slots of these variables, all or in part; see `check_whole`. Adam's have the powers that are
        theirs, or none where these are not known; see `power_choices`."""
        sets = [slots for slots in self.index.sets if {*self._slot_names(slots)} & self.tensors.keys()]
        choices = {slots: self.power_choices(slots) for slots in sets if slots.kind.name == "Adam"}
        return [
            replace(slots, powers=choices[slots][0] if len(choices[slots]) == 1 else ())
            if choices.get(slots)
            else slots
            for slots in sets
        ]

    def power_choices(self, slots: SlotSet) -> list[tuple[str, ...]]:
        """The pairs of powers that may be those of a set of Adam's; none where the file has no powers.

        Powers are numbered through the graph, and slots by variable. So the graph decides; without it, the numbers,
        where all Adams of a scope train the same variables; else any pair of the scope may be a set's.
        """
        graph, own = self.index.graph, SlotSet(slots.kind, slots.number, slots.scope).power_names
        if graph and (found := graph.powers([*self._slot_names(slots)])):
            return sorted(found)
        scope = entered_once(slots.scope)
        pairs = [pair for pair in self.index.power_pairs if entered_once(pair.scope) == scope]
        sets = [one for one in self.index.sets if one.kind is slots.kind and entered_once(one.scope) == scope]
        same_numbers = [(one.scope, one.number) for one in sets] == [(pair.scope, pair.number) for pair in pairs]
        same_variables = all(self.index.owners[one] == self.index.owners[sets[0]] for one in sets)
        if (len({one.scope for one in sets}) == 1 and same_numbers and same_variables) or len(pairs) < len(sets):
            return [own]
        return [pair.power_names for pair in pairs]

    def _slot_names(self, slots: SlotSet) -> Iterator[str]:
        return (name for variable in self.variables.values() for name in slots.slot_names(variable).values())

    @cached_property
    def averages(self) -> list[SlotSet]:
        """The averages of these variables, all or in part."""
        return [slots for slots in self.index.averages if {*slots.names(self.variables.values())} & self.tensors.keys()]

    @property
    def global_step(self) -> int | None:
        """The count of steps that some graphs have, and the notebook's lacks."""
        return int(self.tensors[self.index.global_step]) if self.index.global_step else None

    def left_out(self, *taken: SlotSet) -> list[str]:
        """The names of all that is neither a variable nor of these sets, nor the count of steps."""
        names = [name for slots in taken for name in slots.names(self.variables.values())]
        return sorted(self.tensors.keys() - {*self.variables.values(), *names, self.index.global_step})

    def slots(self, slots: SlotSet) -> dict[str, dict[str, np.ndarray]]:
        """The slots of a whole set, by rawstep's names of variables and slots."""
        return {
            name: {slot: self.tensors[file_name] for slot, file_name in slots.slot_names(variable).items()}
            for name, variable in self.variables.items()
        }

    def check_whole(self, slots: SlotSet) -> None:
        """Raises InputError where a set lacks a slot of a variable, of its shape and of floats, and its powers."""
        expected = {
            name: self.tensors[v].shape for v in self.variables.values() for name in slots.slot_names(v).values()
        }
        for name, shape in {**expected, **dict.fromkeys(slots.power_names, ())}.items():
            if name not in self.tensors:
                raise InputError(f"{self.path}: the slots {slots.name} are not whole: {name} is missing.")
            if (found := self.tensors[name].shape) != shape:
                raise InputError(f"{self.path}: {name} must have shape {shape}, found {found}.")
            if not self.index.is_floating(name):
                raise InputError(f"{self.path}: {name} must be of floats, found {self.index.dtypes[name]}.")

    def powers(self, slots: SlotSet) -> dict[str, float]:
        """Adam's running powers, by their names in the file."""
        return {name: float(self.tensors[name]) for name in slots.power_names}

    def step_by_powers(self, slots: SlotSet, betas: tuple[float, float] = BETAS) -> int | None:
        """Adam's step; None where its powers no longer show it. Raises InputError where they are of no step."""
        try:
            return step_of(self.powers(slots), betas)
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from error

    def described_sets(self) -> str:
        """The sets by name, each with what it shows of its use."""
        return ", ".join(f"{slots.name} ({self._use(slots)})" for slots in self.sets)

    def _use(self, slots: SlotSet) -> str:
        try:
            self.check_whole(slots)
        except InputError:
            return "unsound" if set(slots.names(self.variables.values())) <= self.tensors.keys() else "not whole"
        if not slots.power_names:
            return "used" if self.has_moved(slots) else "unused"
        betas = self.betas(slots) or BETAS
        try:
            step = self.step_by_powers(slots, betas)
        except InputError:
            return "unsound"
        if step is None:
            return f"{flushed_from():,} steps or more"
        at = "" if betas == BETAS else f" at β1 {betas[0]}, β2 {betas[1]}"
        return f"{step:,} steps{at}" if step else f"no step yet{at}"

    def betas(self, slots: SlotSet) -> tuple[float, float] | None:
        """β1 and β2 of Adam's powers, where these are not the usual ones' and show them; see `powers.recovered`."""
        powers = self.powers(slots)
        first, second = powers.values()
        try:
            step = step_of(powers)
        except InputError:
            return recovered((first, second))
        usual = step is None or all(power(beta, step) == powers[name] for beta, name in zip(BETAS, powers, strict=True))
        return None if usual else recovered((first, second))

    def has_moved(self, slots: SlotSet) -> bool:
        """Whether a slot is no longer one number everywhere, as all begin."""
        by_slot = zip(*(held.values() for held in self.slots(slots).values()), strict=True)
        return any((value != values[0].flat[0]).any() for values in by_slot for value in values)


def read(
    path: Path,
    names: Map | None = None,
    wanted: Mapping[str, Shape] | None = None,
    centered: bool | None = None,
) -> Contents:
    """Reads a checkpoint that `tf.train.Saver` wrote, in either of Saver's formats.

    names:    the file's names of the variables, by rawstep's; the only ones that fit, unless given.
    wanted:   the shapes of the variables, by rawstep's names; those of a perceptron of any layers, unless given.
    centered: whether RMSProp's slots are those of a centered one; by their number, unless given.

    Raises InputError where there is none, where it is damaged, where its variables do not fit, or fit in several ways.
    """
    index = CheckpointIndex(path, centered)
    if names is None:
        names = proposed_layers(index) if wanted is None else proposed(index, wanted)
    elif wanted is None:
        names = in_order(names)
    check_pairs(names, index)
    if wanted is None:
        check_chain(names, index)
    return Contents(index, index.tensors(), names)
