"""What decides a training run. Free of TensorFlow, so that --help answers at once."""

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from ..workloads.options import Whole
from .around import SCHEDULED, Around
from .own_options import NoSuchSettingError, refuse_ambiguous, split

if TYPE_CHECKING:
    from core import Rule

    from ..workloads.workload import Data, Workload


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
    workload
        What is trained: one of rawstep's problems (mlp, the notebook's perceptron), or module:Name for one of your
        own. With --workload NAME, --help lists its options; of mlp they are --hidden, --init, --data-dir and
        --validation.
    batch_size
        Examples a step. Unless given, the workload's: 100 of mlp.
    epochs
        Passes over the training examples. Unless given, the workload's: 30 of mlp.
    seed
        Decides the first values of the variables, the order of the batches, and what of the data is drawn.
    execution
        How steps run: operation by operation, as a graph a step, as an XLA program a step, or as one XLA loop. Unless
        given, what suits the workload here: xla-loop for mlp.
    xla_options
        by-size: on a CPU, a small dense network trains in one loop a tensor and with XLA's kernels in order, by options
        that are printed; its last bits are others then. none: XLA's own defaults.
    microbatches
        Divide every batch into this many parts, and add their gradients in a fixed order: a run then has the same bits
        on any number of replicas that divides it, for the time that it takes to send all parts' gradients.
    accumulate
        Take each step by the mean gradient of this many batches, computed one after another: equal to one batch as
        large as all of them in as many --microbatches. Schedules, averages and counters count the steps.
    compute
        The dtype in which the cost is computed: the parameters are rounded to it in each step, and their gradients come
        back. The parameters' own, unless given. float16 comes with a loss scale, which drops a step that overflows.
    parameters
        The dtype of the parameters. In bfloat16 each has a master in float32, by which it moves; slots are float32.
        Unless given, as the workload makes them: float32.
    keep_best
        Keep the checkpoint of the epoch with the best validation accuracy too; --best reads it.
    patience
        Stop after this many epochs without a better validation accuracy.
    on_nonfinite
        What a cost, gradient or weight that is NaN or infinite does: stop the run before it, with status 3; skip and
        count each step whose cost or gradients are not finite, and stop for other values; or continue, with a note of
        the first.
    """

    workload: str = "mlp"
    batch_size: Whole | None = None
    epochs: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None
    seed: Annotated[Whole, Parameter(validator=Number(gte=0))] = 0
    execution: Literal["eager", "graph", "xla-step", "xla-loop"] | None = None
    xla_options: Literal["by-size", "none"] = "none"
    microbatches: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None
    accumulate: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None
    compute: Literal["float32", "bfloat16", "float16"] | None = None
    parameters: Literal["float32", "bfloat16"] | None = None
    keep_best: bool = False
    patience: Annotated[Whole | None, Parameter(validator=Number(gte=1))] = None
    on_nonfinite: Literal["stop", "skip", "continue"] = "stop"
    rule_options: Annotated[Mapping[str, str], Parameter(parse=False)] = field(default_factory=dict)
    workload_options: Annotated[Mapping[str, Any], Parameter(parse=False)] = field(default_factory=dict)

    def __new__(cls, **given: Any) -> Self:
        self = super().__new__(cls)
        self.__dict__.update(named=tuple(given), own={})  # past the lock of a frozen dataclass
        return self

    def __post_init__(self) -> None:
        # JSON has lists and texts.
        for name in ("decay_only", "group"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        # Up to rawstep 0.2, a rule's own weight decay was one of its options.
        own = {name: value for name, value in self.rule_options.items() if name in SCHEDULED}
        rest = {name: value for name, value in self.rule_options.items() if name not in own}
        for name, value in {**own, "rule_options": rest}.items():
            object.__setattr__(self, name, value)
        if self.compute == "float16" and self.parameters == "bfloat16":
            raise CycloptsError(
                "--compute float16 holds no bfloat16 beyond 65,504: give one of them, or bfloat16 both."
            )
        for name in ("rule", "workload"):
            if ":" not in getattr(self, name):
                object.__setattr__(self, name, getattr(self, name).lower())

    @property
    def options(self) -> dict[str, Any]:
        """The settings by the names that they have on the command line."""
        from ..workloads.values import option, text
        from .rule_choice import canonical

        settled = self.settled()
        values = {
            name: (" ".join(map(str, value)) or "none") if isinstance(value, tuple) else value
            for name, value in asdict(settled).items()
        }
        values |= {name: canonical(name, values[name]) for name in SCHEDULED if isinstance(values[name], str)}
        del values["workload_options"], values["rule_options"]
        own = {name: text(value) for name, value in settled.workload_options.items()}
        return {option(name): value for name, value in {**values, **own, **settled.rule_options}.items()}

    @property
    def places(self) -> list[str]:
        """The options that say where the workload's data are."""
        from ..workloads.choice import kind_of
        from ..workloads.values import option

        return [option(name) for name in kind_of(self.workload).places]

    def refuse(self, names: Collection[str], why: str) -> None:
        """Raises CycloptsError where one of these was named when this was made."""
        for name in names:
            if name in self.__dict__["named"]:
                raise CycloptsError(f"--{name.replace('_', '-')} means nothing here: {why}.")

    def with_options(self, options: Mapping[str, Sequence[str]]) -> Self:
        """The same with settings of the workload and of the rule, as `own_options.by_name` returns them: which is whose
        shows once both are known."""
        other = self._with()
        other.__dict__["own"] = {**self.__dict__["own"], **options}
        return other

    def _split(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The settings of the workload, and those of the rule."""
        of_workload, of_rule = split(self.__dict__["own"], self.workload)
        return {**self.workload_options, **of_workload}, {**self.rule_options, **of_rule}

    def elsewhere(self, options: Mapping[str, Sequence[str]]) -> Self:
        """The same on other data: with settings that say where those of the workload are, and without those that
        described the data at another place; see `Workload.described_by`.

        Raises CycloptsError for any other.
        """
        from ..workloads.choice import kind_of

        places, others = self.places, [f"--{name.replace('_', '-')}" for name in options]
        if others := [name for name in others if name not in places]:
            own = ", ".join(places) or "none"
            raise CycloptsError(f"There is no option {others[0]}; of {self.workload} there are here: {own}.")
        described = kind_of(self.workload).described_by
        anew = {name for place in options for name in described.get(place, ()) if name not in options}
        kept = {name: value for name, value in self.workload_options.items() if name not in anew}
        return self._with(workload_options=kept).with_options(options).settled()

    def settled(self) -> Self:
        """The same with what is meant where nothing is given: the workload's defaults, and the rule's dialect."""
        from ..workloads.choice import settings_of
        from ..workloads.declared import checked_defaults, checked_execution
        from .rule_choice import usual_dialect

        workload, (_, rule_options) = self.make_workload(), self._split()
        usual = checked_defaults(workload)
        given = {name: usual[name] for name in ("batch_size", "epochs") if getattr(self, name) is None}
        given |= {"workload_options": settings_of(workload), "rule_options": rule_options}
        if "rule" not in self.__dict__["named"]:
            given |= self._usual_rule(usual, rule_options)
        if self.execution is None:
            given["execution"] = checked_execution(workload, device())
        settled = self._with(**given)
        settled.__dict__["own"] = {}
        refuse_ambiguous(settled.workload, settled.rule)
        if settled.dialect is not None or ":" in settled.rule:
            return settled
        return settled._with(dialect=usual_dialect(settled.rule))

    def _usual_rule(self, usual: Mapping[str, Any], options: Mapping[str, str]) -> dict[str, Any]:
        """The rule among a workload's defaults, with those of its settings that are not named here."""
        known, named = {one.name for one in fields(self)}, {*self.__dict__["named"]}
        if named & {"learning_rate", "schedule"}:
            named |= {"learning_rate", "schedule"}
        of_rule = {name: str(value) for name, value in usual.items() if name not in known}
        ours = {name: value for name, value in usual.items() if name in known - named - {"batch_size", "epochs"}}
        return ours | {"rule_options": {**of_rule, **options}}

    def _with(self, **values: Any) -> Self:
        """Past the lock of a frozen dataclass: what was named when it was made stays as it is."""
        other = copy.copy(self)
        for name, value in values.items():
            object.__setattr__(other, name, value)
        return other

    def make_rule(self) -> "Rule":
        """The rule of the run, with all that stands around it; see `building.build_rule`."""
        from ..workloads.choice import kind_of
        from ..workloads.values import by_option, option
        from .building import build_rule, chosen_rate

        of = self.settled()
        rate, workload = chosen_rate(of.learning_rate, of.schedule), kind_of(of.workload)
        try:
            return build_rule(of, of.rule, of.dialect, rate, of.rule_options, workload.groups)
        except NoSuchSettingError as error:
            raise error.nor_of(of.workload, [*map(option, by_option(workload).values())]) from error

    def make_workload(self) -> "Workload":
        """What is trained. Raises InputError for a workload or a setting of it that cannot be."""
        from ..workloads.choice import chosen

        return chosen(self.workload, self._split()[0])

    def data(self, schema: Mapping[str, Any] | None = None) -> "Data":
        """The workload's examples; of a trained run, whose data had this schema, examples like them.

        Raises InputError where they are not as they should be.
        """
        from ..output.screen import Reading
        from ..workloads.check import checked_data
        from ..workloads.data.heard import heard_by

        with Reading() as reading, heard_by(reading.at):
            workload = self.make_workload()
            return checked_data(workload if schema is None else workload.with_schema(schema), self.seed)

    @property
    def examples(self) -> int:
        """Those that a step takes, in all its batches."""
        return (self.settled().batch_size or 0) * (self.accumulate or 1)

    @property
    def narrow(self) -> bool:
        """Whether a dtype was chosen, of the parameters or of what is computed with them."""
        return self.compute is not None or self.parameters is not None

    @property
    def parts(self) -> int | None:
        """Into how many parts they are divided; None where they are not."""
        if self.microbatches is None and self.accumulate is None:
            return None
        return (self.microbatches or 1) * (self.accumulate or 1)

    def over(self, earlier: Self) -> Self:
        """The settings of an earlier run, except those that were named when this one was made."""
        mine = {name: getattr(self, name) for name in self.__dict__["named"]}
        for one, other in ("learning_rate", "schedule"), ("schedule", "learning_rate"):
            if mine.get(one) is not None:
                mine.setdefault(other, None)
        for kind in ("rule", "workload"):
            if mine.get(kind, getattr(earlier, kind)) != getattr(earlier, kind):
                mine.setdefault(f"{kind}_options", {})
        return type(self)(**asdict(earlier) | mine).with_options(self.__dict__["own"])


@dataclass(frozen=True, kw_only=True)
class OwnProcess(Settings):
    """The settings of a run that has a process to itself."""

    xla_options: Literal["by-size", "none"] = "by-size"


def device() -> str:
    """Where TensorFlow computes: "gpu" where there is one, or "cpu"."""
    import tensorflow as tf

    return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"
