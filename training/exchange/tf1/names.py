"""What TensorFlow 1 calls a graph's variables, the slots of its optimizers, and averages of the variables.

A variable that was given no name is `Variable`, the next `Variable_1`. Its slots stand under it, named after the
optimizer's class and numbered by variable: the first Adam's m and v are `Variable/Adam` and `Variable/Adam_1`, those of
a second that trains it `Variable/Adam_2` and `Variable/Adam_3`. Adam's running powers are one pair an optimizer,
numbered through the graph: `beta1_power` and `beta2_power`, then `beta1_power_1` and `beta2_power_1`. An optimizer that
is asked to minimize in a variable scope has the scope before all its slots: `train/net/w/Adam`. Reference and resource
variables are named alike.
"""

import re
from collections.abc import Collection, Iterable
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
    """An optimizer of tf.train: the name that its slots bear, rawstep's rules, and the rule's slots in their order.

    Of two rules, the second is what the kernel computes with use_nesterov, which a file does not say.
    tf.contrib.opt.NadamOptimizer calls its slots Adam too.
    """

    name: str
    rules: tuple[str, ...]
    slots: tuple[str, ...]

    @property
    def rule(self) -> str:
        """What the optimizer computes unless it was asked otherwise."""
        return self.rules[0]

    @property
    def nesterov(self) -> str | None:
        """What it computes with use_nesterov; None where it has none."""
        return self.rules[1] if self.rules[1:] else None


GRADIENT_DESCENT = Kind("GradientDescent", ("sgd",), ())
CENTERED = Kind("RMSProp", ("rmsprop",), ("v", "mean_g", "b"))
KINDS = (
    Kind("Adam", ("adam", "nadam"), ("m", "v")),
    Kind("Adagrad", ("adagrad",), ("a",)),
    Kind("Adadelta", ("adadelta",), ("mean_g2", "mean_dx2")),
    Kind("Momentum", ("momentum", "nesterov"), ("v",)),
    Kind("RMSProp", ("rmsprop",), ("v", "b")),
    Kind("Ftrl", ("ftrl",), ("n", "z")),
    GRADIENT_DESCENT,
)
AVERAGES = Kind("ExponentialMovingAverage", (), ("average",))
"""No optimizer, but its averages are named as slots are."""


KIND_NAMES = [*dict.fromkeys(kind.name for kind in KINDS)]


def kind_of_rule(rule: str, centered: bool = False) -> Kind | None:
    """The optimizer of TensorFlow 1's that computes a rule of rawstep's; None where there is none."""
    return CENTERED if centered and rule == "rmsprop" else next((kind for kind in KINDS if rule in kind.rules), None)


@dataclass(frozen=True)
class SlotSet:
    """All slots of one optimizer of a graph, which is the `number`-th of its kind, from 0.

    scope:  the variable scope in which it was asked to minimize.
    powers: the names of Adam's powers, which are numbered through the graph, and slots by variable; those of this
            number and scope, unless given, and none of these where they are not known.
    """

    kind: Kind
    number: int = 0
    scope: str = ""
    powers: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """That of its first slot: Adam, Adam_2, Adagrad_1, train/Adam, …"""
        return _scoped(self.scope, numbered(self.kind.name, self.number * len(self.kind.slots)))

    def slot_names(self, variable: str) -> dict[str, str]:
        """The names in the file by rawstep's names of the slots."""
        first = self.number * len(self.kind.slots)
        return {
            slot: _scoped(self.scope, f"{variable}/{numbered(self.kind.name, first + place)}")
            for place, slot in enumerate(self.kind.slots)
        }

    @property
    def power_names(self) -> tuple[str, ...]:
        """Of β1^(t+1) and β2^(t+1) where there are any."""
        if self.powers is not None:
            return self.powers
        powers = ("beta1_power", "beta2_power") if self.kind.name == "Adam" else ()
        return tuple(_scoped(self.scope, numbered(power, self.number)) for power in powers)

    def names(self, variables: Iterable[str]) -> list[str]:
        """Everything of it that a file holds."""
        return [name for variable in variables for name in self.slot_names(variable).values()] + [*self.power_names]


def power_set(name: str) -> SlotSet | None:
    """The set of Adam's to which a power of this name belongs; None for what is no power."""
    match = re.fullmatch(r"(?:(.+)/)?beta[12]_power(?:_([1-9]\d*))?", name)
    return SlotSet(KINDS[0], int(match[2] or 0), match[1] or "") if match else None


def slot_set(name: str, variables: Collection[str], centered: bool = False) -> SlotSet | None:
    """The set to which a slot, an average or a power of this name belongs; None for what is none of these.

    centered: whether RMSProp has three slots a variable, and not two.
    """
    if powers := power_set(name):
        return powers
    owner, _, slot = name.rpartition("/")
    for kind in (*KINDS, AVERAGES):
        kind = CENTERED if centered and kind.name == CENTERED.name else kind
        match = re.fullmatch(rf"{kind.name}(?:_([1-9]\d*))?", slot)
        if match and kind.slots and (scope := scope_of(owner, variables)) is not None:
            return SlotSet(kind, int(match[1] or 0) // len(kind.slots), scope)
    return None


def is_slot_name(name: str) -> bool:
    """Whether a name ends as those of slots and averages do, whether or not there is a variable before that."""
    return bool(re.search(rf"/({'|'.join((*KIND_NAMES, AVERAGES.name))})(_[1-9]\d*)?$", name))


def scope_of(owner: str, variables: Collection[str]) -> str | None:
    """What stands before a variable's name in that of its slots; None where this is no variable's."""
    if owner in variables:
        return ""
    parts = owner.split("/")
    ends = ("/".join(parts[place:]) for place in range(1, len(parts)))
    variable = next((end for end in ends if end in variables), None)
    return None if variable is None else owner.removesuffix(f"/{variable}")


def entered_once(scope: str) -> str:
    """A scope without the numbers that the names of powers have where it was entered again."""
    return re.sub(r"_\d+(?=/|$)", "", scope)


def _scoped(scope: str, name: str) -> str:
    return f"{scope}/{name}" if scope else name
