"""A mistake in a user's own code, such as a rule: one sentence with the file and the line, whatever was raised."""

import inspect
import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

import tensorflow as tf

from .errors import InputError

_ROOT = Path(__file__).parent.parent
_OTHERS = tuple(
    f"{path}{os.sep}"
    for path in (
        *(_ROOT / name for name in ("core", "training", "benchmarks")),
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    )
)
"""Where code lives that no user of rawstep writes."""

LONGEST, FEW = 300, 3
"""Characters of another library's message, and elements of a list, that are shown."""

_KNOWN = {
    r"as a Python `bool`|truth value": "Python's `if`, `while`, `and`, `or` and `not` need one True or False, and an "
    "array or a tensor has none: use `where` of core.xp, and &, | or ~ for conditions",
    r"to a numpy array|loop of ufunc does not support": "a function of NumPy cannot take a tensor or a symbol: use "
    "the function of that name in core.xp",
    r"object has no attribute 'rate'": "self.rate(t, g) was rawstep 0.2's: self.learning_rate is the rate of the step",
    r"terating over a symbolic": "Python's `for` cannot go over a tensor: use the functions of core.xp on all of it",
}
"""What is said in place of messages that do not know what a rule is."""

_DTYPES = re.compile(r"does not match type|was expected to be a \w+ tensor|incompatible with expected .* dtype")


@contextmanager
def mistakes_in(code: Any, name: str | None = None, method: str = "update", said: str = "failed") -> Iterator[None]:
    """Whatever the user's code raises in this block becomes an InputError, with the file and the line where known.

    code: a rule, a class, a function or an optimizer, whichever is called here. name: what a person calls it.
    method: of it, that is called. said: what it did or did not do, in words that follow a name.

    InputErrors and KeyboardInterrupt pass. The original exception is the cause, without the frames of libraries.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        frame = _own_frame(error, code)
        place = _place(frame.tb_frame.f_code, frame.tb_lineno) if frame else _definition(code, method)
        who = f"{_called(code, name)} {said}"
        parts = (place, who if place is None or said != "failed" else None, in_words(error))
        cause = error if frame is None else error.with_traceback(_alone(frame))
        raise InputError(": ".join(part for part in parts if part)) from cause


@contextmanager
def kernels_known() -> Iterator[None]:
    """An operation that XLA cannot compile becomes an InputError that names it, and the line that made it if known."""
    try:
        yield
    except (tf.errors.InvalidArgumentError, ValueError) as error:
        found = re.search(r"Detected unsupported operations .*? on \S+: (\w+) \(", str(error), re.DOTALL)
        if found is None:
            raise
        lines = re.findall(r'File "(.*?)", line (\d+), in (\w+)', str(error))
        lines = [(os.path.join(os.sep, file), line, name) for file, line, name in lines]
        own = [f"{_shown(file)}, line {line}, in {name}: " for file, line, name in lines if not _is_foreign(file)]
        raise InputError(
            f"{own[-1] if own else ''}XLA cannot compile the operation {found[1]}: take another one, or run in the "
            "execution graph or eager."
        ) from error


def written(code: Any, method: str, name: str | None = None) -> str:
    """Where a method of a user's rule, or a function, is written: "my_rules.py, line 12, in Momentum.update"; its name
    where it is no code of the user's."""
    return _definition(code, method) or _called(code, name)


def in_words(error: BaseException) -> str:
    """What an exception says, in one line that ends with a full stop; no array in it is longer than its shape."""
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    text = " ".join(re.sub(r"\{\{.*?\}\}|\[Op:\w+\].*|for '.*' (?=with input shapes)", "", said).split())
    for pattern, words in _KNOWN.items():
        if re.search(pattern, text):
            return f"{words}."
    if isinstance(error, InputError):
        return text
    if method := re.search(r"Tensor' object (has no attribute '\w+')", text):
        return f"a tensor {method[1]}: use the functions of core.xp."
    text = re.sub(r"<tf\.Tensor(.*?), (?:dtype=)?(\w+)(?:, numpy=.*?)?>", r"<tf.Tensor\1, \2>", text)
    if _DTYPES.search(text):
        text = f"{text.rstrip('.')} (cast_like of core.xp brings a value to the dtype of another)"
    if len(text) > LONGEST:
        text = f"{text[:LONGEST].rsplit(' ', 1)[0]} …"
    return f"{type(error).__name__}: {text}".rstrip(" :.") + "."


def place_of(error: BaseException) -> str | None:
    """The innermost line of the user's own code that an exception passed; of a SyntaxError, the line that it names."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shown(error.filename)}, line {error.lineno}"
    frame = _own_frame(error, None)
    return frame and _place(frame.tb_frame.f_code, frame.tb_lineno)


def described(value: Any) -> str:
    """What was found in place of a tensor, in a few words: of an array or a tensor its dtype and shape, not its
    numbers."""
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if dtype is not None and shape is not None:
        kind = "a NumPy array, " if type(value).__module__ == "numpy" else ""
        return f"{kind}{getattr(dtype, 'name', dtype)} {shape}"
    if isinstance(value, tuple | list):
        parts = [*map(_inner, value[:FEW]), *(["…"] if len(value) > FEW else [])]
        return f"{type(value).__name__} of {', '.join(parts) or 'nothing'}"
    if isinstance(value, bool | int | float | str | None):
        return repr(value)[:60]
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__


def _inner(value: Any) -> str:
    """What stands in a list; of lists in that, how many."""
    if not isinstance(value, tuple | list):
        return described(value)
    if any(isinstance(one, tuple | list) for one in value):
        return f"{type(value).__name__} of {len(value)}"
    return f"({described(value)})" if len(value) > 1 else described(value)


def _called(code: Any, name: str | None) -> str:
    return name or getattr(code, "__name__", type(code).__name__)


def _definition(code: Any, method: str) -> str | None:
    function = getattr(code, method, code)
    found = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    if not isinstance(found, CodeType) or _is_foreign(found.co_filename):
        return None
    return _place(found, found.co_firstlineno)


def _own_frame(error: BaseException, code: Any) -> TracebackType | None:
    files = {_file(one) for one in type(code).__mro__}
    found, here = None, error.__traceback__
    while here is not None:
        file = here.tb_frame.f_code.co_filename
        if not _is_foreign(file) or file in files:
            found = here
        here = here.tb_next
    return found


def _file(kind: type) -> str | None:
    """Of a class of the user's, wherever it is installed."""
    ours = kind.__module__.split(".")[0] in ("core", "builtins", "abc")
    return None if ours else getattr(sys.modules.get(kind.__module__), "__file__", None)


def _is_foreign(file: str) -> bool:
    return file.startswith(("<", *_OTHERS))


def _alone(frame: TracebackType) -> TracebackType:
    return TracebackType(None, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)


def _place(code: CodeType, line: int) -> str:
    name = code.co_qualname.rpartition("<locals>.")[2]
    return f"{_shown(code.co_filename)}, line {line}" + ("" if name == "<module>" else f", in {name}")


def _shown(file: str) -> str:
    """A path below the working directory without it."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
