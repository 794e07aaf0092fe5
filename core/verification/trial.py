"""One case put to the test: what was found of an implementation, and which planted errors would be seen."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..seeds import generator
from .cards import CARDS
from .causes import Cause, Suspect, cause
from .chains import StatedChain
from .errors import WITHOUT_X, around
from .formulas import Formula
from .graph import OfFormula
from .implementations import Implementation, Known, beside, renamed
from .judge import Comparison, Difference, Drift, free_run, judge, judge_drift, judge_first
from .layout import Layout
from .libraries import REFERENCES
from .mutants import Mutant
from .optimizers import OfLibrary
from .rounded import Rounded
from .statements import StatedByOptimizer, Statement
from .streams import Streams
from .trajectory import Trajectory, Values

PAPER = "paper"
"""The reference that is no library: the formula in a wider dtype, which shows every stage."""

MUTANT_STEPS = 120
"""Steps for which a planted error is followed: all are seen within them, or not at all."""

DRIFT_STEPS = 3_000
"""The first steps of a run that are compared with the formula left alone: three times as many as Adam remembers."""

LIBRARY_STEPS = 300
"""The first steps about which a library is asked, and every 40th after them, where each costs a call."""


@dataclass(frozen=True)
class Falling:
    """A schedule to judge with: α / (1 + s/8) after s steps, which is another rate at every step."""

    rate: float

    def __call__(self, step: Any) -> Any:
        return self.rate / (1 + step / 8)

    def __str__(self) -> str:
        return f"{self.rate:g} / (1 + s/8)"


class Case(NamedTuple):
    """What an implementation is judged with.

    settings: what differs from the dialect's own; the learning rate may be a schedule.
    drawn:    the slots start from drawn values, where they show what their own first values hide.
    """

    settings: Mapping[str, Any]
    drawn: bool = False

    @property
    def scheduled(self) -> bool:
        return any(map(callable, self.settings.values()))


class Expected(NamedTuple):
    """What should come out: the statement, and an implementation of it in which errors can be planted.

    known:   the rule of core, where the statement is its formula.
    errors:  those that are planted in it for a dtype, beside the ones that any implementation may have.
    library: by the name of a reference, the library's own implementation of it.
    numbers: all its settings, where they are known.
    """

    name: str
    statement: Statement
    implementation: Implementation
    known: Known | None = None
    errors: Callable[[np.dtype], Sequence[Mutant]] = lambda dtype: ()
    library: Callable[[str], Implementation] | None = None
    numbers: Sequence[Any] | None = None

    @classmethod
    def of(cls, known: Known, settings: Mapping[str, Any] | None = None) -> "Expected":
        """What a rule of core should compute; settings: those of the case, by which a library is made."""
        name, _, _, formula = known
        return cls(
            name,
            formula,
            OfFormula(name, formula),
            known,
            lambda dtype: CARDS[name].mutants(formula, known.dialect, dtype),
            lambda library: OfLibrary(library, REFERENCES[library], name, settings or {}),
            [*formula.settings.values()],
        )


@dataclass(frozen=True)
class Judged:
    """A trajectory against one reference.

    steps:    how many were compared with the statement, each from the trajectory's own state.
    asked:    how many of them a library was asked about; None where the reference is none.
    first:    the first value beyond its bound, slots before the first step included; why: its cause, if it is known.
    drift:    from the statement's free run; None where that cannot be known.
    rounding: in which roundings it is not the reference, if in these alone.
    """

    steps: int
    asked: int | None
    comparison: Comparison
    first: Difference | None
    why: Cause | None
    drift: Drift | None
    rounding: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return self.first is None and (self.drift is None or self.drift.first is None)


class Trial:
    """Trajectories of one implementation in one case, by execution.

    own:   what is known of the implementation, where it is none of core's in this dialect; its rounding is allowed, and
           its settings explain differences.
    start: the slots before the first step, where they are drawn.
    free:  the parameters moved as the updates said.
    libraries: those of `REFERENCES` that can be asked about this case in this dtype.

    Raises InputError for trajectories with another number of slots than is expected.
    """

    def __init__(
        self,
        name: str,
        case: Case,
        expected: Expected,
        streams: Streams,
        runs: Mapping[str, Trajectory],
        own: Known | None = None,
        start: Values | None = None,
        free: bool = True,
        libraries: Collection[str] = (),
    ):
        self.name, self.case, self.streams, self._libraries = name, case, streams, libraries
        self._answers: dict[str, dict[str, tuple[Trajectory, Values]]] = {}
        self._causes: dict[tuple[str, Difference], Cause | None] = {}
        self._expected, self._start, self._free, self._given_own = expected, start, free, own
        self._statement = expected.statement
        if isinstance(self._statement, StatedByOptimizer | StatedChain):
            self._statement = self._statement.laid_out(Layout.of(streams.kinds))
        self._own: Statement = own.formula if own else self._statement
        self.runs = {execution: renamed(run, self._statement.slots, name) for execution, run in runs.items()}

    def judged(self, reference: str) -> dict[str, Judged]:
        """Every execution against the statement and, where the reference is one of `REFERENCES`, against that too."""
        found = {}
        for execution, run in self.runs.items():
            comparison, first = self._compared[execution]
            asked = None
            if reference in REFERENCES and first is None:
                asked = 0
                if reference in self._libraries:
                    part, answers = self._answered(reference)[execution]
                    library, start = self._of(reference), self.streams.start
                    theirs = judge(library.rounding(self._statement, self._dtype), part, answers, self._own)
                    before = None if self._start else judge_first(_begin(run), library.first(start))
                    asked, comparison, first = len(part.t), comparison | theirs, before or theirs.first
            why = self._cause(execution, first) if first else None
            drift = self._drift(run) if self._drifts else None
            one = Judged(len(run.t), asked, comparison, first, why, drift)
            explained = one.agrees or (why is not None and not why.rounding)
            found[execution] = one if explained else self._rounded(execution, reference) or one
        return found

    def seen(self, already: Collection[str] = ()) -> dict[str, bool]:
        """For each error planted in what is expected, whether the same comparison sees it; not those `already` seen.

        The errors run in NumPy, in the trial's dtype: what a comparison can see depends on settings, gradients, dtype,
        bounds and what the implementation shows, and not on the execution. An error that changes nothing with these
        settings, whatever the gradients, is none; one that these gradients hide is not seen.
        """
        right = self._right
        if "delta" not in right.after:
            right = replace(right, after={**right.after, "delta": right.x - right.after["x"]})
        asked = {name: error for name, error in self._errors.items() if name not in already}
        found = {name: self._shows(error, right) for name, error in asked.items()}
        return {name: seen for name, seen in found.items() if seen is not None}

    @cached_property
    def _right(self) -> Trajectory:
        """What is expected, in the judged dtype, for the first steps.

        Raises InputError for a rule or function that states something else of all steps at once than of a tensor.
        """
        expected, streams = self._expected, self.streams.first(MUTANT_STEPS)
        if expected.known is None and not self._statement.estimated:
            start = {name: slot.astype(np.float64) for name, slot in self._start.items()} if self._start else None
            by_tensor = expected.implementation.by_tensor(streams.cast(np.float64), start)
            if first := judge(self._statement, by_tensor).first:
                raise InputError(
                    f"{expected.name} cannot be a reference: its {first.value} at step {first.step} depends on the "
                    "shape or type of its arguments: all steps at once, of numbers that carry their rounding errors."
                )
        return expected.implementation.run(streams, self._start)

    @cached_property
    def _again(self) -> Values:
        """What is expected from each state of the right run, computed as errors are."""
        values = dict(self._expected.implementation.follow(self._right))
        return values if "delta" in values else {**values, "delta": self._right.x - values["x"]}

    @cached_property
    def _elsewhere(self) -> Trajectory:
        """A few steps from other slots, with other gradients than the right run's, which may hide an error."""
        right, random = self._right.steps(slice(8)), generator(self.streams.seed, "elsewhere")

        def drawn(like: np.ndarray) -> np.ndarray:
            return (10 ** random.uniform(-8, 2, like.shape)).astype(like.dtype)

        g = drawn(right.g) * random.choice(np.array([-1, 1], right.g.dtype), right.g.shape)
        before = {name: drawn(slot) for name, slot in right.before.items()}
        return replace(right, g=g, x=drawn(right.x), before=before)

    @property
    def _drifts(self) -> bool:
        """Whether a free run can be known; a chain's slots follow the parameters, which are held where they begin at 0
        unless they are free."""
        return not self._statement.estimated and (self._free or not isinstance(self._statement, StatedChain))

    @property
    def estimated(self) -> bool:
        return self._statement.estimated

    @cached_property
    def roundings(self) -> frozenset[str]:
        """The planted errors that are roundings alone."""
        return frozenset(mutant.name for mutant in self._mutants if mutant.rounding)

    @cached_property
    def _mutants(self) -> list[Mutant]:
        return [*self._expected.errors(self._dtype)]

    @property
    def _dtype(self) -> np.dtype:
        return self.streams.gradients.dtype

    @property
    def _suspect(self) -> Suspect:
        rule = self._given_own.rule if self._given_own and self._given_own.name == self._expected.name else None
        return Suspect(self._statement, self._expected.implementation, self._own, self._expected.known, rule)

    def _cause(self, execution: str, first: Difference) -> Cause | None:
        """Searched once: against a library it mostly is the same difference."""
        key = execution, first
        if key not in self._causes:
            self._causes[key] = cause(self._suspect, self.runs[execution], first)
        return self._causes[key]

    @cached_property
    def _compared(self) -> dict[str, tuple[Comparison, Difference | None]]:
        """Every execution with the statement: the comparison, and the first difference before or in a step."""
        found = {}
        for execution, run in self.runs.items():
            comparison = judge(self._statement, run, own=self._own)
            found[execution] = comparison, self._first_of(run) or comparison.first
        return found

    def _first_of(self, run: Trajectory) -> Difference | None:
        if self._start is not None:
            return None
        return judge_first(_begin(run), self._statement.first(self.streams.start))

    def _shows(self, error: Implementation, right: Trajectory) -> bool | None:
        """Whether steps with an error, from the states of a right run, are seen; None where they are the right ones."""
        if self._start is None:
            begin = error.first(right.x[0])
            if judge_first(dict(zip(self._statement.slots, begin.values(), strict=True)), _begin(right)):
                return True
        try:
            values, shown = dict(error.follow(right)), next(iter(self.runs.values())).after
        except InputError:  # such as a division by 0, which cannot be overlooked
            return True
        names = {"delta", *self._statement.slots} | (shown.keys() & values.keys() & self._again.keys())
        if _same(values, self._again, names):
            other = error.follow(self._elsewhere), self._expected.implementation.follow(self._elsewhere)
            return None if getattr(error, "idle", False) or _same(*other, names - {"x"}) else False
        with np.errstate(all="ignore"):
            values.setdefault("x", right.x - values["delta"])
        visible = {name: value for name, value in values.items() if name in shown}
        return not judge(self._statement, replace(right, after=visible), own=self._own, brief=True).agrees

    @cached_property
    def _errors(self) -> dict[str, Implementation]:
        """What is expected with one error in it, by the error's name."""
        statement = self._statement
        if isinstance(statement, Formula):
            reads_x = statement.reads_x
        else:
            reads_x = not isinstance(statement, StatedByOptimizer) or statement.reads_x(self._right)
        around_it = around(self._expected.implementation, statement.slots)
        found: dict[str, Implementation] = {e.name: e for e in around_it if reads_x or e.name != WITHOUT_X}
        return found | {mutant.name: mutant.wrong for mutant in self._mutants}

    def _drift(self, run: Trajectory) -> Drift:
        return judge_drift(self.free_run, run.steps(slice(self.longest)), self._free)

    @cached_property
    def free_run(self) -> Mapping[str, Rounded]:
        """Of the statement left alone, for as many steps as the longest run has, and `DRIFT_STEPS` at most."""
        return free_run(self.left_alone, self.streams.gradients[: self.longest], self.streams.start, self._start)

    @property
    def longest(self) -> int:
        return min(DRIFT_STEPS, max(len(run.t) for run in self.runs.values()))

    @property
    def left_alone(self) -> Statement:
        """The statement with the roundings of both sides."""
        if isinstance(self._statement, Formula) and isinstance(self._own, Formula):
            return replace(self._statement, running=self._statement.running or self._own.running)
        return self._statement

    @property
    def start(self) -> Values:
        """The slots before the first step that are expected."""
        return self._start or self._statement.first(self.streams.start)

    def _rounded(self, execution: str, reference: str) -> Judged | None:
        """What the statement finds if rounded otherwise, where that explains everything."""
        if not isinstance(self._statement, Formula):
            return None
        run = self.runs[execution]
        for words, formula in self._statement.otherwise_rounded(self._dtype):
            short = run.steps(slice(MUTANT_STEPS))
            if self._first_of(run) or not judge(formula, short, own=formula, brief=True).agrees:
                continue
            known = self._expected.known
            assert known is not None, "a formula is that of a rule"
            expected = Expected.of(known._replace(rule=_narrowed(known.rule, formula), formula=formula))
            other = Trial(self.name, self.case, expected, self.streams, {execution: run}, None, self._start, self._free)
            comparison, first = other._compared[execution]
            drift = other._drift(run)
            asked = 0 if reference in REFERENCES else None
            found = Judged(len(run.t), asked, comparison, first, None, drift, words)
            if found.agrees:
                return found
        return None

    def _of(self, reference: str) -> Implementation:
        assert self._expected.library is not None, "a library of the table computes what is expected"
        return self._expected.library(reference)

    def _answered(self, reference: str) -> Mapping[str, tuple[Trajectory, Values]]:
        """By execution, the steps that a library is asked about, and its answers."""
        if reference not in self._answers:
            library = self._of(reference)
            flat = isinstance(library, OfLibrary)
            every = flat and library.every_step
            chosen = {n: run if every else run.steps(_asked(len(run.t))) for n, run in self.runs.items()}
            answers = _followed(library, chosen) if flat else {n: library.follow(part) for n, part in chosen.items()}
            self._answers[reference] = {name: (part, answers[name]) for name, part in chosen.items()}
        return self._answers[reference]


def _same(values: Values, others: Values, names: Collection[str]) -> bool:
    """Whether these values are the same to the bit."""
    return all(np.array_equal(values[name], others[name], equal_nan=True) for name in names)


def _begin(run: Trajectory) -> Values:
    return {slot: before[0] for slot, before in run.before.items()}


def _narrowed(rule: Any, formula: Formula) -> Any:
    """The rule with the formula's settings, and with its roundings as far as a rule has them."""
    places = {name: getattr(formula, name) for name in ("complement_in", "power_in") if hasattr(rule, name)}
    allowed = {name: place for name, place in places.items() if place in ("variable", "float64")}
    settings = {name: value for name, value in formula.settings.items() if hasattr(rule, name)}
    return replace(rule, **settings, **allowed)


def _asked(steps: int) -> np.ndarray:
    """The positions of the steps that a library is asked about."""
    return np.concatenate([np.arange(min(steps, LIBRARY_STEPS)), np.arange(LIBRARY_STEPS + 39, steps, 40)])


def _followed(library: OfLibrary, runs: Mapping[str, Trajectory]) -> dict[str, Values]:
    """What a library computes from every state of several trajectories; those of as many steps side by side, in one."""
    answers, coordinates = {}, next(iter(runs.values())).g.shape[1] if runs else 0
    for steps in {len(run.t) for run in runs.values()}:
        together = [name for name, run in runs.items() if len(run.t) == steps]
        values = library.follow(beside([runs[name] for name in together]))
        for number, name in enumerate(together):
            mine = slice(number * coordinates, (number + 1) * coordinates)
            answers[name] = {value: array[:, mine] for value, array in values.items()}
    return answers
