"""What TensorFlow 1 calls the variables of the notebook's graph and the slots of its optimizers.

A variable that was given no name is `Variable`, the next `Variable_1`. Its slots stand under it, named after the
optimizer's class and numbered through the graph: the first Adam's m and v are `Variable/Adam` and `Variable/Adam_1`,
a second Adam's `Variable/Adam_2` and `Variable/Adam_3`. Adam's running powers are one pair an optimizer:
`beta1_power` and `beta2_power`, then `beta1_power_1` and `beta2_power_1`. Reference and resource variables are named
alike.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GLOBAL_STEP = "global_step"


def numbered(name: str, number: int) -> str:
    """How TensorFlow makes a name its own: `name`, `name_1`, `name_2`, …"""
    return f"{name}_{number}" if number else name


def weight_names(layers: int) -> list[str]:
    """h1, h2, …, ho, b1, b2, …, bo, in the order in which the notebook creates them."""
    labels = [*map(str, range(1, layers)), "o"]
    return [f"{letter}{label}" for letter in "hb" for label in labels]


def created_names(layers: int) -> list[str]:
    """Variable, Variable_1, …: what the same variables are called where they were given no names."""
    return [numbered("Variable", number) for number in range(2 * layers)]


@dataclass(frozen=True)
class Kind:
    """An optimizer of tf.train: the name that its slots bear, rawstep's rule, and the rule's slots in their order."""

    name: str
    rule: str
    slots: tuple[str, ...]


KINDS = (
    Kind("Adam", "adam", ("m", "v")),
    Kind("Adagrad", "adagrad", ("a",)),
    Kind("Adadelta", "adadelta", ("mean_g2", "mean_dx2")),
)


@dataclass(frozen=True)
class SlotSet:
    """All slots of one optimizer of a graph, which is the `number`-th of its kind, from 0."""

    kind: Kind
    number: int = 0

    @property
    def name(self) -> str:
        """That of its first slot: Adam, Adam_2, Adagrad_1, …"""
        return numbered(self.kind.name, self.number * len(self.kind.slots))

    def slot_names(self, variable: str) -> dict[str, str]:
        """The names in the file by rawstep's names of the slots."""
        first = self.number * len(self.kind.slots)
        return {
            slot: f"{variable}/{numbered(self.kind.name, first + place)}" for place, slot in enumerate(self.kind.slots)
        }

    @property
    def power_names(self) -> tuple[str, ...]:
        """Of β1^(t+1) and β2^(t+1) where there are any."""
        powers = ("beta1_power", "beta2_power") if self.kind.name == "Adam" else ()
        return tuple(numbered(power, self.number) for power in powers)

    def names(self, variables: Iterable[str]) -> list[str]:
        """Everything of it that a file holds."""
        return [name for variable in variables for name in self.slot_names(variable).values()] + [*self.power_names]


def slot_set(name: str, variables: Sequence[str]) -> SlotSet | None:
    """The set to which a slot or a power of this name belongs; None for what is neither."""
    if match := re.fullmatch(r"beta[12]_power(?:_([1-9]\d*))?", name):
        return SlotSet(KINDS[0], int(match[1] or 0))
    variable, _, slot = name.rpartition("/")
    for kind in KINDS:
        match = re.fullmatch(rf"{kind.name}(?:_([1-9]\d*))?", slot)
        if match and variable in variables:
            return SlotSet(kind, int(match[1] or 0) // len(kind.slots))
    return None
