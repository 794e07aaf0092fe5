"""From what a person types, such as "adam" or "my_module:MyRule", to a rule."""

import importlib
import os
import re
import sys
from dataclasses import fields
from typing import Any

from core import RULES, InputError, Rule
from core.mistakes import described, in_words, mistakes_in, place_of


def choose_rule(name: str, dialect: str | None = None, learning_rate: float | None = None) -> Rule:
    """The rule `name` in a dialect, or with its own defaults where none is given, at a learning rate if one is given.

    name: one of rawstep's rules, in upper or lower case, or module:Class with a `core.Rule` of the user's, looked up in
    the working directory first.

    Raises InputError for a rule, module, class or dialect that is not there, a class that fails when it is built, a
    learning rate of 0, and where neither the caller nor the dialect has a learning rate.
    """
    rule = _import_rule(name) if ":" in name else RULES.get(name.lower())
    if rule is None:
        own = f", or, for a rule of your own, {_as_module(name)}:Class" if _is_file(name) else ", or give module:Class"
        raise InputError(f"There is no rule {name!r}; there are: {', '.join(RULES)}{own}.")
    if isinstance(learning_rate, int | float) and learning_rate == 0:
        raise InputError("The learning rate must be above 0, found 0: nothing would move.")
    settings = {} if learning_rate is None else {"learning_rate": learning_rate}
    if dialect is not None:
        return rule.dialect(dialect, **settings)
    with mistakes_in(rule, name, "__post_init__", said="cannot be built"):
        return rule(**settings)


def lowered(name: str) -> str:
    """A rule of rawstep's in lower case, with a dialect or alone; all else as it is."""
    rule, _, dialect = name.lower().partition(":")
    return name.lower() if rule in RULES and dialect in ("", *RULES[rule].DIALECTS) else name


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
    """What module:attribute names, looked up in the working directory first.

    Raises InputError where it fails, with the line of the user's module that does.
    """
    module, _, attribute = name.partition(":")
    if _is_file(module):
        raise InputError(f"{name} names a file; give the module and the class: {_as_module(module)}:{attribute}.")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:  # a user's module may fail in any way while it is imported
        place = place_of(error)
        where = f"{place}: " if place else ""
        raise InputError(f"{name} cannot be imported: {where}{in_words(error)}") from error


def _is_file(module: str) -> bool:
    return module.endswith(".py") or os.sep in module


def _as_module(path: str) -> str:
    """A path of a Python file as the name of a module; a folder outside the working directory is left out."""
    relative = os.path.relpath(path.removesuffix(".py")) if path.strip() else path
    return (os.path.basename(relative) if relative.startswith(os.pardir) else relative).replace(os.sep, ".")


def _import_rule(name: str) -> type[Rule]:
    rule = import_named(name)
    if not (isinstance(rule, type) and issubclass(rule, Rule)):
        raise InputError(f"{name} must be a subclass of core.Rule, found {described(rule)}.")
    return rule
