"""What `rawstep inspect` looks at: the program that `rawstep train` runs with the same settings."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import tensorflow as tf

from ...runs.rule_choice import rule_settings
from ...runs.settings import Settings
from ...workloads.data import Dataset, Sampler
from .figures import ladder_figures, least, step_figures
from .ladder import ladder
from .pieces import pieces, stages
from .step import inspect
from .subjects import layers, perceptron

STARTS = {"normal": "N(0,1) weights", "he": "He's first weights", "glorot": "Glorot's first weights"}


class Study:
    """The settings' network on their data, in calls of `steps` steps.

    Raises InputError for what `Trainer` refuses.
    """

    def __init__(self, settings: Settings, dataset: Dataset, steps: int):
        self._settings = settings = settings.settled()
        self._rule = settings.make_rule()
        self._layers = layers(settings, dataset)
        self._build = perceptron(settings, dataset)
        self._stages = {name: perceptron(settings, dataset, rule) for name, rule in stages(self._rule).items()}
        self._batches = Sampler(len(dataset.train.images), settings.batch_size, settings.seed).take(steps)
        self._data = tuple(tf.constant(array) for array in dataset.train)
        self._program = self._build(settings.execution).program

    def step(self) -> dict[str, Any]:
        """What XLA made of a step, as JSON, tables and page have it.

        Raises InputError for an execution that XLA does not compile.
        """
        step = inspect(self._program, self._data, self._batches)
        settings, rule = self._settings, rule_settings(self._rule)
        network = "-".join(map(str, self._layers))
        return {
            "title": f"{settings.rule} ({settings.dialect or 'its own defaults'}) on {network}, "
            f"batches of {settings.batch_size}, {settings.execution}",
            "start": STARTS[settings.init],
            "settings": asdict(settings) | {"learning_rate": rule["learning_rate"], "rule_settings": rule},
            "steps": len(self._batches),
            "step": step_figures(step, least(self._layers, settings.batch_size, self._rule)),
        }

    def ladder(self, rounds: int, compilations: int, heard: Callable[[str], None]) -> list[dict[str, Any]]:
        """The four executions beside each other; see `ladder.ladder`."""
        rungs = ladder(
            self._build, self._data, self._batches, rounds, compilations, self._settings.seed, heard
        )  # fmt: skip
        return ladder_figures(rungs)

    def pieces(self, rounds: int, heard: Callable[[str], None]) -> list[dict[str, Any]]:
        """The rule alone and with its pieces, one more each; see `pieces.pieces`. Nothing where it has none."""
        if not self._stages:
            return []
        programs = {name: build("xla-loop").program for name, build in self._stages.items()}
        found = pieces(programs, self._data, self._batches, rounds, self._settings.seed, heard)
        return [one._asdict() | {"ratio": one.ratio._asdict()} for one in found]

    @property
    def pieces_heard(self) -> int:
        """How often `pieces` calls `heard`."""
        return len(self._stages) and len(self._stages) + 1

    def text(self, stage: str) -> str:
        """The program at a stage of its compilation, as `Program.compiler_ir` has it."""
        return self._program.compiler_ir(self._data, self._batches, stage)
