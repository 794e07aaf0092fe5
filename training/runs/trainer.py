"""Training a workload: one epoch after another, with its costs, metrics and rates."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from core import Guard, LossScale, NonFiniteError, Optimizer, Program, Recorder
from core.engine.masters import slot_dtype

from ..workloads.check import check_in, checked_variables
from ..workloads.work import flop
from ..workloads.workload import Data, fingerprint
from .building import check_masks, is_ours
from .compiling import compiled_with
from .distribution.distribution import Distribution
from .evaluation import evaluator
from .feeding import call_lengths, check_accumulated, fitting, make_feed, most_steps
from .settings import Settings
from .stopwatch import Stopwatch


class Epoch(NamedTuple):
    """One epoch.

    cost:    the mean of its batches' costs, each taken before its step; without those that are not finite where such
             steps are skipped.
    figures: after its last step, of each split that the workload watches: validation_cost, validation_accuracy.
    """

    cost: float
    figures: Mapping[str, float]

    @property
    def flat(self) -> dict[str, float]:
        """All of it, by name."""
        return {"cost": self.cost, **self.figures}


class Call(NamedTuple):
    """One call of the training program: its steps, the mean of their costs, how many were dropped as they were not
    finite, and the epoch, where it ended one."""

    steps: int
    cost: float
    dropped: int
    epoch: Epoch | None


class Trainer:
    """A workload's variables, their optimizer and the data, trained a call at a time.

    history:   the epochs so far.
    costs:     of the steps so far in the epoch that has begun; as many as the position in it.
    evaluate:  cost and metrics of the variables that the rule serves, as they then are, on a split.
    stopwatch: compile seconds and steady rate of the training calls, drawing the batches included.
    guard:     what looks for numbers that are not finite, and has found the first where the run continues after it.
    xla_options: those of `core.engine.xla_options` that XLA compiles this process with for the run.
    recorder:  the flight recorder that `record` makes of the optimizer; None where there is no `record`.
    distribution: where it computes; its replicas are connected. One device, unless given.

    Raises InputError for a rule, dialect, learning rate, batch size, execution or setting of the workload that cannot
    be, and what `record` raises.
    """

    def __init__(
        self,
        settings: Settings,
        data: Data,
        record: Callable[[Optimizer], Recorder] | None = None,
        distribution: Distribution | None = None,
    ):
        self.distribution = distribution or Distribution()
        self.settings = settings = settings.settled()
        self.workload, self.data = settings.make_workload(), data
        self.rule = settings.make_rule()
        check_accumulated(settings, data)
        self.feed = make_feed(data, settings.examples, settings.seed).part(*self.distribution.worker)
        values = checked_variables(self.workload, data, settings.seed, settings.examples // (settings.parts or 1))
        for dtype in filter(None, (settings.compute, settings.parameters)):
            check_in(self.workload, data, values, tf.as_dtype(dtype))
        replicated = self.distribution.strategy is not None
        self.xla_options = compiled_with(settings, self.workload.products(data), values, replicated)
        with self.distribution.scope():
            self.variables = {
                name: tf.Variable(_as(value, settings.parameters), name=name) for name, value in values.items()
            }
            check_masks(settings, self.variables, self.workload.groups)
            self.optimizer = Optimizer(
                self.rule,
                self.variables,
                one_pass=self.xla_options.one_pass,
                drops_nonfinite=settings.on_nonfinite == "skip",
                loss_scale=LossScale() if settings.compute == "float16" else None,
            )
            self.recorder = None if record is None else record(self.optimizer)
            self.program = Program(
                self.workload.cost,
                self.variables,
                self.optimizer,
                settings.execution or "xla-loop",
                recorder=self.recorder,
                microbatches=settings.parts,
                compute=settings.compute,
            )
        self.program.check_batch_size(settings.examples)
        if not is_ours(self.rule):  # whose mistakes end the run before any file or folder is made
            self.program.check()
        self.guard = Guard(self.program, settings.on_nonfinite)
        served = self.optimizer.served if self.rule.serves else None
        self.evaluate = evaluator(self.workload, self.variables, self.distribution, served)
        self.stopwatch = Stopwatch()
        self.history: list[Epoch] = []
        self.costs: list[float] = []
        self._held = self.costs, self.history

    @cached_property
    def fingerprint(self) -> dict[str, int | str]:
        """What identifies the data; see `workload.fingerprint`."""
        return fingerprint(self.data)

    @property
    def step(self) -> int:
        """The number of steps taken or dropped."""
        return self.optimizer.begun

    @property
    def dtypes(self) -> dict[str, str]:
        """Those of the parameters, of what is computed with them, and of the rule's slots and masters."""
        kinds = [dict.fromkeys(of) for of in (
            (variable.dtype.name for variable in self.variables.values()),
            (slot_dtype(variable).name for variable in self.variables.values()),
        )]  # fmt: skip
        parameters, slots = (" and ".join(names) for names in kinds)
        return {"parameters": parameters, "compute": self.settings.compute or parameters, "slots": slots}

    @property
    def judged_by(self) -> str:
        """The figure of an epoch that says how good it is."""
        return f"validation_{self.workload.judged_by}"

    @property
    def best_epoch(self) -> int:
        """The number of the first of the best epochs; 0 before there is one."""
        best, worst = (max, -math.inf) if self.workload.higher_is_better else (min, math.inf)
        figures = [epoch.figures[self.judged_by] for epoch in self.history]
        ranked = [worst if math.isnan(figure) else figure for figure in figures]
        return ranked.index(best(ranked)) + 1 if ranked else 0

    @property
    def best_step(self) -> int:
        """The number of steps taken at the end of that epoch."""
        since = len(self.history) - self.best_epoch
        return self.step - len(self.costs) - since * self.feed.steps_per_epoch

    @property
    def out_of_patience(self) -> bool:
        """Whether as many epochs as `patience` allows were no better than the best before them."""
        patience = self.settings.patience
        return patience is not None and len(self.history) - self.best_epoch >= patience

    @property
    def epochs(self) -> int:
        """How many are to be trained in all."""
        return self.settings.epochs or 0

    @property
    def finished(self) -> bool:
        """Whether all epochs are trained, or as many as `patience` allows."""
        return len(self.history) >= self.epochs or self.out_of_patience

    def train(self) -> Iterator[Call]:
        """Trains what is left of the epochs, yielding after each call; there a run can be saved, or left for good.

        Raises NonFiniteError at the first step that is not finite, unless it is to be skipped or the run to continue;
        the trainer is then as it was at its last `look`. And after an epoch of which every step was skipped.
        """
        self.look()
        steps_per_epoch = self.feed.steps_per_epoch
        most = most_steps(sum(flop(self.workload.products(self.data), self.settings.examples)))
        longest = call_lengths(steps_per_epoch, fitting(most, self.data, self.settings.examples))[0]
        dropped_of_epoch = 0
        while not self.finished:
            left = steps_per_epoch - len(self.costs)
            steps, epoch, dropped = min(longest, left), None, self._dropped
            costs = self._call(steps, min(longest, left - steps or steps_per_epoch))
            dropped = self._dropped - dropped
            dropped_of_epoch += dropped
            self.costs += costs.tolist()
            if len(self.costs) == steps_per_epoch:
                epoch = Epoch(self._mean(self.costs), self._watched())
                self.history.append(epoch)
                self.costs = []
                self.look()
                if dropped_of_epoch == steps_per_epoch:
                    raise NonFiniteError(self.step, f"and so did every step of epoch {len(self.history)}, all skipped")
                dropped_of_epoch = 0
            yield Call(steps, self._mean(costs), dropped, epoch)

    def look(self) -> Mapping[str, np.ndarray]:
        """Looks for what is not finite in the state, and holds it as what to go back to; see `Guard.look`.

        Raises NonFiniteError as `train` does.
        """
        with self._going_back():
            state = self.guard.look()
        self._held = [*self.costs], [*self.history]
        return state

    @property
    def _dropped(self) -> int:
        return int(self.optimizer.dropped.numpy()) if self.optimizer.drops_nonfinite else 0

    def _mean(self, costs: Any) -> float:
        """NaN where all of them were skipped."""
        counted = np.asarray(costs)
        if self.settings.on_nonfinite == "skip":
            counted = counted[np.isfinite(counted)]
        return float(counted.mean()) if len(counted) else math.nan

    def _watched(self) -> dict[str, float]:
        splits = {
            split: self.evaluate(self.data.splits[split])
            for split in dict.fromkeys((*self.workload.watched, "validation"))
        }
        return {f"{split}_{name}": value for split, found in splits.items() for name, value in found.items()}

    def _call(self, steps: int, then: int) -> np.ndarray:
        start = time.perf_counter()
        with self._going_back():
            costs = self.guard.run(self.feed, steps, then)
        self.stopwatch.record(steps, time.perf_counter() - start)
        return costs

    @contextmanager
    def _going_back(self) -> Iterator[None]:
        try:
            yield
        except NonFiniteError:
            self.costs, self.history = self._held
            raise


def _as(value: np.ndarray, dtype: str | None) -> Any:
    return value if dtype is None else value.astype(tf.as_dtype(dtype).as_numpy_dtype)
