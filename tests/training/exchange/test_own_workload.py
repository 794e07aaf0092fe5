"""A workload of the user's own leaves the house as any does: one array of floats, no labels, variables in any order."""

import re
import sys

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import pjrt
from training.commands.cli import main
from training.exchange.stablehlo import epoch_program
from training.runs.run_folder import RunFolder

from ..test_hostile import contents

TASKS = """
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from training.workloads.workload import Data, Workload


@dataclass(frozen=True, kw_only=True)
class Bare(Workload):
    width: int = 2

    def data(self, seed):
        points = np.random.default_rng(seed).normal(size=(60, 4, 3)).astype(np.float32)
        return Data((points[:40],), (points[40:50],), (points[50:],))

    def variables(self, data, seed):
        random = np.random.default_rng(seed)
        return {"out": random.normal(size=(self.width, 3)), "into": random.normal(size=(3, self.width))}

    def again(self, variables, points):
        return tf.cast(points, tf.float64) @ variables["into"] @ variables["out"]

    def cost(self, variables, points):
        return tf.reduce_mean((self.again(variables, points) - tf.cast(points, tf.float64)) ** 2)


class Served(Bare):
    def outputs(self, variables, inputs):
        return {"again": self.again(variables, inputs), "norm": tf.norm(inputs, axis=-1)}


class Failing(Bare):
    def outputs(self, variables, inputs):
        return {"again": inputs @ variables["absent"]}


class Unnamed(Bare):
    def outputs(self, variables, inputs):
        return self.again(variables, inputs)


class Uncompiled(Bare):
    def cost(self, variables, points):
        return super().cost(variables, points) + 0 * tf.timestamp()
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with a run of each task, after an epoch."""
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "own_tasks.py").write_text(TASKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [str(folder), *sys.path])
        for name in re.findall(r"class (\w+)", TASKS):
            run = ["--batch-size", "10", "--epochs", "1", "--execution", "graph", "--checkpoint", name]
            assert ended("train", "--workload", f"own_tasks:{name}", "--width", "3", *run) == 0
        yield folder


def ended(*arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return end.value.code


def test_it_is_served_for_arrays_of_its_own_kind(runs):
    """Would catch a signature of rows of bytes, and matrices in each other's place: a checkpoint has them by name."""
    assert ended("export", "--checkpoint", "Served", "--saved-model", "served") == 0
    signature = tf.saved_model.load("served").signatures["serving_default"]
    points = tf.random.stateless_normal([7, 4, 3], [0, 0])
    found, values = signature(inputs=points), RunFolder(runs / "Served").newest().variables
    np.testing.assert_array_equal(found["again"], tf.cast(points, tf.float64) @ values["into"] @ values["out"])
    np.testing.assert_array_equal(found["norm"], tf.norm(points, axis=-1))
    assert values["into"].shape == (3, 3), "by the option --width"


def test_its_next_epoch_runs_where_there_is_no_tensorflow(runs, capsys):
    """Would catch a program that takes images and labels, and one whose float64 variables are passed as float32."""
    assert ended("export", "--checkpoint", "Served", "--stablehlo", "epoch") == 0
    exported = epoch_program(RunFolder(runs / "Served").newest())
    assert [*exported.arguments][:2] == ["data-0", "batches"]
    assert exported.arguments["weights/into"].dtype == np.float64
    capsys.readouterr()
    before = pjrt.jax.config.read("jax_enable_x64")
    try:
        pjrt.main(["epoch", "--rounds", "2"])
    finally:
        pjrt.jax.config.update("jax_enable_x64", before)
    said = capsys.readouterr().out
    assert said.startswith("adam (tf1), own_tasks:Served Served, 4 steps in batches of 10; ")
    assert "There is no scan of own_tasks:Served by adam to compare with: the program runs alone." in said
    assert re.search("^program +default .*×", said, re.MULTILINE)


REFUSED = {
    "no outputs": ("Bare", ["export", "--saved-model"], "Bare has no method 'outputs', which --saved-model needs.\n"),
    "no keras": ("Served", ["export", "--keras"], "Served has no method 'keras', which --keras needs.\n"),
    "outputs that fail": (
        "Failing", ["export", "--saved-model"], "own_tasks.py, line 36, in Failing.outputs: KeyError: 'absent'.\n",
    ),
    "outputs without names": (
        "Unnamed", ["export", "--saved-model"], "Unnamed.outputs must return tensors by name, found float64 (None, 4, ",
    ),
    "what XLA cannot compile": (
        "Uncompiled", ["export", "--stablehlo"], "XLA cannot compile the operation Timestamp: take another",
    ),
    "TensorFlow 1": (
        "Served", ["export-tf1", "--out"],
        "Served/step-00000004 must be of a perceptron, mlp or regression, to be exported without --map or "
        "--like, found own_tasks:Served.\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "command", "words"), REFUSED.values(), ids=REFUSED)
def test_what_it_lacks_ends_in_one_sentence_and_nothing_is_written(runs, capfd, name, command, words):
    before = contents(runs)
    capfd.readouterr()
    assert ended(*command, "new.keras", "--checkpoint", name) == 2
    out, err = capfd.readouterr()
    assert (out, len(err.splitlines())) == ("", 1), err
    assert words in err
    assert contents(runs) == before
