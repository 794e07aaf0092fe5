"""Notebooks other than the one: half in their session, half here, and back, as in test_continuation.py.

Sixty steps there, then fifty on both sides on the same batches, and fifty more on both sides after the way back.
Trajectories part by rounding: here, on ten columns of float32, by 3e-7 of a cost in fifty steps, in each of the cases;
the limit is ten times that, and each planted error goes beyond it a hundredfold.
"""

import re

import numpy as np
import pytest
import tensorflow as tf

from core import InputError
from training.commands.cli import main
from training.exchange.tf1.exporting import export_run
from training.exchange.tf1.import_checkpoint import Options, import_checkpoint
from training.exchange.tf1.typed_map import parsed
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings

from .files import tensors
from .notebooks import NadamOptimizer, Notebook, lettered, scoped, unnamed, worded

HALF, FIFTY = 60, 50
LIMIT = 3e-6
train = tf.compat.v1.train
WIDE = f"{__package__}.wide:Wide"
WORDS = [f"{letter}{label}={word}_{letter}" for letter in "hb" for label, word in
         (("1", "first"), ("2", "middle"), ("o", "out"))]  # fmt: skip


def decaying():
    return train.exponential_decay(0.005, train.get_or_create_global_step(), 50, 0.8)


CASES = {
    "scopes and other β": (
        Notebook(lambda: train.AdamOptimizer(0.002, 0.8, 0.99), scoped, scope="train", counts=True),
        dict(learning_rate=0.002), {}, {},
    ),
    "W1, b1, W2, b2 by Momentum": (
        Notebook(lambda: train.MomentumOptimizer(0.005, 0.8), lettered), dict(learning_rate=0.005),
        {"momentum": ("0.8",)}, {},
    ),
    "W, b, W, b without names, by RMSProp with momentum": (
        Notebook(lambda: train.RMSPropOptimizer(0.001, momentum=0.5), unnamed), dict(learning_rate=0.001),
        {"momentum": ("0.5",)}, {},
    ),
    "centered RMSProp": (
        Notebook(lambda: train.RMSPropOptimizer(0.001, 0.8, centered=True), lettered), dict(learning_rate=0.001),
        {"rho": ("0.8",)}, {},
    ),
    "names that nothing orders, by GradientDescent": (
        Notebook(lambda: train.GradientDescentOptimizer(0.01), worded, counts=True),
        dict(rule="sgd", learning_rate=0.01), {}, dict(rule="sgd", map=WORDS),
    ),
    "averages": (
        Notebook(lambda: train.AdamOptimizer(0.002), lettered, ema=0.9), dict(learning_rate=0.002, ema=0.9), {}, {},
    ),
    "float64, rounded": (
        Notebook(lambda: train.AdamOptimizer(0.002), scoped, dtype="float64"), dict(learning_rate=0.002), {},
        dict(rounds=True),
    ),
    "float64, in a workload of float64": (
        Notebook(lambda: train.MomentumOptimizer(0.005, 0.8), scoped, dtype="float64", meta=True),
        dict(workload=WIDE), {}, {},
    ),
    "Nesterov, all from the graph": (
        Notebook(lambda: train.MomentumOptimizer(0.004, 0.85, use_nesterov=True), worded, meta=True), {}, {}, {},
    ),
    "a rate that decays by the steps": (
        Notebook(lambda: train.AdamOptimizer(decaying), lettered, counts=True, meta=True),
        dict(schedule="exponential:0.005,steps=50,factor=0.8"), {}, {},
    ),
    "Nadam": (Notebook(lambda: NadamOptimizer(0.002), lettered), dict(learning_rate=0.002), {}, dict(nesterov=True)),
    "Adagrad": (Notebook(lambda: train.AdagradOptimizer(0.01), lettered), dict(learning_rate=0.01), {}, {}),
    "Adadelta": (Notebook(lambda: train.AdadeltaOptimizer(0.5), lettered), dict(learning_rate=0.5), {}, {}),
    "Ftrl, all from the graph": (
        Notebook(lambda: train.FtrlOptimizer(0.05, l1_regularization_strength=0.001), lettered, meta=True), {}, {}, {},
    ),
}  # fmt: skip
"""The notebook; settings of the run; options of rule and workload; what else a person says of the file."""


@pytest.fixture(scope="module")
def batches():
    random = np.random.default_rng(5)
    return np.concatenate([random.permutation(352).reshape(8, 44) for _ in range(20)]).astype(np.int32)


def costs(trainer, batches):
    return trainer.program.run([tf.constant(array) for array in trainer.data.train], batches).numpy()


def apart(name, ours, theirs):
    """How far costs part at most, relatively; says so."""
    assert len(ours) == len(theirs) == FIFTY
    found = float(np.max(np.abs(ours.astype(np.float64) - theirs) / theirs))
    print(f"{name}: {found:.1e}")
    return found


class Both:
    """A notebook's session and the run that its file became, each after fifty steps more of its own.

    ours, theirs: what they cost each.
    step, state:  the trainer's before them; averages, served: the session's averages and what the run serves, after.
    after:        what the trainer's next fifty cost, from the state that is saved.
    """

    def __init__(self, name, folder, batches):
        self.notebook, given, options, more = CASES[name]
        self.session, self.file, self.folder = self.notebook.session(), folder / "net.ckpt", folder / "run"
        self.session.costs(batches[:HALF])
        self.session.save(self.file)
        self.theirs = self.session.costs(batches[HALF : HALF + FIFTY])
        self.averages = self.session.averages()
        settings = Settings(**{"rule": "adam", "workload": "regression", **given})
        self.done = import_checkpoint(self.file, settings, Options(of_run=options, **more), self.folder)
        self.run, self.trainer = RunFolder(self.folder), self.done.trainer
        self.step = self.trainer.step
        self.state = {name: value.numpy() for name, value in self.trainer.optimizer.state.items()}
        self.ours = costs(self.trainer, batches[HALF : HALF + FIFTY])
        self.served = {name: value.numpy() for name, value in self.trainer.optimizer.served().items()}
        self.run.save(self.trainer)
        self.after = costs(self.trainer, batches[HALF + FIFTY :][:FIFTY])


@pytest.fixture(scope="module")
def both(tmp_path_factory, batches):
    remembered = {}

    def of(name):
        if name not in remembered:
            remembered[name] = Both(name, tmp_path_factory.mktemp("both"), batches)
        return remembered[name]

    return of


@pytest.mark.parametrize("name", CASES)
def test_a_session_s_run_goes_on_here_as_it_would_there(both, name):
    """Would catch another order of variables, another rule, a lost slot, and settings that are not the file's."""
    sides = both(name)
    assert apart(f"{name}, there then here", sides.ours, sides.theirs) <= LIMIT
    assert sides.step == (HALF if "Adam" in sides.done.read or sides.notebook.counts else 0)
    held = sides.trainer.variables["h1"].dtype
    assert held == (sides.notebook.dtype if "workload" in CASES[name][1] else tf.float32)


@pytest.mark.parametrize("name", CASES)
def test_it_goes_back_to_a_session_that_continues_in_agreement(both, batches, tmp_path, name):
    """By the same names; into graphs with more than a file of one optimizer has, by a file of theirs."""
    sides, back = both(name), tmp_path / "back.ckpt"
    more = sides.notebook.scope or sides.notebook.counts or sides.notebook.dtype == "float64"
    export_run(sides.folder, back, names=sides.session.names, like=sides.file if more else None)
    theirs, ours = tensors(sides.file), tensors(back)
    assert {n: (t.dtype, t.shape) for n, t in ours.items()} == {n: (t.dtype, t.shape) for n, t in theirs.items()}
    session = sides.notebook.session()
    session.restore(back)
    assert apart(f"{name}, and back", sides.after, session.costs(batches[HALF + FIFTY :][:FIFTY])) <= LIMIT


def test_a_file_s_map_is_taken_on_the_way_back_where_its_graph_decides_and_else_refused(both, tmp_path, capsys):
    """W2 and b2 could be b1's layer: an import may have had a map, which the run does not hold."""
    sides, back = both("Nesterov, all from the graph"), tmp_path / "back.ckpt"
    with pytest.raises(SystemExit, match="0"):
        main(["export-tf1", "--checkpoint", str(sides.folder), "--out", str(back), "--like", str(sides.file)])
    assert f"rawstep: {sides.done.notes[0]}\n" in capsys.readouterr().err
    assert tensors(back)["middle_b"].tobytes() == sides.run.newest().tensors["weights/b2"].tobytes()
    sides = both("W1, b1, W2, b2 by Momentum")
    words = "b1, b2 are all of the shape [8], and only names and order tell them apart; if these are right: --map h1=W1"
    with pytest.raises(InputError, match=re.escape(words)):
        export_run(sides.folder, tmp_path / "new.ckpt", like=sides.file)


def test_averages_go_on_and_are_what_the_run_serves(both):
    """Within the rounding of fifty steps; would catch averages that begin at the weights, 1e-3 away."""
    sides = both("averages")
    assert sides.averages
    weights = {name: value.numpy() for name, value in sides.trainer.variables.items()}
    for name, theirs in sides.averages.items():
        scale = np.max(np.abs(theirs))
        assert np.max(np.abs(sides.served[name] - theirs)) <= LIMIT * scale
        assert np.max(np.abs(weights[name] - theirs)) > 100 * LIMIT * scale


def test_float64_is_held_to_the_bit_where_the_workload_has_it(both):
    sides = both("float64, in a workload of float64")
    theirs = tensors(sides.file)
    for name, file_name in sides.session.names.items():
        assert sides.state[name].tobytes() == theirs[file_name].tobytes()
        assert sides.state[f"v of {name}"].tobytes() == theirs[f"{file_name}/Momentum"].tobytes()
        assert sides.state[name].dtype == np.float64


PLANTED = {
    "the usual β": ("scopes and other β", dict(beta_1=("0.9",), beta_2=("0.999",)), {}, "train/beta1_power"),
    "Nesterov's": ("W1, b1, W2, b2 by Momentum", dict(momentum=("0.8",)), dict(nesterov=True), None),
    "another share": ("centered RMSProp", dict(rho=("0.9",)), {}, None),
    "b1 for b2": (
        "names that nothing orders, by GradientDescent", {},
        dict(rule="sgd", map=[word.replace("b1=first", "b1=middle") if "b1" in word else
                              word.replace("b2=middle", "b2=first") for word in WORDS]), None,
    ),
    "no slots": ("averages", {}, dict(rule="adam", slots="none"), None),
    "Adam's": ("Nadam", {}, {}, None),
}  # fmt: skip


@pytest.mark.parametrize(("name", "options", "more", "refused"), PLANTED.values(), ids=PLANTED)
def test_what_is_said_wrongly_of_a_file_would_be_seen(both, batches, tmp_path, name, options, more, refused):
    """The comparison can fail; β that are not the file's are refused before."""
    sides, given = both(name), CASES[name][1]
    more, settings = (
        Options(of_run=options, **more),
        Settings(**{"rule": "adam", "workload": "regression", **given}),
    )
    if refused:
        with pytest.raises(InputError, match=f"{refused} = .* is no power of β = 0.9"):
            import_checkpoint(sides.file, settings, more, tmp_path / "run")
        return
    trainer = import_checkpoint(sides.file, settings, more, tmp_path / "run").trainer
    assert apart(name, costs(trainer, batches[HALF : HALF + FIFTY]), sides.theirs) > 100 * LIMIT


def begun_anew(slots):
    slots["a"].assign(tf.fill(slots["a"].shape, 0.1))


def exchanged(slots):
    one, other = slots.values()
    before = one.numpy()
    one.assign(other)
    other.assign(before)


def zeroed(slots):
    for slot in slots.values():
        slot.assign(tf.zeros_like(slot))


@pytest.mark.parametrize(("name", "plant"), [("Adagrad", begun_anew), ("Adadelta", exchanged), ("Adadelta", zeroed)])
def test_slots_carried_over_wrongly_would_be_seen(both, batches, tmp_path, name, plant):
    sides = both(name)
    settings = Settings(**{"rule": "adam", "workload": "regression", **CASES[name][1]})
    trainer = import_checkpoint(sides.file, settings, Options(), tmp_path / "run").trainer
    for slots in trainer.optimizer.slots.values():
        plant(slots)
    assert apart(f"{name}, {plant.__name__}", costs(trainer, batches[HALF : HALF + FIFTY]), sides.theirs) > 30 * LIMIT


def test_a_rate_that_the_graph_computes_is_asked_for(both, tmp_path):
    """TensorFlow 1's usual one would be another."""
    file, settings = both("a rate that decays by the steps").file, Settings(rule="adam", workload="regression")
    with pytest.raises(
        InputError, match=r"has no single constant for --learning-rate of Adam: give it, or --schedule\."
    ):
        import_checkpoint(file, settings, Options(), tmp_path / "run")


NOTES = {
    "scopes and other β": [
        "took --map h1=net/dense/kernel h2=net/dense_1/kernel ho=net/dense_2/kernel b1=net/dense/bias "
        "b2=net/dense_1/bias bo=net/dense_2/bias",
        "train/beta1_power and train/beta2_power show beta_1 0.8, beta_2 0.99",
        "no graph beside the file: TensorFlow 1's defaults taken: epsilon 1e-08",
    ],
    "centered RMSProp": [
        "took --map h1=W1 h2=W2 ho=W3 b1=b1 b2=b2 bo=b3",
        "no graph beside the file: TensorFlow 1's defaults taken: epsilon 1e-10, momentum 0.0",
        "the file has no global_step, and these slots do not show it: the step is taken to be 0 (--step N)",
        "left out: the slots RMSProp_2, the velocities, which RMSProp without momentum does not read (--momentum)",
    ],
    "names that nothing orders, by GradientDescent": [],
    "Nesterov, all from the graph": [
        "took --map h1=first_h h2=middle_h ho=out_h b1=first_b b2=middle_b bo=out_b",
        "{}.meta has learning_rate 0.004, momentum 0.85 of Momentum",
        "the file has no global_step, and these slots do not show it: the step is taken to be 0 (--step N)",
    ],
}


@pytest.mark.parametrize("name", NOTES)
def test_what_was_found_taken_and_left_out_is_said(both, name):
    assert both(name).done.notes == [note.format(both(name).file) for note in NOTES[name]]


def test_what_is_rounded_is_said_and_how_much(both):
    said = both("float64, rounded").done.notes[-1]
    found = re.fullmatch(r"rounded 18 tensors from float64 to float32; the largest change is (.*) of a number", said)
    assert 2**-26 < float(found[1]) <= 2**-24, "half an ulp at most, and some number nearly that"


def test_the_map_that_is_printed_is_the_one_to_paste(both):
    """As a person would: the words after --map."""
    sides = both("scopes and other β")
    words = next(note for note in sides.done.notes if note.startswith("took")).removeprefix("took --map ").split()
    assert parsed(words) == sides.session.names
