"""The optimizer's update alone, by all libraries; and growth studies. Never how fast anything is."""

import csv
import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks import cli
from benchmarks.ceiling import ceiling
from benchmarks.chosen import chosen_studies
from benchmarks.conductor import compare
from benchmarks.engines import ENGINES, UPDATERS, check_engines
from benchmarks.engines.tensorflow_updates import RawstepUpdate
from benchmarks.figures import summaries
from benchmarks.growth import STUDIES
from benchmarks.tables import UPDATES, markdown
from benchmarks.updates import Updates
from benchmarks.work import TrainingWork
from core import Adam, At, InputError
from training.workloads import images
from training.workloads.data import load_dataset
from training.workloads.transformer import Transformer

TESTED = [
    pytest.param(("adam", ("rawstep", "keras", "torch")), id="adam"),
    pytest.param(
        ("adam", ("rawstep", "rawstep-one-pass", "tf1-kernel", "optax")),
        id="adam of the others",
        marks=pytest.mark.whole,
    ),
    pytest.param(("adam", ("rawstep", "keras-one-pass")), id="adam by Keras in one pass", marks=pytest.mark.whole),
    pytest.param(("adadelta", ("rawstep", "keras", "torch")), id="adadelta", marks=pytest.mark.whole),
    pytest.param(
        ("adadelta", ("rawstep", "tf1-kernel", "optax")), id="adadelta of the others", marks=pytest.mark.whole
    ),
    pytest.param(
        ("adagrad", ("rawstep", "keras", "tf1-kernel", "torch", "optax")), id="adagrad", marks=pytest.mark.whole
    ),
]
"""Rules, by the engines that update by them. XLA's option is tried on Adam alone."""


@pytest.fixture(scope="module", params=TESTED)
def tested(request):
    return request.param


@pytest.fixture(scope="module")
def updates(tested):
    return Updates(tested[0], parameters=10_000, tensors=3)


@pytest.fixture(scope="module")
def contestants(tested, updates):
    _, names = tested
    return {contestant.name: contestant for contestant in compare([*names, "stream"], updates, rounds=2)}


def test_every_engine_updates_alike(contestants):
    """From 0, ten times, and a sample more: a rule's every number is in the mean |θ|."""
    failures = {name: contestant.failure for name, contestant in contestants.items()}
    assert failures == dict.fromkeys(failures)


def test_a_learning_rate_1_percent_off_would_be_seen(contestants, updates):
    planted = RawstepUpdate(replace(updates, learning_rate=1.01 * updates.learning_rate))
    cost = planted.train(planted.prepare(updates.sampler().take(10)))
    assert abs(cost / contestants["rawstep"].first.cost - 1) > updates.first_steps_may_differ


def test_the_costs_are_those_of_the_formula(contestants, updates):
    """In NumPy and float64, where engines that agree may all be wrong."""
    rule, g = updates.own_rule(), updates.gradients[0][:1000].astype(np.float64)
    x = np.zeros_like(g)
    slots = rule.slots(x)
    for t in range(1, 11):
        step = rule.step(g, slots, x, At(np.float64(t)))
        x, slots = x - step.delta, step.slots
    # Ten float32 roundings of each parameter, whose mean errs by far less than this.
    assert contestants["rawstep"].first.cost == pytest.approx(np.mean(np.abs(x)), rel=1e-5)


def test_the_rate_is_what_an_update_must_move(contestants, updates):
    figures = summaries(list(contestants.values()), updates)
    bytes_a_parameter = 20 if updates.rule == "adagrad" else 28
    assert updates.bytes_a_step == 10_000 * bytes_a_parameter
    step = figures[0]["wall"]["median"] / updates.steps
    assert figures[0]["gb_per_second"] == pytest.approx(10_000 * bytes_a_parameter / step / 1e9)
    seconds, products = ceiling(list(contestants.values()), updates)
    assert seconds == pytest.approx([wall * bytes_a_parameter / 36 for wall in contestants["stream"].walls])
    assert products is None
    table = markdown(figures, UPDATES).splitlines()
    assert [cell.strip() for cell in table[0].strip("|").split("|")] == ["engine", *UPDATES]


def test_tensors_share_the_parameters():
    assert Updates(parameters=10, tensors=3).shapes() == [4, 3, 3]
    assert isinstance(Updates().own_rule(), Adam)


def test_more_tensors_than_parameters_are_refused():
    with pytest.raises(InputError, match=r"--tensors must be at most --parameters, found 3 of 2\."):
        cli.update(parameters=2, tensors=3)


def test_a_study_is_a_comparison_a_point_and_a_picture(tmp_path, monkeypatch):
    small = STUDIES["updates"]._replace(values=(1_000, 2_000), engines=("rawstep",))
    monkeypatch.setitem(STUDIES, "updates", small)
    cli.grow(studies=("updates",), rounds=2, out=tmp_path / "growth", csv=tmp_path / "points.csv")
    points = json.loads((tmp_path / "growth" / "grow-updates.json").read_text())["points"]
    assert [(point["at"], point["work"]["parameters"]) for point in points] == [(1_000, 1_000), (2_000, 2_000)]
    assert [[figure["engine"] for figure in point["figures"]] for point in points] == [["rawstep"]] * 2
    assert (tmp_path / "growth" / "grow-updates.svg").read_text().count("<svg") == 1
    with (tmp_path / "points.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["study"], row["at"], row["engine"]) for row in rows] == [
        ("updates", "1000", "rawstep"),
        ("updates", "2000", "rawstep"),
    ]


def test_a_study_that_is_none_is_refused():
    with pytest.raises(InputError, match="There is no study 'lengths'; there are: widths, depths, batches"):
        cli.grow(studies=("lengths",))
    with pytest.raises(InputError, match=r"The study widths is of the notebook's perceptron; .* there is: batches\."):
        cli.grow(studies=("batches", "widths"), workload="transformer")


def test_batch_sizes_are_studied_of_any_workload_up_to_all_its_examples():
    studies = chosen_studies(None, "transformer", {"modulus": ("7",)}, 0)
    (study,) = studies.values()
    assert [*studies] == ["transformer-batches"]
    assert study.values == [1, 4, 16]
    assert study.work(4, 0) == TrainingWork(Transformer(modulus=7), 4)
    check_engines(study.engines, workload="transformer")


MNIST = cache(load_dataset)


@pytest.mark.parametrize("name", STUDIES)
def test_points_are_as_large_as_they_say(name, monkeypatch):
    """MNIST is read once: every question for a size reads it."""
    monkeypatch.setattr(images, "load_dataset", MNIST)
    study = STUDIES[name]
    sizes = [sum(study.work(value, 0).shapes()) for value in study.values]
    grows = name.endswith(("widths", "depths")) or name.startswith("updates")
    assert sizes == (sorted(set(sizes)) if grows else [269_322] * len(sizes))
    if name.startswith("updates"):
        assert sizes == list(study.values)
    for value in study.values:
        check_engines(study.engines_at(value), {**ENGINES, **UPDATERS})
