"""One state of a run on disk: everything that decides its next step."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from core import InputError, Optimizer

from ..output.sums import SUMS, check_sums, write_sums
from ..output.tensor_files import DATA, INDEX, DamagedError, TensorFiles, write_tensors
from ..workloads.choice import kind_of
from ..workloads.values import by_option
from ..workloads.workload import Workload
from .building import served_as
from .object_graph import GRAPH, TEXT, Names, key, name_of, object_graph
from .run_text import read_run_text, run_text
from .settings import Settings
from .trainer import Trainer

PREFIX = "state"
"""What tf.train.Checkpoint's files begin with in the folder of a checkpoint."""
FILES = (f"{PREFIX}{INDEX}", f"{PREFIX}{DATA}")
SUMMED = 6
"""The format from which on their digests lie beside them."""


@dataclass(frozen=True)
class Checkpoint:
    """A state of a run, read from disk and found whole.

    path:    the folder that it was read from.
    tensors: weights/<name>, optimizer/slots/<name>/<slot> and optimizer/step, by these names; of a narrow weight
             optimizer/masters/<name>, and optimizer/dropped; of a run with a loss scale optimizer/loss_scale/scale and
             optimizer/loss_scale/finite.
    run:     all the rest: settings, every setting of the rule and of what stands around it, sizes, split and hash of
             the data, their schema, versions, the epochs so far, which of them is the best and the step at its end, the
             costs of the steps so far in the epoch that has begun (as many as the position in it), and the feed's
             state.
    """

    path: Path
    tensors: Mapping[str, np.ndarray]
    run: Mapping[str, Any]

    @property
    def settings(self) -> Settings:
        """Raises InputError where the workload's class lacks a setting by now that the run had."""
        settings = Settings(**self.run["settings"])
        there = by_option(kind_of(settings.workload)).values()
        if lacking := [name for name in settings.workload_options if name not in there]:
            raise InputError(f"{self.path} has the setting {lacking[0]}, which the workload {settings.workload} lacks.")
        return settings

    @property
    def workload(self) -> Workload:
        """That of the run, which knows of its data what the run kept."""
        workload = self.settings.make_workload()
        return workload if self.schema is None else workload.with_schema(self.schema)

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """`Data.schema` of the run's data, where they have one.

        Raises InputError for a run of an earlier rawstep whose workload needs it, and for what is no schema of it.
        """
        if "schema" not in self.run and kind_of(self.settings.workload).input_dtype is not None:
            raise InputError(
                f"{self.path} was saved by an earlier rawstep, which kept no units of its columns: train it by "
                "one more epoch with --resume, which saves them."
            )
        if (found := self.run.get("schema")) is not None:
            try:
                self.settings.make_workload().with_schema(found)
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"{self.path} has a schema of its data that {self.settings.workload} lacks."
                ) from error
        return found

    @property
    def variables(self) -> dict[str, tf.Tensor]:
        """The workload's variables by name."""
        prefix = "weights/"
        return {
            name.removeprefix(prefix): tf.constant(tensor)
            for name, tensor in self.tensors.items()
            if name.startswith(prefix)
        }

    def served(self, raw: bool = False) -> tuple[dict[str, tf.Tensor], str | None]:
        """The variables that evaluation and export use, and what they are, in words.

        They are those that the rule serves, such as averages, unless the `raw` ones are asked for; there are no words
        for variables that are trained and served.

        Raises InputError for a rule of the user's that is not there any more.
        """
        if not self.run.get("serves"):
            return self.variables, None
        if raw:
            return self.variables, f"the weights as they are trained, not {served_as(self.settings.make_rule())}"
        rule, values = self.settings.make_rule(), self.variables
        optimizer = Optimizer(rule, {name: tf.Variable(value, name=name) for name, value in values.items()})
        for names, variable in _of_optimizer(optimizer).items():
            found = self.tensors.get(name := "/".join(names))
            if found is None or found.shape != tuple(variable.shape):
                raise InputError(f"{self.path} must have {name} {[*variable.shape]}, as its rule and settings say.")
            variable.assign(found)
        return optimizer.served(), served_as(rule)

    @property
    def step(self) -> int:
        """The number of steps taken or dropped."""
        return int(self.tensors["optimizer/step"]) + int(self.tensors["optimizer/dropped"])

    @property
    def digest(self) -> str:
        """A hash of all tensors."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.tensors.items()):
            digest.update(name.encode() + np.ascontiguousarray(tensor).tobytes())
        return digest.hexdigest()[:16]

    @property
    def nonfinite(self) -> list[str]:
        """The names of the tensors that hold numbers that are not finite."""
        return [name for name, tensor in self.tensors.items() if not np.isfinite(tensor).all()]

    def __str__(self) -> str:
        settings = self.settings
        dialect = settings.dialect or "its own defaults"
        return f"{self.path} ({settings.rule}, {dialect}; step {self.step:,}, epochs done: {len(self.run['epochs'])})"


class State(NamedTuple):
    """What a checkpoint is to hold, as it was at one moment, to be written while the run goes on.

    tensors: copies in main memory, which nobody changes. run: see `Checkpoint.run`; as text.
    """

    tensors: Mapping[Names, np.ndarray]
    run: str


def state_of(trainer: Trainer) -> State:
    """The state of a trainer between two calls.

    The tensors are those that its guard holds to go back to; the guard lets go of them at its next look.

    Raises NonFiniteError where it is not finite and the run is not to continue; see `Trainer.look`.
    """
    held = trainer.look()
    names = {id(variable): name for name, variable in trainer.optimizer.state.items()}
    tensors = {of: held[names[id(variable)]] for of, variable in _by_names(trainer).items()}
    return State(tensors, run_text(trainer))


def write(state: State, folder: Path) -> None:
    """Writes a state into an empty folder: a tf.train.Checkpoint, and then the digests of its files.

    TensorFlow's readers check most of the files by checksums of 32 bits, and not all: some damage makes them ask for
    more memory than there is. So whether a checkpoint is whole is known from the digests alone, before they read it.
    """
    tensors = {key(names): tensor for names, tensor in state.tensors.items()}
    texts = {TEXT: state.run, GRAPH: object_graph((*state.tensors,))}
    write_tensors(folder / PREFIX, {**tensors, **texts})
    write_sums(folder)


def read(folder: Path) -> Checkpoint:
    """Reads what `write` wrote, whole; up to format 5 by TensorFlow's own checksums.

    Raises DamagedError; and InputError where the files cannot be opened, or are whole but not of this rawstep's.
    """
    try:
        for file in FILES:
            if (folder / file).exists() and not (folder / file).is_file():  # a pipe would wait for a writer
                raise DamagedError(f"{file} is no file")
            (folder / file).open("rb").close()
        is_summed = (folder / SUMS).exists()
        if is_summed:
            check_sums(folder, FILES)
        files = TensorFiles(folder / PREFIX)
    except FileNotFoundError as error:
        raise DamagedError(f"{Path(error.filename).name} is missing") from error
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}.") from error
    tensors: dict[str, Any] = {
        "optimizer/dropped": np.array(0)
    }  # up to format 5, runs that dropped no steps had no count of them
    tensors |= {name_of(name): tensor for name, tensor in files.tensors().items()}
    try:
        run, number = read_run_text(tensors.pop(TEXT, None))
        if number >= SUMMED and not is_summed:
            raise DamagedError(f"{SUMS} is missing")
        tensors.pop(GRAPH, None)
        _check_kinds(tensors)
    except InputError as error:
        raise InputError(f"{folder} {error}.") from error
    return Checkpoint(folder, tensors, run)


def _check_kinds(tensors: Mapping[str, Any]) -> None:
    """Raises InputError where what is read is no state of any run, in words that go on from its place."""
    for name, tensor in tensors.items():
        if not isinstance(tensor, np.ndarray | np.generic) or tensor.dtype.kind in "OSU":
            raise InputError(f"must hold numbers, found a text, {name}")
    for name in ("optimizer/step", "optimizer/dropped"):
        found = tensors.get(name)
        if found is None or (found.dtype, found.shape) != (np.int64, ()):
            raise InputError(f"must hold {name} as one int64, found {None if found is None else found.dtype}")


def variables(trainer: Trainer) -> dict[str, tf.Variable]:
    """What a trainer changes at each step, by the names of `Checkpoint.tensors`."""
    return {"/".join(names): variable for names, variable in _by_names(trainer).items()}


def _by_names(trainer: Trainer) -> dict[Names, tf.Variable]:
    weights = {("weights", name): variable for name, variable in trainer.variables.items()}
    return weights | _of_optimizer(trainer.optimizer)


def _of_optimizer(optimizer: Optimizer) -> dict[Names, tf.Variable]:
    slots, scale = optimizer.slots, optimizer.loss_scale
    own = {
        ("step",): optimizer.step,
        ("dropped",): optimizer.dropped,
        **{("masters", name): master for name, master in optimizer.masters.items()},
        **{("slots", name, slot): variable for name in slots for slot, variable in slots[name].items()},
        **({} if scale is None else {("loss_scale", "scale"): scale.scale, ("loss_scale", "finite"): scale.finite}),
    }
    return {("optimizer", *names): variable for names, variable in own.items()}
