"""Half of a run in TensorFlow 1's session, half here, in both orders, by the notebook's own graph and `Saver`.

After a hundred steps the state passes through a file, and both sides go on from it on the same batches. Float32
trajectories part by themselves: both sides round differently, Adam's powers are running products there and powers here,
and training amplifies it. Seen over the first fifty steps: 4e-6; in the mean of all a hundred 4e-6. The limits leave
room for another processor's rounding, and for nothing that is planted. Other optimizers: test_notebooks.py.
"""

import re
from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.engines.notebook_session import NotebookSession
from benchmarks.work import TrainingWork
from core import InputError
from training.exchange.tf1.choosing import choose_slots, step_of_slots
from training.exchange.tf1.contents import read
from training.exchange.tf1.exporting import export_run
from training.exchange.tf1.importing import import_run
from training.runs.resuming import restore
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings
from training.runs.trainer import Trainer

v1 = tf.compat.v1
HALF, FIFTY = 100, 50
NOTEBOOK_S = [
    partial(v1.train.AdamOptimizer, 0.001),
    partial(v1.train.AdamOptimizer, 0.005),
    partial(v1.train.AdamOptimizer, 0.0005),
    partial(v1.train.AdadeltaOptimizer, 0.001),
    partial(v1.train.AdagradOptimizer, 0.001),
]
"""The optimizers of the notebook's graph, in the order of its cells."""


@pytest.fixture(scope="module")
def batches():
    return TrainingWork().sampler().take(500)


def imported(file, folder, rate=0.001, slots=None):
    """The run that a file becomes."""
    contents = read(file)
    of = choose_slots(contents, slots)
    step, _ = step_of_slots(contents, of, None)
    import_run(contents, of, step, Settings(rule=of.kind.rule, learning_rate=rate), folder)
    return RunFolder(folder)


def costs(trainer, batches):
    return trainer.program.run([tf.constant(array) for array in trainer.data.train], batches).numpy()


LIMIT = 1e-3
"""In the cost of each of the first fifty steps, relatively."""
LIMIT_OF_MEAN = 0.01


def together(what, ours, theirs):
    """Whether costs agree within the limits; says how far they do."""
    assert len(ours) == len(theirs) >= FIFTY
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    fifty = np.max(np.abs(ours - theirs)[:FIFTY] / theirs[:FIFTY])
    mean = abs(ours.mean() / theirs.mean() - 1)
    print(f"{what}: first {FIFTY} steps {fifty:.1e}, mean {mean:.1e}")
    return bool(fifty <= LIMIT and mean <= LIMIT_OF_MEAN)


class BothSides:
    """A trainer and the notebook's session, both of Adam, after half the steps: saved, and gone on from.

    run, file:    what each saved after the first half, on the same batches from the same weights.
    ours, theirs: what the second half cost each.
    imported:     the run that the session's file has become.
    """

    def __init__(self, folder, batches):
        settings = Settings(rule="adam", learning_rate=0.001)
        self.trainer = Trainer(settings, settings.data())
        costs(self.trainer, batches[:HALF])
        self.run, self.file = RunFolder(folder / "here"), folder / "rnn2.ckpt"
        self.run.save(self.trainer)
        self.ours = costs(self.trainer, batches[HALF : 2 * HALF])
        self.session = NotebookSession(TrainingWork(), NOTEBOOK_S[0])
        self.session.costs(batches[:HALF])
        self.session.save(self.file)
        self.theirs = self.session.costs(batches[HALF : 2 * HALF])
        self.imported = imported(self.file, folder / "imported")


@pytest.fixture(scope="module")
def sides(tmp_path_factory, batches):
    return BothSides(tmp_path_factory.mktemp("sides"), batches)


def test_a_run_begun_in_a_session_goes_on_here_as_it_would_there(sides, batches):
    """Would catch slots that are dropped, exchanged or of another variable, a step miscounted, another dialect."""
    restore(sides.imported.newest(), sides.trainer)
    assert sides.trainer.step == HALF
    assert together("there then here", costs(sides.trainer, batches[HALF : 2 * HALF]), sides.theirs)


def test_a_run_begun_here_goes_on_in_a_session_as_it_would_here(sides, batches, tmp_path):
    """The same the other way round: would catch wrong powers, and what `restore` would not find."""
    export_run(sides.run.path, tmp_path / "rnn2.ckpt")
    sides.session.restore(tmp_path / "rnn2.ckpt")
    assert together("here then there", sides.ours, sides.session.costs(batches[HALF : 2 * HALF]))


def zeroed(trainer):
    for slots in trainer.optimizer.slots.values():
        for slot in slots.values():
            slot.assign(tf.zeros_like(slot))


def exchanged(trainer):
    for slots in trainer.optimizer.slots.values():
        one, other = slots.values()
        before = one.numpy()
        one.assign(other)
        other.assign(before)


def of_another_variable(trainer):
    """b1 and b2 are of one shape, and nothing but their order tells them apart."""
    for weight in (trainer.variables, *({v: trainer.optimizer.slots[v][s] for v in ("b1", "b2")} for s in "mv")):
        before = weight["b1"].numpy()
        weight["b1"].assign(weight["b2"])
        weight["b2"].assign(before)


def at_step_0(trainer):
    trainer.optimizer.step.assign(0)


@pytest.mark.parametrize("plant", [zeroed, exchanged, of_another_variable, at_step_0])
def test_a_state_carried_over_wrongly_would_be_seen(sides, batches, plant):
    """The comparison can fail."""
    restore(sides.imported.newest(), sides.trainer)
    plant(sides.trainer)
    assert not together(plant.__name__, costs(sides.trainer, batches[HALF : 2 * HALF]), sides.theirs)


def test_one_of_several_optimizers_in_a_graph_goes_on_here_and_is_put_back(batches, tmp_path):
    """Would catch another Adam's slots or powers, and a file that the graph of several optimizers does not restore.

    The third Adam, of the smallest rate: at 0.005 rounding alone comes to 1e-2 within fifty steps.
    """
    session = NotebookSession(TrainingWork(), *NOTEBOOK_S)
    session.costs(batches[:100], optimizer=0)
    session.costs(batches[100:250], optimizer=2)
    session.costs(batches[250:300], optimizer=3)
    file, back = tmp_path / "rnn2_4.ckpt", tmp_path / "back.ckpt"
    session.save(file)
    with pytest.raises(InputError, match=re.escape(
        "Adam (100 steps), Adam_2 (no step yet), Adam_4 (150 steps), Adagrad (unused), Adadelta (used)."
    )):  # fmt: skip
        choose_slots(read(file), None)
    run = imported(file, tmp_path / "run", rate=0.0005, slots="Adam_4")
    trainer, _ = run.begin(Settings(), resume=True)
    assert trainer.step == 150
    ours = costs(trainer, batches[300:400])
    assert together("one of three", ours, session.costs(batches[300:400], optimizer=2))

    run.save(trainer)
    export_run(run.path, back, like=file, slots="Adam_4")
    before, after = read(file).tensors, read(back).tensors
    changed = {name for name in before if before[name].tobytes() != after[name].tobytes()}
    assert changed == {name for name in before if re.fullmatch(r"Variable(_\d)?(/Adam_[45])?|beta[12]_power_2", name)}

    restored = NotebookSession(TrainingWork(seed=1), *NOTEBOOK_S)
    restored.restore(back)
    theirs = restored.costs(batches[400:500], optimizer=2)
    assert together("put back", costs(trainer, batches[400:500]), theirs)
