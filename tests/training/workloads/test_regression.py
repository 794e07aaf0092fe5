"""The regression: the table, least squares in closed form, a perceptron against PyTorch, its Keras model."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from sklearn.datasets import load_diabetes, load_wine

from core import Optimizer, Program
from core.rules import Nesterov
from training.commands.cli import main
from training.runs import checkpoint
from training.workloads.perceptron import products
from training.workloads.regression import TABLE, Regression

from .models import assert_keras_is_the_same, assert_same_cost_and_gradients, in_float64

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

DATA = Regression().data(0)


def test_the_table_is_the_published_one():
    published = load_diabetes(scaled=False)
    table = np.loadtxt(TABLE, delimiter=",", skiprows=1)
    np.testing.assert_array_equal(table, np.column_stack([published.data, published.target]))


def test_rows_are_standardised_by_those_that_are_trained_on():
    """Would catch a mean of all rows, by which the test rows would be known."""
    rows, targets = DATA.train
    np.testing.assert_allclose([*rows.mean(axis=0), targets.mean()], 0, atol=1e-5)
    np.testing.assert_allclose([*rows.std(axis=0), targets.std()], 1, atol=1e-5)
    assert [len(split[0]) for split in DATA.splits.values()] == [352, 45, 45]
    assert abs(DATA.test[0].mean(axis=0)).max() > 0.02


def test_training_comes_to_least_squares_in_closed_form():
    """By full batches in float64 and Nesterov's method; would catch a cost or gradient that leads elsewhere."""
    rows, targets = (array.astype(float) for array in DATA.train)
    exact, (least, *_), *_ = np.linalg.lstsq(np.column_stack([rows, np.ones(len(rows))]), targets, rcond=None)
    workload = Regression()
    variables = {name: tf.Variable(value.astype(float)) for name, value in workload.variables(DATA, 1).items()}
    program = Program(workload.cost, variables, Optimizer(Nesterov(0.1, 0.95), variables))
    costs = program.run([tf.constant(rows), tf.constant(targets)], np.tile(np.arange(len(rows)), (3_000, 1)))
    assert costs[-1].numpy() == pytest.approx(least / len(rows), rel=1e-9)
    found = np.concatenate([variables["ho"].numpy()[:, 0], variables["bo"].numpy()])
    np.testing.assert_allclose(found, exact, atol=1e-6)
    assert 0.4 < least / len(rows) < 0.6, "R² of about a half, as on the whole table"


def in_torch(values, rows, targets):
    x = rows.double()
    for layer in range(1, len(values) // 2):
        x = (x @ values[f"h{layer}"] + values[f"b{layer}"]).relu()
    return torch.nn.functional.mse_loss((x @ values["ho"] + values["bo"])[:, 0], targets.double())


@pytest.mark.parametrize("hidden", [(), (4, 3)])
def test_cost_and_gradients_are_those_of_pytorch(hidden):
    """Would catch estimates [rows, 1] that broadcast against targets [rows]."""
    workload, batch = Regression(hidden=hidden), [array[:9] for array in DATA.train]
    values = in_float64(workload.variables(DATA, seed=1))
    assert_same_cost_and_gradients(workload, values, batch, in_torch)
    with pytest.raises(AssertionError):
        assert_same_cost_and_gradients(workload, values, batch, lambda *all: in_torch(*all) / 2)


def test_a_keras_model_of_keras_s_own_layers_says_the_same():
    workload = Regression(hidden=(4, 3))
    model = assert_keras_is_the_same(workload, workload.variables(DATA, seed=1), DATA.test[0])
    assert [layer.name for layer in model.layers if layer.weights] == ["h1", "h2", "ho"]
    assert workload.products(DATA) == products([10, 4, 3, 1])


WINE = load_wine(as_frame=True).frame.drop(columns="od280/od315_of_diluted_wines")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command in an empty folder and returns what it said on standard error."""
    monkeypatch.chdir(tmp_path)

    def ran(*arguments, status=0):
        with pytest.raises(SystemExit) as stop:
            main([*map(str, arguments)])
        said = capsys.readouterr().err
        assert stop.value.code == status, said
        return said

    return ran


def figures(run, *arguments):
    run("evaluate", "--checkpoint", "run", *arguments, "--json", "figures.json")
    with open("figures.json") as file:
        found = json.load(file)
    return found["test"]["cost"]


def test_another_table_is_evaluated_in_the_units_of_the_run_s_own(run):
    """Would catch a table that is standardised by its own rows, and columns that are taken as they come."""
    WINE.to_csv("wine.csv", index=False)
    WINE[WINE.columns[::-1]].to_csv("reversed.csv", index=False)
    WINE.assign(ash=WINE.ash * 1000 + 7).to_csv("scaled.csv", index=False)
    WINE.assign(alcohol=WINE.alcohol + WINE.alcohol.std()).to_csv("shifted.csv", index=False)
    WINE.rename(columns={"ash": "cinders"}).to_csv("renamed.csv", index=False)
    WINE.drop(columns="ash").to_csv("narrow.csv", index=False)
    options = ["--workload", "regression", "--table", "wine.csv", "--target", "alcohol", "--epochs", "60"]
    run("train", *options, "--checkpoint", "run")
    before = figures(run)
    assert figures(run, "--table", "wine.csv") == figures(run, "--table", "reversed.csv") == before
    assert figures(run, "--table", "scaled.csv") > 100
    assert 0.2 < figures(run, "--table", "shifted.csv") - before < 3
    evaluate = ["evaluate", "--checkpoint", "run"]
    columns = "must have the columns of the table that the run was trained on, found"
    for table, found in (("renamed", "no ash and cinders too"), ("narrow", "no ash")):
        assert f"{table}.csv {columns} {found}.\n" in run(*evaluate, "--table", f"{table}.csv", status=2)
    said = run(*evaluate, "--target", "ash", status=2)
    assert said == "rawstep: The run estimates alcohol: --target must be that, found ash.\n"


def test_an_exported_regression_takes_and_returns_the_table_s_own_units(run):
    """Against the weights and the table's rows, by NumPy in float64; a column far from 0 and one of tiny numbers would
    be lost in float32, and in Keras's Normalization."""
    frame = WINE.assign(ash=WINE.ash * 1e-9, hue=WINE.hue + 1e7)
    frame.to_csv("wine.csv", index=False)
    run("train", "--workload", "regression", "--table", "wine.csv", "--target", "alcohol", "--hidden", "4", "--epochs",
        "60", "--checkpoint", "run")  # fmt: skip
    run("export", "--checkpoint", "run", "--saved-model", "served", "--keras", "model.keras")
    inputs, targets = frame.drop(columns="alcohol").to_numpy(float), frame.alcohol.to_numpy()
    workload = Regression(table="wine.csv", target="alcohol", hidden=(4,))
    schema = workload.data(0).schema
    served = tf.saved_model.load("served").signatures["serving_default"](tf.constant(inputs))["estimates"].numpy()
    model = keras.models.load_model("model.keras")(tf.constant(inputs)).numpy()  # `predict` makes float32 of arrays
    np.testing.assert_allclose(model, served, rtol=1e-5)  # float32 within
    errors = (served[:, 0] - targets) / schema["target_deviation"]
    assert np.mean(np.square(errors)) < 0.6
    assert figures(run) == pytest.approx(np.mean(np.square(errors[_test_rows(inputs, workload)])), rel=1e-4)


def test_a_streamed_regression_keeps_its_units_too(run):
    """Would catch a run on shards that is exported, or evaluated on other shards, by means that are not its own."""
    WINE.to_csv("wine.csv", index=False)
    WINE.assign(ash=WINE.ash * 1000 + 7).to_csv("scaled.csv", index=False)
    WINE.drop(columns="ash").to_csv("narrow.csv", index=False)
    for name in ("wine", "scaled", "narrow"):
        run("shard", f"{name}.csv", "--target", "alcohol", "--out", name, "--size", "0.01")
    run("train", "--workload", "regression", "--stream", "wine", "--epochs", "60", "--checkpoint", "run")
    assert figures(run) == figures(run, "--stream", "wine") < 1
    assert figures(run, "--stream", "scaled") > 100
    said = run("evaluate", "--checkpoint", "run", "--stream", "narrow", status=2)
    assert "narrow must have rows of 12 columns as the run's, found 11." in said.replace("\n", " ")
    run("export", "--checkpoint", "run", "--saved-model", "served")
    served = tf.saved_model.load("served").signatures["serving_default"]
    found = served(tf.constant(WINE.drop(columns="alcohol").to_numpy(float)))["estimates"][:, 0].numpy()
    assert np.corrcoef(found, WINE.alcohol)[0, 1] > 0.6
    assert abs(found - WINE.alcohol).mean() < WINE.alcohol.std()


def test_a_run_that_kept_no_units_is_not_used_without_them(run, monkeypatch):
    """As an earlier rawstep saved it. Would catch standardised numbers that pass for the table's."""
    text = checkpoint.run_text

    def of_before(trainer):
        return json.dumps({name: value for name, value in json.loads(text(trainer)).items() if name != "schema"})

    with monkeypatch.context() as before:
        before.setattr(checkpoint, "run_text", of_before)
        run("train", "--workload", "regression", "--epochs", "1", "--checkpoint", "run")
    figures(run)
    for command in (["evaluate", "--table", TABLE], ["export", "--keras", "model.keras"]):
        said = run(*command, "--checkpoint", "run", status=2)
        assert "was saved by an earlier rawstep, which kept no units of its columns: train it by one more" in said
    run("train", "--checkpoint", "run", "--resume", "--epochs", "2")
    assert figures(run, "--table", TABLE) == figures(run)


def _test_rows(inputs, workload):
    """Which rows of a table the test has."""
    x, _ = workload.data(0).test
    scaling = workload.data(0).schema
    rows = (inputs - np.array(scaling["mean"])) / scaling["deviation"]
    return [int(np.argmin(abs(rows - row).sum(axis=1))) for row in x]
