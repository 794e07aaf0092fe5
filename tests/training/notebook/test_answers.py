"""Each verdict turns where the figures turn: would catch an answer that is written before it is known."""

import copy

import pytest

from training.notebook.answers import FAILS, HOLDS, IN_PART, UNJUDGED, answers
from training.notebook.scale import full, quick

SCALE = full(None, None, 0)


def at(epoch, validation):
    return {"epoch": epoch, "cost": 1.0, "validation_accuracy": validation, "test_accuracy": validation - 0.01}


def after(accuracy):
    return {"validation_accuracy": accuracy, "test_accuracy": accuracy}


def claim(cost, accuracy):
    return {"cost": {"mean": cost}, "test_accuracy": {"mean": accuracy}}


AHEAD = {"mean": 0.02, "low": 0.01, "high": 0.03}
EVEN = {"mean": 0.01, "low": -0.02, "high": 0.04}
BEHIND = {"mean": -0.02, "low": -0.03, "high": -0.01}
GRID = [{"learning_rate": rate, "validation_accuracy": 0.9} for rate in (0.001, 0.01)]
FIGURES = {
    "question-1": {
        "best": at(50, 0.97),
        "enough": at(40, 0.969),
        "near": 9,
        "rises": [{"by": 0.0, "at": at(45, 0.969)}, {"by": 0.5, "at": at(46, 0.969)}, {"by": 1.0, "at": None}],
        "last": at(60, 0.97),
        "standard_error": 0.002,
        "stopping": [{"patience": 3, "stopped": 24, **at(21, 0.96)}, {"patience": 9, "stopped": None, **at(50, 0.97)}],
    },
    "question-2": {
        "rules": {"adam": {"grid": GRID, "best": 0.01, "near": [0.001, 0.01]}},
        "claims": {"adam-lr-0.0005": claim(0.2, 0.94), "adam": claim(0.3, 0.95), "adam-lr-0.005": claim(0.6, 0.97)},
    },
    "question-3": {
        "ahead": {"adagrad": AHEAD, "adadelta": AHEAD},
        "ahead_at_best": {"adagrad": AHEAD, "adadelta": AHEAD},
    },
    "question-4": {
        "epochs": 30,
        "steps": 6_600,
        "equal_epochs": [{"smaller": 50, "larger": 100, **AHEAD}, {"smaller": 100, "larger": 200, **AHEAD}],
        "equal_steps": [{"smaller": 50, "larger": 100, **AHEAD}, {"smaller": 100, "larger": 200, **EVEN}],
        "rows": [
            {
                "batch": batch,
                "equal_epochs": after(0.98 - batch / 10_000),
                "equal_steps": after(0.95 - batch / 10_000),
                "times_as_long": {"median": 1.0},
            }
            for batch in (50, 100, 200)
        ],
    },
    "question-5": {
        "ends": [10, 20, 30],
        "tensors": 19,
        "numbers": 807_967,
        "unlike_tensors": [],
        "epochs_equal": True,
        "order_of_batches_equal": True,
    },
}


def changed(name, *path, to):
    figures = copy.deepcopy(FIGURES)
    inner = figures[name]
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return figures


def test_all_hold_on_figures_like_the_notebook_s():
    assert {name: answer.verdict for name, answer in answers(FIGURES, SCALE).items()} == dict.fromkeys(FIGURES, HOLDS)


@pytest.mark.parametrize("scale", [quick(None, None, 0), full(4, None, 0), full(None, 29, 0)])
def test_few_seeds_or_epochs_give_no_verdict(scale):
    assert {answer.verdict for answer in answers(FIGURES, scale).values()} == {UNJUDGED}


@pytest.mark.parametrize(
    ("name", "path", "to", "verdict", "words"),
    [
        ("question-1", ("rises", 0, "at"), at(20, 0.95), IN_PART, "at all in epoch 20, 2.00 points short"),
        ("question-1", ("rises",), [{"by": 0.2, "at": at(20, 0.95)}], FAILS, "by 20% or more in epoch 20"),
        ("question-1", ("rises",), [{"by": 0.0, "at": None}], FAILS, "never rose"),
        ("question-2", ("claims", "adam", "test_accuracy", "mean"), 0.98, IN_PART, "accuracy, does not hold"),
        ("question-3", ("ahead_at_best", "adadelta"), BEHIND, IN_PART, "behind Adadelta"),
        ("question-3", ("ahead_at_best", "adagrad"), EVEN, IN_PART, "can show"),
        ("question-4", ("equal_epochs", 1), {"smaller": 100, "larger": 200, **EVEN}, IN_PART, "can show"),
        (
            "question-4",
            ("equal_steps", 0),
            {"smaller": 50, "larger": 100, **BEHIND},
            HOLDS,
            "the greater number of steps",
        ),
        ("question-5", ("unlike_tensors",), ["optimizer/slots/h1/m"], FAILS, "differ in optimizer/slots/h1/m"),
        ("question-5", ("order_of_batches_equal",), False, FAILS, "the order of the batches"),
    ],
)
def test_a_verdict_turns_with_its_figures(name, path, to, verdict, words):
    answer = answers(changed(name, *path, to=to), SCALE)[name]
    assert answer.verdict == verdict
    assert words in " ".join(answer.sentences)


def test_questions_that_were_not_asked_have_no_answer():
    assert list(answers({"question-5": FIGURES["question-5"], "adam": {}}, SCALE)) == ["question-5"]
