"""One state of a run on disk: everything that decides its next step."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from core import InputError, Optimizer

from ..workloads.choice import kind_of
from ..workloads.values import by_option
from ..workloads.workload import Data, Workload, fingerprint
from .building import served_as
from .machine import machine
from .rule_choice import option, rule_settings
from .settings import Settings
from .trainer import Epoch, Trainer
from .versions import versions

FORMAT = 5
"""Of `Checkpoint.run`; a change of its keys makes another. See `_of_before` for what the earlier ones were."""
PREFIX = "state"
"""tf.train.Checkpoint's files in the folder of a checkpoint: state.index and state.data-00000-of-00001."""
MAY_CHANGE = (
    "--learning-rate", "--schedule", "--epochs", "--execution", "--xla-options", "--on-nonfinite", "--microbatches",
    "--patience",
)  # fmt: skip
"""The options that a resumed run may have otherwise; where its data are too, if they are the same."""


class DamagedError(Exception):
    """A checkpoint that cannot be read whole; the message says why."""


class _Text(tf.train.experimental.PythonState):
    """A text among the variables of a tf.train.Checkpoint."""

    def __init__(self, text: str):
        self._text = text

    def serialize(self) -> str:
        return self._text

    def deserialize(self, string_value: str) -> None:
        self._text = string_value


@dataclass(frozen=True)
class Checkpoint:
    """A state of a run, read from disk and found whole.

    path:    the folder that it was read from.
    tensors: weights/<name>, optimizer/slots/<name>/<slot> and optimizer/step, by these names; of a narrow weight
             optimizer/masters/<name>; of a run with a loss scale optimizer/dropped, optimizer/loss_scale/scale and
             optimizer/loss_scale/finite.
    run:     all the rest: settings, every setting of the rule and of what stands around it, sizes, split and hash of
             the data, their schema, versions, what else decides the last bits, the epochs so far, which of them is the
             best and the step at its end, the costs of the steps so far in the epoch that has begun (as many as the
             position in it), and the feed's state.
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

        Raises InputError for a run of an earlier rawstep whose workload needs it.
        """
        if "schema" not in self.run and kind_of(self.settings.workload).input_dtype is not None:
            raise InputError(
                f"{self.path} was saved by an earlier rawstep, which kept no units of its columns: train it by "
                "one more epoch with --resume, which saves them."
            )
        return self.run.get("schema")

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
        for name, variable in _of_optimizer(optimizer).items():
            variable.assign(self.tensors[name])
        return optimizer.served(), served_as(rule)

    @property
    def step(self) -> int:
        """The number of steps taken, those included that a loss scale dropped."""
        return int(self.tensors["optimizer/step"]) + int(self.tensors.get("optimizer/dropped", 0))

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

    def check_data(self, data: Data) -> None:
        """Raises InputError where these are not the data that the run was trained with."""
        _refuse_changes(self, self.run["data"], fingerprint(data))


def write(trainer: Trainer, folder: Path) -> None:
    """Writes the state of a trainer between two calls into an empty folder, as a tf.train.Checkpoint."""
    run = {
        "format": FORMAT,
        "settings": asdict(trainer.settings),
        "rule": rule_settings(trainer.rule),
        "serves": trainer.rule.serves,
        "data": trainer.fingerprint,
        "schema": trainer.data.schema,
        "versions": versions(),
        "computed_by": _computed_by(trainer),
        "epochs": trainer.history,
        "best": {"epoch": trainer.best_epoch, "step": trainer.best_step} if trainer.best_epoch else None,
        "costs": trainer.costs,
        "feed": trainer.feed.state,
    }
    text = _Text(json.dumps(run, default=str))
    tf.train.Checkpoint(weights=trainer.variables, optimizer=trainer.optimizer, run=text).write(str(folder / PREFIX))


def read(folder: Path) -> Checkpoint:
    """Reads what `write` wrote. Every tensor is read, and so its checksum checked, before any is used.

    Raises DamagedError; and InputError where the files cannot be opened, or are whole but not of this rawstep's.
    """
    for file in (f"{PREFIX}.index", f"{PREFIX}.data-00000-of-00001"):
        try:
            (folder / file).open("rb").close()
        except FileNotFoundError as error:
            raise DamagedError(f"{file} is missing") from error
        except OSError as error:
            raise InputError(f"{folder / file} cannot be read: {error.strerror}.") from error
    try:
        reader = tf.train.load_checkpoint(str(folder / PREFIX))
        tensors = {
            _as_named(name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE")): reader.get_tensor(name)
            for name in reader.get_variable_to_shape_map()
        }
    except (tf.errors.OpError, IndexError, ValueError) as error:
        raise DamagedError(str(error).partition("\n")[0]) from error
    run = json.loads(tensors.pop("run/.ATTRIBUTES/py_state", "{}"))
    if run.get("format") in range(1, FORMAT):
        run = _of_before(run)
    if run.get("format") != FORMAT:
        raise InputError(f"{folder} is no checkpoint of a run, or of another version of rawstep.")
    del tensors["_CHECKPOINTABLE_OBJECT_GRAPH"]
    return Checkpoint(folder, tensors, run)


def _as_named(key: str) -> str:
    """TensorFlow writes a point in a name, such as a slot's inside another, as two, and a slash as .S."""
    return re.sub(r"\.([.S])", lambda found: "." if found[1] == "." else "/", key)


def _of_before(run: Mapping[str, Any]) -> dict[str, Any]:
    """What an earlier rawstep wrote, in today's form.

    In 4, all data were resident. Before that, a run was the perceptron's on images, with its validation accuracies; in
    3, settings had all that is around a rule; in 2 nothing; in 1, validation images always were the first too.
    """
    run = {**run, "feed": run["sampler"]}
    del run["sampler"]
    if run["format"] == 4:
        return run | {"format": FORMAT}
    settings, data = dict(run["settings"]), dict(run["data"])
    if run["format"] == 1:
        settings["validation"] = data["validation"] = "first"
    kind = f"uint8 [{data['pixels']}], uint8 []"
    return {
        **run,
        "format": FORMAT,
        "settings": of_perceptron(settings),
        "data": {"examples": data["images"], "kind": kind, **{name: data[name] for name in ("validation", "sha256")}},
        "epochs": [(cost, {"validation_accuracy": accuracy}) for cost, accuracy in run["epochs"]],
    }


def of_perceptron(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a rawstep that trained the perceptron alone, as JSON has them, in today's form."""
    rest = dict(settings)
    usual = {"hidden": [], "init": "normal", "data_dir": None, "validation": None}
    own = {name: rest.pop(name, None) or value for name, value in usual.items()}
    return {**rest, "workload": "mlp", "workload_options": own}


def check_settings(checkpoint: Checkpoint, settings: Settings) -> None:
    """Raises InputError where a run with these settings cannot go on from a checkpoint."""
    of_rules = [option(name) for name in {**checkpoint.settings.rule_options, **settings.rule_options}]
    but = [*MAY_CHANGE, *checkpoint.settings.places, *of_rules]
    before, now = checkpoint.settings.options, settings.options
    if checkpoint.settings.workload != settings.workload:  # then all that is the workload's differs too
        before, now = ({"--workload": one["--workload"]} for one in (before, now))
    _refuse_changes(checkpoint, before, now, but)


def restore(checkpoint: Checkpoint, trainer: Trainer) -> None:
    """Puts a checkpoint into a trainer, which then goes on to the bits of a run that was never interrupted.

    Raises InputError, with the trainer as it was, where the checkpoint is of other settings, of a rule, training data
    or tensors that differ; in the learning rate, epochs and execution it may.
    """
    check_settings(checkpoint, trainer.settings)
    run, held = checkpoint.run, variables(trainer)
    before = run["rule"] | run["data"] | _kinds(checkpoint.tensors)
    now = rule_settings(trainer.rule) | trainer.fingerprint | _kinds(held)
    _refuse_changes(checkpoint, before, now, ["learning_rate"])
    for name, variable in held.items():
        variable.assign(checkpoint.tensors[name])
    trainer.history = [Epoch(*epoch) for epoch in run["epochs"]]
    trainer.costs = list(run["costs"])
    trainer.feed.state = run["feed"]


def notes(checkpoint: Checkpoint, trainer: Trainer) -> list[str]:
    """A sentence for each thing that a run may have otherwise than the checkpoint it goes on from, and has."""
    settings, run = checkpoint.settings.options, checkpoint.run
    may_change = (*MAY_CHANGE, *trainer.settings.places)
    before = {name: settings.get(name) for name in may_change} | {"--learning-rate": run["rule"]["learning_rate"]}
    now = (
        dict.fromkeys(may_change)
        | trainer.settings.options
        | {"--learning-rate": rule_settings(trainer.rule)["learning_rate"]}
    )
    changed = [f"{name} is {now[name]}, was {before[name]}" for name in before if now[name] != before[name]]
    # An earlier rawstep kept the versions alone.
    computed_by, was = versions() | _computed_by(trainer), run["versions"] | run.get("computed_by", {})
    return changed + [
        f"{name} is {computed_by[name]}, was {was[name]}: the last bits may differ"
        for name in was
        if name in computed_by and computed_by[name] != was[name]
    ]


def _computed_by(trainer: Trainer) -> dict[str, Any]:
    """What decides the last bits besides versions and settings. A batch divided into parts is added up in their order,
    on any number of replicas."""
    ordered = trainer.settings.parts is not None
    return machine() | ({} if ordered else {"number of replicas": trainer.distribution.replicas})


def _refuse_changes(
    checkpoint: Checkpoint, before: Mapping[str, Any], now: Mapping[str, Any], but: Collection[str] = ()
) -> None:
    names = [name for name in {**before, **now} if name not in but and before.get(name) != now.get(name)]
    if names:
        changes = "; ".join(
            "the data differ" if name == "sha256" else f"{name} {before.get(name)}, not {now.get(name)}"
            for name in names
        )
        raise InputError(f"{checkpoint.path} is a checkpoint of another run: {changes}.")


def variables(trainer: Trainer) -> dict[str, tf.Variable]:
    """What a trainer changes at each step, by the names of `Checkpoint.tensors`."""
    weights = {f"weights/{name}": variable for name, variable in trainer.variables.items()}
    return weights | _of_optimizer(trainer.optimizer)


def _of_optimizer(optimizer: Optimizer) -> dict[str, tf.Variable]:
    slots, dropped, scale = optimizer.slots, optimizer.dropped, optimizer.loss_scale
    return {
        "optimizer/step": optimizer.step,
        **{f"optimizer/masters/{name}": master for name, master in optimizer.masters.items()},
        **{f"optimizer/slots/{name}/{slot}": variable for name in slots for slot, variable in slots[name].items()},
        **({} if dropped is None else {"optimizer/dropped": dropped}),
        **({} if scale is None else {
            "optimizer/loss_scale/scale": scale.scale, "optimizer/loss_scale/finite": scale.finite,
        }),
    }  # fmt: skip


def _kinds(tensors: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"{tf.as_dtype(tensor.dtype).name} {tuple(tensor.shape)}" for name, tensor in tensors.items()}
