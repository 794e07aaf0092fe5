"""A trainer goes on from a checkpoint: what has to be the same, and what may differ."""

from collections.abc import Collection, Mapping
from typing import Any

import tensorflow as tf

from core import InputError

from ..workloads.workload import Data, fingerprint
from .checkpoint import Checkpoint, variables
from .rule_choice import option, rule_settings
from .run_text import computed_by
from .settings import Settings
from .trainer import Epoch, Trainer
from .versions import versions

MAY_CHANGE = (
    "--learning-rate", "--schedule", "--epochs", "--execution", "--xla-options", "--on-nonfinite", "--microbatches",
    "--patience",
)  # fmt: skip
"""The options that a resumed run may have otherwise; where its data are too, if they are the same."""


def check_data(checkpoint: Checkpoint, data: Data) -> None:
    """Raises InputError where these are not the data that the run was trained with."""
    _refuse_changes(checkpoint, checkpoint.run["data"], fingerprint(data))


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
    if len(run["costs"]) >= trainer.feed.steps_per_epoch:
        raise InputError(f"{checkpoint.path} has the costs of more steps than an epoch has.")
    before = trainer.feed.state
    try:
        trainer.feed.state = run["feed"]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        trainer.feed.state = before
        raise InputError(f"{checkpoint.path} has no place in the data that the run could go on from.") from error
    for name, variable in held.items():
        variable.assign(checkpoint.tensors[name])
    trainer.history = [Epoch(*epoch) for epoch in run["epochs"]]
    trainer.costs = list(run["costs"])


def notes(checkpoint: Checkpoint, trainer: Trainer) -> list[str]:
    """A sentence for each thing that a run may have otherwise than the checkpoint it goes on from, and has."""
    settings, run = checkpoint.settings.options, checkpoint.run
    may_change = (*MAY_CHANGE, *trainer.settings.places)
    before = {name: settings.get(name) for name in may_change} | {"--learning-rate": run["rule"].get("learning_rate")}
    now = (
        dict.fromkeys(may_change)
        | trainer.settings.options
        | {"--learning-rate": rule_settings(trainer.rule)["learning_rate"]}
    )
    changed = [f"{name} is {now[name]}, was {before[name]}" for name in before if now[name] != before[name]]
    computing, was = versions() | computed_by(trainer), run["versions"] | (run.get("computed_by") or {})
    return changed + [
        f"{name} is {computing[name]}, was {was[name]}: the last bits may differ"
        for name in was
        if name in computing and computing[name] != was[name]
    ]


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


def _kinds(tensors: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"{tf.as_dtype(tensor.dtype).name} {tuple(tensor.shape)}" for name, tensor in tensors.items()}
