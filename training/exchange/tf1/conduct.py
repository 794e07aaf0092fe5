"""All of `rawstep import-tf1`: what a person says and what a file shows are put together, and a run is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core import InputError

from ...runs.rule_choice import choose_rule, kind_of, option, rule_settings
from ...runs.settings import Settings
from ...runs.trainer import Trainer
from .choosing import (
    NONE,
    betas_of,
    check_without_slots,
    choose_averages,
    choose_slots,
    shown_settings,
    step_of_slots,
    with_powers,
)
from .contents import Contents
from .importing import PERCEPTRONS, import_run, read_for, rounding
from .maps import is_usual, parsed, pasted
from .names import CENTERED, GRADIENT_DESCENT, SlotSet

PLAIN = SlotSet(GRADIENT_DESCENT)
"""GradientDescent's slots, which are none."""


@dataclass(frozen=True)
class Wishes:
    """What a person says of a file, beside the settings of the run.

    map: the words of --map; options: those of the rule and of the workload, as typed.
    """

    map: Sequence[str] | None = None
    slots: str | None = None
    rule: str | None = None
    step: int | None = None
    nesterov: bool = False
    rounds: bool = False
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def centered(self) -> bool | None:
        words = self.options.get("centered")
        return None if words is None else [word.lower() for word in words] in ([], ["true"])  # none of a flag


@dataclass(frozen=True)
class Done:
    """What was read, in words, the run's learning rate, and what a person should know of it, a sentence each."""

    read: str
    rate: Any
    notes: list[str]


def conduct(file: Path, settings: Settings, wishes: Wishes, out: Path) -> Done:
    """Makes a run of a TF1 checkpoint.

    Raises InputError for a file, a map or settings that do not fit each other, and what `import_run` raises; nothing
    is written then.
    """
    names = None if wishes.map is None else parsed(wishes.map)
    settings = settings.with_options(wishes.options)
    kind_of(settings.rule)  # a slip in --rule is said before any of the file
    contents = read_for(settings, file, names, "hidden" in wishes.options, wishes.centered)
    notes = [] if names is not None or is_usual(contents.variables) else [f"took {pasted(contents.variables)}"]
    of, taken = _slots(contents, wishes), 0
    if of is not None:
        of = with_powers(contents, of, wishes.step)
        settings, more = _with_shown(contents, of, settings, wishes)
        betas = betas_of(settings.make_rule()) if of.power_names else None
        taken, of_step = step_of_slots(contents, of, wishes.step, *filter(None, [betas]))
        notes += more + of_step
    averages = None if settings.ema is None else choose_averages(contents)
    if settings.ema is not None and averages is None:
        notes.append("the file has no averages: they begin at the variables")
    trainer = import_run(contents, of, taken, settings, out, averages=averages, rounds=wishes.rounds)
    notes += _left_out(contents, of, averages, trainer)
    rounded = rounding(contents, trainer, of, averages)
    said = f"{contents.path}: {_said(trainer, of, averages)}, step {taken:,}"
    return Done(said, trainer.rule.learning_rate, notes + ([rounded] if rounded else []))


def _slots(contents: Contents, wishes: Wishes) -> SlotSet | None:
    """The slots that the run goes on with; None where the rule starts afresh."""
    if wishes.rule is None and (contents.sets or not _built(contents, PLAIN)):
        return choose_slots(contents, wishes.slots)
    if wishes.slots != NONE:
        check_without_slots(contents)
    return PLAIN if wishes.rule in (None, "sgd") else None


def _built(contents: Contents, of: SlotSet) -> dict[str, Any]:
    """What the graph says of an optimizer, as far as it is there."""
    variable, graph = next(iter(contents.variables.values())), contents.survey.graph
    return graph.settings([*of.slot_names(variable).values()], variable) if graph else {}


def _with_shown(contents: Contents, of: SlotSet, settings: Settings, wishes: Wishes) -> tuple[Settings, list[str]]:
    """The settings with the rule of the slots, and with what the file and its graph show of it and nobody has said."""
    if settings.group:
        raise InputError(f"--group: the slots {of.name} are of one rule for all variables; no group can have another.")
    built = _built(contents, of)
    nesterov = built.pop("use_nesterov", False) or wishes.nesterov
    if nesterov and of.kind.nesterov is None:
        raise InputError(f"--nesterov is of the slots Momentum and Adam, found {of.name}.")
    rule = of.kind.nesterov if nesterov and of.kind.nesterov else of.kind.rule
    _check_constants(contents, of, settings, wishes, built)
    usual = rule_settings(choose_rule(rule, "tf1", 1.0)) | {"learning_rate": None}
    if of.kind.name == "Momentum":
        usual["momentum"] = None  # TensorFlow 1 has none, unlike rawstep
    shown, notes = shown_settings(contents, of, built, usual)
    options = {name: (str(value),) for name, value in shown.items() if name not in wishes.options}
    rate = options.pop("learning_rate", (None,))[0]
    if settings.learning_rate is None and settings.schedule is None and rate is not None:
        settings = replace(settings, learning_rate=float(rate))
    if of.kind.name == CENTERED.name:
        contents.survey.check_centered()
        options["centered"] = (str(of.kind is CENTERED).lower(),)
    if rule == "momentum" and not contents.survey.graph:
        notes.append(
            "the file does not say whether Momentum has use_nesterov: taken to be without, as by default (--nesterov)"
        )
    if of.kind.name == "Momentum" and "momentum" not in {**options, **wishes.options}:
        raise InputError(
            f"{contents.path} holds no momentum, as no TF1 checkpoint does, and TensorFlow 1 has none of its own: give "
            "--momentum."
        )
    return replace(settings, rule=rule).with_options({**options, **wishes.options}), notes


def _check_constants(
    contents: Contents, of: SlotSet, settings: Settings, wishes: Wishes, built: Mapping[str, Any]
) -> None:
    """Raises InputError for settings that the graph computes, from a placeholder or by steps, and nobody has said."""
    has_rate = settings.learning_rate is not None or settings.schedule is not None
    said = {*wishes.options, *(["learning_rate"] if has_rate else [])}
    unknown = [option(name) for name, value in built.items() if value is None and name not in said]
    if unknown and contents.survey.graph:
        raise InputError(
            f"{contents.survey.graph.path} has no constant for {', '.join(unknown)} of {of.name}: give "
            f"{'it' if len(unknown) == 1 else 'them'}{', or --schedule' if '--learning-rate' in unknown else ''}."
        )


def _left_out(contents: Contents, of: SlotSet | None, averages: SlotSet | None, trainer: Trainer) -> list[str]:
    """A sentence for all of the file that the run does not go on with."""
    taken, graph = [one for one in (of, averages) if one is not None], contents.survey.graph
    names_taken = {one.name for one in taken}
    others = [one for one in (*contents.sets, *contents.averages) if one.name not in names_taken]
    notes = []
    if names := [one.name for one in contents.sets if one.name not in names_taken]:
        notes.append(f"left out: the slots {', '.join(names)}")
    if names := [one.name for one in contents.averages if one.name not in names_taken]:
        decays = graph.decays() if graph else []
        known = f"{decays[0]:g}, as {graph.path.name} has it," if graph and len(decays) == 1 else "DECAY"
        notes.append(f"left out: the averages {', '.join(names)} of the variables (--ema {known} goes on with them)")
    if names := contents.left_out(*taken, *others):
        notes.append(f"left out: {contents.survey.described(names)}")
    ours = {slot.rpartition(".")[2] for slots in trainer.optimizer.slots.values() for slot in slots}
    variable = next(iter(contents.variables.values()))
    if names := [name for slot, name in (of.slot_names(variable) if of else {}).items() if slot not in ours]:
        notes.append(
            f"left out: the slots {', '.join(name.rpartition('/')[2] for name in names)}, the velocities, which "
            f"{of.kind.name if of else ''} without momentum does not read (--momentum)"
        )
    return notes


def _said(trainer: Trainer, of: SlotSet | None, averages: SlotSet | None) -> str:
    size, rule = trainer.workload.title(trainer.data), trainer.settings.rule
    network = f"layers {size}" if isinstance(trainer.workload, PERCEPTRONS) else size
    state = rule if of is PLAIN else f"slots {of.name} of {rule}" if of else f"new slots of {rule}"
    return f"{network}, {state}{f', averages {averages.name}' if averages else ''}"
