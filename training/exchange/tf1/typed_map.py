"""Maps of names as a person types them, and as rawstep prints them to be pasted."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core import InputError

Map = dict[str, str]
"""The file's names of variables, by rawstep's."""


def parsed(words: Sequence[str]) -> Map:
    """A map as a person types it: h1=net/w …, or the name of a JSON file with one object, {"h1": "net/w", …}.

    Raises InputError for a word that is neither, a name that is there twice, and a file that holds anything else.
    """
    if len(words) == 1 and "=" not in words[0]:
        return _from_file(Path(words[0]))
    found: Map = {}
    for word in words:
        name, equals, file_name = word.partition("=")
        if not (name and equals and file_name):
            raise InputError(f"--map takes words such as h1=net/dense/kernel, or one file of JSON, found {word!r}.")
        if name in found:
            raise InputError(f"--map names {name} twice: {found[name]} and {file_name}.")
        found[name] = file_name
    return found


def _from_file(path: Path) -> Map:
    try:
        found = json.loads(path.read_text(), object_pairs_hook=lambda pairs: _each_once(path, pairs))
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"--map {path}: the file cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"--map {path}: the file is not JSON: {error}.") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InputError(f'--map {path}: the file must hold one object of names, such as {{"h1": "net/w"}}.')
    return found


def _each_once(path: Path, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """One object of a JSON file, of which `json` would keep the last of two values. Raises InputError for these."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InputError(f"--map {path}: the file names {name} twice: {found[name]} and {value}.")
        found[name] = value
    return found


def pasted(names: Map) -> str:
    """A map as a person can type it again."""
    return " ".join(["--map", *(shlex.quote(f"{name}={file_name}") for name, file_name in names.items())])
