"""The five questions, answered in words that the figures choose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

HOLDS, IN_PART, FAILS = "holds", "holds in part", "does not hold"


@dataclass(frozen=True)
class Answer:
    """question and notebook: what was asked, and what the notebook answered; verdict: whether that holds up.

    sentences: the answer from our own runs.
    """

    question: str
    notebook: str
    verdict: str
    sentences: list[str]


def answers(parts: Mapping[str, Any]) -> dict[str, Answer]:
    """An answer for each question among these parts' figures."""
    return {name: answer(parts[name]) for name, answer in ANSWERS.items() if name in parts}


def _epochs(figures: Mapping[str, Any]) -> Answer:
    best, enough, rise, last = (figures[name] for name in ("best", "enough", "first_rise", "last"))
    sentences = [
        f"Of {last['epoch']} epochs, number {best['epoch']} has the best validation accuracy, "
        f"{_share(best['validation_accuracy'])}. From epoch {enough['epoch']} on it is within a standard error "
        f"({_share(figures['standard_error'])}) of that: 5,000 images cannot tell what comes later from no gain."
    ]
    if rise is None:
        verdict = IN_PART
        sentences.append("The cost never rose from one epoch to the next, so the notebook's sign was not to be seen.")
    else:
        short = best["validation_accuracy"] - rise["validation_accuracy"]
        too_early = short > figures["standard_error"]
        verdict = FAILS if too_early else HOLDS
        sentences.append(
            f"The cost rises for the first time in epoch {rise['epoch']}, and in {figures['rises']} of all epochs. To "
            f"stop there would {'lose' if too_early else 'cost no more than'} {100 * short:.2f} points of validation "
            "accuracy: "
            f"{'a rising training cost is no sign that more epochs are useless' if too_early else 'it was time'}."
        )
    sentences += [
        f"Early stopping with a patience of {row['patience']} keeps the weights of epoch {row['epoch']}, with "
        f"{_share(row['test_accuracy'])} on the test images ({_share(last['test_accuracy'])} after all), and "
        + (f"stops after epoch {row['stopped']}." if row["stopped"] else "does not stop in this time.")
        for row in figures["stopping"]
    ]
    return Answer(
        "What happens with more epochs, and when do they stop being of use?",
        "Costs get worse again beyond some point; once they rise much from one epoch to the next, stop.",
        verdict,
        sentences,
    )


def _learning_rates(figures: Mapping[str, Any]) -> Answer:
    sentences = []
    for rule, of in figures["rules"].items():
        rows = {row["learning_rate"]: row for row in of["grid"]}
        near = "none other" if len(of["near"]) == 1 else f"{min(of['near']):g} to {max(of['near']):g}"
        sentences.append(
            f"{rule.capitalize()} is best at {of['best']:g} of {min(rows):g} to {max(rows):g}, with "
            f"{_share(rows[of['best']]['validation_accuracy'])} on the validation images; within a point of it: {near}."
        )
    low, middle, high = (figures["claims"][name] for name in ("adam-lr-0.0005", "adam", "adam-lr-0.005"))
    cost, accuracy = [[of[name]["mean"] for of in (low, middle, high)] for name in ("cost", "test_accuracy")]
    claims = {
        "a greater rate gives a greater accuracy": accuracy[0] < accuracy[1] < accuracy[2],
        "0.005 ends at a greater cost than 0.001": cost[2] > cost[1],
        "0.0005 ends at the least cost of the three": cost[0] < min(cost[1:]),
    }
    sentences.append(
        f"Of the notebook's three rates 0.0005, 0.001 and 0.005, Adam ends at costs of {_listed(cost, '.3g')} and test "
        f"accuracies of {_listed(accuracy, '.2%')}, in the mean over seeds. "
        + " ".join(f"That {claim}, {'holds' if true else 'does not hold'}." for claim, true in claims.items())
    )
    return Answer(
        "What happens with a greater or smaller learning rate?",
        "At 0.005 the last costs are greater than at 0.001, and so is the accuracy; at 0.0005 the cost is the least of "
        "the three, and so is the accuracy.",
        _verdict(claims.values()),
        sentences,
    )


def _optimizers(figures: Mapping[str, Any]) -> Answer:
    rows = {(row["rule"], row["whose"]): row for row in figures["rows"]}
    sentences = [_ahead(rule, of) for rule, of in figures["adam_ahead"].items()]
    claims = [of["low"] > 0 for of in figures["adam_ahead"].values()]
    at_1e3 = {rule: row["test_accuracy"]["mean"] for (rule, whose), row in rows.items() if whose == "the notebook's"}
    gaps = [
        f"{rule.capitalize()} gains {100 * (rows[rule, 'its best']['test_accuracy']['mean'] - accuracy):.1f} points"
        for rule, accuracy in at_1e3.items()
    ]
    sentences.append(
        f"The notebook gave all three the rate 0.001. By their best rates, in the mean over seeds, {_and(gaps)}."
    )
    return Answer(
        "Which of three optimizers is preferable?",
        "Adagrad and Adadelta, at Adam's 0.001, are not as good as Adam.",
        _verdict(claims),
        sentences,
    )


def _batch_sizes(figures: Mapping[str, Any]) -> Answer:
    rows = figures["rows"]
    best, best_at_steps = (
        max(rows, key=lambda row: row[equal]["validation_accuracy"]) for equal in ("equal_epochs", "equal_steps")
    )
    by_batch = {row["batch"]: row for row in rows}
    accuracy = [by_batch[batch]["equal_epochs"]["test_accuracy"] for batch in (50, 100, 200)]
    steps = [by_batch[batch]["equal_steps"]["test_accuracy"] for batch in (50, 100, 200)]
    claims = [accuracy[0] > accuracy[1] > accuracy[2], steps[0] > steps[1] > steps[2]]
    times = [f"{row['times_as_long']['median']:.2f} in batches of {row['batch']}" for row in rows]
    return Answer(
        "What happens with another batch size?",
        "Twice the batch gave less accuracy, half of it more.",
        _verdict(claims),
        [
            f"After {figures['epochs']} epochs in batches of 50, 100 and 200, the test accuracy of one seed is "
            f"{_listed(accuracy, '.2%')}; the best validation accuracy is that of batches of {best['batch']}, "
            f"{_share(best['equal_epochs']['validation_accuracy'])}. A smaller batch takes more steps in an epoch.",
            f"After {figures['steps']:,} steps, whatever the batch, it is {_listed(steps, '.2%')}; the best validation "
            f"accuracy is then that of batches of {best_at_steps['batch']}, "
            f"{_share(best_at_steps['equal_steps']['validation_accuracy'])}. "
            + (
                "So it is not the smaller batch that helps, but the greater number of its steps."
                if claims[0] and not claims[1]
                else "So the number of steps is not all of it."
            ),
            f"An epoch takes, in times of one in batches of 100: {_and(times)} (medians of interleaved rounds).",
        ],
    )


def _sittings(figures: Mapping[str, Any]) -> Answer:
    same = not figures["unlike_tensors"] and figures["epochs_equal"] and figures["order_of_batches_equal"]
    sittings = f"{_and([str(end) for end in figures['ends']])} epochs"
    found = (
        f"all {figures['tensors']} tensors ({figures['numbers']:,} numbers: weights, slots, step), every cost and "
        "accuracy, and the order of the batches to come are equal, bit for bit"
        if same
        else f"they differ in {_and(figures['unlike_tensors']) or 'costs, accuracies or the order of the batches'}"
    )
    return Answer(
        "How does one go on with training that was left half done?",
        "Restore the session and go on.",
        HOLDS if same else FAILS,
        [
            f"In sittings that end after {sittings}, each a process of its own, against one sitting: {found}.",
            "The notebook's Saver keeps weights, slots and powers of β, but not where its batches stood: it goes on "
            "with another order than it would have had. rawstep's checkpoints keep that too.",
        ],
    )


ANSWERS: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
    "question-1": _epochs,
    "question-2": _learning_rates,
    "question-3": _optimizers,
    "question-4": _batch_sizes,
    "question-5": _sittings,
}


def _ahead(rule: str, of: Mapping[str, float]) -> str:
    side = "ahead of" if of["mean"] > 0 else "behind"
    interval = f"95 % of {100 * of['low']:+.2f} to {100 * of['high']:+.2f}, paired by seed"
    shown = "" if of["low"] > 0 or of["high"] < 0 else ": no difference that these seeds can show"
    return (
        f"Each at its best learning rate, Adam is {side} {rule.capitalize()} by {100 * abs(of['mean']):.2f} points of "
        f"test accuracy ({interval}){shown}."
    )


def _verdict(claims: Any) -> str:
    true = list(claims)
    return HOLDS if all(true) else IN_PART if any(true) else FAILS


def _share(value: float) -> str:
    return f"{value:.2%}"


def _listed(values: list[float], form: str) -> str:
    return _and([format(value, form) for value in values])


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
