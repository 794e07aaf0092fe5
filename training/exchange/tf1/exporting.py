"""From a run to a TF1 checkpoint that a session restores."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from core import InputError

from ...runs.around import Around
from ...runs.checkpoint import Checkpoint
from ...runs.rule_choice import choose_rule, option, rule_settings
from ...runs.run_folder import RunFolder
from .choosing import choose_averages, choose_slots, with_powers
from .contents import Contents, read
from .importing import PERCEPTRONS, slot_prefixes
from .maps import check_certain, check_names, check_pairs
from .names import AVERAGES, CENTERED, GRADIENT_DESCENT, KINDS, Kind, SlotSet, created_names, kind_of_rule, weight_names
from .powers import power
from .saver_file import check_new, write
from .typed_map import Map

AROUND = [one.name for one in fields(Around) if one.name not in ("ema", "group")]
"""Options of a run for which a graph of TensorFlow 1's has operations of its own, if at all."""


@dataclass(frozen=True)
class _Run:
    """A checkpoint, and the names that a file has for what is in it.

    variables: the file's, by the workload's.
    """

    checkpoint: Checkpoint
    variables: Map
    slot_set: SlotSet
    averages: SlotSet | None

    @property
    def step(self) -> int:
        return int(self.checkpoint.tensors["optimizer/step"])

    def tensors(self) -> dict[str, np.ndarray]:
        """All of it, by the file's names."""
        rule = self.checkpoint.settings.make_rule()
        prefix, average = slot_prefixes(rule)
        held = self.checkpoint.tensors
        # A weight in bfloat16 has a master in float32, which is what TensorFlow 1's graph has.
        tensors = {
            variable: held.get(f"optimizer/masters/{name}", held[f"weights/{name}"])
            for name, variable in self.variables.items()
        }
        for name, variable in self.variables.items():
            for slot, file_name in self.slot_set.slot_names(variable).items():
                # Without momentum, RMSProp keeps a velocity that it does not read.
                found = held.get(f"optimizer/slots/{name}/{prefix}{slot}")
                tensors[file_name] = np.zeros_like(tensors[variable]) if found is None else found
            if average and self.averages:
                file_name = self.averages.slot_names(variable)["average"]
                tensors[file_name] = held[f"optimizer/slots/{name}/{average}"]
        if self.slot_set.kind.name == "Adagrad":
            _check_above_zero(
                self.checkpoint, {name: tensors[name] for name in self.slot_set.names(self.variables.values())}
            )
        if self.slot_set.power_names:
            adam: Any = getattr(rule, "rule", rule)
            betas = (adam.beta_1, adam.beta_2)
            tensors |= {
                name: power(beta, self.step) for name, beta in zip(self.slot_set.power_names, betas, strict=True)
            }
        return tensors


@dataclass(frozen=True)
class Exported:
    """What was written.

    slots:     the set that the run's slots are in the file.
    averages:  the set that its averages are; None where they are not in the file.
    variables: the file's names of the variables, by the workload's.
    """

    checkpoint: Checkpoint
    slots: SlotSet
    averages: SlotSet | None
    variables: Map


def export_run(
    folder: Path,
    out: Path,
    named: bool = False,
    like: Path | None = None,
    slots: str | None = None,
    best: bool = False,
    names: Map | None = None,
) -> Exported:
    """Writes a run's newest checkpoint as `tf.train.Saver` would.

    named: the variables bear their own names, h1 … bo; else those of their creation, Variable, Variable_1, ….
    like:  a checkpoint of the graph that is to restore the file. Names and dtypes are its; weights, slots of the run's
           rule, averages and global_step are the run's, all else is copied.
    slots: which set of `like` to replace, where it has several of the rule.
    best:  not the newest checkpoint, but that of the best epoch.
    names: the file's names of the variables, by the workload's.

    Raises InputError for a file that is there already or cannot be written; for a run of a workload other than a
    perceptron without `names` or `like`; for a `like` of another network, without such slots, or to which several maps
    could lead; for a rule that TensorFlow 1 lacks or that has pieces around it, except for an average, and slots that
    its formula cannot go on from; for `names` that are not the run's or lead two to one.
    """
    check_new(out)
    checkpoint = RunFolder(folder).chosen(best)
    names = _names(checkpoint, names, named, like is not None)
    kind = _kind(checkpoint)
    _check_alone(checkpoint)
    if like is None:
        run = _Run(checkpoint, names or {}, SlotSet(kind), SlotSet(AVERAGES) if _has_averages(checkpoint) else None)
        write(out, run.tensors())
        return Exported(checkpoint, run.slot_set, run.averages, run.variables)
    contents = _like(like, checkpoint, names, kind)
    slot_set = (
        SlotSet(kind)
        if kind is GRADIENT_DESCENT
        else with_powers(contents, choose_slots(contents, slots, checkpoint.settings.rule))
    )
    run = _Run(
        checkpoint, contents.variables, slot_set, choose_averages(contents) if _has_averages(checkpoint) else None
    )
    write(out, _replaced(contents, run))
    return Exported(checkpoint, run.slot_set, run.averages, run.variables)


def _names(checkpoint: Checkpoint, given: Map | None, named: bool, like: bool) -> Map | None:
    """The file's names of the variables; None where those of another file decide."""
    ours = [*checkpoint.variables]
    if given is not None:
        check_names(given, ours, str(checkpoint.path))
        check_pairs(given)
    if given is not None or like:
        return given
    if named:
        return {name: name for name in ours}
    if not _is_perceptron(checkpoint):
        raise InputError(
            f"{checkpoint.path} must be of a perceptron, mlp or regression, to be exported without --map or --like, "
            f"found {checkpoint.settings.workload}."
        )
    layers = len(ours) // 2
    return dict(zip(weight_names(layers), created_names(layers), strict=True))


def _kind(checkpoint: Checkpoint) -> Kind:
    kind = kind_of_rule(checkpoint.settings.rule, checkpoint.run["rule"].get("centered", False))
    if kind is None:
        rules = ", ".join(rule for kind in KINDS for rule in kind.rules)
        raise InputError(f"{checkpoint.path} must be of {rules} to be exported, found {checkpoint.settings.rule}.")
    return kind


def _like(path: Path, checkpoint: Checkpoint, names: Map | None, kind: Kind) -> Contents:
    """A checkpoint of the graph that is to restore the run. Raises InputError where no map is certain."""
    shapes = {name: checkpoint.tensors[f"weights/{name}"].shape for name in checkpoint.variables}
    centered = kind is CENTERED if kind.name == CENTERED.name else None
    contents = read(path, names, None if _is_perceptron(checkpoint) else shapes, centered)
    if names is None:
        check_certain(contents.variables, contents.index)
    return contents


def _is_perceptron(checkpoint: Checkpoint) -> bool:
    return isinstance(checkpoint.settings.make_workload(), PERCEPTRONS)


def _has_averages(checkpoint: Checkpoint) -> bool:
    return checkpoint.settings.ema is not None


def _check_alone(checkpoint: Checkpoint) -> None:
    settings, rule = checkpoint.settings, checkpoint.run["rule"]
    found = ["--group"] if settings.group else []
    found += [f"a schedule of {name}" for name in ("beta_1", "beta_2") if isinstance(rule.get(name), str)]
    if found:
        raise InputError(f"{checkpoint.path} must be of one rule and its settings to be exported, found {found[0]}.")


def formula_note(checkpoint: Checkpoint) -> list[str]:
    """Sentences, where the run's rule has other settings than TensorFlow 1 computes with, or more stands around it."""
    settings = checkpoint.settings
    around = [
        f"{option(name)} {getattr(settings, name)}" for name in AROUND if getattr(settings, name) not in (None, ())
    ]
    notes = [f"the session's graph must have what stands around the run's rule: {', '.join(around)}"] if around else []
    return notes + _settings_note(checkpoint)


def _settings_note(checkpoint: Checkpoint) -> list[str]:
    settings = checkpoint.settings
    ours = checkpoint.run["rule"]
    theirs: dict[str, Any] = rule_settings(choose_rule(settings.rule, "tf1", 1.0))
    differing = [name for name in theirs if name != "learning_rate" and ours.get(name) != theirs[name]]
    if not differing:
        return []
    if settings.dialect == "tf1":
        said = ", ".join(f"{name} {ours.get(name)}" for name in differing)
        return [f"the session's optimizer must be built as the run's, with {said}: no checkpoint holds settings"]
    said = ", ".join(f"{name} {theirs[name]}, not {ours.get(name)}" for name in differing)
    return [f"the run's dialect is {settings.dialect}; a session continues by TensorFlow 1's formula, with {said}"]


def _replaced(contents: Contents, run: _Run) -> dict[str, np.ndarray]:
    """All tensors of a graph's checkpoint, the weights, one set of slots, averages and the step being the run's."""
    checkpoint, tensors = run.checkpoint, dict(contents.tensors)
    theirs = {name: weight.shape for name, weight in contents.weights.items()}
    ours = {name: tuple(weight.shape) for name, weight in checkpoint.variables.items()}
    if theirs != ours:
        raise InputError(f"{contents.path} holds another network than the run: {theirs}, not {ours}.")
    for name, value in run.tensors().items():
        dtype = tensors[name].dtype
        if value.dtype.itemsize > dtype.itemsize:
            raise InputError(
                f"{contents.path} has {name} of {dtype}, and the run of {value.dtype}: nothing is rounded."
            )
        tensors[name] = value.astype(dtype)
    if step := contents.index.global_step:
        tensors[step] = checkpoint.tensors["optimizer/step"].astype(tensors[step].dtype)
    return tensors


def _check_above_zero(checkpoint: Checkpoint, accumulators: dict[str, np.ndarray]) -> None:
    """TensorFlow 1 divides by their roots, with no ε: a zero gradient would become NaN."""
    if zeros := [name for name, value in accumulators.items() if not value.all()]:
        raise InputError(
            f"{checkpoint.path} has accumulators that are 0 ({', '.join(zeros)}), since dialect "
            f"{checkpoint.settings.dialect} starts them there; TensorFlow 1's Adagrad has no ε and would compute 0/0."
        )
