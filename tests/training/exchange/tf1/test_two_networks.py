"""A graph with two networks, each trained by an Adam of its own, as in adversarial training.

Slots are numbered by variable, so that both are called Adam, and powers through the graph. A variable scope that is
entered again, to minimize in, is called train_1 in the names of powers alone.
"""

import re
import shutil
from contextlib import nullcontext

import numpy as np
import pytest
import tensorflow as tf

from core import InputError
from training.exchange.tf1.exporting import export_run
from training.exchange.tf1.import_checkpoint import Options, import_checkpoint
from training.exchange.tf1.typed_map import parsed
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings

from .files import tensors, v1

MAP = ["h1=G/W1", "ho=G/W2", "b1=G/b1", "bo=G/b2"]
SLOTS = {"": "Adam", "train": "train/Adam"}
POWERS = {
    "": [("beta1_power", "beta2_power"), ("beta1_power_1", "beta2_power_1")],
    "train": [(f"{scope}/beta1_power", f"{scope}/beta2_power") for scope in ("train", "train_1")],
}
"""D's and G's, by the scope in which both are minimized."""
SETTINGS = Settings(rule="adam", workload="regression")


@pytest.fixture(scope="module", params=[*SLOTS], ids=["no scope", "a scope entered twice"])
def scope(request):
    return request.param


@pytest.fixture(scope="module")
def folder(scope, tmp_path_factory):
    """gan.ckpt with its graph and plain.ckpt without: D trained for 50 steps, G for 10."""
    folder, random = tmp_path_factory.mktemp("two"), np.random.default_rng(0)
    with tf.Graph().as_default(), v1.Session() as session:
        rows, steps = tf.constant(random.random((20, 10)), tf.float32), []
        for network in "DG":
            with v1.variable_scope(network):
                shapes = {"W1": [10, 8], "b1": [8], "W2": [8, 1], "b2": [1]}
                v = {name: v1.get_variable(name, shape) for name, shape in shapes.items()}
            cost = tf.reduce_mean((tf.nn.relu(rows @ v["W1"] + v["b1"]) @ v["W2"] + v["b2"] - 1) ** 2)
            with v1.variable_scope(scope) if scope else nullcontext():
                steps.append(v1.train.AdamOptimizer(0.01).minimize(cost, var_list=[*v.values()]))
        session.run(v1.global_variables_initializer())
        for step, times in zip(steps, (50, 10), strict=True):
            for _ in range(times):
                session.run(step)
        v1.train.Saver().save(session, str(folder / "gan.ckpt"))
    for ending in ("index", "data-00000-of-00001"):
        shutil.copy(folder / f"gan.ckpt.{ending}", folder / f"plain.ckpt.{ending}")
    return folder


@pytest.mark.parametrize(("file", "step"), [("gan.ckpt", None), ("gan.ckpt", 10), ("plain.ckpt", 10)])
def test_the_step_is_that_of_the_optimizer_s_own_powers(scope, folder, tmp_path, file, step):
    import_checkpoint(folder / file, SETTINGS, Options(map=MAP, slots=SLOTS[scope], step=step), tmp_path / "run")
    assert RunFolder(tmp_path / "run").newest().tensors["optimizer/step"] == 10


@pytest.mark.parametrize("step", [None, 11])
def test_powers_that_nothing_decides_are_not_guessed(scope, folder, tmp_path, step):
    pairs = [" and ".join(names) for names in POWERS[scope]]
    words = f"powers are those of the slots {SLOTS[scope]}: {pairs[0]} (step 50), {pairs[1]} (step 10); the graph"
    with pytest.raises(InputError, match=re.escape(words)):
        import_checkpoint(
            folder / "plain.ckpt", SETTINGS, Options(map=MAP, slots=SLOTS[scope], step=step), tmp_path / "run"
        )
    assert not (tmp_path / "run").exists()


def test_only_its_own_powers_are_replaced_on_the_way_back(scope, folder, tmp_path):
    import_checkpoint(folder / "gan.ckpt", SETTINGS, Options(map=MAP), tmp_path / "run")
    trainer, _ = RunFolder(tmp_path / "run").begin(Settings(), resume=True)
    trainer.optimizer.step.assign(77)
    RunFolder(tmp_path / "later").save(trainer)
    export_run(tmp_path / "later", tmp_path / "back.ckpt", like=folder / "gan.ckpt", names=parsed(MAP))
    before, after = tensors(folder / "gan.ckpt"), tensors(tmp_path / "back.ckpt")
    changed = {name for name in before if before[name].tobytes() != after[name].tobytes()}
    assert changed == {*POWERS[scope][1]}
    with pytest.raises(InputError, match="nothing shows which powers are those of the slots "):
        export_run(tmp_path / "later", tmp_path / "new.ckpt", like=folder / "plain.ckpt", names=parsed(MAP))
