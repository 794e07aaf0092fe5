"""Each verdict turns where the figures turn: would catch an answer that is written before it is known."""

import copy

import pytest

from training.replication.answers import FAILS, HOLDS, IN_PART, answers


def at(epoch, validation):
    return {"epoch": epoch, "cost": 1.0, "validation_accuracy": validation, "test_accuracy": validation - 0.01}


def after(accuracy):
    return {"validation_accuracy": accuracy, "test_accuracy": accuracy}


def claim(cost, accuracy):
    return {"cost": {"mean": cost}, "test_accuracy": {"mean": accuracy}}


GRID = [{"learning_rate": rate, "validation_accuracy": 0.9} for rate in (0.001, 0.01)]
FIGURES = {
    "question-1": {
        "best": at(50, 0.97),
        "enough": at(40, 0.969),
        "first_rise": at(45, 0.969),
        "last": at(60, 0.97),
        "rises": 7,
        "standard_error": 0.002,
        "stopping": [{"patience": 3, "stopped": 24, **at(21, 0.96)}, {"patience": 9, "stopped": None, **at(50, 0.97)}],
    },
    "question-2": {
        "rules": {"adam": {"grid": GRID, "best": 0.01, "near": [0.001, 0.01]}},
        "claims": {"adam-lr-0.0005": claim(0.2, 0.94), "adam": claim(0.3, 0.95), "adam-lr-0.005": claim(0.6, 0.97)},
    },
    "question-3": {
        "rows": [
            {"rule": rule, "whose": whose, "learning_rate": 0.001, "test_accuracy": {"mean": mean}}
            for rule, whose, mean in (("adagrad", "the notebook's", 0.8), ("adagrad", "its best", 0.94))
        ],
        "adam_ahead": {
            "adagrad": {"mean": 0.02, "low": 0.01, "high": 0.03},
            "adadelta": {"mean": 0.02, "low": 0.01, "high": 0.03},
        },
    },
    "question-4": {
        "epochs": 30,
        "steps": 6_600,
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
    assert {name: answer.verdict for name, answer in answers(FIGURES).items()} == dict.fromkeys(FIGURES, HOLDS)


@pytest.mark.parametrize(
    ("name", "path", "to", "verdict", "words"),
    [
        ("question-1", ("first_rise",), at(20, 0.95), FAILS, "would lose 2.00 points"),
        ("question-1", ("first_rise",), None, IN_PART, "never rose"),
        ("question-2", ("claims", "adam", "test_accuracy", "mean"), 0.98, IN_PART, "accuracy, does not hold"),
        ("question-3", ("adam_ahead", "adadelta"), {"mean": -0.1, "low": -0.2, "high": -0.05}, IN_PART, "is behind"),
        ("question-3", ("adam_ahead", "adagrad"), {"mean": 0.1, "low": -0.2, "high": 0.4}, IN_PART, "can show"),
        ("question-4", ("rows", 0, "equal_steps"), after(0.90), IN_PART, "the greater number of its steps"),
        ("question-5", ("unlike_tensors",), ["optimizer/slots/h1/m"], FAILS, "differ in optimizer/slots/h1/m"),
        ("question-5", ("order_of_batches_equal",), False, FAILS, "the order of the batches"),
    ],
)
def test_a_verdict_turns_with_its_figures(name, path, to, verdict, words):
    answer = answers(changed(name, *path, to=to))[name]
    assert answer.verdict == verdict
    assert words in " ".join(answer.sentences)


def test_questions_that_were_not_asked_have_no_answer():
    assert list(answers({"question-5": FIGURES["question-5"], "adam": {}})) == ["question-5"]
