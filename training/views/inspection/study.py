"""What `rawstep inspect` looks at: the program that `rawstep train` runs with the same settings."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from core import InputError
from core.engine.executions import execution_mode

from ...runs.feeding import make_feed
from ...runs.rule_choice import rule_settings
from ...runs.settings import Settings
from ...workloads.choice import settings_of
from ...workloads.values import option, text
from ...workloads.workload import Data
from .figures import ladder_figures, least, step_figures
from .ladder import ladder
from .ladder import pieces as climbed
from .pieces import pieces, stages
from .step import inspect
from .subjects import builder


class Study:
    """The settings' workload on its data, in calls of `steps` steps.

    Raises InputError for what `Trainer` refuses, and for an execution that XLA does not compile.
    """

    def __init__(self, settings: Settings, data: Data, steps: int):
        self._settings = settings = settings.settled()
        self._rule, self._workload, self._data = settings.make_rule(), settings.make_workload(), data
        assert settings.execution is not None, "it is settled"
        assert settings.batch_size is not None, "it is settled"
        self._execution, self._batch_size = settings.execution, settings.batch_size
        if not execution_mode(self._execution).compiled:
            raise InputError(
                f"What XLA makes of a step is inspected, and {settings.workload} runs as {self._execution} here: "
                "give --execution xla-step, or xla-loop."
            )
        self._build = builder(settings, data)
        self._stages = {name: builder(settings, data, rule) for name, rule in stages(self._rule).items()}
        self._examples, self._batches = make_feed(data, self._batch_size, settings.seed).take(steps)
        self._program, self._variables = self._build(self._execution)

    def all(self, rounds: int, compilations: int, heard: Callable[[str], None], climb: bool = True) -> dict[str, Any]:
        """The step, the ladder and the pieces; the first alone, unless the ladder is to be climbed.

        heard: called with the name of each piece of work, as often as `all_heard` says.
        """
        heard("compiling")
        figures = self.step()
        figures["ladder"] = self.ladder(rounds, compilations, heard) if climb else None
        figures["pieces"] = self.pieces(rounds, heard) if climb else []
        return figures

    def all_heard(self, rounds: int, compilations: int, climb: bool = True) -> int:
        """How often `all` calls `heard`."""
        return 1 + (climbed(rounds, compilations) + (len(self._stages) and len(self._stages) + 1) if climb else 0)

    def step(self) -> dict[str, Any]:
        """What XLA made of a step, as JSON, tables and page have it."""
        step = inspect(self._program, self._examples, self._batches)
        settings, rule = self._settings, rule_settings(self._rule)
        return {
            "title": f"{settings.rule} ({settings.dialect or 'its own defaults'}) on "
            f"{self._workload.title(self._data)}, batches of {settings.batch_size}, {settings.execution}",
            "start": f"the first values of {self._typed()} by seed {settings.seed}",
            "settings": asdict(settings) | {"learning_rate": rule["learning_rate"], "rule_settings": rule},
            "steps": len(self._batches),
            "step": step_figures(step, self._least()),
        }

    def ladder(self, rounds: int, compilations: int, heard: Callable[[str], None]) -> list[dict[str, Any]]:
        """The four executions beside each other; see `ladder.ladder`."""
        rungs = ladder(
            self._build, self._examples, self._batches, rounds, compilations, self._settings.seed, heard
        )  # fmt: skip
        return ladder_figures(rungs)

    def pieces(self, rounds: int, heard: Callable[[str], None]) -> list[dict[str, Any]]:
        """The rule alone and with its pieces, one more each; see `pieces.pieces`. Nothing where it has none."""
        if not self._stages:
            return []
        programs = {name: build(self._execution).program for name, build in self._stages.items()}
        found = pieces(programs, self._examples, self._batches, rounds, self._settings.seed, heard)
        return [one._asdict() | {"ratio": one.ratio._asdict()} for one in found]

    def text(self, stage: str) -> str:
        """The program at a stage of its compilation, as `Program.compiler_ir` has it."""
        return self._program.compiler_ir(self._examples, self._batches, stage)

    def _typed(self) -> str:
        """The workload as a person types it, except for where its data are."""
        settings, places = settings_of(self._workload), self._workload.places
        own = {name: text(value) for name, value in settings.items() if name not in places and value is not None}
        return " ".join([self._settings.workload, *(f"{option(name)} {value}" for name, value in own.items())])

    def _least(self) -> dict[Any, dict[str, int]]:
        return least(
            self._workload.products(self._data),
            sum(variable.shape.num_elements() for variable in self._variables.values()),
            sum(array[0].nbytes for array in self._data.train),
            self._batch_size,
            self._rule,
        )
