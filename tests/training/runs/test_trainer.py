"""Epochs, calls and clocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.runs.feeding import call_lengths, most_steps
from training.runs.results import report
from training.runs.settings import Settings
from training.runs.stopwatch import Stopwatch
from training.runs.trainer import Trainer
from training.workloads.workload import Data

from ..striped import striped_data, striped_images

SMALL = {"hidden": ("8",), "init": ("he",)}


@given(st.integers(1, 5000), st.integers(1, 300))
def test_calls_add_up_to_the_epoch_and_none_is_too_long(steps, most):
    lengths = call_lengths(steps, most)
    assert sum(lengths) == steps
    assert max(lengths) <= most
    assert len(set(lengths[:-1])) <= 1
    assert lengths[-1] <= lengths[0]
    assert len(lengths) > len(set(lengths)) or steps == 1, "a length that comes twice tells compilation from training"


@pytest.mark.parametrize(
    ("steps", "lengths"),
    [(550, [110] * 5), (1100, [110] * 10), (275, [55] * 5), (34, [17] * 2), (55, [11] * 5), (107, [36, 36, 35])],
)
def test_the_notebook_s_epochs_are_calls_of_one_length(steps, lengths):
    """So that a run compiles once."""
    assert call_lengths(steps) == lengths


@pytest.mark.parametrize(
    ("work", "most"), [(121_139_200, 128), (3_400_000_000, 128), (60_569_600, 256), (1, 512), (0, 128)]
)
def test_a_call_of_smaller_steps_does_the_work_of_the_notebook_s(work, most):
    """Would catch the notebook's own calls being cut anew, and steps of a large network that no signal ends soon."""
    assert most_steps(work) == most


def test_the_stopwatch_tells_compilation_from_training():
    """Two lengths, each compiled on its first call in 5 s, then 0.01 s a step."""
    watch = Stopwatch()
    for steps, seconds in [(100, 6.0), (50, 5.5), (100, 1.0), (50, 0.5)]:
        watch.record(steps, seconds)
    assert watch.steps_per_second == pytest.approx(100)
    assert watch.compile_seconds == pytest.approx(10)


def test_the_stopwatch_makes_do_with_first_calls():
    watch = Stopwatch()
    assert (watch.steps_per_second, watch.compile_seconds) == (None, None)
    watch.record(10, 5.0)
    assert (watch.steps_per_second, watch.compile_seconds) == (2, None)


def test_a_trainer_learns_what_can_be_learnt_and_keeps_its_history():
    data = striped_data()
    trainer = Trainer(
        Settings(dialect="keras", learning_rate=0.01, batch_size=20, epochs=20, workload_options=SMALL), data
    )
    calls = list(trainer.train())
    epochs = [call.epoch for call in calls if call.epoch is not None]
    assert trainer.history == epochs
    assert len(epochs) == 20
    assert epochs[-1].cost < epochs[0].cost / 5
    assert trainer.evaluate(data.test)["accuracy"] == 1.0
    assert trainer.optimizer.step.numpy() == trainer.step == sum(call.steps for call in calls) == 20 * 11
    assert trainer.program.trace_count == len(set(call_lengths(11)))


def test_the_report_takes_each_accuracy_from_its_own_split():
    """Would catch validation images where test images belong: here one split is right, one wrong, one in halves."""
    images = striped_images(60, 0)
    wrong = images._replace(labels=(images.labels + 1) % 3)
    half = images._replace(labels=np.where(np.arange(60) % 2, images.labels, wrong.labels))
    trainer = Trainer(
        Settings(
            dialect="keras", learning_rate=0.01, batch_size=20, epochs=60, workload_options=SMALL, execution="graph"
        ),
        Data(images, half, wrong),
    )
    *_, last = trainer.train()
    figures = report(trainer)
    assert last.epoch.figures["validation_accuracy"] == figures["epochs"][-1]["validation_accuracy"] == 0.5
    assert figures["test_accuracy"] == 0.0
    assert trainer.evaluate(images)["accuracy"] == 1.0
    assert len(figures["epochs"]) == 60


def test_a_seed_decides_a_whole_run():
    data = striped_data()
    settings = Settings(batch_size=20, epochs=2, workload_options={"hidden": ("8",)}, seed=3, execution="graph")
    first, second = (list(Trainer(settings, data).train()) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("rule", "rate"), [("adam", None), pytest.param("adagrad", 0.01, marks=pytest.mark.whole), ("adadelta", None)]
)
def test_on_mnist_the_loop_and_single_steps_give_the_same_bits(rule, rate):
    """Would catch a loop whose body XLA compiles to other roundings than the step: it does not, on a CPU.

    The rules of two slots; `pytest -m whole` takes Adagrad, and tests/core/test_program.py all on a small network.
    """
    mnist, trained = Settings().data(), {}
    for execution in ("xla-loop", "xla-step"):
        trainer = Trainer(Settings(rule=rule, learning_rate=rate, execution=execution), mnist)
        costs = trainer.program.run(trainer.feed, 20)
        trained[execution] = {"costs": costs.numpy()} | {name: w.numpy() for name, w in trainer.variables.items()}
    for name, value in trained["xla-loop"].items():
        np.testing.assert_array_equal(value, trained["xla-step"][name])
