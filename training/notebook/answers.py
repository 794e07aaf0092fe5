"""The five questions, answered in words that the figures choose."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .bands import FEWEST
from .printed import EPOCHS
from .scale import Scale

HOLDS, IN_PART, FAILS = "holds", "holds in part", "does not hold"
UNJUDGED = "is not judged: too few seeds or epochs"


@dataclass(frozen=True)
class Answer:
    """question and notebook: what was asked, and what the notebook answered; verdict: whether that holds up.

    sentences: the answer from our own runs.
    """

    question: str
    notebook: str
    verdict: str
    sentences: list[str]


def judged(seeds: int, epochs: int) -> bool:
    """Whether these seeds and epochs are enough for a verdict on the notebook, of 30 epochs."""
    return seeds >= FEWEST and epochs >= EPOCHS


def answers(parts: Mapping[str, Any], scale: Scale) -> dict[str, Answer]:
    """An answer for each question among these parts' figures."""
    given = {name: answer(parts[name]) for name, answer in ANSWERS.items() if name in parts}
    if judged(len(scale.seeds), scale.epochs):
        return given
    return {name: replace(answer, verdict=UNJUDGED) for name, answer in given.items()}


def _epochs(figures: Mapping[str, Any]) -> Answer:
    best, enough, last, error = (figures[name] for name in ("best", "enough", "last", "standard_error"))
    rises = [(rise["by"], rise["at"]) for rise in figures["rises"] if rise["at"]]
    short = [best["validation_accuracy"] - at["validation_accuracy"] for _, at in rises]
    said = [
        f"{f'by {by:.0%} or more' if by else 'at all'} in epoch {at['epoch']}, {100 * loss:.2f} points short"
        for (by, at), loss in zip(rises, short, strict=True)
    ]
    sentences = [
        f"Of {last['epoch']} epochs of one seed, number {best['epoch']} has the best validation accuracy, "
        f"{_share(best['validation_accuracy'])}. Epoch {enough['epoch']} is the first within a standard error of that "
        f"({100 * error:.2f} points, of 5,000 images), as are {figures['near']} of the "
        f"{last['epoch'] - enough['epoch']} after it: about there, more epochs stop helping measurably.",
        f"From one epoch to the next the cost first rises {_and(said)} of it: how much is much decides, and "
        "nobody knows it beforehand."
        if said
        else "The cost never rose from one epoch to the next, so the notebook's sign was not to be seen.",
    ]
    sentences += [
        f"Early stopping with a patience of {row['patience']} keeps the weights of epoch {row['epoch']}, with "
        f"{_share(row['test_accuracy'])} on the test images ({_share(last['test_accuracy'])} after all), and "
        + (f"stops after epoch {row['stopped']}." if row["stopped"] else "does not stop in this time.")
        for row in figures["stopping"]
    ]
    return Answer(
        "What happens with more epochs, and when do they stop being of use?",
        "Costs get worse again beyond some point; once they rise much from one epoch to the next, stop.",
        _verdict([loss <= error for loss in short]),
        sentences,
    )


def _learning_rates(figures: Mapping[str, Any]) -> Answer:
    sentences = []
    for rule, of in figures["rules"].items():
        rows = {row["learning_rate"]: row for row in of["grid"]}
        near = "none other" if len(of["near"]) == 1 else f"{min(of['near']):g} to {max(of['near']):g}"
        sentences.append(
            f"{rule.capitalize()} is best at {of['best']:g} of {min(rows):g} to {max(rows):g}, with "
            f"{_share(rows[of['best']]['validation_accuracy'])} on the validation images, one seed; within a point of "
            f"it: {near}."
        )
    low, middle, high = (figures["claims"][name] for name in ("adam-lr-0.0005", "adam", "adam-lr-0.005"))
    cost, accuracy = [[of[name]["mean"] for of in (low, middle, high)] for name in ("cost", "test_accuracy")]
    claims = {
        "the greater rate gives the greater accuracy": accuracy[0] < accuracy[1] < accuracy[2],
        "0.005 ends at a greater cost than 0.001": cost[2] > cost[1],
        "0.0005 ends at the least cost": cost[0] < min(cost[1:]),
    }
    sentences.append(
        f"At the notebook's three rates 0.0005, 0.001 and 0.005, Adam ends at costs of {_listed(cost, '.3g')} and test "
        f"accuracies of {_listed(accuracy, '.2%')}, in the mean over seeds. Among these three, "
        + "; ".join(f"that {claim}, {'holds' if true else 'does not hold'}" for claim, true in claims.items())
        + "."
    )
    return Answer(
        "What happens with a greater or smaller learning rate?",
        "At 0.005 the last costs are greater than at 0.001, and so is the accuracy; at 0.0005 the cost is the least of "
        "the three, and so is the accuracy.",
        _verdict(claims.values()),
        sentences,
    )


def _optimizers(figures: Mapping[str, Any]) -> Answer:
    found = [
        ("At the notebook's 0.001", figures["ahead"]),
        ("Each at its best learning rate", figures["ahead_at_best"]),
    ]
    return Answer(
        "Which of three optimizers is preferable?",
        "Adagrad and Adadelta are not as good as Adam. It ran all three at 0.001.",
        _verdict([of["low"] > 0 for _, ahead in found for of in ahead.values()]),
        [_difference(f"{where}, Adam", rule.capitalize(), of) for where, ahead in found for rule, of in ahead.items()],
    )


def _batch_sizes(figures: Mapping[str, Any]) -> Answer:
    epochs, steps = figures["epochs"], figures["steps"]
    rows = figures["rows"]
    after_epochs, after_steps = (
        max(rows, key=lambda row: row[equal]["validation_accuracy"]) for equal in ("equal_epochs", "equal_steps")
    )
    claims = [of["low"] > 0 for of in figures["equal_epochs"]]
    at_steps = [of["low"] > 0 for of in figures["equal_steps"]]
    times = [f"{row['times_as_long']['median']:.2f} in batches of {row['batch']}" for row in rows]
    return Answer(
        "What happens with another batch size?",
        "Twice the batch gave less accuracy, half of it more.",
        _verdict(claims),
        [
            *(
                _difference(f"After {epochs} epochs, batches of {of['smaller']}", f"batches of {of['larger']}", of)
                for of in figures["equal_epochs"]
            ),
            *(
                _difference(
                    f"After about {steps:,} steps, batches of {of['smaller']}", f"batches of {of['larger']}", of
                )
                for of in figures["equal_steps"]
            ),
            *(
                ["So it was not the smaller batch that helped, but the greater number of steps that it takes."]
                if all(claims) and not any(at_steps)
                else []
            ),
            f"Of all sizes, one seed each, batches of {after_epochs['batch']} have the best validation accuracy after "
            f"{epochs} epochs, {_share(after_epochs['equal_epochs']['validation_accuracy'])}, and batches of "
            f"{after_steps['batch']} after about {steps:,} steps, "
            f"{_share(after_steps['equal_steps']['validation_accuracy'])}.",
            f"An epoch takes, in times of one in batches of 100: {_and(times)} (medians of interleaved rounds).",
        ],
    )


def _sittings(figures: Mapping[str, Any]) -> Answer:
    same = not figures["unlike_tensors"] and figures["epochs_equal"] and figures["order_of_batches_equal"]
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
            f"In sittings that end after {_and([str(end) for end in figures['ends']])} epochs, each a process of its "
            f"own, against one sitting: {found}.",
            "The notebook's Saver keeps weights, slots and powers of β, but not where the batches stood: in another "
            "process it goes on with another order than it would have had. rawstep's checkpoints keep that too.",
        ],
    )


ANSWERS: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
    "question-1": _epochs,
    "question-2": _learning_rates,
    "question-3": _optimizers,
    "question-4": _batch_sizes,
    "question-5": _sittings,
}


def _difference(one: str, other: str, of: Mapping[str, float]) -> str:
    """A paired difference in test accuracy, and whether it differs from 0."""
    interval = f"95 %: {100 * of['low']:+.2f} to {100 * of['high']:+.2f}, paired by seed".replace("-", "−")
    apart = of["low"] > 0 or of["high"] < 0
    return (
        f"{one}: {abs(100 * of['mean']):.2f} points {'ahead of' if of['mean'] > 0 else 'behind'} {other} in test "
        f"accuracy ({interval}){'' if apart else ': no difference that these seeds can show'}."
    )


def _verdict(claims: Sequence[bool] | Any) -> str:
    true = list(claims)
    return HOLDS if all(true) and true else IN_PART if any(true) else FAILS


def _share(value: float) -> str:
    return f"{value:.2%}"


def _listed(values: Sequence[float], form: str) -> str:
    return _and([format(value, form) for value in values])


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
