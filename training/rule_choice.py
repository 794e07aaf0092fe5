"""From what a person types, such as "adam" or "my_module:MyRule", to a rule."""

import importlib
import os
import re
import sys
from dataclasses import fields
from typing import Any

from core import RULES, InputError, Rule


def choose_rule(name: str, dialect: str | None = None, learning_rate: float | None = None) -> Rule:
    """The rule `name` in a dialect, or with its own defaults where none is given, at a learning rate if one is given.

    name: one of rawstep's rules, or module:Class with a `core.Rule` of the user's, looked up in the working
    directory first.

    Raises InputError for a rule, module, class or dialect that is not there, a learning rate of 0, and where neither
    the caller nor the dialect has a learning rate.
    """
    rule = _import_rule(name) if ":" in name else RULES.get(name)
    if rule is None:
        raise InputError(
            f"There is no rule {name!r}; there are: {', '.join(RULES)}, or give module:Class.", name, RULES
        )
    if isinstance(learning_rate, int | float) and learning_rate == 0:
        raise InputError("The learning rate must be above 0, found 0: nothing would move.")
    settings = {} if learning_rate is None else {"learning_rate": learning_rate}
    if dialect is not None:
        return rule.dialect(dialect, **settings)
    try:
        return rule(**settings)
    except TypeError as error:  # a setting without a default, or an abstract method
        raise InputError(f"{name} cannot be built: {error}.") from error


def rule_settings(rule: Rule) -> dict[str, Any]:
    """Every setting of a rule as JSON can hold it: a function by its name, what else is no plain value by its repr."""
    values = {field.name: getattr(rule, field.name) for field in fields(rule)}
    return {
        name: value if isinstance(value, float | int | str | None) else _name(value) for name, value in values.items()
    }


def _name(value: Any) -> str:
    """A function or a type by its name, all else by its repr without addresses, which no two processes share."""
    return getattr(value, "__qualname__", re.sub(r" at 0x[0-9a-f]+", "", repr(value)))


def import_named(name: str) -> Any:
    """What module:attribute names, looked up in the working directory first. Raises InputError where it fails."""
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:  # a user's module may fail in any way while it is imported
        raise InputError(f"{name} cannot be imported: {type(error).__name__}: {error}.") from error


def _import_rule(name: str) -> type[Rule]:
    rule = import_named(name)
    if not (isinstance(rule, type) and issubclass(rule, Rule)):
        raise InputError(f"{name} must be a subclass of core.Rule, found {rule!r}.")
    return rule
