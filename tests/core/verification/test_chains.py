"""Chains of pieces around a rule: held to formulas and libraries, and every error of order, mask, counter seen.

All of them in every execution are `make verify`; here each is judged in NumPy, of those around SGD every other one (the
rest in `pytest -m whole`), and the largest compiled.
"""

from dataclasses import replace

import numpy as np
import pytest

from core import Adam, Average, ClipByNorm, DecoupledDecay, InputError, chain, matrices
from core.rules import Piece
from core.verification import OfRule, verify
from core.verification.chain_claims import Wanted, chain_claim, chains, moderate
from tests.cases import DTYPES

EVERY = chains()
LARGEST = max((one for one in EVERY if one.dialect == "keras"), key=lambda one: len(one.options))


def judged(claim, dtype="float32", executions=("graph",), steps=60):
    return [*claim.rows(moderate(dtype, steps), executions)]


def in_numpy(claim, changed=lambda right: right):
    return replace(claim, subject=lambda settings: OfRule(claim.name, changed(claim.subject(settings))))


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(one, marks=[pytest.mark.whole] if one.rule == "sgd" and place % 2 else [])
        for place, one in enumerate(EVERY)
    ],
    ids=lambda one: f"{one.dialect}: {one.name}",
)
def test_every_chain_is_certified_and_every_planted_error_would_be_seen(wanted):
    claim = chain_claim(wanted)
    rows = judged(in_numpy(claim), DTYPES[EVERY.index(wanted) % 2])
    assert [(row.reference, row.verdict, row.missed) for row in rows] == [
        (reference, "certified", ()) for reference in claim.references
    ], rows
    assert all(row.planted >= 8 for row in rows)
    planted = chain_claim(wanted).expected({}).errors(np.dtype("float32"))
    words = " ".join(error.name for error in planted)
    assert "left out" in words
    assert ("on all variables" in words) == ("where" in wanted.options)
    assert ("counted from" in words) == (wanted.rule == "adam" or "ema" in wanted.options)


def test_the_largest_chain_is_certified_in_every_execution():
    rows = judged(chain_claim(LARGEST), executions=("eager", "graph", "xla-step", "xla-loop"), steps=30)
    assert {row.verdict for row in rows} == {"certified"}, rows
    assert {(row.comparison.unsettled, row.drift is None) for row in rows} == {(0, False)}


def test_each_piece_has_been_judged_by_every_library_that_has_it():
    """Would catch a chain that no library is asked about any more."""
    asked = {(piece, name) for one in EVERY for name in chain_claim(one).references for piece in one.options}
    everywhere = {"clip_value", "clip_global_norm", "weight_decay", "ema", "where"}
    assert asked >= {(piece, name) for piece in everywhere for name in ("keras", "torch", "optax")}
    assert asked >= {("clip_norm", "keras"), ("clip_norm", "torch"), ("overwrite_every", "keras")}
    assert asked >= {("l2", "torch"), ("l2", "optax")}


class Late(Average):
    """Averages the parameter before the step."""

    def after(self, step, slots, x, at):
        made = super().after(step._replace(x=x), slots, x, at)
        return made._replace(x=None if made.x is x else made.x)


class OfAll(DecoupledDecay):
    """Decays what its mask leaves out, too."""

    def acts_on(self, name, rank):
        return True


def with_(kind):
    """The same chain with another class of a piece in it."""

    def changed(right):
        other = [
            (name, kind(**vars(part)) if isinstance(part, Piece) and issubclass(kind, type(part)) else part)
            for name, part in right.parts
        ]
        return replace(right, parts=tuple(other))

    return changed


def swapped(right):
    first, second, *rest = right.parts
    return replace(right, parts=(second, first, *rest))


@pytest.mark.parametrize(
    ("options", "wrong", "value"),
    [
        (dict(ema=0.875), with_(Late), "average.average"),
        (dict(weight_decay=0.125, where=matrices), with_(OfAll), "delta"),
        (dict(clip_norm=0.5, clip_value=0.25), swapped, "clip_by_norm.norm"),
    ],
    ids=["the average of the step before", "a mask ignored", "an order"],
)
def test_a_wrong_chain_differs(options, wrong, value):
    rows = judged(in_numpy(chain_claim(Wanted("sgd", "keras", options), ["paper"]), wrong))
    assert [(row.verdict, row.first.value) for row in rows] == [("differs", value)]


def test_a_chain_of_one_s_own_is_judged_by_the_formulas_of_its_parts():
    mine = chain(ClipByNorm(1.0, "where"), DecoupledDecay(0.1, "shrink"), Adam.dialect("keras"))
    rows = verify(mine, "itself", executions=["graph"], dtypes=["float32"], streams=lambda d: moderate(d, 40))
    assert [(row.verdict, row.dialect) for row in rows] == [("certified", "keras")]
    with pytest.raises(InputError, match="Late has no formula here"):
        verify(chain(Adam(), Late(0.9)), "itself")
    with pytest.raises(InputError, match="Adam has no formula here: a chain is judged with a rule of rawstep's"):
        verify(chain(ClipByNorm(1.0), Adam(incremental="both")), "itself")
