"""What a replication is made of: pieces of work with a name, of which each leaves an outcome that JSON can hold."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from core import InputError, NonFiniteError
from core.seeds import generator

from ..runs.checkpoint import Checkpoint
from ..runs.earlier import of_perceptron
from ..runs.run_folder import RunFolder
from ..runs.settings import Settings
from ..runs.trainer import Call, Trainer
from .place import Place
from .printed import RESUMED_EPOCHS
from .scale import FIRST

Advance = Callable[[int], None]
"""Called with the number of steps since the last call. It may raise Interrupted."""


class Work(Protocol):
    """name: unique, and fit for a file name; steps: how many it trains.

    fits: whether an outcome may be one of this work.

    Raises InputError from `do` where something cannot be read or written.
    """

    @property
    def name(self) -> str: ...

    @property
    def steps(self) -> int: ...

    def do(self, place: Place, advance: Advance) -> dict[str, Any]: ...

    def fits(self, outcome: Any) -> bool: ...


class Curves(NamedTuple):
    """Of one run, float64 [epochs]: mean cost of the epoch's batches, and the accuracies after it."""

    cost: np.ndarray
    validation_accuracy: np.ndarray
    test_accuracy: np.ndarray

    @classmethod
    def of(cls, outcome: dict[str, Any]) -> "Curves":
        """A cost that was not finite is None in JSON, and NaN here."""
        epochs = outcome["epochs"]
        return cls(*(np.array([epoch[name] for epoch in epochs], np.float64) for name in cls._fields))


def steps_per_epoch(batch_size: int) -> int:
    """Of MNIST's 55,000 training images, the remainder carried over."""
    return 55_000 // batch_size


@dataclass(frozen=True)
class Training:
    """One run from its first step to its last; its outcome: settings, and costs and accuracies by epoch.

    settings: with a number of epochs and a batch size.
    """

    settings: Settings

    @property
    def name(self) -> str:
        s = self.settings
        return f"{s.rule}-rate-{s.learning_rate:g}-batch-{s.batch_size}-epochs-{s.epochs}-seed-{s.seed}"

    @property
    def epochs(self) -> int:
        return self.settings.epochs or 0

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        return steps_per_epoch(self.settings.batch_size or 0)

    @property
    def kept(self) -> bool:
        """Whether its last state is kept: those of the first experiment are, since others go on from them."""
        s = self.settings
        return (s.rule, s.learning_rate, s.batch_size) == (FIRST.rule, FIRST.learning_rate, FIRST.batch_size)

    def do(self, place: Place, advance: Advance) -> dict[str, Any]:
        trainer = Trainer(self.settings, place.data)
        epochs = _trained(trainer, advance)
        if self.kept:
            shutil.rmtree(place.state(self.name), ignore_errors=True)
            RunFolder(place.state(self.name)).save(trainer)
        return {"settings": asdict(trainer.settings), "epochs": epochs}

    def fits(self, outcome: Any) -> bool:
        return _is_run(outcome, self.settings, self.epochs)


@dataclass(frozen=True)
class Resumption:
    """Five more epochs after a run, from the state that it left on the disk."""

    before: Training

    @property
    def name(self) -> str:
        return f"{self.before.name}-resumed"

    @property
    def steps(self) -> int:
        return RESUMED_EPOCHS * self.before.steps_per_epoch

    def do(self, place: Place, advance: Advance) -> dict[str, Any]:
        trainer, _ = RunFolder(_kept(self.before, place)).begin(self._settings, resume=True)
        return {"settings": asdict(trainer.settings), "epochs": _trained(trainer, advance)}

    def fits(self, outcome: Any) -> bool:
        return _is_run(outcome, self._settings, RESUMED_EPOCHS)

    @property
    def _settings(self) -> Settings:
        return replace(self.before.settings, epochs=self.before.epochs + RESUMED_EPOCHS)


@dataclass(frozen=True)
class Sittings:
    """A run in three sittings, each a process of its own that continues where the last one stopped; compared with the
    same run in one: its costs and accuracies, and every tensor that it left.
    """

    whole: Training

    @property
    def name(self) -> str:
        return f"{self.whole.name}-in-three-sittings"

    @property
    def steps(self) -> int:
        return self.whole.steps

    @property
    def ends(self) -> list[int]:
        """The epochs after which the sittings end."""
        epochs = self.whole.epochs
        return sorted({max(1, epochs // 3), max(1, 2 * epochs // 3), epochs})

    def do(self, place: Place, advance: Advance) -> dict[str, Any]:
        folder, begun = place.state(self.name), 0
        shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was interrupted
        for end in self.ends:
            _sitting(self.whole.settings, folder, end, advance)
            advance((end - begun) * self.whole.steps_per_epoch)
            begun = end
        left = [RunFolder(path).newest() for path in (folder, _kept(self.whole, place))]
        return {"ends": self.ends, **compared(*left)}

    def fits(self, outcome: Any) -> bool:
        return isinstance(outcome, dict) and outcome.get("ends") == self.ends


@dataclass(frozen=True)
class EpochTimes:
    """Seconds of an epoch at each batch size, in interleaved rounds of shuffled order, compilation apart."""

    batches: tuple[int, ...]
    rounds: int
    seed: int

    @property
    def name(self) -> str:
        return f"epoch-times-{'-'.join(map(str, self.batches))}-rounds-{self.rounds}-seed-{self.seed}"

    @property
    def steps(self) -> int:
        return (self.rounds + 1) * sum(map(steps_per_epoch, self.batches))

    def do(self, place: Place, advance: Advance) -> dict[str, Any]:
        settings = [Settings(batch_size=batch, seed=self.seed) for batch in self.batches]
        trainers = {one.batch_size: Trainer(one, place.data) for one in settings}
        random = generator(self.seed, "rounds")
        seconds: dict[int, list[float]] = {batch: [] for batch in self.batches}
        for number in range(self.rounds + 1):
            for batch in random.permutation(self.batches).tolist():
                trainer, steps = trainers[batch], steps_per_epoch(batch)
                begun = time.perf_counter()
                trainer.program.run(trainer.feed, steps).numpy()
                if number:  # the first one compiles
                    seconds[batch].append(time.perf_counter() - begun)
                advance(steps)
        return {"seconds": seconds}

    def fits(self, outcome: Any) -> bool:
        seconds = outcome.get("seconds") if isinstance(outcome, dict) else None
        return isinstance(seconds, dict) and [*seconds] == [str(batch) for batch in self.batches]


def _is_run(outcome: Any, settings: Settings, epochs: int) -> bool:
    if not isinstance(outcome, dict) or not isinstance(found := outcome.get("settings"), dict):
        return False
    if "workload" not in found:
        found = of_perceptron(found)
    if not isinstance(found.get("workload_options"), dict) or not _are_epochs(outcome.get("epochs"), epochs):
        return False
    asked = json.loads(json.dumps(asdict(settings.settled()), default=str))
    asked.pop("on_nonfinite")
    # An earlier version's lack the settings that have come since, and had what is their default now.
    found = found | {"workload_options": {**asked["workload_options"], **found["workload_options"]}}
    return asked | {name: found[name] for name in found.keys() - {"on_nonfinite"}} == asked


def _are_epochs(found: Any, count: int) -> bool:
    return (
        isinstance(found, list)
        and len(found) == count
        and all(isinstance(one, dict) and one.keys() >= {*Curves._fields} for one in found)
    )


def _kept(work: Training, place: Place) -> Path:
    """Where a run's last state is. Raises InputError where it has gone or is damaged."""
    state = place.state(work.name)
    try:
        RunFolder(state).newest()
    except InputError as error:
        raise InputError(
            f"{state} has no whole state of the run from which another goes on; remove {place.run(work.name)} to have "
            "both repeated."
        ) from error
    return state


def compared(ours: Checkpoint, theirs: Checkpoint) -> dict[str, Any]:
    """Two states of one run, bit for bit: every tensor, every cost and accuracy, the batches to come."""
    unlike = [name for name in theirs.tensors if ours.tensors[name].tobytes() != theirs.tensors[name].tobytes()]
    return {
        "tensors": len(theirs.tensors),
        "numbers": sum(tensor.size for tensor in theirs.tensors.values()),
        "unlike_tensors": unlike,
        "epochs_equal": ours.run["epochs"] == theirs.run["epochs"],
        "order_of_batches_equal": ours.run["feed"] == theirs.run["feed"],
    }


def _trained(trainer: Trainer, advance: Advance) -> list[dict[str, float]]:
    epochs = []
    for call in _named(trainer):
        advance(call.steps)
        if call.epoch is not None:
            test = trainer.evaluate(trainer.data.test)["accuracy"]
            epochs.append(call.epoch.flat | {"test_accuracy": test})
    return epochs


def _named(trainer: Trainer) -> Iterator[Call]:
    try:
        yield from trainer.train()
    except NonFiniteError as error:
        s = trainer.settings
        run = f"{s.rule} at the rate {s.learning_rate:g}, seed {s.seed}, in batches of {s.batch_size}"
        raise NonFiniteError(error.step, f"{error.what}; this was {run}, and the runs before it are kept") from error


def _sitting(settings: Settings, folder: Path, end: int, advance: Advance) -> None:
    """`rawstep train` up to an epoch, in a process of its own, which ends with this one where a signal ends it."""
    names = ("rule", "dialect", "learning_rate", "batch_size", "seed", "on_nonfinite")
    settled = settings.settled()
    given = [word for name in names for word in (f"--{name.replace('_', '-')}", str(getattr(settled, name)))]
    program = [sys.executable, "-P", "-m", "training", "train", *given, "--epochs", str(end)]
    with tempfile.TemporaryFile("w+") as said, subprocess.Popen(
        [*program, "--checkpoint", str(folder), "--resume"], stdout=subprocess.DEVNULL, stderr=said
    ) as child:  # fmt: skip
        try:
            while child.poll() is None:
                advance(0)
                time.sleep(0.05)
        except BaseException:
            child.terminate()
            raise
        if child.returncode:
            advance(0)  # Ctrl-C ends both processes, and then is the reason
            said.seek(0)
            reason = said.read().strip().splitlines()[-1:] or [f"it ended with status {child.returncode}"]
            raise InputError(f"A sitting up to epoch {end} in {folder} failed: {reason[0]}")
