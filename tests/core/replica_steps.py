"""One arrangement of replicas, in a process of its own: what its steps compute, for tests/core/test_replicas.py.

    python -m tests.core.replica_steps one|mirrored|workers FOLDER

"one" writes the states from which all others take the same steps. A worker is one of those in TF_CONFIG.
"""

import hashlib
import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import tensorflow as tf

from core import Adam, Guard, LossScale, NonFiniteError, Optimizer, Program, Recorder
from core.engine.feeds import Sampler
from tests.cases import CASES
from training.runs.distribution.strategies import mirrored, multi_worker
from training.workloads.data import load_dataset
from training.workloads.mlp import MLP
from training.workloads.perceptron import new_weights

LAYERS, BATCH, STEPS, FREE, MICROBATCHES = [784, 20, 10], 60, 6, 30, 6
RULES = {"h1": ("adam", "tf1"), "b1": ("adagrad", "torch"), "ho": ("adadelta", "torch"), "bo": ("sgd", "keras")}
"""Which rule, in which dialect, each variable has: all are in one program, since a compilation is what costs."""


class Arrangement:
    """strategy: None for one device. Results go to `found`, by name."""

    def __init__(self, strategy):
        self.strategy, self.found = strategy, {}
        train = load_dataset().train
        self.data = [tf.constant(array[:6_000]) for array in train]
        self.batches = Sampler(6_000, BATCH, 0).take(STEPS + FREE)

    def program(self, *, recorded=None, scale=None, **options):
        with self.strategy.scope() if self.strategy else nullcontext():
            weights = new_weights(LAYERS, "he")
            optimizer = Optimizer(
                [(CASES[rule].rule, {name: weights[name]}) for name, rule in RULES.items()],
                loss_scale=scale and LossScale(scale),
            )
            recorder = Recorder(optimizer, **recorded) if recorded else None
            return Program(MLP().cost, weights, optimizer, recorder=recorder, **options), recorder

    def digests(self, optimizer):
        """Of all that a step changes, on each of this process's replicas."""
        local = self.strategy.experimental_local_results if self.strategy else lambda variable: [variable]
        states = [[part.numpy() for part in local(variable)] for variable in optimizer.state.values()]
        return [hashlib.sha256(b"".join(a.tobytes() for a in of)).hexdigest()[:12] for of in zip(*states, strict=True)]

    def steps_from(self, states):
        """Each step from its own state; without states, from where the one before came to."""

        def everything(cost, gradients, updates):
            deltas = {f"delta {name}": update.delta for name, update in updates.items()}
            return {"cost": cost, **{f"gradient {name}": g for name, g in gradients.items()}, **deltas}

        program, _ = self.program(observe=everything)
        for number in range(STEPS):
            if states is not None:
                for name, variable in program.optimizer.state.items():
                    variable.assign(states[f"{number} before {name}"])
            before = {f"before {name}": variable.numpy() for name, variable in program.optimizer.state.items()}
            seen = program.run(self.data, self.batches[number : number + 1])
            after = {f"after {name}": variable.numpy() for name, variable in program.optimizer.state.items()}
            seen = {name: value.numpy()[0] for name, value in seen.items()}
            self.found |= {f"{number} {name}": value for name, value in (before | seen | after).items()}
            self.found[f"{number} digests"] = self.digests(program.optimizer)

    def left_alone(self, name, **options):
        """A call of many steps, from the first weights."""
        program, recorder = self.program(**options)
        self.found[f"{name} costs"] = program.run(self.data, self.batches[STEPS:])
        self.found[f"{name} digests"] = self.digests(program.optimizer)
        self.found[f"{name} dropped"] = program.optimizer.dropped.numpy()
        if recorder:
            steps, columns = recorder.recording()
            self.found |= {"recorded steps": steps, "recorded norms": columns["h1/norm_delta"]}
        if name == "plain":
            local = self.strategy.experimental_local_results(program._runner._placed[1][0])
            self.found["devices"] = [tensor.device for tensor in local]

    def rows(self):
        """An embedding, whose gradients have a few of its rows, and some of them twice."""
        for sparse in ("sum", "lazy"):
            with self.strategy.scope() if self.strategy else nullcontext():
                table = {"table": tf.Variable(tf.reshape(tf.range(40.0), [10, 4]) / 40)}
                optimizer = Optimizer(Adam(0.1), table, sparse=sparse)
                program = Program(lambda v, i: tf.reduce_mean(tf.gather(v["table"], i) ** 2), table, optimizer)
            program.run([tf.constant([3, 1, 4, 1, 5, 9, 2, 6, 5, 3])], np.arange(30).reshape(5, 6) % 10)
            self.found[f"rows {sparse}"] = table["table"].numpy()

    def guarded(self):
        """The fourth of eight batches has a NaN, in the last replica's share."""
        examples = np.random.default_rng(0).normal(size=[48, 3]).astype(np.float32)
        examples[23, 1] = np.nan
        batches = np.arange(48).reshape(8, 6)

        def run(name, on_nonfinite, batches):
            with self.strategy.scope() if self.strategy else nullcontext():
                variables = {"w": tf.Variable([[0.5], [-1.0], [2.0]])}
                optimizer = Optimizer(Adam(0.1), variables, drops_nonfinite=on_nonfinite == "skip")
                program = Program(lambda v, x: tf.reduce_mean((x @ v["w"]) ** 2), variables, optimizer)
            guard = Guard(program, on_nonfinite)
            try:
                guard.run([tf.constant(examples)], batches)
                guard.look()
            except NonFiniteError as error:
                self.found[f"{name} error"] = str(error)
            self.found[f"{name} dropped"] = optimizer.dropped.numpy()
            optimizer.dropped.assign(0)
            self.found[f"{name} digests"] = self.digests(optimizer)

        run("stopped", "stop", batches)
        run("skipped", "skip", batches)
        run("spared", "skip", np.delete(batches, 3, axis=0))


def main(kind: str, folder: Path) -> None:
    strategy = {"one": lambda: None, "mirrored": lambda: mirrored(2), "workers": multi_worker}[kind]()
    arrangement = Arrangement(strategy)
    arrangement.steps_from(None if strategy is None else np.load(folder / "one-0.npz"))
    # All figures are compiled for the arrangement that is compared with one that records nothing.
    arrangement.left_alone("recorded", recorded={"every": 7} | ({} if kind == "mirrored" else {"figures": ["norms"]}))
    arrangement.left_alone("ordered", microbatches=MICROBATCHES)
    arrangement.left_alone("scaled", microbatches=MICROBATCHES, compute="float16", scale=2.0**24)
    arrangement.rows()
    arrangement.guarded()
    if kind == "mirrored":
        arrangement.left_alone("plain")
    if kind != "workers":
        arrangement.left_alone("graph", execution="graph")
    config = json.loads(os.environ.get("TF_CONFIG", "{}"))
    name = kind if not config else f"workers-{len(config['cluster']['worker'])}"
    np.savez(folder / f"{name}-{config['task']['index'] if config else 0}.npz", **arrangement.found)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
