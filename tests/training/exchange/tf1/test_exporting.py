"""A run as a file, and back: the same bits, under the names that a graph has."""

import re

import numpy as np
import pytest
import tensorflow as tf

from core import InputError
from training.exchange.tf1.choosing import choose_slots, step_of_slots
from training.exchange.tf1.contents import read
from training.exchange.tf1.exporting import export_run, formula_note
from training.exchange.tf1.importing import import_run
from training.exchange.tf1.powers import power
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings
from training.runs.trainer import Trainer

from .files import ADADELTA, ADAGRAD, ADAM, session_saves, tensors, write, write_images

RULES = ("adam", "adagrad", "adadelta")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("images") / "images")


def run_at(folder, images, step=7, **settings):
    """A run of a small network at some step, with slots of all sizes."""
    own = {"hidden": ("8", "8"), "data_dir": (str(images),)}
    settings = Settings(**{"rule": "adam", "learning_rate": 0.001, "workload_options": own} | settings)
    trainer, random = Trainer(settings, settings.data()), np.random.default_rng(0)
    for slots in trainer.optimizer.slots.values():
        for slot in slots.values():
            slot.assign(10 ** random.uniform(-30, 3, slot.shape))
    trainer.optimizer.step.assign(step)
    run = RunFolder(folder)
    run.save(trainer)
    return run


@pytest.mark.parametrize(
    ("rule", "named", "step"),
    [
        *((rule, named, 900) for rule in RULES for named in (False, True)),
        *(("adam", False, step) for step in (0, 827, 828, 16_500, 87_292, 90_000)),
    ],
)
def test_a_run_exported_and_imported_has_the_same_bits(tmp_path, images, rule, named, step):
    run, file = run_at(tmp_path / "run", images, step, rule=rule), tmp_path / "rnn2.ckpt"
    export_run(run.path, file, named)
    names = set(tensors(file))
    assert ("h1" in names, "Variable" in names) == (named, not named)
    contents = read(file)
    of = choose_slots(contents, None)
    told = rule == "adam" and step < 87_293
    again, _ = step_of_slots(contents, of, None if told else step)
    settings = Settings(rule=rule, learning_rate=0.001, workload_options={"data_dir": (str(images),)})
    import_run(contents, of, again, settings, tmp_path / "back")
    before, after = run.newest().tensors, RunFolder(tmp_path / "back").newest().tensors
    assert {name: tensor.tobytes() for name, tensor in before.items()} == {
        name: tensor.tobytes() for name, tensor in after.items()
    }


@pytest.mark.parametrize("rule", RULES)
def test_a_graph_with_that_one_optimizer_finds_all_its_variables_and_no_more(tmp_path, images, rule):
    """Would catch a missing power, on which `restore` fails, and shapes that differ."""
    maker = dict(zip(RULES, (ADAM, ADAGRAD, ADADELTA), strict=True))[rule]
    session_saves(tmp_path / "theirs.ckpt", maker, layers=(16, 8, 8, 3))
    export_run(run_at(tmp_path / "run", images, rule=rule).path, tmp_path / "ours.ckpt")
    ours, theirs = (tensors(tmp_path / name) for name in ("ours.ckpt", "theirs.ckpt"))
    assert {name: (t.dtype, t.shape) for name, t in ours.items()} == {n: (t.dtype, t.shape) for n, t in theirs.items()}


def test_all_that_is_not_the_run_s_is_copied_and_a_global_step_is_the_run_s(tmp_path, images):
    session_saves(tmp_path / "graph.ckpt", ADAM, ADADELTA, ADAM, layers=(16, 8, 8, 3), named=True)
    graph = tensors(tmp_path / "graph.ckpt") | {"global_step": np.asarray(3, np.int32)}
    write(tmp_path / "graph.ckpt", graph)
    run = run_at(tmp_path / "run", images, 900)
    export_run(run.path, tmp_path / "back.ckpt", like=tmp_path / "graph.ckpt", slots="Adam_2")
    back, ours = tensors(tmp_path / "back.ckpt"), run.newest().tensors
    assert (back["global_step"], back["global_step"].dtype) == (900, np.int32)
    assert (back["beta1_power_1"], back["beta2_power_1"]) == (0, power(0.999, 900))
    for name in ("beta1_power", "beta2_power", "ho/Adam", "b1/Adam_1", "h2/Adadelta", "b2/Adadelta_1"):
        assert back[name].tobytes() == graph[name].tobytes()
    for name in ("h1", "h2", "ho", "b1", "b2", "bo"):
        assert back[name].tobytes() == ours[f"weights/{name}"].tobytes()
        assert back[f"{name}/Adam_2"].tobytes() == ours[f"optimizer/slots/{name}/m"].tobytes()
        assert back[f"{name}/Adam_3"].tobytes() == ours[f"optimizer/slots/{name}/v"].tobytes()


@pytest.mark.parametrize(
    ("rule", "dialect", "words"),
    [
        ("adam", "tf1", None),
        ("adam", "torch", "with epsilon_form epsilon-hat, not algorithm-1, incremental both, not m, "),
        ("adam", "keras", "keras; a session continues by TensorFlow 1's formula, with epsilon 1e-08, not 1e-07"),
        ("adagrad", "keras", "with epsilon 0.0, not 1e-07, epsilon_form outside-root, not inside-root"),
        ("adadelta", "torch", "with rho 0.95, not 0.9, epsilon 1e-08, not 1e-06, complement_in variable, not float64"),
    ],
)  # fmt: skip
def test_a_formula_that_a_session_does_not_go_on_by_is_noted(tmp_path, images, rule, dialect, words):
    run = run_at(tmp_path / "run", images, rule=rule, dialect=dialect)
    export_run(run.path, tmp_path / "rnn2.ckpt")
    notes = formula_note(run.newest())
    assert (notes == []) if words is None else (words in notes[0])


def test_accumulators_of_zero_are_refused_because_tensorflow_1_would_divide_by_them(tmp_path, images):
    """torch's Adagrad starts at 0, and pixels that are always 0 leave it there."""
    settings = Settings(rule="adagrad", dialect="torch", workload_options={"data_dir": (str(images),)})
    RunFolder(tmp_path / "run").save(Trainer(settings, settings.data()))
    with pytest.raises(InputError, match=re.escape("Variable/Adagrad, Variable_1/Adagrad, Variable_2/Adagrad")):
        export_run(tmp_path / "run", tmp_path / "rnn2.ckpt")
    weight, zero = tf.Variable([1.0]), tf.Variable([0.0])
    tf.raw_ops.ResourceApplyAdagrad(var=weight.handle, accum=zero.handle, lr=0.1, grad=tf.constant([0.0]))
    assert np.isnan(weight.numpy()).all(), "the kernel itself"


def test_what_stands_around_a_rule_and_other_settings_are_said_and_its_slots_are_there(tmp_path, images):
    """The slots of a chain have longer names in a run."""
    run = run_at(tmp_path / "run", images, clip_norm=0.5, l2=1e-4, rule_options={"beta_1": "0.8"})
    export_run(run.path, tmp_path / "rnn2.ckpt")
    assert formula_note(run.newest()) == [
        "the session's graph must have what stands around the run's rule: --l2 0.0001, --clip-norm 0.5",
        "the session's optimizer must be built as the run's, with beta_1 0.8: no checkpoint holds settings",
    ]
    ours, held = tensors(tmp_path / "rnn2.ckpt"), run.newest().tensors
    assert ours["Variable/Adam"].tobytes() == held["optimizer/slots/h1/adam.m"].tobytes()
    assert ours["beta1_power"] == power(0.8, 7)
