"""What a TF1 checkpoint holds for a network: its variables, the slots of their optimizers, and their averages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from core import InputError

from .maps import check_chain, check_pairs, in_order, proposed, proposed_layers
from .names import SlotSet, entered_once
from .powers import BETAS, flushed_from, power, recovered, step_of
from .survey import Shape, Survey
from .typed_map import Map


@dataclass(frozen=True)
class Contents:
    """A checkpoint, read whole and understood.

    survey:    what is in it.
    tensors:   everything in it, by the names in the file.
    variables: the file's names of the workload's variables, by rawstep's.
    """

    survey: Survey
    tensors: dict[str, np.ndarray]
    variables: Map

    @property
    def path(self) -> Path:
        """What the file's names begin with."""
        return self.survey.path

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
        sets = [of for of in self.survey.sets if {*self._slot_names(of)} & self.tensors.keys()]
        choices = {of: self.power_choices(of) for of in sets if of.kind.name == "Adam"}
        return [
            replace(of, powers=choices[of][0] if len(choices[of]) == 1 else ()) if choices.get(of) else of
            for of in sets
        ]

    def power_choices(self, of: SlotSet) -> list[tuple[str, ...]]:
        """The pairs of powers that may be those of a set of Adam's; none where the file has no powers.

        Powers are numbered through the graph, and slots by variable. So the graph decides; without it, the numbers,
        where all Adams of a scope train the same variables; else any pair of the scope may be a set's.
        """
        graph, own = self.survey.graph, SlotSet(of.kind, of.number, of.scope).power_names
        if graph and (found := graph.powers([*self._slot_names(of)])):
            return sorted(found)
        scope = entered_once(of.scope)
        pairs = [pair for pair in self.survey.power_pairs if entered_once(pair.scope) == scope]
        sets = [one for one in self.survey.sets if one.kind is of.kind and entered_once(one.scope) == scope]
        same_numbers = [(one.scope, one.number) for one in sets] == [(pair.scope, pair.number) for pair in pairs]
        same_variables = all(self.survey.owners[one] == self.survey.owners[sets[0]] for one in sets)
        if (len({one.scope for one in sets}) == 1 and same_numbers and same_variables) or len(pairs) < len(sets):
            return [own]
        return [pair.power_names for pair in pairs]

    def _slot_names(self, of: SlotSet) -> Iterator[str]:
        return (name for variable in self.variables.values() for name in of.slot_names(variable).values())

    @cached_property
    def averages(self) -> list[SlotSet]:
        """The averages of these variables, all or in part."""
        return [of for of in self.survey.averages if {*of.names(self.variables.values())} & self.tensors.keys()]

    @property
    def global_step(self) -> int | None:
        """The count of steps that some graphs have, and the notebook's lacks."""
        return int(self.tensors[self.survey.global_step]) if self.survey.global_step else None

    def left_out(self, *taken: SlotSet) -> list[str]:
        """The names of all that is neither a variable nor of these sets, nor the count of steps."""
        names = [name for of in taken for name in of.names(self.variables.values())]
        return sorted(self.tensors.keys() - {*self.variables.values(), *names, self.survey.global_step})

    def slots(self, of: SlotSet) -> dict[str, dict[str, np.ndarray]]:
        """The slots of a whole set, by rawstep's names of variables and slots."""
        return {
            name: {slot: self.tensors[file_name] for slot, file_name in of.slot_names(variable).items()}
            for name, variable in self.variables.items()
        }

    def check_whole(self, of: SlotSet) -> None:
        """Raises InputError where a set lacks a slot of a variable, of its shape and of floats, and its powers."""
        expected = {name: self.tensors[v].shape for v in self.variables.values() for name in of.slot_names(v).values()}
        for name, shape in {**expected, **dict.fromkeys(of.power_names, ())}.items():
            if name not in self.tensors:
                raise InputError(f"{self.path}: the slots {of.name} are not whole: {name} is missing.")
            if (found := self.tensors[name].shape) != shape:
                raise InputError(f"{self.path}: {name} must have shape {shape}, found {found}.")
            if not self.survey.is_floating(name):
                raise InputError(f"{self.path}: {name} must be of floats, found {self.survey.dtypes[name]}.")

    def powers(self, of: SlotSet) -> dict[str, float]:
        """Adam's running powers, by their names in the file."""
        return {name: float(self.tensors[name]) for name in of.power_names}

    def step_by_powers(self, of: SlotSet, betas: tuple[float, float] = BETAS) -> int | None:
        """Adam's step; None where its powers no longer show it. Raises InputError where they are of no step."""
        try:
            return step_of(self.powers(of), betas)
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from error

    def told_apart(self) -> str:
        """The sets by name, each with what it shows of its use."""
        return ", ".join(f"{of.name} ({self._use(of)})" for of in self.sets)

    def _use(self, of: SlotSet) -> str:
        try:
            self.check_whole(of)
        except InputError:
            return "unsound" if set(of.names(self.variables.values())) <= self.tensors.keys() else "not whole"
        if not of.power_names:
            return "used" if self.has_moved(of) else "unused"
        betas = self.betas(of) or BETAS
        try:
            step = self.step_by_powers(of, betas)
        except InputError:
            return "unsound"
        if step is None:
            return f"{flushed_from():,} steps or more"
        at = "" if betas == BETAS else f" at β1 {betas[0]}, β2 {betas[1]}"
        return f"{step:,} steps{at}" if step else f"no step yet{at}"

    def betas(self, of: SlotSet) -> tuple[float, float] | None:
        """β1 and β2 of Adam's powers, where these are not the usual ones' and show them; see `powers.recovered`."""
        powers = self.powers(of)
        first, second = powers.values()
        try:
            step = step_of(powers)
        except InputError:
            return recovered((first, second))
        usual = step is None or all(power(beta, step) == powers[name] for beta, name in zip(BETAS, powers, strict=True))
        return None if usual else recovered((first, second))

    def has_moved(self, of: SlotSet) -> bool:
        """Whether a slot is no longer one number everywhere, as all begin."""
        by_slot = zip(*(slots.values() for slots in self.slots(of).values()), strict=True)
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
    survey = Survey(path, centered)
    if names is None:
        names = proposed_layers(survey) if wanted is None else proposed(survey, wanted)
    elif wanted is None:
        names = in_order(names)
    check_pairs(names, survey)
    if wanted is None:
        check_chain(names, survey)
    return Contents(survey, survey.tensors(), names)
