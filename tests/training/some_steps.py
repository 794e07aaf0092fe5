"""The first steps of runs, in a process of its own: a hash of all that each computes, for test_determinism.py.

    python -m tests.training.some_steps '[["mlp --batch-size 50", "xla-loop"], …]'

Each is given as what `rawstep train --workload` takes, and its execution; a line is printed for each.
"""

import hashlib
import json
import sys

import core  # noqa: F401 - before TensorFlow, as a command has it
from training.runs.checkpoint import variables
from training.runs.settings import Settings
from training.runs.trainer import Trainer

STEPS = {"mlp": 55, "regression": 55}
"""How many are taken; 5 of any other, which compile for longer than a step takes."""


def settings_of(words: str, execution: str) -> Settings:
    workload, *options = words.split()
    given = {name.removeprefix("--"): value for name, value in zip(options[::2], options[1::2], strict=True)}
    size = {"batch_size": int(given.pop("batch-size"))} if "batch-size" in given else {}
    compute = {"compute": given.pop("compute")} if "compute" in given else {}
    asked = Settings(workload=workload, execution=execution, **size, **compute)
    return asked.with_options({name.replace("-", "_"): [value] for name, value in given.items()})


def computed(words: str, execution: str) -> str:
    """A hash of the costs of some steps, of parameters and slots after them, and of an evaluation."""
    settings = settings_of(words, execution).settled()
    trainer = Trainer(settings, settings.data())
    steps = STEPS.get(settings.workload, 5)
    found = hashlib.sha256(trainer.guard.run(trainer.feed, steps, steps).tobytes())
    for variable in variables(trainer).values():
        found.update(variable.numpy().tobytes())
    found.update(repr(trainer.evaluate(trainer.data.validation)).encode())
    return found.hexdigest()[:12]


if __name__ == "__main__":
    for words, execution in json.loads(sys.argv[1]):
        print(computed(words, execution), flush=True)
