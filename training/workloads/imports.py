"""A user's own code, by module:name."""

import importlib
import os
import sys
from typing import Any

from core import InputError
from core.mistakes import in_words, place_of


def import_named(name: str) -> Any:
    """What module:attribute names, looked up in the working directory first.

    Raises InputError where it fails, with the line of the user's module that does.
    """
    module, _, attribute = name.partition(":")
    if is_file(module):
        raise InputError(
            f"{name} names a file; give the module and the class: {as_module(module)}:{attribute or 'Class'}."
        )
    if not module or not attribute:
        raise InputError(f"{name!r} must name a module and what is in it, such as my_module:MyClass.")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:  # a user's module may fail in any way while it is imported
        place = place_of(error)
        where = f"{place}: " if place else ""
        raise InputError(f"{name} cannot be imported: {where}{in_words(error)}") from error


def is_file(module: str) -> bool:
    return module.endswith(".py") or os.sep in module


def as_module(path: str) -> str:
    """A path of a Python file as the name of a module; a folder outside the working directory is left out."""
    relative = os.path.relpath(path.removesuffix(".py")) if path.strip() else path
    return (os.path.basename(relative) if relative.startswith(os.pardir) else relative).replace(os.sep, ".")
