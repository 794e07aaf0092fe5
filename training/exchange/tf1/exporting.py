"""From a run to a TF1 checkpoint that a session restores."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from core import InputError

from ...runs.around import Around
from ...runs.checkpoint import Checkpoint
from ...runs.rule_choice import choose_rule, option, rule_settings
from ...runs.run_folder import RunFolder
from .contents import Contents, read
from .importing import choose_slots
from .names import GLOBAL_STEP, KINDS, SlotSet, created_names, weight_names
from .powers import BETAS, power
from .saver_file import check_new, write

WORKLOAD = "mlp"
AROUND = [one.name for one in fields(Around)]
"""Options of a run by which a graph of TensorFlow 1's does not go on; a learning rate it has of its own."""


def export_run(
    folder: Path, out: Path, named: bool = False, like: Path | None = None, slots: str | None = None, best: bool = False
) -> tuple[Checkpoint, SlotSet]:
    """Writes a run's newest checkpoint as `tf.train.Saver` would; returns it and the set that its slots are.

    named: the variables bear their own names, h1 … bo; else those of their creation, Variable, Variable_1, ….
    like:  a checkpoint of the graph that is to restore the file. Names are its; weights, slots of the run's rule and
           global_step are the run's, all else is copied.
    slots: which set of `like` to replace, where it has several of the rule.
    best:  not the newest checkpoint, but that of the best epoch.

    Raises InputError for a file that is there already or cannot be written; for a run of another workload than the
    perceptron; for a rule that is none of TensorFlow 1's three or has pieces around it, and slots that its formula
    cannot go on from; for a `like` of another network or without such slots.
    """
    check_new(out)
    checkpoint = RunFolder(folder).chosen(best)
    if checkpoint.settings.workload != WORKLOAD:
        raise InputError(
            f"{checkpoint.path} must be of the workload {WORKLOAD}, the notebook's perceptron, to be exported, found "
            f"{checkpoint.settings.workload}."
        )
    kind = next((kind for kind in KINDS if kind.rule == checkpoint.settings.rule), None)
    if kind is None:
        names = ", ".join(kind.rule for kind in KINDS)
        raise InputError(f"{checkpoint.path} must be of {names} to be exported, found {checkpoint.settings.rule}.")
    _check_alone(checkpoint)
    if like is None:
        of, names = SlotSet(kind), weight_names(len(checkpoint.variables) // 2)
        variables = names if named else created_names(len(names) // 2)
        write(out, _tensors(checkpoint, dict(zip(names, variables, strict=True)), of))
    else:
        contents = read(like)
        of = choose_slots(contents, slots, kind.rule)
        write(out, _replaced(contents, checkpoint, of))
    return checkpoint, of


def _check_alone(checkpoint: Checkpoint) -> None:
    settings, rule = checkpoint.settings, checkpoint.run["rule"]
    around = [option(name) for name in AROUND if getattr(settings, name) not in (None, ())]
    around += [f"a schedule of {name}" for name in ("beta_1", "beta_2") if isinstance(rule.get(name), str)]
    if around:
        raise InputError(f"{checkpoint.path} must be of a rule alone to be exported, found {around[0]}.")


def formula_note(checkpoint: Checkpoint) -> list[str]:
    """A sentence, where the run's rule has other settings than TensorFlow 1 computes with."""
    settings = checkpoint.settings
    ours = checkpoint.run["rule"]
    theirs: dict[str, Any] = rule_settings(choose_rule(settings.rule, "tf1", 1.0))
    differing = [name for name in theirs if name != "learning_rate" and ours.get(name) != theirs[name]]
    if not differing:
        return []
    said = ", ".join(f"{name} {theirs[name]}, not {ours.get(name)}" for name in differing)
    return [f"the run's dialect is {settings.dialect}; a session continues by TensorFlow 1's formula, with {said}"]


def _replaced(contents: Contents, checkpoint: Checkpoint, of: SlotSet) -> dict[str, np.ndarray]:
    """All tensors of a graph's checkpoint, the weights, one set of slots and the step being the run's."""
    theirs = {name: weight.shape for name, weight in contents.weights.items()}
    ours = {name: tuple(weight.shape) for name, weight in checkpoint.variables.items()}
    if theirs != ours:
        raise InputError(f"{contents.path} holds another network than the run: {theirs}, not {ours}.")
    tensors = contents.tensors | _tensors(checkpoint, contents.variables, of)
    if GLOBAL_STEP in tensors:
        tensors[GLOBAL_STEP] = checkpoint.tensors["optimizer/step"].astype(tensors[GLOBAL_STEP].dtype)
    return tensors


def _wide(checkpoint: Checkpoint, name: str) -> np.ndarray:
    """A weight in float32, which is what TensorFlow 1's graph has: the master of one in bfloat16."""
    return checkpoint.tensors.get(f"optimizer/masters/{name}", checkpoint.tensors[f"weights/{name}"])


def _tensors(checkpoint: Checkpoint, variables: dict[str, str], of: SlotSet) -> dict[str, np.ndarray]:
    step = int(checkpoint.tensors["optimizer/step"])
    tensors = {variable: _wide(checkpoint, name) for name, variable in variables.items()}
    for name, variable in variables.items():
        for slot, file_name in of.slot_names(variable).items():
            tensors[file_name] = checkpoint.tensors[f"optimizer/slots/{name}/{slot}"]
    if of.kind.name == "Adagrad":
        _check_above_zero(checkpoint, {name: tensors[name] for name in of.names(variables.values())})
    betas = [checkpoint.run["rule"].get(name, usual) for name, usual in zip(("beta_1", "beta_2"), BETAS, strict=True)]
    return tensors | {name: power(beta, step) for name, beta in zip(of.power_names, betas, strict=False)}


def _check_above_zero(checkpoint: Checkpoint, accumulators: dict[str, np.ndarray]) -> None:
    """TensorFlow 1 divides by their roots, with no ε: a zero gradient would become NaN."""
    if zeros := [name for name, value in accumulators.items() if not value.all()]:
        raise InputError(
            f"{checkpoint.path} has accumulators that are 0 ({', '.join(zeros)}), since dialect "
            f"{checkpoint.settings.dialect} starts them there; TensorFlow 1's Adagrad has no ε and would compute 0/0."
        )
