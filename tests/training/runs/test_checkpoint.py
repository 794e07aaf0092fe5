"""Checkpoints within one process: what they hold, that nothing is missing, and what is refused."""

import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from core import Adam, InputError
from training.runs import checkpoint
from training.runs.checkpoint import read, state_of
from training.runs.resuming import notes, restore
from training.runs.rule_choice import rule_settings
from training.runs.run_folder import RunFolder
from training.runs.settings import Settings
from training.runs.trainer import Trainer
from training.workloads.mlp import MLP

from ..striped import SETTINGS, striped_data, trained

pytestmark = pytest.mark.usefixtures("striped_images_loaded")

GRAPH = replace(SETTINGS, execution="graph")
"""What is saved does not depend on the execution, and this one needs no compiler."""


AROUND = replace(
    GRAPH,
    learning_rate=None,
    schedule="cosine:0.01,steps=90,warmup=9",
    clip_global_norm=1.0,
    weight_decay=0.01,
    decay_only=("matrices",),
    ema=0.9,
    group=("biases:momentum,learning_rate=0.1",),
    accumulate=2,
    keep_best=True,
    patience=5,
    rule_options={"beta_1": "polynomial:0.9,steps=50,end=0.5"},
)
"""The same with all that can stand around a rule."""


def write(trainer, folder):
    folder.mkdir(exist_ok=True)
    checkpoint.write(state_of(trainer), folder)


def bits(trainer):
    """All that a run leaves: tensors, by their bytes, and figures."""
    tensors = {name: tensor.numpy().tobytes() for name, tensor in trainer.optimizer.state.items()}
    return tensors | {"step": trainer.step, "history": trainer.history, "batches": trainer.feed.state}


def test_a_checkpoint_holds_what_decides_the_next_step_under_readable_names(tmp_path):
    trainer = trained(SETTINGS, calls=3)
    write(trainer, tmp_path)
    names = {
        name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE") for name, _ in tf.train.list_variables(tmp_path / "state")
    }
    parameters = ["h1", "ho", "b1", "bo"]
    assert names == {
        "_CHECKPOINTABLE_OBJECT_GRAPH", "run/.ATTRIBUTES/py_state", "optimizer/step", "optimizer/dropped",
        *(f"weights/{name}" for name in parameters),
        *(f"optimizer/slots/{name}/{slot}" for name in parameters for slot in "mv"),
    }  # fmt: skip
    checkpoint = read(tmp_path)
    assert checkpoint.settings == SETTINGS.settled()
    assert checkpoint.tensors["optimizer/step"] == 48
    assert checkpoint.run["rule"]["epsilon_form"] == "epsilon-hat"
    assert len(checkpoint.run["epochs"]) == 1
    assert len(checkpoint.run["costs"]) == 16, "the position inside the second epoch"
    assert checkpoint.run["feed"]["position"] == 48 * 7 - 230
    assert "step 48, epochs done: 1" in str(checkpoint)


def test_a_checkpoint_of_narrow_numbers_holds_masters_and_the_loss_scale(tmp_path):
    """Would catch a run that goes on from rounded parameters, or from the first scale."""
    for settings, also in (
        (replace(GRAPH, parameters="bfloat16"), {f"optimizer/masters/{name}" for name in ("h1", "ho", "b1", "bo")}),
        (
            replace(GRAPH, compute="float16"),
            {"optimizer/loss_scale/scale", "optimizer/loss_scale/finite"},
        ),
    ):
        folder = tmp_path / settings.compute if settings.compute else tmp_path / "parameters"
        write(trained(settings, calls=1), folder)
        plain = {name for name in read(folder).tensors if name not in also}
        assert also <= read(folder).tensors.keys()
        assert len(plain) == 2 + 4 * 3


@dataclass(frozen=True, kw_only=True)
class Slashed(MLP):
    """With points and slashes in the names of its variables."""

    def variables(self, data, seed):
        return {f"dense/{name}.S.": value for name, value in super().variables(data, seed).items()}

    def cost(self, variables, *batch):
        return super().cost({name[6:-3]: value for name, value in variables.items()}, *batch)

    def metrics(self, variables, *batch):
        return super().metrics({name[6:-3]: value for name, value in variables.items()}, *batch)

    def check_fit(self, variables, examples):
        super().check_fit({name[6:-3]: value for name, value in variables.items()}, examples)


def test_names_with_points_and_slashes_are_read_as_they_were(tmp_path):
    """Would catch a checkpoint that nobody can read: TensorFlow writes both in another way."""
    trainer = trained(replace(GRAPH, workload=f"{__name__}:Slashed"), calls=1)
    write(trainer, tmp_path)
    checkpoint = read(tmp_path)
    assert checkpoint.variables.keys() == {f"dense/{name}.S." for name in ("h1", "ho", "b1", "bo")}
    resumed = Trainer(trainer.settings, striped_data())
    restore(checkpoint, resumed)
    assert bits(resumed) == bits(trainer)


def test_weights_are_read_by_tensorflow_alone(tmp_path):
    """As a reader without rawstep would."""
    trainer = trained(GRAPH, calls=1)
    write(trainer, tmp_path)
    weights = {name: tf.Variable(tf.zeros_like(weight)) for name, weight in trainer.variables.items()}
    tf.train.Checkpoint(weights=weights).read(str(tmp_path / "state")).expect_partial()
    for name, weight in weights.items():
        np.testing.assert_array_equal(weight, trainer.variables[name])


class Text(tf.train.experimental.PythonState):
    def serialize(self):
        return "{}"

    def deserialize(self, string_value):
        self.read = string_value


@pytest.mark.parametrize(
    "settings",
    [AROUND, replace(AROUND, parameters="bfloat16"), replace(GRAPH, compute="float16"),
     replace(GRAPH, workload=f"{__name__}:Slashed")],
    ids=["all around", "masters", "a loss scale", "points and slashes"],
)  # fmt: skip
def test_what_is_written_is_what_tensorflow_itself_would_write(tmp_path, settings):
    """The same keys, to the same values, and each object found by tf.train.Checkpoint. Would catch a tree that leaves
    one out, or names another's key."""
    trainer = trained(settings, calls=1)
    write(trainer, tmp_path / "ours")
    objects = tf.train.Checkpoint(weights=trainer.variables, optimizer=trainer.optimizer, run=Text())
    objects.write(str(tmp_path / "theirs"))
    ours, theirs = (tf.train.load_checkpoint(str(tmp_path / name)) for name in ("ours/state", "theirs"))
    assert ours.get_variable_to_shape_map() == theirs.get_variable_to_shape_map()
    names = [name for name in ours.get_variable_to_shape_map() if name.endswith("VARIABLE_VALUE")]
    assert len(names) == len(trainer.optimizer.state)
    for name in names:
        np.testing.assert_array_equal(ours.get_tensor(name), theirs.get_tensor(name))
    before = bits(trainer)
    for variable in trainer.optimizer.state.values():
        variable.assign(tf.zeros_like(variable))
    objects.read(str(tmp_path / "ours" / "state")).assert_existing_objects_matched().assert_consumed()
    assert bits(trainer) == before
    assert b'"format"' in objects.run.read


@pytest.mark.parametrize(
    "settings",
    [
        replace(SETTINGS, epochs=2),
        replace(GRAPH, rule="adagrad"),
        replace(SETTINGS, rule="adadelta", dialect="keras", execution="xla-step", epochs=2),
        replace(SETTINGS, rule="sgd", learning_rate=0.1, epochs=2),
        replace(SETTINGS, execution="eager", epochs=2),
        replace(GRAPH, batch_size=230),
        AROUND,
        replace(SETTINGS, epochs=2, compute="float16"),
        replace(SETTINGS, epochs=2, parameters="bfloat16", compute="float32"),
        replace(AROUND, parameters="bfloat16"),
    ],
    ids=[
        "adam",
        "adagrad",
        "adadelta",
        "sgd",
        "eager",
        "one step an epoch",
        "all around a rule",
        "float16",
        "bfloat16 parameters",
        "all around bfloat16 parameters",
    ],
)
def test_a_run_resumed_after_any_call_ends_with_the_bits_of_one_that_was_not(tmp_path, settings):
    """Every execution is among them."""
    check_resuming(tmp_path, Trainer(settings, striped_data()), settings)


def test_a_run_resumed_among_dropped_steps_ends_with_the_bits_of_one_that_was_not(tmp_path):
    """From a scale so large that steps of two calls are dropped. Would catch a place in the data, or an average, that
    follows the steps taken alone."""
    settings = replace(
        SETTINGS, epochs=2, compute="float16", ema="0.9", learning_rate=None, schedule="cosine:0.01,steps=60,warmup=9"
    )
    whole = Trainer(settings, striped_data())
    whole.optimizer.loss_scale.scale.assign(2.0**40)
    check_resuming(tmp_path, whole, settings)
    assert 16 < int(whole.optimizer.dropped) < 32
    assert whole.step == 64


def check_resuming(tmp_path, whole, settings):
    folders, calls = [], []
    for call in whole.train():
        calls.append(call)
        folders.append(RunFolder(tmp_path / str(len(calls))))
        folders[-1].save(whole)
    for done, folder in enumerate(folders, start=1):
        resumed, _ = folder.begin(Settings(), resume=True)
        assert resumed.settings == settings.settled(), "nothing has to be said twice"
        assert list(resumed.train()) == calls[done:]
        assert bits(resumed) == bits(whole)


def test_accumulated_batches_are_one_batch_in_as_many_parts():
    """Would catch a schedule, an average or a counter that counts parts."""
    accumulated = trained(replace(AROUND, batch_size=7, accumulate=4))
    divided = trained(replace(AROUND, batch_size=28, accumulate=None, microbatches=4))
    assert bits(accumulated) == bits(divided)
    assert accumulated.step == 3 * (230 // 28)
    accumulated, divided = (
        trained(replace(AROUND, batch_size=8, accumulate=2, microbatches=2), calls=1),
        trained(replace(AROUND, batch_size=16, accumulate=None, microbatches=4), calls=1),
    )
    assert bits(accumulated) == bits(divided), "each batch in parts"


def test_a_checkpoint_says_every_setting_around_the_rule_by_name(tmp_path):
    write(trained(AROUND, calls=1), tmp_path)
    rule = read(tmp_path).run["rule"]
    assert (rule["learning_rate"], rule["beta_1"]) == (
        "cosine:0.01,steps=90,warmup=9",
        "polynomial:0.9,steps=50,end=0.5",
    )
    assert (rule["clip_by_global_norm.limit"], rule["decoupled_decay.where"]) == (1.0, "matrices")
    assert (rule["vectors.rule"], rule["vectors.learning_rate"], rule["average.decay"]) == ("Momentum", 0.1, 0.9)
    assert not any("(" in str(value) for value in rule.values()), "and none as Python writes it"


def test_a_run_of_the_rawstep_before_options_around_rules_is_continued(tmp_path):
    """A checkpoint that rawstep 0.2 wrote after 48 of 96 steps."""
    shutil.copytree(Path(__file__).parents[1] / "run_of_0_2", tmp_path / "run")
    trainer, _ = RunFolder(tmp_path / "run").begin(Settings(), resume=True)
    assert trainer.settings == GRAPH.settled()
    list(trainer.train())
    whole = trained(GRAPH)
    for ours, theirs in zip(trainer.history, whole.history, strict=True):
        for name, figure in ours.flat.items():
            assert figure == pytest.approx(theirs.flat[name], rel=1e-4)
    np.testing.assert_allclose(trainer.variables["h1"], whole.variables["h1"], rtol=1e-4, atol=1e-6)


def forget(what, trainer):
    if what == "step":
        trainer.optimizer.step.assign_sub(1)
    elif what == "slots":
        for slots in trainer.optimizer.slots.values():
            for slot in slots.values():
                slot.assign(tf.zeros_like(slot))
    elif what == "one bit of a weight":
        weight = trainer.variables["h1"]
        weight[0, 0].assign(np.nextafter(weight[0, 0].numpy(), np.float32(9)))
    elif what == "costs":
        trainer.costs = [0.0] * len(trainer.costs)
    elif what == "history":
        trainer.history = [epoch._replace(cost=0.0) for epoch in trainer.history]
    elif what == "permutation":
        trainer.feed.state = Trainer(SETTINGS, striped_data()).feed.state
    elif what == "position":
        trainer.feed.state |= {"position": trainer.feed.state["position"] - 7}


@pytest.mark.parametrize(
    "what", ["step", "slots", "one bit of a weight", "costs", "history", "permutation", "position"]
)
def test_whatever_a_checkpoint_forgot_would_be_seen(tmp_path, what):
    """The comparison of bits can fail."""
    whole = Trainer(GRAPH, striped_data())
    for number, _ in enumerate(whole.train(), start=1):
        if number == 3:
            write(whole, tmp_path)
    resumed = Trainer(GRAPH, striped_data())
    restore(read(tmp_path), resumed)
    forget(what, resumed)
    list(resumed.train())
    assert bits(resumed) != bits(whole)


def test_another_rate_number_of_epochs_and_execution_are_taken_and_noted(tmp_path):
    folder = RunFolder(tmp_path)
    folder.save(trained(SETTINGS))
    trainer, said = folder.begin(Settings(learning_rate=0.1, epochs=4, execution="graph"), resume=True)
    assert said[1:] == [
        "--learning-rate is 0.1, was 0.01",
        "--epochs is 4, was 3",
        "--execution is graph, was xla-loop",
    ]
    assert trainer.rule.learning_rate == 0.1
    assert [call.epoch is None for call in trainer.train()] == [True, False]
    assert len(trainer.history) == 4


def test_a_run_of_which_all_epochs_are_done_is_said_to_be(tmp_path):
    folder = RunFolder(tmp_path)
    folder.save(trained(GRAPH))
    trainer, said = folder.begin(Settings(), resume=True)
    assert said[1:] == ["all its epochs are done; a greater number of --epochs goes further"]
    assert list(trainer.train()) == []


@pytest.mark.parametrize(
    ("kept", "name", "was"),
    [
        ("versions", "tensorflow", "2.20.0"),
        ("computed_by", "processor", "Intel 8086"),
        ("computed_by", "set of vector instructions", "avx"),
        ("computed_by", "number of threads", 17),
        ("computed_by", "number of replicas", 2),
        ("computed_by", "TF_ENABLE_ONEDNN_OPTS", "0"),
        ("computed_by", "XLA_FLAGS", "--xla_cpu_max_isa=AVX2"),
    ],
)
def test_whatever_else_decides_the_last_bits_is_noted(tmp_path, kept, name, was):
    """Planted in what was saved. Would catch a processor, a number of threads or a flag that is not kept."""
    write(trained(GRAPH, calls=1), tmp_path)
    checkpoint, trainer = read(tmp_path), Trainer(GRAPH, striped_data())
    assert notes(checkpoint, trainer) == []
    now, checkpoint.run[kept][name] = checkpoint.run[kept][name], was
    assert notes(checkpoint, trainer) == [f"{name} is {now}, was {was}: the last bits may differ"]


def test_a_batch_in_parts_has_the_bits_of_any_number_of_replicas_and_an_earlier_rawstep_kept_versions_alone(tmp_path):
    write(trained(GRAPH, calls=1), tmp_path)
    checkpoint = read(tmp_path)
    checkpoint.run["computed_by"]["number of replicas"] = 2
    parts = replace(GRAPH, microbatches=7)
    assert notes(checkpoint, Trainer(parts, striped_data())) == ["--microbatches is 7, was None"]
    del checkpoint.run["computed_by"]
    assert notes(checkpoint, Trainer(GRAPH, striped_data())) == []


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    """The folder of a run with all around its rule, after one call."""
    folder = RunFolder(tmp_path_factory.mktemp("around"))
    folder.save(trained(AROUND, calls=1))
    return folder


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (dict(clip_global_norm=2.0), "--clip-global-norm 1.0, not 2.0"),
        (dict(clip_norm=2.0), "--clip-norm None, not 2.0"),
        (dict(clip_value=2.0), "--clip-value None, not 2.0"),
        (dict(l2=2.0), "--l2 None, not 2.0"),
        (dict(weight_decay=0.02), "--weight-decay 0.01, not 0.02"),
        (dict(decay_only=("h*",)), "--decay-only matrices, not h*"),
        (dict(ema="constant:0.9"), "--ema 0.9, not constant:0.9"),
        (dict(group=()), "--group biases:momentum,learning_rate=0.1, not none"),
        (dict(accumulate=3), "--accumulate 2, not 3"),
        (dict(keep_best=False), "--keep-best True, not False"),
    ],
)
def test_what_stands_around_a_rule_may_not_change(around, change, sentence):
    with pytest.raises(InputError) as error:
        around.begin(Settings(**change), resume=True)
    assert str(error.value) == f"{around.newest_path} is a checkpoint of another run: {sentence}."


def test_a_schedule_is_known_however_it_is_written(around):
    same = Settings(schedule="cosine:1e-2,steps=9e1,warmup=9", rule_options={"beta_1": "polynomial:.9,steps=50,end=.5"})
    trainer, _ = around.begin(same, resume=True)
    assert trainer.step == 8


def test_a_run_may_go_on_at_another_rate_or_schedule(around):
    for change, said in (
        (dict(learning_rate=0.1), ["--learning-rate is 0.1, was cosine:0.01,steps=90,warmup=9"]),
        (dict(schedule="0.1,warmup=9"), ["--schedule is constant:0.1,warmup=9, was cosine:0.01,steps=90,warmup=9"]),
    ):
        _, notes = around.begin(Settings(**change), resume=True)
        assert all(any(one in note for note in notes) for one in said), notes


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (Settings(rule="adagrad"), "--rule adam, not adagrad"),
        (Settings(dialect="keras"), "--dialect tf1, not keras"),
        (Settings().with_options({"hidden": ("9",)}), "--hidden 8, not 9"),
        (Settings(batch_size=8), "--batch-size 7, not 8"),
        (Settings(seed=1), "--seed 0, not 1"),
        (Settings().with_options({"init": ("glorot",)}), "--init he, not glorot"),
        (Settings(rule="adadelta", seed=5), "--rule adam, not adadelta; --seed 0, not 5"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(tmp_path, settings, sentence):
    folder = RunFolder(tmp_path)
    path = folder.save(trained(GRAPH, calls=1))
    with pytest.raises(InputError) as error:
        folder.begin(settings, resume=True)
    assert str(error.value) == f"{path} is a checkpoint of another run: {sentence}."


def with_float64_slots(checkpoint):
    return {name: value.astype(float) if "slots" in name else value for name, value in checkpoint.tensors.items()}


@pytest.mark.parametrize(
    ("alter", "sentence"),
    [
        (lambda c: replace(c, run=c.run | {"rule": c.run["rule"] | {"epsilon": 1e-3}}), "epsilon 0.001, not 1e-08"),
        (lambda c: replace(c, run=c.run | {"data": c.run["data"] | {"sha256": "0f"}}), ": the data differ."),
        (
            lambda c: replace(c, tensors=with_float64_slots(c)),
            "optimizer/slots/h1/m float64 (16, 8), not float32 (16, 8)",
        ),
        (
            lambda c: replace(c, tensors={**c.tensors, "weights/ho": np.zeros((8, 4), np.float32)}),
            "weights/ho float32 (8, 4), not float32 (8, 3)",
        ),
        (
            lambda c: replace(c, tensors={n: t for n, t in c.tensors.items() if n != "weights/b1"}),
            "weights/b1 None, not float32 (8,)",
        ),
        (
            lambda c: replace(c, tensors={**c.tensors, "optimizer/slots/h1/u": np.zeros(1)}),
            "optimizer/slots/h1/u float64 (1,), not None",
        ),
    ],
    ids=["rule's setting", "data", "dtype", "shape", "missing", "unknown"],
)
def test_a_checkpoint_that_does_not_fit_is_refused_before_anything_is_changed(tmp_path, alter, sentence):
    write(trained(GRAPH, calls=3), tmp_path)
    trainer = Trainer(GRAPH, striped_data())
    before = bits(trainer)
    with pytest.raises(InputError) as error:
        restore(alter(read(tmp_path)), trainer)
    assert sentence in str(error.value)
    assert bits(trainer) == before


def test_a_schedule_is_known_by_its_name_in_every_process():
    """Would catch an address, by which no run could be resumed."""
    rule = Adam(learning_rate=partial(lambda t, k: 0.1 / (k + t), k=3))
    assert "0x" not in rule_settings(rule)["learning_rate"]
    assert rule_settings(Adam(learning_rate=np.sqrt))["learning_rate"] == "sqrt"
