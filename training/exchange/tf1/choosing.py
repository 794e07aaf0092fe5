"""Which of a TF1 file's optimizers a run goes on with, by which settings, and at which step."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from core import Chain, InputError, Rule

from ...runs.rule_choice import option
from .contents import Contents
from .names import GLOBAL_STEP, SlotSet
from .powers import BETAS, flushed_from

NONE = "none"
"""What --slots is called where no optimizer of the file is meant."""


def choose_slots(contents: Contents, name: str | None, rule: str | None = None) -> SlotSet:
    """The whole set of slots of this name, or the only one; of a rule's kind, where one is given.

    Raises InputError where there is none, more than one without a name, or a set that is not whole.
    """
    sets = [slots for slots in contents.sets if rule is None or rule in slots.kind.rules]
    kind = "slots" if rule is None else f"slots of {rule}"
    if not sets:
        afresh = " (--rule starts one afresh)" if rule is None else ""
        raise InputError(f"{contents.path} must hold {kind}; found {contents.described_sets() or 'none'}{afresh}.")
    chosen = [slots for slots in sets if slots.name == name] if name is not None else sets
    if len(chosen) != 1:
        found = f"there is no {name}" if name is not None else "it has several"
        raise InputError(f"{contents.path}: --slots must name one set of {kind}; {found}: {contents.described_sets()}.")
    contents.check_whole(chosen[0])
    return chosen[0]


def with_powers(contents: Contents, slots: SlotSet, step: int | None = None) -> SlotSet:
    """The set with its powers; where several pairs may be Adam's, with the one that shows this step.

    Raises InputError where none or, of several that differ, no step decides.
    """
    if slots.powers != ():
        return slots
    choices = [replace(slots, powers=powers) for powers in contents.power_choices(replace(slots, powers=None))]
    shown = {one: _shown_step(contents, one) for one in choices}
    fitting = [one for one in choices if step is not None and shown[one] in (step, None)]
    if not fitting or len({shown[one] for one in fitting}) > 1:
        listed = ", ".join(f"{' and '.join(one.power_names)} ({_steps(shown[one])})" for one in choices)
        raise InputError(
            f"{contents.path}: nothing shows which powers are those of the slots {slots.name}: {listed}; the graph "
            f"{contents.path.name}.meta does where it is there, and so does --step N of import-tf1."
        )
    contents.check_whole(fitting[0])
    return fitting[0]


def _shown_step(contents: Contents, slots: SlotSet) -> int | None:
    """By powers of the usual β, or of those that they show; None where these are 0, and -1 where they show no step."""
    try:
        contents.check_whole(slots)
        return contents.step_by_powers(slots, contents.betas(slots) or BETAS)
    except InputError:
        return -1


def _steps(shown: int | None) -> str:
    return "0" if shown is None else "of no step" if shown < 0 else f"step {shown:,}"


def check_without_slots(contents: Contents) -> None:
    """Raises InputError for a file with slots, which a rule that starts afresh would lose."""
    if contents.sets:
        raise InputError(
            f"{contents.path} has slots to go on with: {contents.described_sets()}; --slots names one of them, --rule "
            "is for a file without any, or goes with --slots none."
        )


def choose_averages(contents: Contents) -> SlotSet | None:
    """The averages that a run goes on with; None where the file has none.

    Raises InputError for several, and for some that are not whole.
    """
    if len(contents.averages) > 1:
        names = ", ".join(slots.name for slots in contents.averages)
        raise InputError(f"{contents.path}: --ema goes on with one average of each variable, found {names}.")
    for slots in contents.averages:
        contents.check_whole(slots)
        return slots
    return None


def shown_settings(
    contents: Contents, slots: SlotSet, built: Mapping[str, Any], usual: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The settings, among those with usual values, that differ from these, and where that is to be seen.

    A checkpoint holds none. Its graph does, where it was saved beside it: `built`; else Adam's powers show β1 and β2 if
    these have few decimals.
    """
    graph = contents.index.graph
    if built and graph:
        found = {name: value for name, value in built.items() if name in usual and value not in (None, usual[name])}
        return found, [f"{graph.path} has {_listed(found)} of {slots.name}"] if found else []
    betas = contents.betas(slots) if slots.power_names else None
    if betas is None:
        return {}, []
    found = {"beta_1": betas[0], "beta_2": betas[1]}
    return found, [f"{' and '.join(slots.power_names)} show {_listed(found)}"]


def flushed_betas(contents: Contents, slots: SlotSet, given: Collection[str]) -> list[str]:
    """A note for each β whose power has become 0 and shows nothing: TensorFlow 1's default is taken."""
    powers = zip(("beta_1", "beta_2"), BETAS, contents.powers(slots).values(), strict=True)
    return [
        f"{name} taken to be {beta}, TensorFlow 1's default: its power is 0 ({option(name)})"
        for name, beta, power in powers
        if power == 0 and name not in given
    ]


def _listed(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def step_of_slots(
    contents: Contents, slots: SlotSet, given: int | None, betas: tuple[float, float] = BETAS
) -> tuple[int, list[str]]:
    """The number of steps that a set of slots has taken, and what a person should know of it.

    Adam's powers show it, until both are flushed to 0; else it is `given`, or the file's global_step, or 0.

    Raises InputError where these differ, and where nothing shows Adam's.
    """
    counted, source = (given, "--step") if given is not None else (contents.global_step, GLOBAL_STEP)
    if counted is not None and counted < 0:
        raise InputError(f"{contents.path}: {source} must be 0 or more, found {counted}.")
    if not slots.power_names:
        said = "the file has no global_step, and these slots do not show it: the step is taken to be 0 (--step N)"
        return counted or 0, [said] if counted is None else []
    shown, flushed = contents.step_by_powers(slots, betas), flushed_from(betas)
    if shown is None and counted is None:
        raise InputError(
            f"{contents.path}: {' and '.join(slots.power_names)} are 0, as after {flushed:,} steps and ever after: "
            "give --step N."
        )
    if counted is not None and (counted < flushed if shown is None else counted != shown):
        powers = f"of step {shown:,}" if shown is not None else f"0, as from step {flushed:,} on"
        raise InputError(
            f"{contents.path}: {' and '.join(slots.power_names)} are {powers}, but {source} is {counted:,}"
            f"{'' if given is not None else ' (--step overrules it)'}."
        )
    return shown if shown is not None else counted or 0, []


def betas_of(rule: Rule) -> tuple[float, float]:
    """β1 and β2 of a rule of Adam's. Raises InputError for a schedule, by whose powers no steps can be counted."""
    adam: Any = rule.rule if isinstance(rule, Chain) else rule
    for name, beta in (("--beta-1", adam.beta_1), ("--beta-2", adam.beta_2)):
        if not isinstance(beta, float):
            raise InputError(f"{name} must be a number, by whose powers TensorFlow 1 counts steps, found {beta}.")
    return adam.beta_1, adam.beta_2
