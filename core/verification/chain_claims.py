"""The certificate of what stands around a rule: each piece alone and all together, against the libraries that have it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..rules import Chain, Rule, around, matrices
from ..seeds import generator
from .certificate import Claim
from .chains import OfChain, StatedChain, errors_in, links_of
from .claims import Falling
from .implementations import Implementation, steps_from
from .known import known
from .layout import Layout
from .libraries import REFERENCES
from .libraries.around import AROUND, Options
from .statements import Statement
from .streams import STEPS, Streams, joined
from .trajectory import Trajectory, Values
from .trial import PAPER, Case, Expected

ALONE: tuple[Options, ...] = (
    dict(clip_value=0.25),
    dict(clip_norm=0.5),
    dict(clip_global_norm=0.5),
    dict(l2=0.125, where=matrices),
    dict(weight_decay=0.125, where=matrices),
    dict(ema=0.875),
)
"""Around SGD, in whose update each piece shows as it is. All numbers are dyadic: they mean the same to a library that
keeps settings in float32."""

TOGETHER: Mapping[str, tuple[Options, ...]] = {
    "paper": (dict(clip_global_norm=0.5, clip_value=0.25, l2=0.125, weight_decay=0.0625, where=matrices, ema=0.875),),
    "keras": (
        dict(clip_global_norm=0.5, weight_decay=0.0625, where=matrices, ema=0.875, overwrite_every=7),
        dict(clip_norm=0.5, weight_decay=0.0625, ema=0.875),
    ),
    "torch": (
        dict(clip_global_norm=0.5, clip_value=0.25, l2=0.125, where=matrices, ema=0.875),
        dict(clip_norm=0.5, clip_value=0.25, weight_decay=0.0625, where=matrices, ema=0.875),
    ),
    "optax": (dict(clip_global_norm=0.5, clip_value=0.25, l2=0.125, weight_decay=0.0625, where=matrices, ema=0.875),),
}
"""Around Adam, by dialect: as many as the library takes at once."""

LACKS: Mapping[str, frozenset[str]] = {
    "keras": frozenset({"l2"}),
    "optax": frozenset({"clip_norm"}),
}
"""What a library has no option or function for; the dialect has it in the paper's form."""


class OfAround(Implementation):
    """A library's own optimizer with the library's own pieces around it."""

    def __init__(self, name: str, rule: str, settings: Mapping[str, Any], options: Options):
        self.name, self._kind, self._rule = name, AROUND[name], rule
        self._settings, self._options = settings, options
        self.narrow_settings = self._kind.narrow_settings
        self._made: dict[Any, Any] = {}

    def _of(self, dtype: np.dtype, layout: Layout) -> Any:
        key = dtype, tuple(places.tobytes() for places in layout.places.values())
        if key not in self._made:
            self._made[key] = self._kind(self._rule, self._settings, dtype, layout, self._options)
        return self._made[key]

    def first(self, like: np.ndarray) -> Values:
        """Averages start at the parameter: those that are copied in the first step may hold anything before it."""
        first = self._of(like.dtype, Layout.flat(like.size)).first()
        average = {"average.average": np.array(like)} if self._options.get("ema") is not None else {}
        return {f"{self._rule}.{name}": slot for name, slot in first.items() if name != "average"} | average

    def run(self, streams: Streams, start: Values | None = None) -> Trajectory:
        raise NotImplementedError("it is asked from given states alone")

    def follow(self, trajectory: Trajectory) -> Values:
        made = self._of(trajectory.g.dtype, trajectory.layout or Layout.flat(trajectory.g.shape[1]))
        short = {name.rpartition(".")[2]: name for name in trajectory.before}

        def step(t: int, g: np.ndarray, slots: Values, x: np.ndarray) -> Values:
            found = made.step(t, g, {name: slots[full] for name, full in short.items()}, x)
            return {short.get(name, name): value for name, value in found.items()}

        return steps_from(step, trajectory)

    def rounding(self, statement: Statement, dtype: Any) -> Statement:
        """Its norms are added up in the dtype; its powers may be narrower."""
        assert isinstance(statement, StatedChain), "a library with pieces is asked about a chain"
        narrow = self._kind.narrow_powers and dtype == np.float64
        links = [
            replace(link, formula=replace(link.formula, power_in="float32")) if narrow and link.is_rule else link
            for link in statement.links
        ]
        return StatedChain(links, statement.layout, narrow_norm=True)


class Wanted(NamedTuple):
    """A chain to be judged: a rule in a dialect with options around it."""

    rule: str
    dialect: str
    options: Options

    @property
    def name(self) -> str:
        words = [n.replace("_", "-") for n, value in self.options.items() if n != "where" and value]
        masked = " (matrices)" if self.options.get("where") else ""
        return f"{' + '.join(words)}{masked} around {self.rule}"


def chains(dialects: Sequence[str] | None = None) -> list[Wanted]:
    """All chains that are certified. Raises InputError for a dialect that has none."""
    for dialect in dialects or ():
        if dialect not in TOGETHER:
            raise InputError(f"There are no chains of {dialect!r}; there are: {', '.join(TOGETHER)}.")
    found = []
    for dialect, together in TOGETHER.items():
        if dialects is None or dialect in dialects:
            alone = [one for one in ALONE if dialect != "paper" and not one.keys() & LACKS.get(dialect, frozenset())]
            found += [Wanted("sgd", dialect, one) for one in alone if _has(dialect, "sgd", one)]
            found += [Wanted("adam", dialect, one) for one in together]
    return found


def _has(dialect: str, rule: str, options: Options) -> bool:
    """PyTorch's SGD has no decoupled decay."""
    return not (dialect == "torch" and rule == "sgd" and "weight_decay" in options)


def chain_claim(wanted: Wanted) -> Claim:
    """That core's chain computes what its formulas say and, where it is installed, the library with its own pieces."""
    rule, dialect, options = wanted
    own = {"learning_rate": 2.0**-5} | (dict(beta_1=0.875, beta_2=0.96875, epsilon=2.0**-7) if rule == "adam" else {})

    def made(settings: Mapping[str, Any]) -> Chain:
        chain = around(known(rule, dialect, {**own, **settings}).rule, dialect, **options)
        assert isinstance(chain, Chain), "there are options"
        return chain

    def expected(settings: Mapping[str, Any]) -> Expected:
        links = links_of(made(settings), known(rule, dialect, {**own, **settings}))
        return Expected(
            wanted.name,
            StatedChain(links),
            OfChain(wanted.name, links),
            None,
            lambda dtype: errors_in(links, dtype),
            lambda library: OfAround(library, rule, {**own, **settings}, options),
            [value for link in links for value in link.formula.settings.values()],
        )

    subject: Callable[[Mapping[str, Any]], Rule] = made
    schedule = Falling(own["learning_rate"])
    return Claim(
        wanted.name,
        expected,
        subject,
        (Case({}), Case({"learning_rate": schedule}, drawn=True)),
        (PAPER, *(name for name in AROUND if REFERENCES[name].dialect == dialect)),
        dialect,
    )


def chain_matrix(dialects: Sequence[str] | None = None) -> list[Claim]:
    """The claims about core's own chains."""
    return [chain_claim(one) for one in chains(dialects)]


def moderate(dtype: Any, steps: int = STEPS, seed: int = 0) -> Streams:
    """Gradients of one size, of which all together are now shorter and now longer than 0.5, and some steps of zeros:
    beside the wide ones of `synthetic` a clipped gradient would be nothing but its largest element."""
    random, dtype = generator(seed, "moderate streams"), np.dtype(dtype)
    sizes = 10 ** random.uniform(-3, 1, (steps, 1))
    sizes[::11] = 0
    return joined({"moderate": (sizes * random.standard_normal((steps, 24)) / 5).astype(dtype)}, seed)


def chain_rows(claims: Sequence[Claim], dtype: str, steps: int, executions: Sequence[str]) -> Iterator[Any]:
    """The rows of claims about chains in a dtype."""
    for one in claims:
        yield from one.rows(moderate(dtype, steps), executions)
