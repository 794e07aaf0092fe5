"""From what a person types, such as "adam" or "my_module:MyRule", to a rule."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from typing import Annotated, Any, Literal, get_args, get_origin

from core import RULES, Chain, InputError, Rule
from core.mistakes import described, mistakes_in
from core.rules.groups import Groups
from core.rules.part import Part
from core.rules.schedules import parse
from core.rules.settings import Interval, hints

from ..workloads.imports import as_module, import_named, is_file
from .own_options import NoSuchSettingError


def choose_rule(
    name: str,
    dialect: str | None = None,
    learning_rate: Any = None,
    settings: Mapping[str, str] | None = None,
) -> Rule:
    """The rule `name` in a dialect, or with its own defaults where none is given, and with settings of one's own.

    name: one of rawstep's rules, in upper or lower case, or module:Name with a `core.Rule` of the user's, a class or an
    instance, looked up in the working directory first.
    learning_rate: a number, a schedule, or an array with a rate for each run.
    settings: by name, as a person types their values.

    Raises InputError for a rule, module, class or dialect that is not there, a class that fails when it is built, a
    learning rate of 0, a value that a setting cannot have, and where neither the caller nor the dialect has a learning
    rate; and NoSuchSettingError.
    """
    found = _found(name)
    given: dict[str, Any] = typed(kind := kind_of(name), settings or {})
    if learning_rate is not None:
        given["learning_rate"] = learning_rate
    if isinstance(rate := given.get("learning_rate"), int | float) and rate == 0:
        raise InputError("The learning rate must be above 0, found 0: nothing would move.")
    if dialect is not None:
        if isinstance(found, Rule):
            raise InputError(f"{name} is an instance and has its settings: --dialect {dialect} cannot be given.")
        return found.dialect(dialect, **given)
    with mistakes_in(kind, name, "__post_init__", said="cannot be built"):
        return replace(found, **given) if isinstance(found, Rule) else found(**given)


def usual_settings(name: str, dialect: str | None) -> tuple[type[Rule], dict[str, Any]]:
    """The class of the rule `name`, and each setting's value in a dialect, or its own; MISSING where it is asked for.

    Raises InputError for a rule or a dialect that is not there.
    """
    found = _found(name)
    if isinstance(found, Rule):
        return type(found), rule_settings(found)
    own = {one.name: one.default for one in fields(found)}
    if dialect is None:
        return found, own
    shown = rule_settings(found.dialect(dialect, learning_rate=1.0))
    return found, shown | {"learning_rate": found.DIALECTS[dialect].settings.get("learning_rate", MISSING)}


def is_instance(name: str) -> bool:
    """Whether the rule `name` is an instance, with settings of its own. Raises InputError where there is none."""
    return isinstance(_found(name), Rule)


def kind_of(name: str) -> type[Rule]:
    """The class of the rule `name`. Raises InputError where there is none."""
    found = _found(name)
    return found if isinstance(found, type) else type(found)


def _found(name: str) -> type[Rule] | Rule:
    found = _import_rule(name) if ":" in name else RULES.get(name.lower())
    if found is None:
        own = f", or, for a rule of your own, {as_module(name)}:Class" if is_file(name) else ", or give module:Class"
        raise InputError(f"There is no rule {name!r}; there are: {', '.join(RULES)}{own}.", name, RULES)
    return found


def usual_dialect(name: str) -> str | None:
    """The dialect of a rule of rawstep's where none is named: TF1's, the notebook's, or the first one that it has."""
    dialects = RULES[name].DIALECTS if name in RULES else {}
    return "tf1" if "tf1" in dialects else next(iter(dialects), None)


def typed(kind: type[Rule], settings: Mapping[str, str]) -> dict[str, Any]:
    """Settings of a rule as its fields hold them. Raises InputError and NoSuchSettingError; see `choose_rule`."""
    there, annotations = [one.name for one in fields(kind)], hints(kind)
    for name in settings:
        if name not in there:
            raise NoSuchSettingError(option(name), kind.__name__, [option(one) for one in there])
    return {name: _typed(option(name), text, annotations[name]) for name, text in settings.items()}


def option(setting: str) -> str:
    """What a setting is called on the command line."""
    return f"--{setting.replace('_', '-')}"


def _typed(name: str, text: str, hint: Any) -> Any:
    form = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if form is bool:
        if text.lower() not in ("", "true", "false"):
            raise InputError(f"{name} must be true or false, found {text!r}.")
        return text.lower() != "false"
    if text == "":
        raise InputError(f"{name} needs a value.")
    if get_origin(form) is Literal:
        if text not in (choices := get_args(form)):
            raise InputError(f"{name} must be one of {', '.join(choices)}, found {text!r}.", text, choices)
        return text
    if form is str:
        return text
    if any(isinstance(note, Interval) for note in get_args(hint)):
        return number(name, text)
    if form is not int and form is not float:
        raise InputError(f"{name} cannot be given as an option: it is no number, text or choice.")
    try:
        return form(text)
    except ValueError:
        raise InputError(f"{name} must be a {'whole ' if form is int else ''}number, found {text!r}.") from None


def number(name: str, text: str) -> Any:
    """A number, or a schedule of numbers, that a person types for the option `name`.

    Raises InputError for a text that is neither.
    """
    try:
        return float(text)
    except ValueError:
        pass
    if not {":", ","} & {*text}:
        raise InputError(f"{name} must be a number or a schedule, such as cosine:3e-3,steps=5500, found {text!r}.")
    try:
        return parse(text)
    except InputError as error:
        raise InputError(f"{name}: {error}", error.name, error.known) from error


def canonical(setting: str, text: str) -> float | str:
    """A number, or the text of a schedule in its shortest form; see `number`."""
    found = number(option(setting), text)
    return found if isinstance(found, float) else str(found)


def split_dialect(name: str) -> tuple[str, str | None]:
    """The rule and the dialect of a text such as adam:keras; a rule alone and module:Name have none."""
    rule, _, dialect = (spelled := lowered(name)).partition(":")
    return (rule, dialect or None) if rule in RULES else (spelled, None)


def lowered(name: str) -> str:
    """A rule of rawstep's in lower case, with a dialect or alone; all else as it is."""
    rule, _, dialect = name.lower().partition(":")
    return name.lower() if rule in RULES and dialect in ("", *RULES[rule].DIALECTS) else name


def rule_settings(rule: Rule) -> dict[str, Any]:
    """Every setting of a rule as JSON can hold it: a function by its name, what else is no plain value by its text.

    Those of pieces around it are called clip_by_global_norm.limit, those of the rule of a group of variables
    vectors.learning_rate.
    """
    if isinstance(rule, Groups):
        others = {str(mask): {"rule": _kind(of)} | rule_settings(of) for mask, of in rule.groups}
        return rule_settings(rule.rule) | _prefixed(others)
    if isinstance(rule, Chain):
        pieces = {name: _settings(part) for name, part in rule.parts if not isinstance(part, Rule)}
        return rule_settings(rule.rule) | _prefixed(pieces)
    return _settings(rule)


def _settings(part: Part) -> dict[str, Any]:
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    return {
        name: value if isinstance(value, float | int | str | None) else _name(value) for name, value in values.items()
    }


def _prefixed(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{of}.{name}": value for of, own in settings.items() for name, value in own.items()}


def _kind(rule: Rule) -> str:
    return type(rule.rule if isinstance(rule, Chain) else rule).__name__


def _name(value: Any) -> str:
    """A function or a type by its name, all else by its text without addresses, which no two processes share."""
    return getattr(value, "__qualname__", re.sub(r" at 0x[0-9a-f]+", "", str(value)))


def shown(value: Any) -> str:
    """A number or a schedule, as a person reads it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _import_rule(name: str) -> type[Rule] | Rule:
    rule = import_named(name)
    if not isinstance(rule, Rule) and not (isinstance(rule, type) and issubclass(rule, Rule)):
        raise InputError(f"{name} must be a subclass of core.Rule or an instance of one, found {described(rule)}.")
    return rule
