"""What files and graphs leave open: it is asked for, or what was taken is said."""

import re

import numpy as np
import pytest
import tensorflow as tf

from core import InputError
from training.exchange.tf1.import_checkpoint import Options, import_checkpoint
from training.runs.settings import Settings

from .notebooks import Notebook, Several, lettered

train = tf.compat.v1.train
UNUSED = Several([lambda: train.GradientDescentOptimizer(0.01), lambda: train.MomentumOptimizer(0.1, 0.9)])


def notebook(make, **more):
    return Notebook(make, lettered, layers=[10, 4, 1], **more)


def imported(folder, notebook, steps=3, settings=None, **options):
    """The result for what a session of a notebook saves after these steps."""
    session = notebook.session()
    session.costs([np.arange(8)] * steps)
    session.save(folder / "net.ckpt")
    settings = Settings(**{"rule": options.get("rule", "adam"), "workload": "regression"} | (settings or {}))
    return import_checkpoint(folder / "net.ckpt", settings, Options(**options), folder / "run")


NOTED = {
    "a β whose power is 0": (
        notebook(lambda: train.AdamOptimizer(0.001, beta1=0.5), counts=True), 1_000, {},
        ["beta_1 taken to be 0.9, TensorFlow 1's default: its power is 0 (--beta-1)"],
    ),
    "a β that is nearly the usual one": (
        notebook(lambda: train.AdamOptimizer(0.001, beta1=0.895)), 1,
        {}, ["beta1_power and beta2_power show beta_1 0.895, beta_2 0.999"],
    ),
    "the usual β": (
        notebook(lambda: train.AdamOptimizer(0.001)), 1,
        {}, ["no graph beside the file: TensorFlow 1's defaults taken: learning_rate 0.001, epsilon 1e-08"],
    ),
    "settings": (
        notebook(lambda: train.RMSPropOptimizer(0.001), counts=True), 1, dict(learning_rate=0.001),
        ["no graph beside the file: TensorFlow 1's defaults taken: epsilon 1e-10, rho 0.9, momentum 0.0"],
    ),
    "slots of no step": (
        notebook(lambda: UNUSED), 1, dict(learning_rate=0.1, momentum="0.9"),
        ["the slots Momentum are as before a first step"],
    ),
    "a decay by the steps": (
        notebook(lambda: train.AdamOptimizer(0.001), ema=0.9, num_updates=True, counts=True, meta=True), 1, {},
        ["left out: the averages ExponentialMovingAverage of the variables (--ema DECAY goes on with them; "
         "net.ckpt.meta computes the averages' decay from num_updates)"],
    ),
    "a decay by the steps, asked for": (
        notebook(lambda: train.AdamOptimizer(0.001), ema=0.9, num_updates=True, counts=True, meta=True), 1,
        dict(ema=0.9), ["net.ckpt.meta computes the averages' decay from num_updates, and the run has that of --ema"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("notebook", "steps", "settings", "notes"), NOTED.values(), ids=NOTED)
def test_what_is_taken_unsaid_is_noted(tmp_path, notebook, steps, settings, notes):
    of_run = {"momentum": (settings.pop("momentum"),)} if "momentum" in (settings := {**settings}) else {}
    found = imported(tmp_path, notebook, steps, settings, of_run=of_run)
    assert {*notes} <= {note.replace(f"{tmp_path}/", "") for note in found.notes}, found.notes


def test_betas_of_a_power_of_0_that_are_given_are_not_noted(tmp_path):
    session = notebook(lambda: train.AdamOptimizer(0.001, beta1=0.0))
    found = imported(tmp_path, session, of_run={"beta_1": ("0.0",)})
    assert not [note for note in found.notes if "its power is 0" in note]


REFUSED = {
    "rates of several": (
        Several([lambda: train.GradientDescentOptimizer(0.01), lambda: train.GradientDescentOptimizer(0.5)]),
        {}, "net.ckpt.meta has no single constant for --learning-rate of GradientDescent: give it, or --schedule.",
    ),
    "slots of no step beside GradientDescent": (
        UNUSED, {},
        "the slots Momentum are as before a first step, and the graph has GradientDescent too: give --slots Momentum, "
        "or --slots none --rule sgd.",
    ),
    "sigmoid": (
        train.AdamOptimizer, dict(activation=tf.nn.sigmoid),
        "net.ckpt.meta has Sigmoid between the layers, and regression has ReLU: it would compute something else",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "more", "words"), REFUSED.values(), ids=REFUSED)
def test_what_a_graph_leaves_open_or_rawstep_lacks_is_refused(tmp_path, make, more, words):
    with pytest.raises(InputError, match=re.escape(words)):
        imported(tmp_path, notebook(make if callable(make) else lambda: make, meta=True, **more))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("options", [dict(slots="Momentum"), dict(slots="none", rule="sgd")])
def test_either_of_two_optimizers_is_taken_where_that_is_said(tmp_path, options):
    found = imported(tmp_path, notebook(lambda: UNUSED, meta=True), **options)
    assert found.trainer.rule.learning_rate == (0.1 if options["slots"] == "Momentum" else 0.01)
