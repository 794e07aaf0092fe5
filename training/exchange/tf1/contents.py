"""What a TF1 checkpoint of the notebook's kind holds: a perceptron, and the slots of its optimizers."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from core import InputError

from .names import GLOBAL_STEP, KINDS, SlotSet, created_names, slot_set, weight_names
from .powers import BETAS, running_products, step_of
from .saver_file import Reader

KIND_NAMES = [kind.name for kind in KINDS]
WEIGHTS = "h1, h2, …, ho, b1, b2, …, bo or Variable, Variable_1, …, all matrices before all biases"


@dataclass(frozen=True)
class Contents:
    """A checkpoint, read whole and understood.

    path:      what its files' names begin with.
    tensors:   everything in it, by the names in the file.
    variables: the file's names of the weights and biases, by rawstep's: h1, …, ho, b1, …, bo.
    sets:      the optimizers' slots, all or in part; see `check_whole`.
    """

    path: Path
    tensors: dict[str, np.ndarray]
    variables: dict[str, str]
    sets: list[SlotSet]

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Weights and biases, by rawstep's names."""
        return {name: self.tensors[variable] for name, variable in self.variables.items()}

    @property
    def layers(self) -> list[int]:
        """Units from the inputs to the classes."""
        matrices = [weight.shape for weight in self.weights.values() if weight.ndim == 2]
        return [matrices[0][0], *(units for _, units in matrices)]

    @property
    def global_step(self) -> int | None:
        """The count of steps that some graphs have, and the notebook's lacks."""
        return int(self.tensors[GLOBAL_STEP]) if GLOBAL_STEP in self.tensors else None

    def slots(self, of: SlotSet) -> dict[str, dict[str, np.ndarray]]:
        """The slots of a whole set, by rawstep's names of variables and slots."""
        return {
            name: {slot: self.tensors[file_name] for slot, file_name in of.slot_names(variable).items()}
            for name, variable in self.variables.items()
        }

    def check_whole(self, of: SlotSet) -> None:
        """Raises InputError where a set lacks a slot of a variable, of its shape, and its powers."""
        for name in of.names(self.variables.values()):
            if name not in self.tensors:
                raise InputError(f"{self.path}: the slots {of.name} are not whole: {name} is missing.")
            variable, _, _ = name.rpartition("/")
            shape, found = self.tensors[variable].shape if variable else (), self.tensors[name].shape
            if found != shape:
                raise InputError(f"{self.path}: {name} must have shape {shape}, found {found}.")

    def step_by_powers(self, of: SlotSet) -> int | None:
        """Adam's step; None where its powers no longer show it. Raises InputError where they are of no step."""
        try:
            return step_of({name: float(self.tensors[name]) for name in of.power_names})
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from error

    def told_apart(self) -> str:
        """The sets by name, each with what it shows of its use."""
        return ", ".join(f"{of.name} ({self._use(of)})" for of in self.sets)

    def _use(self, of: SlotSet) -> str:
        try:
            self.check_whole(of)
            step = self.step_by_powers(of) if of.power_names else None
        except InputError:
            return "not whole" if set(of.names(self.variables.values())) - set(self.tensors) else "unsound"
        if step is not None:
            return f"{step:,} steps" if step else "no step yet"
        if of.power_names:
            return f"{len(running_products(BETAS[1])):,} steps or more"
        values = [slot for slots in self.slots(of).values() for slot in slots.values()]
        return "unused" if all((value == values[0].flat[0]).all() for value in values) else "used"


def read(path: Path) -> Contents:
    """Reads a checkpoint that `tf.train.Saver` wrote of the notebook's graph, in either of Saver's formats.

    Raises InputError where there is none, where it is damaged, and where it holds anything but float32 weights and
    biases of one perceptron, slots of Adam, Adagrad and Adadelta, and a global_step.
    """
    reader = Reader(path)
    if "_CHECKPOINTABLE_OBJECT_GRAPH" in reader.shapes:
        raise InputError(
            f"{reader.path} is an object-based checkpoint, as tf.train.Checkpoint writes; expected one that "
            "tf.train.Saver wrote, of tensors by the names of their variables."
        )
    variables = _variables(reader)
    sets = {of for name in reader.shapes if (of := slot_set(name, [*variables.values()]))}
    known = {*variables.values(), GLOBAL_STEP}.union(*(of.names(variables.values()) for of in sets))
    if unknown := sorted(set(reader.shapes) - known):
        raise InputError(
            f"{reader.path} must hold nothing but weights, biases and slots of {', '.join(KIND_NAMES)}; "
            f"found {_listed(unknown)}."
        )
    for name, dtype in reader.dtypes.items():
        expected = ("int64", "int32") if name == GLOBAL_STEP else ("float32",)
        if dtype not in expected:
            raise InputError(f"{reader.path}: {name} must be {expected[0]}, found {dtype}.")
    _check_chain(reader, variables)
    if reader.shapes.get(GLOBAL_STEP, ()) != ():
        raise InputError(f"{reader.path}: {GLOBAL_STEP} must be a scalar, found shape {reader.shapes[GLOBAL_STEP]}.")
    in_order = sorted(sets, key=lambda of: (KIND_NAMES.index(of.kind.name), of.number))
    return Contents(reader.path, reader.tensors(), variables, in_order)


def _variables(reader: Reader) -> dict[str, str]:
    """The file's names of the weights and biases, by rawstep's."""
    plain = {name for name in reader.shapes if "/" not in name and name != GLOBAL_STEP and not slot_set(name, [])}
    layers = len(plain) // 2
    for names in (weight_names(layers), created_names(layers)):
        if plain and plain == set(names):
            return dict(zip(weight_names(layers), names, strict=True))
    raise InputError(f"{reader.path} must hold {WEIGHTS}; found {_listed(sorted(plain)) or 'none of these'}.")


def _check_chain(reader: Reader, variables: dict[str, str]) -> None:
    """Raises InputError unless each matrix takes what the one before returns, and has its bias."""
    shapes = [reader.shapes[variable] for variable in variables.values()]
    matrices, biases = shapes[: len(shapes) // 2], shapes[len(shapes) // 2 :]
    two = all(len(matrix) == 2 and min(matrix) > 0 for matrix in matrices)
    chained = two and all(one[1] == other[0] for one, other in pairwise(matrices))
    if not chained or biases != [matrix[1:] for matrix in matrices]:
        found = [f"{variable} {reader.shapes[variable]}" for variable in variables.values()]
        raise InputError(f"{reader.path}: the shapes of {WEIGHTS} must chain into one network; found {_listed(found)}.")


def _listed(names: list[str], most: int = 12) -> str:
    return ", ".join([*names[:most], *([f"and {len(names) - most} more"] if names[most:] else [])])
