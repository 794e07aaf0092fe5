"""All of `rawstep import-tf1`: what a person says and what a file shows are put together, and a run is written."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, replace
from pathlib import Path
from typing import Any

from core import InputError

from ...runs.rule_choice import kind_of, option, usual_settings
from ...runs.settings import Settings
from ...runs.trainer import Trainer
from .choosing import (
    NONE,
    betas_of,
    check_without_slots,
    choose_averages,
    choose_slots,
    flushed_betas,
    shown_settings,
    step_of_slots,
    with_powers,
)
from .contents import Contents
from .graph import SETTINGS
from .importing import PERCEPTRONS, check_activations, import_run, read_for, rounding
from .maps import is_usual
from .names import CENTERED, GRADIENT_DESCENT, SlotSet
from .typed_map import parsed, pasted

COUNTED = "computes the averages' decay from num_updates"
PLAIN = SlotSet(GRADIENT_DESCENT)
"""GradientDescent's slots, which are none."""


@dataclass(frozen=True)
class Options:
    """What a person says of a file, beside the settings of the run.

    map: the words of --map; of_run: options of the rule and of the workload, as typed.
    """

    map: Sequence[str] | None = None
    slots: str | None = None
    rule: str | None = None
    step: int | None = None
    nesterov: bool = False
    rounds: bool = False
    of_run: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def centered(self) -> bool | None:
        words = self.of_run.get("centered")
        return None if words is None else [word.lower() for word in words] in ([], ["true"])  # none of a flag


@dataclass(frozen=True)
class Result:
    """What was read, in words, the run's trainer at its step, and what a person should know, a sentence each."""

    read: str
    trainer: Trainer
    notes: list[str]


def import_checkpoint(file: Path, settings: Settings, options: Options, out: Path) -> Result:
    """Makes a run of a TF1 checkpoint.

    Raises InputError for a file, a map or settings that do not fit each other, and what `import_run` raises; nothing
    is written then.
    """
    names = None if options.map is None else parsed(options.map)
    settings = settings.with_options(options.of_run)
    kind_of(settings.rule)  # a slip in --rule is said before any of the file
    contents = read_for(settings, file, names, "hidden" in options.of_run, options.centered)
    check_activations(settings, contents)
    notes = [] if names is not None or is_usual(contents.variables) else [f"took {pasted(contents.variables)}"]
    slots, step = _slots(contents, options), 0
    if slots is not None:
        slots = with_powers(contents, slots, options.step)
        settings, of_settings = _settings(contents, slots, settings, options)
        betas = betas_of(settings.make_rule()) if slots.power_names else None
        step, of_step = step_of_slots(contents, slots, options.step, *filter(None, [betas]))
        notes += of_settings + of_step
        if slots is not PLAIN and not contents.has_moved(slots):
            notes.append(f"the slots {slots.name} are as before a first step")
    averages = None if settings.ema is None else choose_averages(contents)
    notes += _of_averages(contents, settings, averages)
    trainer = import_run(contents, slots, step, settings, out, averages=averages, rounds=options.rounds)
    notes += _left_out(contents, slots, averages, trainer)
    rounded = rounding(contents, trainer, slots, averages)
    described = f"{contents.path}: {_described(trainer, slots, averages)}, step {step:,}"
    return Result(described, trainer, notes + ([rounded] if rounded else []))


def _slots(contents: Contents, options: Options) -> SlotSet | None:
    """The slots that the run goes on with; None where the rule starts afresh."""
    if options.rule is None and (contents.sets or not _built(contents, PLAIN)):
        slots = choose_slots(contents, options.slots)
        if options.slots is None and not contents.has_moved(slots) and _built(contents, PLAIN):
            raise InputError(
                f"{contents.path}: the slots {slots.name} are as before a first step, and the graph has "
                f"GradientDescent too: give --slots {slots.name}, or --slots none --rule sgd."
            )
        return slots
    if options.slots != NONE:
        check_without_slots(contents)
    return PLAIN if options.rule in (None, "sgd") else None


def _built(contents: Contents, slots: SlotSet) -> dict[str, Any]:
    """What the graph says of an optimizer, as far as it is there."""
    variable, graph = next(iter(contents.variables.values())), contents.index.graph
    return graph.settings([*slots.slot_names(variable).values()], variable) if graph else {}


def _settings(contents: Contents, slots: SlotSet, settings: Settings, options: Options) -> tuple[Settings, list[str]]:
    """The settings with the rule of the slots and what the file and its graph show of it, and notes of what was taken.

    What a person has said stands.
    """
    if settings.group:
        raise InputError(
            f"--group: the slots {slots.name} are of one rule for all variables; no group can have another."
        )
    built = _built(contents, slots)
    has_rate = settings.learning_rate is not None or settings.schedule is not None
    given = {*options.of_run, *(["learning_rate"] if has_rate else [])}
    _check_constants(contents, slots, given, built)
    rule = _rule(slots, options.nesterov or built.get("use_nesterov", False))
    usual = usual_settings(rule, "tf1")[1]
    if slots.kind.name == "Momentum":
        usual["momentum"] = MISSING  # TensorFlow 1 has none, unlike rawstep
    shown, notes = shown_settings(contents, slots, built, usual)
    if slots.power_names and not built:
        notes += flushed_betas(contents, slots, given)
    notes += _defaults(contents, slots, built, {*shown, *given}, usual)
    if rule == "momentum" and not contents.index.graph:
        notes.append(
            "the file does not say whether Momentum has use_nesterov: taken to be without, as by default (--nesterov)"
        )
    if slots.kind.name == "Momentum" and "momentum" not in {*shown, *given}:
        raise InputError(
            f"{contents.path} holds no momentum, as no TF1 checkpoint does, and TensorFlow 1 has none of its own: give "
            "--momentum."
        )
    taken = {name: value for name, value in shown.items() if name not in given}
    if (rate := taken.pop("learning_rate", None)) is not None:
        settings = replace(settings, learning_rate=float(rate))
    if slots.kind.name == CENTERED.name:
        contents.index.check_centered()
        taken["centered"] = str(slots.kind is CENTERED).lower()
    words = {name: (str(value),) for name, value in taken.items()}
    return replace(settings, rule=rule).with_options({**words, **options.of_run}), notes


def _rule(slots: SlotSet, nesterov: bool) -> str:
    if nesterov and slots.kind.nesterov is None:
        raise InputError(f"--nesterov needs slots of Momentum or Adam, found {slots.name}.")
    return slots.kind.nesterov if nesterov and slots.kind.nesterov else slots.kind.rule


def _check_constants(contents: Contents, slots: SlotSet, given: Collection[str], built: Mapping[str, Any]) -> None:
    """Raises InputError for settings that the graph computes, from a placeholder or by steps, and nobody has said."""
    unknown = [option(name) for name, value in built.items() if value is None and name not in given]
    if unknown and contents.index.graph:
        raise InputError(
            f"{contents.index.graph.path} has no single constant for {', '.join(unknown)} of {slots.name}: give "
            f"{'it' if len(unknown) == 1 else 'them'}{', or --schedule' if '--learning-rate' in unknown else ''}."
        )


def _defaults(
    contents: Contents, slots: SlotSet, built: Mapping[str, Any], known: Collection[str], usual: Mapping[str, Any]
) -> list[str]:
    """A note of the settings that neither the graph nor Adam's powers nor a person decides."""
    shown = {*known, *(("beta_1", "beta_2") if slots.power_names else ())}
    taken = [name for name in dict.fromkeys(SETTINGS.values()) if name in usual and name not in shown]
    words = ", ".join(f"{name} {usual[name]}" for name in taken if usual[name] is not MISSING)
    if built or not words:
        return []
    graph = contents.index.graph
    why = f"{graph.path} has no {slots.name}" if graph else "no graph beside the file"
    return [f"{why}: TensorFlow 1's defaults taken: {words}"]


def _of_averages(contents: Contents, settings: Settings, averages: SlotSet | None) -> list[str]:
    """Notes on the averages that the run goes on with."""
    if settings.ema is None:
        return []
    if averages is None:
        return ["the file has no averages: they begin at the variables"]
    graph = contents.index.graph
    return [f"{graph.path} {COUNTED}, and the run has that of --ema"] if graph and graph.has_counted_decay() else []


def _left_out(contents: Contents, slots: SlotSet | None, averages: SlotSet | None, trainer: Trainer) -> list[str]:
    """A sentence for all of the file that the run does not go on with."""
    taken, graph = [one for one in (slots, averages) if one is not None], contents.index.graph
    names_taken = {one.name for one in taken}
    others = [one for one in (*contents.sets, *contents.averages) if one.name not in names_taken]
    notes = []
    if names := [one.name for one in contents.sets if one.name not in names_taken]:
        notes.append(f"left out: the slots {', '.join(names)}")
    if names := [one.name for one in contents.averages if one.name not in names_taken]:
        decays, counted = (graph.decays(), graph.has_counted_decay()) if graph else ([], False)
        known = f"{decays[0]:g}, as {graph.path.name} has it," if graph and len(decays) == 1 else "DECAY"
        known = "DECAY" if counted else known
        notes.append(
            f"left out: the averages {', '.join(names)} of the variables (--ema {known} goes on with them"
            f"{f'; {graph.path.name} {COUNTED}' if graph and counted else ''})"
        )
    if names := contents.left_out(*taken, *others):
        notes.append(f"left out: {contents.index.described(names)}")
    ours = {slot.rpartition(".")[2] for held in trainer.optimizer.slots.values() for slot in held}
    variable = next(iter(contents.variables.values()))
    if names := [name for slot, name in (slots.slot_names(variable) if slots else {}).items() if slot not in ours]:
        notes.append(
            f"left out: the slots {', '.join(name.rpartition('/')[2] for name in names)}, the velocities, which "
            f"{slots.kind.name if slots else ''} without momentum does not read (--momentum)"
        )
    return notes


def _described(trainer: Trainer, slots: SlotSet | None, averages: SlotSet | None) -> str:
    size, rule = trainer.workload.title(trainer.data), trainer.settings.rule
    network = f"layers {size}" if isinstance(trainer.workload, PERCEPTRONS) else size
    state = rule if slots is PLAIN else f"slots {slots.name} of {rule}" if slots else f"new slots of {rule}"
    return f"{network}, {state}{f', averages {averages.name}' if averages else ''}"
