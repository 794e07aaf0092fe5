"""Any rule as a keras.optimizers.Optimizer, and the state of a running optimizer, from Keras and back.

`import core` leaves Keras alone: this module is imported by name, also before a model saved with it is loaded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule

from ..engine.optimizer import Optimizer, Variables
from ..errors import InputError
from ..rules import RULES, AdamW, Average, Chain, Rule
from ..verification.cards import FORMULAS
from ..verification.libraries import Keras
from .keras_optimizer import KerasOptimizer, path_of, raw_of, spelled
from .keras_pieces import OPTIONS, SETTINGS, options_of, refuse_twice, renamed, surrounded, undecayed
from .keras_schedule import StepSchedule

__all__ = ["KerasOptimizer", "StepSchedule", "hand_back", "take_over"]


def take_over(keras_optimizer: keras.optimizers.Optimizer, variables: Variables, rule: Rule | None = None) -> Optimizer:
    """Our optimizer in the state of a running Keras one, to go on where Keras stopped.

        variables = {variable.path: variable.value for variable in model.trainable_variables}
        Program(cost, variables, take_over(model.optimizer, variables))

    keras_optimizer: one of keras.optimizers whose rule is here, or a KerasOptimizer, after `build`; left as it is.
    variables:       all that it trains: the tf.Variable that Keras calls the value of each, by names of your own.
    rule:            what goes on from these slots, with the same pieces around it, or a chain with its own. Where none
                     is given, the Keras dialect with the settings found, or the KerasOptimizer's own rule, at the
                     present learning rate or by Keras's schedule.

    What Keras does around its rule goes on as pieces, in Keras's order and form: clipnorm, clipvalue, global_clipnorm,
    weight_decay, which leaves out the variables that Keras excludes, and use_ema with its momentum and overwriting; see
    `keras_pieces`. The norm of all gradients is taken in float64, in Keras in the variables' dtype; and a parameter
    without a gradient in a step is averaged in Keras, where ours needs all gradients.

    The step counter becomes Keras's iterations. Slots and averages are copied to the bit, into float32 where Keras's
    are narrower, and so are the masters of a KerasOptimizer's narrow variables.
    In float64, Keras takes β^t of β in float32 and we do not: with β2 = 0.999 that parts the two by 1e-5 of a step.

    Where Keras accumulates gradients, a step here takes what Keras makes of gradient_accumulation_steps batches: the
    mean of their gradients, as Program(…, microbatches=…) computes it of a batch that is as many times as large.

    Raises InputError for another class of optimizer; one that is not built; for loss scaling and constraints; where
    accumulated gradients are not yet a step, or are accumulated while Keras averages weights, which it does after
    every batch; for a learning rate that is a function without arguments; variables that are not the optimizer's, or
    not all of them; a rule with other slots.
    """
    ours, theirs = (isinstance(keras_optimizer, kind) for kind in (KerasOptimizer, keras.optimizers.Optimizer))
    if not ours and (not theirs or Keras.rule_of(keras_optimizer) is None):
        there = dict.fromkeys(Keras.spelled(rule).name for rule in RULES if Keras.has(rule))
        raise InputError(
            f"take_over needs Keras's own {', '.join(there)}, with a rule of rawstep's, or a KerasOptimizer, "
            f"found {_described(keras_optimizer)}."
        )
    _check_options(keras_optimizer)
    if not keras_optimizer.built:
        raise InputError("The Keras optimizer has no slots yet: train a step with it, or call its build(variables).")
    if not isinstance(variables, Mapping):
        raise InputError(f"take_over needs a mapping from name to tf.Variable, found {type(variables).__name__}.")
    trained = keras_optimizer._trainable_variables
    if constrained := [spelled(variable) for variable in trained if variable.constraint is not None]:
        raise InputError(f"take_over carries rules and pieces alone, found constraints on: {', '.join(constrained)}.")
    held = {id(raw_of(variable)): number for number, variable in enumerate(trained)}
    given = {id(variable): name for name, variable in variables.items()}
    strangers = [name for key, name in given.items() if key not in held]
    missing = [spelled(variable) for variable in trained if id(raw_of(variable)) not in given]
    if strangers or missing:
        raise InputError(
            "take_over needs the tf.Variable behind each variable that the Keras optimizer trains, its value; "
            f"not among them: {', '.join(strangers) or 'none'}; missing: {', '.join(missing) or 'none'}."
        )
    optimizer = Optimizer(_whole(keras_optimizer, rule, variables), variables)
    for name, slots in optimizer.slots.items():
        found = _held(keras_optimizer, held[id(variables[name])], optimizer.assigned(name)[1])
        if slots.keys() != found.keys():
            raise InputError(f"The rule must have the slots {', '.join(found)}, found {', '.join(slots) or 'none'}.")
        for slot, variable in slots.items():
            variable.assign(tf.cast(found[slot], variable.dtype))
    for variable, master in zip(trained, getattr(keras_optimizer, "_masters", ()), strict=False):
        if master is not None:
            optimizer.masters[given[id(raw_of(variable))]].assign(master)
    optimizer.step.assign(keras_optimizer.iterations)
    return optimizer


def hand_back(optimizer: Optimizer, variables: Sequence[keras.Variable]) -> keras.optimizers.Optimizer:
    """Keras's own optimizer in the state of one of ours, to go on in `fit` where ours stopped.

        model.compile(hand_back(optimizer, model.trainable_variables), loss="mse")

    optimizer: of one rule as Keras computes it, alone or with pieces as `around(rule, "keras", …)` puts them around it;
               left as it is.
    variables: the Keras variables of which it trains the values, all of them.

    The pieces become Keras's options, see `keras_pieces`, and variables that DecoupledDecay leaves out are excluded.
    Keras's iterations become the step counter; slots and averages are copied to the bit. A learning rate that is a
    function of the step becomes a StepSchedule, which no file holds.

    Raises InputError for a rule, settings, pieces, an order or a form that Keras lacks; for variables under different
    rules; for narrow variables, of which Keras has no masters; and for variables that are not the optimizer's.
    """
    names = {id(optimizer.assigned(name)[0]): name for name in optimizer.slots}
    if {id(raw_of(variable)) for variable in variables} != names.keys():
        raise InputError(
            f"hand_back needs the Keras variables behind {', '.join(names.values())}, all of them, found "
            f"{', '.join(map(spelled, variables)) or 'none'}."
        )
    if optimizer.masters:
        raise InputError(f"Keras keeps no masters of narrow variables: {', '.join(optimizer.masters)}.")
    own = [optimizer.assigned(names[id(raw_of(variable))])[1] for variable in variables]
    whole, spared = undecayed(own)
    rule, options = options_of(whole)
    theirs = _of_keras(rule, options)
    if any(spared):
        theirs.exclude_from_weight_decay(
            [variable for variable, without in zip(variables, spared, strict=True) if without]
        )
    theirs.build(list(variables))
    for number, variable in enumerate(variables):
        for slot, held in _held(theirs, number, own[number]).items():
            held.assign(optimizer.slots[names[id(raw_of(variable))]][slot])
    theirs.iterations.assign(optimizer.step)
    return theirs


def _of_keras(rule: Rule, options: Mapping[str, Any]) -> Any:
    """Keras's own optimizer that computes a rule, with its options. Raises InputError where there is none."""
    name = {kind: name for name, kind in RULES.items()}.get(type(rule))
    if name is None:
        raise InputError(f"Keras has no {type(rule).__name__} that it could go on with.")
    spelling = Keras.spelled(name)
    settings = {setting: getattr(rule, setting) for setting in FORMULAS[name]["keras"].decided}
    theirs = vars(type(rule).dialect("keras", **settings))
    wrong = [
        one for one, value in vars(rule).items() if not _is(value, theirs[one]) or (one in spelling.needs and not value)
    ]
    if wrong:
        found = ", ".join(f"{one}={getattr(rule, one)!r}" for one in wrong)
        raise InputError(f"Keras's {spelling.name} does not compute {type(rule).__name__} with {found}.")
    if callable(rule.learning_rate) and not isinstance(rule.learning_rate, LearningRateSchedule):
        settings["learning_rate"] = StepSchedule(rule.learning_rate)
    try:
        return Keras.named(spelling.name)(**spelling.options, **Keras.by_their_names(name, settings), **options)
    except (TypeError, ValueError) as error:
        raise InputError(f"Keras's {spelling.name} cannot be built so: {error}") from error


def _is(value: Any, other: Any) -> bool:
    """Whether a setting is a number or a choice, and this one; a schedule is itself."""
    return value is other if callable(value) else isinstance(value, float | int | str) and value == other


def _check_options(optimizer: Any) -> None:
    """Raises InputError for what an optimizer does that is neither a rule nor a piece."""
    for option, value in _options(optimizer).items():
        if option not in (*OPTIONS, "gradient_accumulation_steps"):
            raise InputError(f"take_over has no piece for {option}: it must be off, found {value!r}.")
    batches = optimizer.gradient_accumulation_steps
    if batches and optimizer.use_ema:
        raise InputError(
            f"Keras averages weights after every batch, of which gradient_accumulation_steps={batches} make a step, "
            "and Average after every step: one of the two must be off."
        )
    if batches and (taken := int(optimizer._iterations) % batches):
        raise InputError(f"Of the {batches} batches of a step {taken} are accumulated: take over between two steps.")


def _whole(optimizer: Any, given: Rule | None, variables: Variables) -> Rule:
    """What goes on: the rule, given or Keras's own, with pieces around it; a given chain as it is."""
    if isinstance(given, Chain):
        return given
    excluded = [name for name, variable in variables.items() if not optimizer._use_weight_decay(variable)]
    own = _rule(optimizer, variables, apart=bool(excluded) and given is None)
    options = {option: getattr(optimizer, option) for option in SETTINGS}
    if isinstance(own, AdamW) and not isinstance(optimizer, KerasOptimizer):
        options["weight_decay"] = None  # which is the rule's own
    rule = own if given is None else given
    refuse_twice(rule, options)
    return surrounded(rule, options, excluded, list(variables))


def _held(optimizer: Any, number: int, rule: Rule) -> dict[str, Any]:
    """Keras's variables that hold a variable's slots, by the names that they have in a rule."""
    slots = _slots(optimizer)[number]
    chained = isinstance(optimizer, KerasOptimizer) and isinstance(optimizer.rule, Chain)
    if not isinstance(rule, Chain) or (chained and not isinstance(rule.rule, Chain)):
        return slots  # by the names of a rule, or of a chain's parts, as they are there
    average = optimizer._model_variables_moving_average[number] if optimizer.use_ema else None
    found = {f"{name}.{slot}": of for name, part in rule.parts if part is rule.rule for slot, of in slots.items()}
    averages = {f"{name}.average": average for name, part in rule.parts if isinstance(part, Average)}
    return found | {name: of for name, of in averages.items() if of is not None}


def _slots(optimizer: Any) -> list[dict[str, Any]]:
    """For each variable that the optimizer trains, Keras's variables that hold the slots, by our names."""
    if isinstance(optimizer, KerasOptimizer):
        return optimizer._slots
    rule = Keras.rule_of(optimizer)
    assert rule is not None, "another class was refused"
    formula = FORMULAS[rule]["keras"].given(Keras.settings_of(optimizer))
    attributes = {slot: Keras.spelled(rule).slots[slot] for slot in formula.slots}
    count = len(optimizer._trainable_variables)
    return [{ours: getattr(optimizer, theirs)[i] for ours, theirs in attributes.items()} for i in range(count)]


def _described(optimizer: Any) -> str:
    """The optimizer's class, with what it does beside a rule."""
    found = Keras.options_of(optimizer) if isinstance(optimizer, keras.optimizers.Optimizer) else {}
    return f"{type(optimizer).__name__}({', '.join(f'{name}={value!r}' for name, value in found.items())})"


def _options(optimizer: Any) -> dict[str, Any]:
    """By which the optimizer does more than its rule, as Keras calls them."""
    if isinstance(optimizer, KerasOptimizer):
        return {name: value for name in Keras.around if (value := getattr(optimizer, name, None))}
    return Keras.options_of(optimizer)


def _rule(optimizer: Any, variables: Variables, apart: bool) -> Rule:
    """The rule that the optimizer computes, at the learning rate that it has now; without the decay of AdamW where
    that is kept apart."""
    rate = optimizer._learning_rate
    if isinstance(rate, keras.Variable):
        rate = float(rate.numpy())
    elif isinstance(rate, StepSchedule):
        rate = rate.schedule
    elif isinstance(rate, LearningRateSchedule):
        # As Keras counts: batches, of which the last of a step asks.
        schedule, batches = rate, optimizer.gradient_accumulation_steps or 1
        rate = lambda step: schedule(tf.cast(step, tf.int64) * batches + batches - 1)  # noqa: E731
    else:
        raise InputError(f"The learning rate must be a number or a schedule to be taken over, found {rate!r}.")
    if isinstance(optimizer, KerasOptimizer):
        paths = {id(raw_of(one)): path_of(one) for one in optimizer._trainable_variables}
        names = {name: (paths[id(variable)], variable.shape.rank or 0) for name, variable in variables.items()}
        return renamed(replace(optimizer.rule, learning_rate=rate), names)
    rule, settings = Keras.rule_of(optimizer), Keras.settings_of(optimizer) | {"learning_rate": rate}
    assert rule is not None, "another class was refused"
    if rule == "adamw" and apart:
        rule = "adam"
        del settings["weight_decay"]
    return RULES[rule].dialect("keras", **settings)
