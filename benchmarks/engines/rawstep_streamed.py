"""What `rawstep train --stream` runs of a workload on images: examples that are read from shards while it trains."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.engine.feeds import Feed, Streamed
from training.runs.feeding import call_lengths, make_feed

from ..work import TrainingWork
from .rawstep_program import RawstepTrain

SHARD, WINDOW = 2_048, 16_384
"""Examples of a shard, and of a window: an epoch of MNIST has three."""


class RawstepStreamed(RawstepTrain):
    """The same steps as `RawstepTrain` takes, of examples in shards.

    A stream decides the order of its examples. So that the steps are those of all other engines, the shards are written
    anew for each sample, outside the time that is measured: where the stream comes to an example, it finds the one that
    the sample wants there. A sample is as long as an epoch of them; as in the midst of a run, its first call's examples
    are read before it begins, and those of the call after it while it ends.
    """

    def __init__(self, work: TrainingWork):
        super().__init__(work)
        self._work, self._examples = work, work.examples()
        self._folder = tempfile.TemporaryDirectory(prefix="rawstep-bench-")

    def prepare(self, batches: np.ndarray) -> tuple[Feed, list[int]]:
        x, y = self._examples
        wanted, size = batches.ravel(), batches.shape[1]
        sizes = np.diff(np.linspace(0, len(wanted), -(-len(wanted) // SHARD) + 1).astype(int))
        there = np.empty_like(wanted)
        there[_order(sizes, len(batches), size, self._work.seed)] = wanted
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        for number, rows in enumerate(np.split(there, np.cumsum(sizes)[:-1])):
            _write(folder / f"train-{number:05d}.npz", x[rows], y[rows])
        _write(folder / "validation-00000.npz", x[:1], y[[y.argmax()]])
        streamed: Any = replace(self._work.workload, stream=folder, window=WINDOW)
        feed = make_feed(streamed.data(self._work.seed), size, self._work.seed)
        lengths = call_lengths(len(batches), self._most)
        feed.prepare(lengths[0])
        return feed, lengths

    def train(self, prepared: tuple[Feed, list[int]]) -> float:
        feed, lengths = prepared
        thens = [*lengths[1:], lengths[0]]
        costs = [self._program.run(feed, steps, then).numpy() for steps, then in zip(lengths, thens, strict=True)]
        return float(np.mean(np.concatenate(costs)))


def _order(sizes: np.ndarray, steps: int, batch_size: int, seed: int) -> np.ndarray:
    """Which example of all shards, one shard after another, a stream comes to at each place of its first epoch."""
    starts = np.cumsum(sizes) - sizes

    class Numbers:
        def __init__(self) -> None:
            self.sizes = sizes

        def read(self, piece: int) -> tuple[np.ndarray, ...]:
            return (np.arange(starts[piece], starts[piece] + sizes[piece]),)

    (numbers,), batches = Streamed(Numbers(), batch_size, seed, WINDOW).take(steps)
    return numbers.numpy()[batches].ravel()


def _write(path: Path, x: np.ndarray, y: np.ndarray) -> None:
    side = x.shape[1:] if x.ndim > 2 else (1, x.shape[1])
    np.savez(path, x=x.reshape(-1, *side), y=y)
