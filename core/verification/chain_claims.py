"""The certificate of what stands around a rule: each piece alone and all together, against the libraries' own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..rules import Chain, around, matrices
from ..seeds import generator
from .cards import CARDS, FORMULAS
from .certificate import Claim
from .chains import Link, OfChain, StatedChain, errors_in, links_of
from .implementations import Implementation, steps_from
from .known import known
from .layout import Layout
from .libraries import REFERENCES
from .libraries.around import AROUND, Options
from .resolving import formula_reference
from .statements import Statement
from .streams import STEPS, Streams, joined
from .trajectory import Trajectory, Values
from .trial import PAPER, Case, Expected, Falling

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
    "paper": (dict(clip_global_norm=0.5, clip_value=0.125, l2=0.125, weight_decay=0.0625, where=matrices, ema=0.875),),
    "keras": (
        dict(clip_global_norm=0.5, weight_decay=0.0625, where=matrices, ema=0.875, overwrite_every=7),
        dict(clip_norm=0.5, weight_decay=0.0625, ema=0.875),
    ),
    "torch": (
        dict(clip_global_norm=0.5, clip_value=0.125, l2=0.125, where=matrices, ema=0.875),
        dict(clip_norm=0.5, clip_value=0.125, weight_decay=0.0625, where=matrices, ema=0.875),
    ),
    "optax": (dict(clip_global_norm=0.5, clip_value=0.125, l2=0.125, weight_decay=0.0625, where=matrices, ema=0.875),),
}
"""Around Adam, by dialect: as many as the library takes at once."""

LACKS: Mapping[str, frozenset[str]] = {
    "keras": frozenset({"l2"}),
    "torch": frozenset({"overwrite_every"}),
    "optax": frozenset({"clip_norm", "overwrite_every"}),
}
"""What a library has no option or function for; the dialect has it in the paper's form."""

DECOUPLED: Mapping[str, tuple[str, ...]] = {"torch": ("adam",), "optax": ("adam", "sgd")}
"""Rules beside which a library decays as it does in Adam; around SGD both decays are one, in Optax's chain too."""


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
        made = self._of(like.dtype, Layout.flat(like.size))
        found = {f"{self._rule}.{name}": slot for name, slot in made.first().items() if name != "average"}
        if self._options.get("ema") is not None:
            found["average.average"] = np.array(like)
        return found

    def run(self, streams: Streams, start: Values | None = None) -> Trajectory:
        raise NotImplementedError("it is asked from given states alone")

    def follow(self, trajectory: Trajectory) -> Values:
        made = self._of(trajectory.g.dtype, trajectory.layout or Layout.flat(trajectory.g.shape[1]))
        short = {name.rpartition(".")[2]: name for name in trajectory.before}

        def step(t: int, g: np.ndarray, slots: Values, x: np.ndarray) -> dict[str, np.ndarray]:
            found: dict[str, np.ndarray] = made.step(t, g, {name: slots[full] for name, full in short.items()}, x)
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


CHAIN_STEPS = 1_000
"""Steps that a chain is followed for."""


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

    def is_of(self, library: str) -> bool:
        """Whether a library has the rule and all that is around it; PyTorch's SGD has no decoupled decay."""
        of = REFERENCES[library]
        if of.dialect != self.dialect or not of.has(self.rule) or self.options.keys() & LACKS[library]:
            return False
        decoupled = self.options.get("weight_decay") is not None
        return not decoupled or library == "keras" or self.rule in DECOUPLED[library]


def chains(dialects: Sequence[str] | None = None) -> list[Wanted]:
    """All chains that are certified: in the dialects of the libraries, as far as they have them, and in the paper's."""
    found = []
    for dialect, together in TOGETHER.items():
        if dialects is None or dialect in dialects:
            alone = [Wanted("sgd", dialect, one) for one in ALONE]
            found += [one for one in alone if any(map(one.is_of, AROUND))]
            found += [Wanted("adam", dialect, one) for one in together]
    return found


def chain_claim(wanted: Wanted, references: Sequence[str] | None = None) -> Claim:
    """That core's chain computes what its formulas say and, where it is installed, the library with its own pieces.

    references: those to keep; all where None.
    """
    rule, dialect, options = wanted
    own = {"learning_rate": 2.0**-5, **(CARDS[rule].revealed(dialect)[0] if CARDS[rule].revealing else {})}

    def made(settings: Mapping[str, Any]) -> Chain:
        chain = around(known(rule, dialect, {**own, **settings}).rule, dialect, **options)
        assert isinstance(chain, Chain), "there are options"
        return chain

    def expected(settings: Mapping[str, Any]) -> Expected:
        links = links_of(made(settings), known(rule, dialect, {**own, **settings}))
        return _stated(wanted.name, links, lambda library: OfAround(library, rule, {**own, **settings}, options))

    there = (PAPER, *(name for name in AROUND if wanted.is_of(name)))
    chosen = tuple(name for name in there if references is None or name in references)
    return _claim(wanted.name, expected, made, chosen, dialect)


def own_chain_claim(name: str, chain: Chain) -> Claim:
    """That a chain of a user's own computes what the formulas of its parts say.

    Raises InputError for a rule or a piece that is none of core's.
    """
    if (rule := formula_reference(chain.rule)) is None:
        raise InputError(
            f"{name}: {type(chain.rule).__name__} has no formula here: a chain is judged with a rule of rawstep's in "
            "one of its dialects."
        )
    numbers = {n: value for n, value in (rule.decided or {}).items() if n in FORMULAS[rule.rule][rule.dialect].decided}

    def expected(settings: Mapping[str, Any]) -> Expected:
        return _stated(name, links_of(chain, known(rule.rule, rule.dialect, {**numbers, **settings})))

    return _claim(name, expected, lambda settings: replace(chain, **settings), (PAPER,), rule.dialect)


def _stated(name: str, links: Sequence[Link], library: Callable[[str], Implementation] | None = None) -> Expected:
    numbers = [value for link in links for value in link.formula.settings.values()]
    statement, right = StatedChain(links), OfChain(name, links)
    return Expected(name, statement, right, None, lambda dtype: errors_in(links, dtype), library, numbers)


def _claim(
    name: str,
    expected: Callable[[Mapping[str, Any]], Expected],
    subject: Callable[[Mapping[str, Any]], Chain],
    references: tuple[str, ...],
    dialect: str,
) -> Claim:
    cases = (Case({}), Case({"learning_rate": Falling(2.0**-5)}, drawn=True))
    return Claim(name, expected, subject, cases, references, dialect, along=_moderate_like)


def chain_matrix(dialects: Sequence[str] | None = None, references: Sequence[str] | None = None) -> list[Claim]:
    """The claims about core's own chains. dialects, references: those to keep; all where None."""
    claims = [chain_claim(one, references) for one in chains(dialects)]
    return [one for one in claims if one.references]


def moderate(dtype: Any, steps: int = STEPS, seed: int = 0) -> Streams:
    """Gradients of one size, of which all together are now shorter and now longer than 0.5, and some steps of zeros:
    beside the wide ones of `synthetic` a clipped gradient would be nothing but its largest element."""
    random = generator(seed, "moderate streams")
    sizes = 10 ** random.uniform(-3, 1, (steps, 1))
    sizes[::11] = 0
    return joined({"moderate": sizes * random.standard_normal((steps, 44)) / 5}, seed).cast(dtype)


def _moderate_like(streams: Streams) -> Streams:
    """As many as are given, up to what the free run of a chain is followed for."""
    return moderate(streams.dtype, min(len(streams.gradients), CHAIN_STEPS), streams.seed)
