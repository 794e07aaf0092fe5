"""From a TF1 checkpoint to a run that goes on."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from core import RULES, Chain, InputError
from core.rules.averaging import Average
from core.rules.groups import Groups

from ...runs.run_folder import RunFolder
from ...runs.settings import Settings
from ...runs.trainer import Trainer
from ...workloads.check import checked_values
from ...workloads.images import classes
from ...workloads.mlp import MLP
from ...workloads.regression import Regression
from ...workloads.workload import Data
from .contents import Contents, read
from .maps import check_names, check_shapes
from .names import SlotSet
from .typed_map import Map

PERCEPTRONS = (MLP, Regression)
"""The workloads whose layers a file's shapes show."""


def read_for(
    settings: Settings, path: Path, names: Map | None = None, layers_given: bool = False, centered: bool | None = None
) -> Contents:
    """The contents of a file as the variables of the workload that `settings` name.

    names:        the file's names of variables, by the workload's; the only ones that fit, unless given.
    layers_given: whether `settings` have the layers of a perceptron; else these are those that the file has.

    Raises InputError as `contents.read` does, and for a map with other names than the workload's variables.
    """
    if isinstance(settings.make_workload(), PERCEPTRONS) and not layers_given:
        return read(path, names, centered=centered)
    values = checked_values(settings.make_workload(), settings.data(), settings.seed)
    wanted = {name: tuple(np.shape(value)) for name, value in values.items()}
    if names is not None:
        check_names(names, [*wanted], settings.workload)
        names = {name: names[name] for name in wanted}
    contents = read(path, names, wanted, centered)
    check_shapes(contents.variables, contents.index, wanted, settings.workload)
    return contents


def check_activations(settings: Settings, contents: Contents) -> None:
    """Raises InputError where the graph has another function than ReLU between a perceptron's layers."""
    graph = contents.index.graph
    if graph is None or not isinstance(settings.make_workload(), PERCEPTRONS):
        return
    if others := sorted(graph.activations([*contents.variables.values()]) - {"Relu"}):
        raise InputError(
            f"{graph.path} has {' and '.join(others)} between the layers, and {settings.workload} has ReLU: it "
            "would compute something else (--workload module:Name trains one of your own)."
        )


def fitted(settings: Settings, contents: Contents) -> Settings:
    """The settings, a perceptron's with the layers of the contents."""
    if not isinstance(settings.make_workload(), PERCEPTRONS):
        return settings
    return settings.with_options({"hidden": [*map(str, contents.layers[1:-1])] or ["none"]})


def import_run(
    contents: Contents,
    slots: SlotSet | None,
    step: int,
    settings: Settings,
    out: Path,
    *,
    averages: SlotSet | None = None,
    rounds: bool = False,
) -> Trainer:
    """Writes a run with one checkpoint, the contents', into a folder that holds none; returns its trainer.

    slots:       the slots that the run goes on with; without them the rule of `settings` starts afresh.
    settings: of the run; layers of a perceptron are the contents'.
    averages: what the rule's average of the variables goes on from; the variables, unless given.
    rounds:   whether tensors of a wider dtype than the run's are rounded to that.

    History, epochs and the order of the batches begin here; the step counter goes on from `step`.

    Raises InputError where the variables do not fit the workload and its data, tensors would be rounded and may not,
    the rule has no learning rate or a slot that the file lacks, and for a folder that cannot be written, holds a run,
    or is in use; for tensors that are not finite, or are not in the run's dtype. Nothing is written then.
    """
    settings = fitted(settings, contents)
    _check_rate(contents, settings)
    made, folder = not out.exists(), RunFolder(out)
    if folder.newest_path is not None:
        raise InputError(f"{out} holds a run already: give another folder, or remove it.")
    try:
        trainer, _ = folder.begin(settings, resume=False)
        _check_fit(contents, trainer)
        _assign(trainer, contents, slots, averages, rounds)
        trainer.optimizer.step.assign(np.int64(step))
        folder.save(trainer)
    except InputError:
        if made and out.is_dir():
            out.rmdir()
        raise
    return trainer


def slot_prefixes(rule: Any) -> tuple[str, str | None]:
    """What stands before the names of the rule's slots, and the name of its average's; None where it has none."""
    rule = rule.rule if isinstance(rule, Groups) else rule
    if not isinstance(rule, Chain):
        return "", None
    own = next(name for name, part in rule.parts if part is rule.rule)
    averages = [f"{name}.average" for name, part in rule.parts if isinstance(part, Average)]
    return f"{own}.", averages[0] if averages else None


def rounding(contents: Contents, trainer: Trainer, *sets: SlotSet | None) -> str | None:
    """What rounding has changed, in words; None where nothing was rounded."""
    wide, worst, kinds = 0, 0.0, ""
    for name, variable in contents.variables.items():
        dtype = trainer.variables[name].dtype
        for file_name in (variable, *(one for slots in sets if slots for one in slots.slot_names(variable).values())):
            value = contents.tensors[file_name]
            if value.dtype.itemsize > dtype.size:
                numbers = value[value != 0]
                wide, kinds = wide + 1, f"{value.dtype} to {dtype.name}"
                worst = max(worst, np.abs(numbers.astype(dtype.as_numpy_dtype) / numbers - 1).max(initial=0))
    return f"rounded {wide} tensors from {kinds}; the largest change is {worst:.1e} of a number" if wide else None


def _assign(
    trainer: Trainer, contents: Contents, slots: SlotSet | None, averages: SlotSet | None, rounds: bool
) -> None:
    prefix, average = slot_prefixes(trainer.rule)
    for name, weight in contents.weights.items():
        held = {contents.variables[name]: (trainer.variables[name], weight)}
        ours = trainer.optimizer.slots[name]
        if slots is not None:
            theirs = contents.slots(slots)[name]
            names = slots.slot_names(contents.variables[name])
            for slot in (one for one in ours if one.startswith(prefix) and one != average):
                if (there := slot.removeprefix(prefix)) not in theirs:
                    raise InputError(
                        f"{contents.path}: {trainer.settings.rule} with these settings has a slot {there}, which the "
                        f"slots {slots.name} lack."
                    )
                held[names[there]] = ours[slot], theirs[there]
        if average is not None:
            from_file = contents.slots(averages)[name]["average"] if averages else weight
            held[f"the average of {contents.variables[name]}"] = ours[average], from_file
        for said, (variable, value) in held.items():
            _check_width(contents, said, value, variable, rounds)
            variable.assign(_finite(contents, said, value, variable.dtype))


def _finite(contents: Contents, said: str, value: np.ndarray, dtype: tf.DType) -> np.ndarray:
    """A tensor of the file in the run's dtype. Raises InputError where it is not finite there."""
    with np.errstate(over="ignore"):
        found = value.astype(dtype.as_numpy_dtype)
    if not np.isfinite(value).all():
        raise InputError(f"{contents.path}: {said} must be finite, found NaN or infinity.")
    if not np.isfinite(found).all():
        raise InputError(f"{contents.path}: {said} has {np.abs(value).max():.3g}, which is beyond {dtype.name}.")
    return found


def _check_width(contents: Contents, said: str, value: np.ndarray, variable: Any, rounds: bool) -> None:
    if value.dtype.itemsize > variable.dtype.size and not rounds:
        raise InputError(
            f"{contents.path}: {said} is {value.dtype}, and the run's is {variable.dtype.name}: --round rounds what is "
            "wider; nothing is rounded unasked."
        )


def _check_rate(contents: Contents, settings: Settings) -> None:
    dialect = RULES[settings.rule].DIALECTS.get("tf1") if settings.rule in RULES else None
    has_rate = settings.learning_rate is not None or settings.schedule is not None
    if not has_rate and dialect and "learning_rate" not in dialect.settings:
        raise InputError(
            f"{contents.path} holds no learning rate, as no TF1 checkpoint does, and {settings.rule} has none of its "
            "own: give --learning-rate."
        )


def _check_fit(contents: Contents, trainer: Trainer) -> None:
    if isinstance(trainer.workload, MLP):
        _check_images(contents, trainer.data)
    wanted = {name: variable.numpy().shape for name, variable in trainer.variables.items()}
    check_shapes(contents.variables, contents.index, wanted, trainer.settings.workload)


def _check_images(contents: Contents, data: Data) -> None:
    pixels, names = data.train[0].shape[1], classes(data)
    inputs, outputs = contents.layers[0], contents.layers[-1]
    if (inputs, outputs) != (pixels, names):
        raise InputError(
            f"{contents.path} holds a network for images of {inputs} pixels in {outputs} classes; the images have "
            f"{pixels} pixels and {names} classes (--data-dir names others)."
        )
