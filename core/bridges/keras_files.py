"""What a `.keras` file holds of a rule and the pieces around it, and the rule from there."""

import sys
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import keras

from ..errors import InputError
from ..rules import (
    L2,
    RULES,
    Average,
    Chain,
    ClipByGlobalNorm,
    ClipByNorm,
    ClipByValue,
    DecoupledDecay,
    Except,
    Named,
    Piece,
    Rank,
    Rule,
    chain,
)
from ..rules.part import Part

_PIECES = {kind.__name__: kind for kind in (ClipByValue, ClipByNorm, ClipByGlobalNorm, L2, DecoupledDecay, Average)}
_MASKS = {kind.__name__: kind for kind in (Rank, Named, Except)}


def written(rule: Rule) -> dict[str, Any]:
    """The rule's name and settings as JSON has them, and those of the pieces before and after it.

    Raises InputError for what no file holds; the learning rate is left out where it is a schedule, as Keras's part of
    a configuration has it.
    """
    if not isinstance(rule, Chain):
        settings = _settings(rule)
        return {"rule": _name(type(rule), RULES, Rule), "settings": settings}
    place = [part for _, part in rule.parts].index(rule.rule)
    pieces = [
        {"piece": _name(type(part), _PIECES, Piece), "settings": _settings(part)}
        for _, part in rule.parts
        if part is not rule.rule
    ]
    return {**written(rule.rule), "before": pieces[:place], "after": pieces[place:]}


def read(config: dict[str, Any], custom_objects: Any = None) -> Rule:
    """The rule of what `written` returned, beside Keras's learning rate; takes all of that out of the configuration.

    Raises InputError for a class of the user's whose module is not imported, and for settings that a class lacks.
    """
    name, settings, rate = config.pop("rule"), dict(config.pop("settings")), config.pop("learning_rate")
    if isinstance(rate, dict):
        settings["learning_rate"] = keras.saving.deserialize_keras_object(rate, custom_objects)
    rule = _built("rule", name, settings, RULES, Rule)
    before, after = (
        [_built("piece", one["piece"], one["settings"], _PIECES, Piece) for one in config.pop(side, ())]
        for side in ("before", "after")
    )
    return chain(*before, rule, *after) if before or after else rule


def _settings(part: Part) -> dict[str, Any]:
    settings = {field.name: getattr(part, field.name) for field in fields(part)}
    if isinstance(part, Rule) and callable(settings["learning_rate"]):
        del settings["learning_rate"]
    for setting, value in settings.items():
        if type(value) in _MASKS.values():
            settings[setting] = _mask_written(value)
        elif not isinstance(value, float | int | str | None):
            raise InputError(f"{type(part).__name__}: {setting} cannot be saved, found {value!r}.")
    return settings


def _built(what: str, name: str, settings: Mapping[str, Any], known: Mapping[str, type], base: type) -> Any:
    kind = _class_named(what, name, known, base)
    try:
        return kind(**{setting: _mask_read(value) for setting, value in settings.items()})
    except TypeError as error:
        raise InputError(f"The {what} {name!r} cannot be built from its saved settings: {error}.") from error


def _mask_written(mask: Any) -> dict[str, Any]:
    values = {field.name: getattr(mask, field.name) for field in fields(mask)}
    inner = {name: _mask_written(one) if type(one) in _MASKS.values() else one for name, one in values.items()}
    return {"mask": type(mask).__name__, "of": inner}


def _mask_read(value: Any) -> Any:
    """A mask where one was written; all else as it is, JSON's lists as tuples."""
    if not isinstance(value, dict) or value.get("mask") not in _MASKS:
        return tuple(value) if isinstance(value, list) else value
    return _MASKS[value["mask"]](**{name: _mask_read(one) for name, one in value["of"].items()})


def _name(kind: type, known: Mapping[str, type], base: type) -> str:
    name = {one: name for name, one in known.items()}.get(kind, f"{kind.__module__}:{kind.__qualname__}")
    _class_named(base.__name__.lower(), name, known, base)  # what would not be found again is refused now
    return name


def _class_named(what: str, name: str, known: Mapping[str, type], base: type) -> type:
    """A class; no file decides which module is imported, as Keras has it for its own custom objects."""
    module, _, attribute = name.partition(":")
    found = known.get(name) or getattr(sys.modules.get(module), attribute, None)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise InputError(
            f"There is no {what} {name!r}: a {what} of your own must stand at the top of a module that is imported "
            "before a model is loaded."
        )
    return found
