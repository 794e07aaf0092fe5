"""The program that TensorFlow compiles for a run's next epoch, for machines that have no TensorFlow.

A folder with five files, of which `benchmarks/pjrt.py` makes use:

    program.mlir    the epoch as one pure function, StableHLO as text: 0.1 MB.
    program.bc      the same as StableHLO's portable artifact, which later releases promise to read: 25 kB.
    arguments.npz   what it takes: the training examples, the batches, every variable before its first step.
    results.npz     what TensorFlow made of it here: the cost of each step, every variable after the last.
    manifest.json   which argument and which result is which, in the program's order; settings, versions, commit.

Of MNIST and the notebook's network with Adam, arguments.npz has 12 MB (43 MB of images, compressed to 9, and 3 MB of
variables), results.npz 3 MB.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tensorflow.compiler.mlir.stablehlo import stablehlo as _stablehlo

from core import InputError

from ..output.whole_folder import whole_folder
from ..runs.checkpoint import Checkpoint, variables
from ..runs.record import circumstances
from ..runs.resuming import restore
from ..runs.rule_choice import rule_settings
from ..runs.trainer import Trainer

FORMAT = 2
"""Of the folder; a reader of another one refuses it."""

ELEMENTS = {"b": "i1", "u": "ui{}", "i": "i{}", "f": "f{}"}
"""What StableHLO calls NumPy's kinds of dtypes, by how many bits they have."""


class EpochProgram(NamedTuple):
    """A pure function of an epoch, and one call of it.

    text:      StableHLO and nothing else.
    artifact:  the same, serialised.
    arguments: in the function's order, by name: the arrays of the training examples, data-0, data-1 and so on; batches,
               int32 [steps, batch size]; then the variables by their names in a checkpoint, in which optimizer/step
               is an int64 scalar.
    results:   in the same form: costs, float64 [steps], each before its step; then the same variables in this order.
    run:       the rest, as JSON can hold it.
    """

    text: str
    artifact: bytes
    arguments: Mapping[str, np.ndarray]
    results: Mapping[str, np.ndarray]
    run: Mapping[str, Any]


def epoch_program(checkpoint: Checkpoint) -> EpochProgram:
    """The next epoch of a run: as many batches as its examples fill, from where the run stands.

    Raises InputError where the run cannot go on (see `checkpoint.restore`), where XLA cannot compile its workload, and
    where the program's arguments and results are not those that the traced function says.
    """
    if "bfloat16" in (array.dtype.name for array in checkpoint.tensors.values()):
        raise InputError(f"{checkpoint.path} has parameters in bfloat16, which NumPy's files of arguments cannot hold.")
    settings = replace(checkpoint.settings, execution="xla-loop")
    data = settings.data()
    if data.stream is not None:
        raise InputError(
            "The program of an epoch is exported with its examples, and those of a stream are not in memory."
        )
    trainer = Trainer(settings, data)
    restore(checkpoint, trainer)
    settings = trainer.settings
    data, batches = trainer.feed.take(trainer.feed.steps_per_epoch)
    captured = trainer.program.captured(data, batches)
    names = {id(variable): name for name, variable in variables(trainer).items()}

    def state() -> dict[str, np.ndarray]:
        return {names[id(variable)]: variable.numpy().copy() for variable in captured}

    named = {f"data-{number}": array.numpy() for number, array in enumerate(data)}
    arguments = {**named, "batches": batches, **state()}
    text = pure(trainer.program.compiler_ir(data, batches, "stablehlo"))
    results = {"costs": trainer.program.run(data, batches).numpy()} | state()
    check_signature(text, arguments, results)
    run = {
        "settings": asdict(settings),
        "title": trainer.workload.title(trainer.data),
        "rule": rule_settings(trainer.rule),
        "steps": len(batches),
    }
    return EpochProgram(text, portable_artifact(text), arguments, results, run)


def pure(text: str) -> str:
    """Without the copies that TensorFlow's XLA has put in.

    They are of a dialect of its own, for which StableHLO's portable artifact has no place; and in that form programs
    are handed to PJRT plugins, as a GPU's is. A compiler puts in again what copies it needs.
    """
    return re.sub(r"mhlo\.copy (%[\w#]+) : (tensor<[^>]*>)", r"stablehlo.reshape \1 : (\2) -> \2", text)


def portable_artifact(text: str) -> bytes:
    """StableHLO serialised, for its own version and all later ones. Raises InputError for what is not StableHLO."""
    stablehlo: Any = _stablehlo
    try:
        return stablehlo.serialize_portable_artifact_str(text, stablehlo.get_current_version())
    except ValueError as error:
        raise InputError(f"TensorFlow's program is not StableHLO alone: {error}.") from error


def check_signature(text: str, arguments: Mapping[str, np.ndarray], results: Mapping[str, np.ndarray]) -> None:
    """Raises InputError unless a StableHLO program takes and returns arrays of these dtypes and shapes in this order.

    Variables of one shape are distinguished by what the program says of its aliases: each variable's result takes the
    place of its argument.
    """
    main = re.search(r"func\.func (?:public )?@main\((.*)\) -> \(?(.*?)\)? \{", text)
    if main is None:
        raise InputError("TensorFlow's program has no function main.")
    for what, types, arrays in (("arguments", main[1], arguments), ("results", main[2], results)):
        found, expected = re.findall(r"tensor<[^>]*>", types), [_type(array) for array in arrays.values()]
        if found != expected:
            raise InputError(
                f"TensorFlow's program has the {what} {' '.join(found)}, expected {' '.join(expected)} for "
                f"{', '.join(arrays)}."
            )
    aliases = re.findall(r"parameter_number = (\d+) : i64\}, output_index = array<i64: (\d+)>", text)
    names = list(arguments), list(results)
    exchanged = {(names[0][int(argument)], names[1][int(result)]) for argument, result in aliases}
    expected = {(name, name) for name in arguments if name in results}
    if exchanged != expected:
        raise InputError(f"TensorFlow's program updates other variables in place: {sorted(exchanged ^ expected)}.")


def _type(array: np.ndarray) -> str:
    element = ELEMENTS[array.dtype.kind].format(8 * array.dtype.itemsize)
    return f"tensor<{'x'.join([*map(str, array.shape), element])}>"


def write_epoch_program(path: Path, program: EpochProgram) -> None:
    """Writes the folder whole or not at all. Raises InputError where it cannot be written."""
    manifest = {
        "format": FORMAT,
        **circumstances("rawstep"),
        **program.run,
        "arguments": _described(program.arguments),
        "results": _described(program.results),
    }
    # A short name: the folder's own may be as long as names can be.
    with whole_folder(path, path.with_name(f".rawstep.{os.getpid()}")) as unfinished:
        (unfinished / "program.mlir").write_text(program.text)
        (unfinished / "program.bc").write_bytes(program.artifact)
        _save(unfinished / "arguments.npz", program.arguments)
        _save(unfinished / "results.npz", program.results)
        (unfinished / "manifest.json").write_text(f"{json.dumps(manifest, default=str, indent=1)}\n")


def _save(path: Path, arrays: Mapping[str, Any]) -> None:
    np.savez_compressed(path, **arrays)


def _described(arrays: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    return [{"name": name, "dtype": array.dtype.name, "shape": array.shape} for name, array in arrays.items()]
