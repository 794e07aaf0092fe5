"""What decides a training run. Free of TensorFlow, so that --help answers at once."""

import copy
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from ..workloads.options import FilePath, HiddenLayers, Whole
from .around import SCHEDULED, Around

if TYPE_CHECKING:
    from core import Rule

    from ..workloads.data import Dataset


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The rule itself.

    Parameters
    ----------
    rule
        One of rawstep's, which `rawstep explain` lists, or module:Name for one of your own, a class or an instance.
    dialect
        Whose form of the formula and whose defaults: paper, tf1, keras, torch or optax, as far as they have the rule.
        Unless given, tf1, the notebook's, or the paper's where TF1 lacks the rule; for one of your own, its defaults.
    learning_rate
        Unless given, the dialect's own, where it has one.
    schedule
        The learning rate as it follows the steps: cosine:3e-3,steps=5500,warmup=500 rises for 500 steps and falls to 0
        until step 5,500; also constant, piecewise, points, exponential, inverse-time, polynomial, cosine-restarts,
        one-cycle. Every other number of the rule and around it can follow one too, such as --beta-1
        polynomial:0.9,steps=100,end=0.5
    """

    rule: str = "adam"
    dialect: str | None = None
    learning_rate: float | None = None
    schedule: str | None = None


@dataclass(frozen=True, kw_only=True)
class Settings(Around, Chosen):  # options are listed in the order of Chosen, Around, Settings
    """One training run; the defaults are the notebook's first experiment.

    Parameters
    ----------
    batch_size
        Images a step.
    epochs
        Passes over the training images.
    seed
        Decides the first weights and the order of the batches.
    hidden
        Units of each hidden layer, or none: the pixels then lead straight to the classes, which is softmax regression.
    init
        First weights: normal is N(0,1) for weights and biases, as in the notebook.
    data_dir
        A folder with four IDX files like MNIST's, plain or gzipped: Fashion-MNIST, KMNIST, a set of EMNIST or your
        own. Image size and classes come from the files. Unless given, MNIST.
    validation
        The images for validation: a number, drawn from the seed with each class's share; first, the first twelfth of
        the training images; or a folder with two IDX files. Unless given, first for MNIST, as in the notebook, and a
        twelfth, drawn, of other images.
    execution
        How steps run: operation by operation, as a graph a step, as an XLA program a step, or as one XLA loop.
    microbatches
        Divide every batch into this many parts, and add their gradients in a fixed order: a run then has the same bits
        on any number of replicas that divides it, for the time that it takes to send all parts' gradients.
    accumulate
        Take each step by the mean gradient of this many batches, computed one after another: equal to one batch as
        large as all of them in as many --microbatches. Schedules, averages and counters count the steps.
    keep_best
        Keep the checkpoint of the epoch with the best validation accuracy too; --best reads it.
    patience
        Stop after this many epochs without a better validation accuracy.
    on_nonfinite
        What the first cost, gradient or weight that is NaN or infinite does: stop the run before it, with status 3, or
        let it continue, with a note.
    """

    batch_size: Whole = 100
    epochs: Annotated[Whole, Parameter(validator=Number(gte=1))] = 30
    seed: Annotated[Whole, Parameter(validator=Number(gte=0))] = 0
    hidden: HiddenLayers = (256, 256)
    init: Literal["normal", "he", "glorot"] = "normal"
    data_dir: FilePath | None = None
    validation: str | None = None
    execution: Literal["eager", "graph", "xla-step", "xla-loop"] = "xla-loop"
    microbatches: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None
    accumulate: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None
    keep_best: bool = False
    patience: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None
    on_nonfinite: Literal["stop", "continue"] = "stop"
    rule_options: Annotated[Mapping[str, str], Parameter(parse=False)] = field(default_factory=dict)

    def __new__(cls, **given: Any) -> Self:
        self = super().__new__(cls)
        self.__dict__["named"] = tuple(given)  # past the lock of a frozen dataclass
        return self

    def __post_init__(self) -> None:
        # JSON has lists and texts; and a run may be resumed from another working directory.
        for name in ("hidden", "decay_only", "group"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        # Up to rawstep 0.2, a rule's own weight decay was one of its options.
        own = {name: value for name, value in self.rule_options.items() if name in SCHEDULED}
        rest = {name: value for name, value in self.rule_options.items() if name not in own}
        for name, value in {**own, "rule_options": rest}.items():
            object.__setattr__(self, name, value)
        if self.data_dir is not None:
            object.__setattr__(self, "data_dir", Path(self.data_dir).absolute())
        if self.validation is not None and self.validation != "first" and not self.validation.isdecimal():
            object.__setattr__(self, "validation", str(Path(self.validation).absolute()))
        if ":" not in self.rule:
            object.__setattr__(self, "rule", self.rule.lower())

    @property
    def options(self) -> dict[str, Any]:
        """The settings by the names that they have on the command line."""
        from .rule_choice import canonical

        values = {
            name: (" ".join(map(str, value)) or "none") if isinstance(value, tuple) else value
            for name, value in asdict(self.settled()).items()
        }
        values |= {name: canonical(name, values[name]) for name in SCHEDULED if isinstance(values[name], str)}
        named: Any = values.pop("rule_options")
        return {f"--{name.replace('_', '-')}": value for name, value in {**values, **named}.items()}

    def refuse(self, names: Collection[str], why: str) -> None:
        """Raises CycloptsError where one of these was named when this was made."""
        for name in names:
            if name in self.__dict__["named"]:
                raise CycloptsError(f"--{name.replace('_', '-')} means nothing here: {why}.")

    def with_rule(self, options: Mapping[str, str]) -> Self:
        """The same with settings of the rule, as `rule_options.by_name` returns them."""
        if not options:
            return self
        other = self._with("rule_options", {**self.rule_options, **options})
        other.__dict__["named"] = (*self.__dict__["named"], "rule_options")
        return other

    def settled(self) -> Self:
        """The same with the dialect that is meant where none is given."""
        if self.dialect is not None or ":" in self.rule:
            return self
        from .rule_choice import usual_dialect

        return self._with("dialect", usual_dialect(self.rule))

    def _with(self, name: str, value: Any) -> Self:
        """Past the lock of a frozen dataclass: what was named when it was made stays as it is."""
        other = copy.copy(self)
        object.__setattr__(other, name, value)
        return other

    def make_rule(self) -> "Rule":
        """The rule of the run, with all that stands around it; see `building.build_rule`."""
        from .building import build_rule, chosen_rate

        rate = chosen_rate(self.learning_rate, self.schedule)
        return build_rule(self, self.rule, self.settled().dialect, rate, self.rule_options)

    @property
    def examples(self) -> int:
        """Images that a step takes, in all its batches."""
        return self.batch_size * (self.accumulate or 1)

    @property
    def parts(self) -> int | None:
        """Into how many parts they are divided; None where they are not."""
        if self.microbatches is None and self.accumulate is None:
            return None
        return (self.microbatches or 1) * (self.accumulate or 1)

    def dataset(self) -> "Dataset":
        """The images, as `data.load_dataset` reads and splits them."""
        from ..workloads.data import load_dataset

        return load_dataset(self.data_dir, self.validation, self.seed)

    def over(self, earlier: Self) -> Self:
        """The settings of an earlier run, except those that were named when this one was made."""
        mine = {name: getattr(self, name) for name in self.__dict__["named"]}
        for one, other in ("learning_rate", "schedule"), ("schedule", "learning_rate"):
            if mine.get(one) is not None:
                mine.setdefault(other, None)
        if mine.get("rule", earlier.rule) != earlier.rule:
            mine.setdefault("rule_options", {})
        elif "rule_options" in mine:
            mine["rule_options"] = {**earlier.rule_options, **self.rule_options}
        return type(self)(**asdict(earlier) | mine)
