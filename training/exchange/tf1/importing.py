"""From a TF1 checkpoint to a run that goes on."""

from pathlib import Path

import numpy as np

from core import RULES, InputError, NonFiniteError

from ...runs.run_folder import RunFolder
from ...runs.settings import Settings
from ...runs.trainer import Trainer
from ...workloads.images import classes
from ...workloads.workload import Data
from .contents import Contents
from .names import GLOBAL_STEP, SlotSet
from .powers import BETAS, running_products


def choose_slots(contents: Contents, name: str | None, rule: str | None = None) -> SlotSet:
    """The whole set of slots of this name, or the only one; of a rule's kind, where one is given.

    Raises InputError where there is none, more than one without a name, or a set that is not whole.
    """
    sets = [of for of in contents.sets if rule in (None, of.kind.rule)]
    kind = "slots" if rule is None else f"slots of {rule}"
    if not sets:
        afresh = " (--rule starts one afresh)" if rule is None else ""
        raise InputError(f"{contents.path} must hold {kind}; found {contents.told_apart() or 'none'}{afresh}.")
    chosen = [of for of in sets if of.name == name] if name is not None else sets
    if len(chosen) != 1:
        found = f"there is no {name}" if name is not None else "it has several"
        raise InputError(f"{contents.path}: --slots must name one set of {kind}; {found}: {contents.told_apart()}.")
    contents.check_whole(chosen[0])
    return chosen[0]


def check_without_slots(contents: Contents) -> None:
    """Raises InputError for a file with slots, which a rule that starts afresh would lose."""
    if contents.sets:
        raise InputError(
            f"{contents.path} has slots to go on with: {contents.told_apart()}; --slots names one of them, --rule is "
            "for a file without any."
        )


def step_of_slots(contents: Contents, of: SlotSet, given: int | None) -> tuple[int, list[str]]:
    """The number of steps that a set of slots has taken, and what a person should know of it.

    Adam's powers show it, until both are flushed to 0; else it is `given`, or the file's global_step, or 0.

    Raises InputError where these differ, and where nothing shows Adam's.
    """
    counted, source = (given, "--step") if given is not None else (contents.global_step, GLOBAL_STEP)
    if counted is not None and counted < 0:
        raise InputError(f"{contents.path}: {source} must be 0 or more, found {counted}.")
    if not of.power_names:
        said = "the file has no global_step, and these slots do not show it: the step is taken to be 0 (--step N)"
        return counted or 0, [said] if counted is None else []
    shown, flushed = contents.step_by_powers(of), len(running_products(BETAS[1]))
    if shown is None and counted is None:
        raise InputError(
            f"{contents.path}: {' and '.join(of.power_names)} are 0, as after {flushed:,} steps and ever after: "
            "give --step N."
        )
    if counted is not None and (counted < flushed if shown is None else counted != shown):
        powers = f"of step {shown:,}" if shown is not None else f"0, as from step {flushed:,} on"
        raise InputError(
            f"{contents.path}: {' and '.join(of.power_names)} are {powers}, but {source} is {counted:,}"
            f"{'' if given is not None else ' (--step overrules it)'}."
        )
    return shown if shown is not None else counted or 0, []


def import_run(contents: Contents, of: SlotSet | None, step: int, settings: Settings, out: Path) -> Trainer:
    """Writes a run with one checkpoint, the contents', into a folder that holds none; returns its trainer.

    of:       the slots that the run goes on with; without them the rule of `settings` starts afresh.
    settings: of the workload mlp; its layers are the contents'.

    History, epochs and the order of the batches begin here; the step counter goes on from `step`.

    Raises InputError where the network does not fit the images, the rule has no learning rate, and for a folder that
    cannot be written, holds a run, or is in use; NonFiniteError for contents that are not finite. Nothing is written
    then.
    """
    settings = settings.with_options({"hidden": [*map(str, contents.layers[1:-1])] or ["none"]})
    _check_rate(contents, settings)
    _check_images(contents, settings.data())
    made = not out.exists()
    folder = RunFolder(out)
    trainer, _ = folder.begin(settings, resume=False)
    for name, weight in contents.weights.items():
        trainer.variables[name].assign(weight)
    for name, slots in (contents.slots(of) if of else {}).items():
        for slot, value in slots.items():
            trainer.optimizer.slots[name][slot].assign(value)
    trainer.optimizer.step.assign(np.int64(step))
    try:
        folder.save(trainer)
    except (InputError, NonFiniteError):
        if made:
            out.rmdir()
        raise
    return trainer


def _check_rate(contents: Contents, settings: Settings) -> None:
    dialect = RULES[settings.rule].DIALECTS["tf1"]
    if settings.learning_rate is None and "learning_rate" not in dialect.settings:
        raise InputError(
            f"{contents.path} holds no learning rate, as no TF1 checkpoint does, and {settings.rule} has none of its "
            "own: give --learning-rate."
        )


def _check_images(contents: Contents, data: Data) -> None:
    pixels, names = data.train[0].shape[1], classes(data)
    inputs, outputs = contents.layers[0], contents.layers[-1]
    if (inputs, outputs) != (pixels, names):
        raise InputError(
            f"{contents.path} holds a network for images of {inputs} pixels in {outputs} classes; the images have "
            f"{pixels} pixels and {names} classes (--data-dir names others)."
        )
