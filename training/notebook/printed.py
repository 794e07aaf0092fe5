"""What the notebook printed, once, without a seed."""

import json
from pathlib import Path
from typing import NamedTuple

EPOCHS = 30
"""Of each of its experiments."""
RESUMED_EPOCHS = 5
"""After its first experiment was restored from its checkpoint."""


class Printed(NamedTuple):
    """One experiment: its settings, the mean cost of each epoch that was printed, and the accuracy after the last."""

    name: str
    rule: str
    learning_rate: float
    batch_size: int
    costs: list[float]
    test_accuracy: float


_NOTEBOOK = json.loads(Path(__file__).with_name("notebook.json").read_text())

RULES = ("adam", "adagrad", "adadelta")
"""The optimizers that it compared."""
EXPERIMENTS = tuple(Printed(**experiment) for experiment in _NOTEBOOK["experiments"])
RESUMED_COSTS: tuple[float, ...] = tuple(_NOTEBOOK["resumed_costs"])
