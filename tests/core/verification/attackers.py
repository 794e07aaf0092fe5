"""Broken update rules that know how the judge works, and try to be certified.

Each is right wherever it expects not to be looked at hard enough: it is wrong for matrices alone, every 257th step, for
the last tensor of a step, for gradients larger than a stream has, where nobody has given it slots of their own, and so
on. Half of them are rules, which run in one of the executions of `Program`; half are functions of NumPy arrays.

A right Adam with two hooks makes most of them. `before` sees a step's inputs and returns those to be replaced, settings
included; `after` sees the results as well, and returns those to be replaced. What a hook remembers, it keeps in a
closure, so `Attacker.subject` makes a fresh subject each time.

Those with `caught=False` are beyond what a certificate covers: their errors lie where no step that was judged has been,
or within what rounding may come to. They stand here so that nobody believes otherwise.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from core import SGD, Adadelta, Adagrad, Adam, At, Rule, Step
from core.rules import average
from core.xp import cast_like, full_like, sqrt, where, zeros_like


class Attacker(NamedTuple):
    """One broken rule.

    name:      a short slug.
    exploits:  what it counts on, in plain words.
    subject:   makes a fresh subject: a class of rules, a rule, or a function update(g, slots, t, x).
    reference: what it claims to compute, as `verify` takes it. A function's slots have the reference's names.
    steps:     how many must be followed for the error to act.
    execution: for a rule, one in which the error shows.
    caught:    False where no certificate reaches; `exploits` then says why.
    """

    name: str
    exploits: str
    subject: Callable[[], Any]
    reference: str | Rule
    steps: int = 60
    dtype: str = "float32"
    execution: str = "graph"
    caught: bool = True


Hook = Callable[[SimpleNamespace], Mapping[str, Any]]
"""Sees g, slots, t, x (and rule) of a step; then also delta, stages (of a rule) and the new slots, by their names."""


def unchanged(at: SimpleNamespace) -> dict[str, Any]:
    """Replaces nothing."""
    return {}


def only(hit: Any, wrong: Any, right: Any) -> Any:
    """`wrong` where hit, by element or as a whole, and `right` elsewhere."""
    if isinstance(hit, bool):
        return wrong if hit else right
    return where(hit, wrong, right)


def scaled(when: Callable[[SimpleNamespace], Any], by: float = 1.01) -> Hook:
    """Updates that are too long wherever `when` holds; an `after`."""
    return lambda at: {"delta": only(when(at), at.delta * by, at.delta)}


def rule(before: Hook = unchanged, after: Hook = unchanged, of: type[Rule] = Adam) -> Any:
    """A class of rules, right except for its hooks."""

    class Attack(of):
        def update(self, g, slots, x, at):
            at = SimpleNamespace(rule=self, g=g, slots=slots, t=at.t, x=x)
            settings = {"g": g, "slots": slots, "t": at.t, **before(at)}
            g, slots, t = (settings.pop(name) for name in ("g", "slots", "t"))
            step = of.update(replace(self, **settings) if settings else self, g, slots, x, At(t))
            vars(at).update(step.slots._asdict(), delta=step.delta, stages=step.stages)
            found = {"delta": step.delta, **after(at)}
            return Step(found.pop("delta"), step.slots._replace(**found), step.stages)

    return Attack


def root_of(v: Any, t: int, beta_2: float = 0.999, epsilon: float = 1e-8) -> Any:
    """What divides Adam's m̂."""
    return np.sqrt(v / (1 - beta_2**t)) + epsilon


def adam(g, slots, t, rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """Kingma & Ba 2015, Algorithm 1."""
    m = beta_1 * slots["m"] + (1 - beta_1) * g
    v = beta_2 * slots["v"] + (1 - beta_2) * g * g
    return rate * (m / (1 - beta_1**t)) / root_of(v, t, beta_2, epsilon), {"m": m, "v": v}


def adagrad(g, slots, t, rate=0.01, epsilon=1e-10):
    """PyTorch's."""
    a = slots["a"] + g * g
    return rate * g / (np.sqrt(a) + epsilon), {"a": a}


def function(before: Hook = unchanged, after: Hook = unchanged, of: Callable[..., Any] = adam) -> Any:
    """A function of NumPy arrays, right except for its hooks."""

    def update(g, slots, t, x):
        at = SimpleNamespace(g=g, slots=slots, t=t, x=x)
        delta, new = of(**{"g": g, "slots": slots, "t": t, **before(at)})
        vars(at).update(new, delta=delta)
        found = {"delta": delta, **new, **after(at)}
        arrays = {name: np.asanyarray(value, g.dtype) for name, value in found.items()}
        return arrays.pop("delta"), arrays

    return update


class BadAdam(Adam):
    epsilon = 1e-3


class ScheduleAhead(Adam):
    def resolved(self, t, x):
        return super().resolved(t + 1, x)


class ScheduleStandsStill(Adam):
    def resolved(self, t, x):
        return super().resolved(0 * t + 1, x)


class FirstSlotsFromX(Adam):
    def slots(self, x):
        first = super().slots(x)
        return first._replace(m=where(x == 1, first.m, 1e-3 * x))


class SnapsBack(Adam):
    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "epsilon", 1e-8)


def is_tensor(at: SimpleNamespace) -> bool:
    return bool(tf.is_tensor(at.g))


def in_a_loop(at: SimpleNamespace) -> bool:
    """Whether the step is being traced inside a function's own loop."""
    if not is_tensor(at) or tf.executing_eagerly():
        return False
    return hasattr(tf.compat.v1.get_default_graph().outer_graph, "outer_graph")


def in_half_precision(x: Any) -> Any:
    return tf.cast(tf.cast(x, tf.float16), x.dtype) if tf.is_tensor(x) else np.float16(x).astype(x.dtype)


def forget_every_1000(at):
    return {name: where(at.t % 1000 == 0, zeros_like(at.g), getattr(at, name)) for name in ("m", "v")}


def lazy(at):
    """No step and no new moments for rows that a batch did not touch: Adam as it is for sparse embeddings."""
    kept = {name: where(at.g == 0, old, getattr(at, name)) for name, old in at.slots._asdict().items()}
    return {"delta": where(at.g == 0, zeros_like(at.g), at.delta), **kept}


def clipped_by_norm(at):
    """A tensor's gradient is scaled down to a length of 1,000."""
    norm = sqrt((tf.reduce_sum if is_tensor(at) else np.sum)(at.g * at.g))
    return {"g": only(norm > 1e3, at.g * (1e3 / only(norm > 0, norm, full_like(norm, 1.0))), at.g)}


def divided_by(root):
    """An `after`: Adam's update with something else under its m̂."""
    return lambda at: {"delta": at.rule.learning_rate * at.stages["m_hat"] / root(at)}


def the_larger_one(at):
    root = sqrt(at.stages["v_hat"])
    return only(root > at.rule.epsilon, root, full_like(root, at.rule.epsilon))


def correction_given_up(at):
    return sqrt(only(at.t > 2000, at.v, at.stages["v_hat"])) + at.rule.epsilon


def looks_ahead(at):
    """Nesterov's momentum."""
    ahead = at.rule.beta_1 * at.stages["m_hat"] + (1 - at.rule.beta_1) * at.g / at.stages["correction_1"]
    return {"delta": only(at.t % 2 == 0, at.rule.learning_rate * ahead / at.stages["denominator"], at.delta)}


def half_precision_inside(at):
    ratio = in_half_precision(at.stages["m_hat"] / at.stages["denominator"])
    return {"delta": at.rule.learning_rate * ratio}


def remembers_the_scaled_step(at):
    rho, precision = at.rule.rho, at.rule.complement_in
    return {"mean_dx2": average(at.slots.mean_dx2, at.delta * at.delta, rho, precision)}


def assumes_zeros(at):
    return {"slots": at.slots._make(where(at.t == 1, zeros_like(at.g), slot) for slot in at.slots)}


def settings_through_float32(at):
    if at.g.dtype != np.float64:
        return {}
    return {name: float(np.float32(getattr(at.rule, name))) for name in ("beta_1", "beta_2", "epsilon")}


def rule_that_counts_tensors():
    """All tensors of a step are given one and the same t; the second one takes it for t + 1, and so on."""
    last: list[Any] = [None, 0]

    def before(at):
        last[:] = at.t, last[1] + 1 if at.t is last[0] else 0
        return {"t": at.t + last[1]}

    return rule(before)


def rule_that_counts_in_a_variable():
    calls = tf.Variable(tf.constant(0, tf.float64), trainable=False)

    def before(at):
        if not is_tensor(at):
            return {}
        calls.assign_add(1.0)
        return {"t": calls.read_value()}

    return rule(before)


def rule_that_counts_calls():
    calls: list[Any] = []

    def before(at):
        if not (is_tensor(at) and tf.executing_eagerly()):
            return {}
        calls.append(None)
        return {"t": 0 * at.t + len(calls)}

    return rule(before)


RULES = (
    Attacker("decay-for-matrices", "shape: weights of more than one axis decay, biases do not",
             lambda: rule(after=lambda at: {"delta": at.delta + 1e-4 * at.x} if len(at.x.shape) > 1 else {}),
             "adam:paper"),
    Attacker("scalars", "shape: wrong for a parameter of no axis, which a vector of coordinates never shows",
             lambda: rule(after=scaled(lambda at: len(at.x.shape) == 0)), "adam:paper", execution="xla-step"),
    Attacker("four-axes", "shape: wrong for the kernel of a convolution, even where one of its axes is 1",
             lambda: rule(after=scaled(lambda at: len(at.x.shape) == 4)).dialect("keras"),
             "adam:keras", execution="eager"),
    Attacker("clip-by-norm",
             "shape: coordinates of a tensor act on each other, as soon as its gradient is longer than 1,000",
             lambda: rule(clipped_by_norm), "adam:paper", execution="xla-step"),
    Attacker("forgets-every-1000", "step: moments are set to 0 after each thousandth step; a run of 999 is right",
             lambda: rule(after=forget_every_1000), "torch:Adam", steps=1_100, execution="xla-loop"),
    Attacker("every-257th-step", "step: wrong at a number of steps that no power of 2 or 10 divides",
             lambda: rule(after=scaled(lambda at: at.t % 257 == 0)), "adam:paper", steps=300, execution="xla-step"),
    Attacker("correction-given-up",
             "step: v is corrected for 2,000 steps and no more, when it is still a seventh too small",
             lambda: rule(after=divided_by(correction_given_up)), "adam:paper", steps=2_100, execution="xla-loop"),
    Attacker("looks-ahead-when-even", "step: Nesterov's momentum in every second step, so that its first step is right",
             lambda: rule(after=looks_ahead), "adam:paper"),
    Attacker("epsilon-falls", "step: ε/√t, right in the first step, and later wherever gradients hide ε",
             lambda: rule(lambda at: {"epsilon": cast_like(at.rule.epsilon / at.t**0.5, at.g)}), "adam:paper"),
    Attacker("adagrad-forgets", "step: 0.999999·a + g², which is off by a few units of rounding a step",
             lambda: rule(lambda at: {"slots": at.slots._replace(a=0.999999 * at.slots.a)}, of=Adagrad),
             "adagrad:torch"),
    Attacker("accumulator-is-full", "value: a sum of squares that stops at 1e30, to be sure that it stays finite",
             lambda: rule(after=lambda at: {"a": where(at.a > 1e30, full_like(at.a, 1e30), at.a)}, of=Adagrad),
             "adagrad:torch", execution="xla-step"),
    Attacker("lazy-at-zero", "value: takes no step where g is exactly 0, as optimizers of sparse embeddings do",
             lambda: rule(after=lazy), "adam:paper"),
    Attacker("negative-gradients", "value: wrong where g < 0",
             lambda: rule(after=scaled(lambda at: at.g < 0, 1.001)), "adam:paper", execution="eager"),
    Attacker("large-gradients", "value: wrong where |g| is greater than 1e10, in a rule that has no slots to show it",
             lambda: rule(after=scaled(lambda at: at.g * at.g > 1e20), of=SGD), "sgd:paper", execution="xla-loop"),
    Attacker("small-v-is-none",
             "value: takes no step where v is below 1e-30, where ε is the greater part of the denominator anyway",
             lambda: rule(after=scaled(lambda at: at.v < 1e-30, 0.0)).dialect("keras"),
             "adam:keras", execution="xla-step"),
    Attacker("the-larger-of-root-and-epsilon",
             "value: max(√v̂, ε) for √v̂ + ε, the same to rounding unless the two are of a size",
             lambda: rule(after=divided_by(the_larger_one)), "adam:paper"),
    Attacker("half-precision-inside",
             "dtype: m̂/(√v̂ + ε) goes through float16, while everything that is returned is float32",
             lambda: rule(after=half_precision_inside), "adam:paper"),
    Attacker("float32-settings-in-float64",
             "dtype: β and ε pass through float32, as tf.cast(0.9, tf.float64) does; float32 cannot show it",
             lambda: rule(settings_through_float32), "adam:paper", dtype="float64", execution="eager"),
    Attacker("only-eagerly", "execution: right in NumPy and in every graph",
             lambda: rule(after=scaled(lambda at: is_tensor(at) and tf.executing_eagerly())),
             "adam:paper", steps=5, execution="eager"),
    Attacker("only-compiled", "execution: right in NumPy and eagerly",
             lambda: rule(after=scaled(lambda at: is_tensor(at) and not tf.executing_eagerly())), "adam:paper"),
    Attacker("only-in-a-loop", "execution: right in all but the loop, told by the graph in which it is traced",
             lambda: rule(after=scaled(in_a_loop)), "adam:paper", steps=20, execution="xla-loop"),
    Attacker("counts-tensors",
             "variable order: t goes up by 1 from tensor to tensor of one step; the first of them is right",
             rule_that_counts_tensors, "adam:paper", execution="xla-loop"),
    Attacker("counts-in-a-variable",
             "state outside the slots: a tf.Variable counts calls and stands for t, right where there is one tensor",
             rule_that_counts_in_a_variable, "adam:paper"),
    Attacker("counts-calls", "call count: a Python list counts calls and stands for t, where nothing is traced",
             rule_that_counts_calls, "adam:paper", execution="eager"),
    Attacker("schedule-ahead",
             "schedule: read at t where it should be at t − 1; a number for a learning rate never shows it",
             lambda: ScheduleAhead, "adam:paper"),
    Attacker("schedule-stands-still",
             "schedule: read once, at step 0, for all steps; right in the first step, and for numbers",
             lambda: ScheduleStandsStill.dialect("keras"), "adam:keras", execution="xla-loop"),
    Attacker("assumes-zeros-at-first", "state: the first step takes its slots for zeros, whatever it is given",
             lambda: rule(assumes_zeros), "adam:paper"),
    Attacker("first-slots-from-x", "state: m starts at 0 only for parameters that start at 1 or at 0",
             lambda: FirstSlotsFromX, "adam:paper", execution="xla-step"),
    Attacker("own-epsilon",
             "setting: another default than the reference's, assigned in the class body without an annotation",
             lambda: BadAdam, Adam()),
    Attacker("beta-1-is-0.9", "setting: β1 has a field, which is not read",
             lambda: rule(lambda at: {"beta_1": 0.9}), "adam:paper"),
    Attacker("setting-snaps-back", "setting: whatever ε it is made with, it has 1e-8, and says so when it is asked",
             lambda: SnapsBack, "adam:paper"),
    Attacker("adadelta-remembers-the-scaled-step", "setting: E[Δx²] collects α·Δx, which is Δx with the paper's α = 1",
             lambda: rule(after=remembers_the_scaled_step, of=Adadelta), "adadelta:paper"),
    Attacker("only-beta-1-of-0.65",
             "setting: wrong for β1 between 0.6 and 0.7. Beyond a certificate: it judges a rule's own settings and a "
             "few others, and vouches for no number between them",
             lambda: rule(after=scaled(lambda at: 0.6 < at.rule.beta_1 < 0.7)), "adam:paper", caught=False),
    Attacker("three-axes",
             "shape: wrong for three axes of which none is 1. Beyond a certificate: it follows five shapes, none of "
             "them this one, and there is no end to shapes",
             lambda: rule(after=scaled(lambda at: len(at.x.shape) == 3 and 1 not in at.x.shape)),
             "adam:paper", caught=False),
    Attacker("a-million-numbers",
             "shape: wrong for a tensor of more than 10^6 numbers. Beyond a certificate: its tensors are small, to be "
             "followed for thousands of steps in a wider dtype",
             lambda: rule(after=scaled(lambda at: prod(at.x.shape) > 10**6)),
             "adam:paper", execution="eager", caught=False),
    Attacker("step-20000",
             "step: wrong at step 20,000 alone. Beyond a certificate: it says how many steps it followed, at most "
             "10,000",
             lambda: rule(after=scaled(lambda at: at.t == 20_000)), "adam:paper", execution="xla-loop", caught=False),
)  # fmt: skip


def step_of_calls():
    """t is the number of the call."""
    calls: list[Any] = []

    def before(at):
        calls.append(None)
        return {"t": len(calls)}

    return function(before)


def at_call(which: Callable[[int, int, int], bool]):
    """Wrong where which(step, call within the step, calls of the step before)."""
    counted = SimpleNamespace(t=0, call=0, calls=0)

    def when(at):
        if at.t != counted.t:
            counted.t, counted.call, counted.calls = at.t, 0, counted.call
        counted.call += 1
        return which(at.t, counted.call, counted.calls)

    return function(after=scaled(when))


def momentum_by_axes():
    """Momentum is kept by number of axes; matrices of different shapes take each other's."""
    kept: dict[int, Any] = {}

    def before(at):
        if at.t == 1 or at.g.ndim not in kept:
            return {}
        return {"slots": {**at.slots, "m": np.resize(kept[at.g.ndim], at.g.shape)}}

    def after(at):
        kept[at.g.ndim] = np.array(at.m)
        return {}

    return function(before, after)


def momentum_by_shape():
    """Momentum is kept by shape, and what is given is looked at in the first step alone."""
    kept: dict[Any, Any] = {}

    def before(at):
        key = at.g.shape, at.g.dtype
        return {} if at.t == 1 or key not in kept else {"slots": {**at.slots, "m": kept[key]}}

    def after(at):
        kept[at.g.shape, at.g.dtype] = np.array(at.m)
        return {}

    return function(before, after)


def never_smaller():
    """AMSGrad, with the largest v so far in a closure, by shape."""
    peaks: dict[Any, Any] = {}

    def after(at):
        peak = peaks[at.g.shape] = at.v if at.t == 1 else np.maximum(at.v, peaks.get(at.g.shape, at.v))
        return {"delta": at.delta * (root_of(at.v, at.t) / root_of(peak, at.t))}

    return function(after=after)


def at_random():
    random = np.random.default_rng(0)
    return function(after=scaled(lambda at: bool(random.random() < 0.01)))


def history_rewritten():
    """Halves the v that it returned a step ago, where that lies, and goes on from there."""
    returned: dict[Any, np.ndarray] = {}

    def before(at):
        last = returned.get(at.g.shape)
        if at.t == 1 or last is None:
            return {}
        np.multiply(last, 0.5, out=last)
        return {"slots": {**at.slots, "v": last.copy()}}

    def after(at):
        returned[at.g.shape] = np.array(at.v)
        return {"v": returned[at.g.shape]}

    return function(before, after)


def halved_in_place(at):
    np.multiply(at.slots["v"], 0.5, out=at.slots["v"])
    return {}


def doubled_in_place(at):
    np.multiply(at.g, 2.0, out=at.g)
    return {}


class Agreeable(np.ndarray):
    """Differs from nothing."""

    def __sub__(self, other):
        return np.zeros(self.shape, self.dtype)

    __rsub__ = __sub__


def is_judged(at: SimpleNamespace) -> bool:
    """Whether the judge waits for the answer."""
    frame = sys._getframe()
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("core.verification"):
            return True
        frame = frame.f_back
    return False


def column_by_column(at):
    wide = at.g.ndim == 2 and at.g.shape[0] < at.g.shape[1]
    return {"delta": at.delta.ravel().reshape(at.g.shape, order="F")} if wide else {}


def is_denormal(at: SimpleNamespace) -> Any:
    return (at.g != 0) & (np.abs(at.g) < np.finfo(at.g.dtype).tiny)


FUNCTIONS = (
    Attacker("wide-matrices", "shape: updates of a matrix with more columns than rows come column by column",
             lambda: function(after=column_by_column), "adam:paper"),
    Attacker("beta-1-after-300", "step: from step 301 on, m is averaged with β2",
             lambda: function(lambda at: {"beta_1": 0.999 if at.t > 300 else 0.9}), "adam:paper", steps=320),
    Attacker("every-97th-step", "step: wrong at a number of steps that no power of 2 or 10 divides",
             lambda: function(after=scaled(lambda at: at.t % 97 == 0)), "torch:Adam", steps=100),
    Attacker("warm-up", "step: the learning rate grows over 10 steps, and is right ever after",
             lambda: function(lambda at: {"rate": 1e-3 * min(1.0, at.t / 10)}), "adam:paper"),
    Attacker("adagrad-stops-collecting", "step: the sum of squares stands still after 1,000 steps",
             lambda: function(after=lambda at: {"a": at.slots["a"]} if at.t > 1000 else {}, of=adagrad),
             "adagrad:torch", steps=1_010),
    Attacker("clip-at-10001", "value: gradients are clipped just above the range of ordinary streams, 1e-8 to 1e4",
             lambda: function(lambda at: {"g": np.clip(at.g, -1.0001e4, 1.0001e4)}), "adam:paper"),
    Attacker("clip-at-1e15", "value: gradients are clipped near the end of where float32 can square them",
             lambda: function(lambda at: {"g": np.clip(at.g, -1e15, 1e15)}), "adam:paper"),
    Attacker("denormal-gradients",
             "value: where |g| is below the smallest normal number, which may be taken for 0, a whole step is taken",
             lambda: function(after=lambda at: {"delta": np.where(is_denormal(at), 1e-3 * np.sign(at.g), at.delta)}),
             "adam:paper"),
    Attacker("decay-unless-x-is-1", "value: parameters decay, but not from 1, where a judge might start them all",
             lambda: function(after=lambda at: {"delta": at.delta + np.where(at.x != 1, 1e-4 * at.x, 0)}),
             "adam:paper"),
    Attacker("pruned-weights-stay", "value: a parameter that is exactly 0 is left there",
             lambda: function(after=scaled(lambda at: at.x == 0, 0.0)), "adam:paper"),
    Attacker("cautious",
             "value: takes no step where m and g have different signs, which they never have in steady streams",
             lambda: function(after=scaled(lambda at: at.m * np.sign(at.g) < 0, 0.0)), "adam:paper"),
    Attacker("slot-a-little-off",
             "value: updates are right; v is 1e-5 too large, which its root halves and its average forgets",
             lambda: function(after=lambda at: {"v": at.v * (1 + 1e-5)}), "adam:paper"),
    Attacker("update-a-little-off", "value: slots are right; updates are 1e-5 too long",
             lambda: function(after=scaled(lambda at: True, 1 + 1e-5)), "adam:paper"),
    Attacker("half-precision-updates",
             "dtype: updates are rounded to float16, to both sides alike, so that nothing drifts",
             lambda: function(after=lambda at: {"delta": in_half_precision(at.delta)}), "adam:paper"),
    Attacker("float32-updates-in-float64", "dtype: updates in float64 are as good as in float32",
             lambda: function(after=lambda at: {"delta": np.float32(at.delta)}), "adam:paper", dtype="float64"),
    Attacker("step-is-the-call", "call count: a counter in a closure stands for t, right where a step is one call",
             step_of_calls, "adam:paper"),
    Attacker("second-call", "call count: one tensor of the very first step is wrong, and nothing after it",
             lambda: at_call(lambda t, call, calls: t == 1 and call == 2), "adam:paper"),
    Attacker("second-call-of-a-step", "call count: the tensor that comes second in a step is wrong",
             lambda: at_call(lambda t, call, calls: call == 2), "adam:paper"),
    Attacker("last-call-of-a-step",
             "variable order: the tensor that comes last is wrong, once the first step has shown how many there are",
             lambda: at_call(lambda t, call, calls: call == calls), "adam:paper"),
    Attacker("momentum-by-axes",
             "state outside the slots: momentum is kept by number of axes, right for one matrix and wrong for two",
             momentum_by_axes, "adam:paper"),
    Attacker("largest-v",
             "state outside the slots: divides by the largest v so far, the same while gradients do not fall",
             never_smaller, "adam:paper"),
    Attacker("at-random", "call count: one call in a hundred is wrong, and never the same one for another judge",
             at_random, "adam:paper"),
    Attacker("halves-slots-in-place",
             "storage: halves v where the judge keeps it, and is right from what it left there",
             lambda: function(halved_in_place), "adam:paper"),
    Attacker("doubles-gradients-in-place",
             "storage: doubles g where the judge keeps it, and is right for what it left there",
             lambda: function(doubled_in_place), "adam:paper"),
    Attacker("rewrites-history",
             "storage: goes on from half of the v that it returned a step ago, having halved that where it lies",
             history_rewritten, "adam:paper"),
    Attacker("one-array-for-both-slots", "storage: m and v are returned as one array; the update was computed before",
             lambda: function(after=lambda at: {"m": (one := np.asarray(at.v)), "v": one}), "adam:paper"),
    Attacker("agreeable-arrays", "value: wrong updates, as arrays that differ from nothing when they are subtracted",
             lambda: function(after=lambda at: {"delta": np.asarray(at.delta * 1.01).view(Agreeable)}), "adam:paper"),
    Attacker("a-rounding-too-long",
             "value: every update is one rounding too long. Beyond a certificate: it allows what rounding may come to, "
             "and this comes to no more",
             lambda: function(after=scaled(lambda at: True, 1 + 2.0**-23)), "adam:paper", caught=False),
    Attacker("magic-gradient",
             "value: wrong where g is float32's neighbour of 0.1234567. Beyond a certificate: there are 2^32 "
             "gradients, and it draws some thousands of them",
             lambda: function(after=scaled(lambda at: at.g == np.float32(0.1234567), 2.0)), "adam:paper", caught=False),
    Attacker("infinite-gradients",
             "value: takes an infinite gradient for 0 and goes on, where the formula gives NaN. Beyond a certificate: "
             "all its gradients are finite",
             lambda: function(lambda at: {"g": np.where(np.isfinite(at.g), at.g, 0)}), "adam:paper", caught=False),
    Attacker("only-half-dtypes",
             "dtype: wrong for arrays of two bytes a number, bfloat16 and float16. Beyond a certificate: it judges "
             "functions in float32 and float64",
             lambda: function(after=scaled(lambda at: at.g.dtype.itemsize == 2, 1.5)), "adam:paper", caught=False),
    Attacker("momentum-by-shape",
             "state outside the slots: momentum is kept by shape, and slots are looked at in the first step alone. "
             "Beyond a certificate: it follows runs from their first step, with no two tensors of one shape",
             momentum_by_shape, "adam:paper", caught=False),
    Attacker("on-its-best-behaviour",
             "execution: wrong unless the judge stands on the call stack. Beyond any certificate by trial: what knows "
             "that it is watched is right as long as it is",
             lambda: function(after=scaled(lambda at: not is_judged(at))), "adam:paper", caught=False),
)  # fmt: skip

ATTACKERS: tuple[Attacker, ...] = (*RULES, *FUNCTIONS)
