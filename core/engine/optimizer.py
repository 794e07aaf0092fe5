"""The one optimizer: it holds the step counter and the slots, and applies rules to raw variables."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import tensorflow as tf

from ..errors import InputError
from ..mistakes import described, mistakes_in
from ..rules import At, Rule, Step, named, refilled
from .checks import check_gradient, check_names, check_sparse, check_step, check_variable, first_slots
from .dropping import all_finite, done_where, taken_where
from .loss_scale import LossScale
from .masters import parameter, slot_dtype
from .private import barrier
from .reductions import global_norm
from .sparse import Occurrences, Sparse, updated

Variables = Mapping[str, tf.Variable]
Gradients = Mapping[str, Any]
"""By the variables' names, as a tape returns them: tf.Tensor or tf.IndexedSlices each, or None, which is refused."""
Seen = Callable[..., Iterable[tf.Tensor]]
"""Takes a gradient and slots as they are read, and returns what is passed to a rule."""


def unchanged(*read: tf.Tensor) -> Iterable[tf.Tensor]:
    """A rule receives what is read."""
    return read


@dataclass(frozen=True)
class _Assignment:
    """A variable, the rule that updates it, and the rule's slots with their names in the place of arrays.

    No tuple: tf.Module looks into tuples for variables to call its own, and these are not.
    """

    variable: tf.Variable
    rule: Rule
    slots: Any


class Optimizer(tf.Module):
    """Applies one update rule, or one rule a group of variables, to named variables.

        Optimizer(Adam(), {"w": w, "b": b})
        Optimizer([(Adam(1e-4), {"w": w}), (Adagrad(0.1), {"b": b})])

    step:    tf.Variable, int64, the number of steps taken.
    slots:   {variable name: {slot name: tf.Variable}}, "inner.m" being m in the slot inner; float32 for narrower
             variables, of the variable's own dtype otherwise. All are created here, so that nothing is created inside
             a traced function, and `tf.train.Checkpoint` finds them as slots/<variable>/<slot>.
    masters: {variable name: tf.Variable}, float32, for each variable of a narrower dtype: what it would be if it were
             wide, from which it is rounded after each step. A step of 1e-3 from 1 is lost in bfloat16 and kept there.
             Where the variable was set from outside since, it goes on from the variable.

    dropped: tf.Variable, int64, the number of steps dropped; 0 unless such steps are.

    drops_nonfinite: a step of which the cost or a gradient is not finite is dropped: it moves no variable, slot, master
                     or step counter, its Δ is 0, and `dropped` counts it. On one device, all other steps have the bits
                     that they have without it.
    loss_scale:      by which a cost was multiplied; it follows whether cost and gradients are finite, and such steps
                     are dropped. The gradients are taken as they are, see `LossScale.unscaled`.

    sparse: how gradients that are tf.IndexedSlices count, see `core.engine.sparse.Sparse`; as their sum, with a
            warning, where nothing is given.

    one_pass: for functions that XLA compiles for a CPU with its option xla_cpu_use_multi_output_fusion, of tensors that
    are larger than the processor's caches: `apply` lets it write a variable and its slots in one loop, which reads and
    writes each once. By default it makes a loop of each. Results are equal to rounding: in one loop a product and a
    sum may be rounded once, as one operation. A traced function that is not compiled by XLA cannot run so.

    Raises InputError where there is no variable, where a variable occurs twice, or a name, those of `state` included,
    for a variable that is not trainable or not of a real floating dtype, for a rule whose slots are no NamedTuple of
    tensors of the slots' dtype, and for a setting too small or too large for that dtype.
    """

    def __init__(
        self,
        rule: Rule | Iterable[tuple[Rule, Variables]],
        variables: Variables | None = None,
        *,
        one_pass: bool = False,
        sparse: Sparse | None = None,
        drops_nonfinite: bool = False,
        loss_scale: LossScale | None = None,
    ):
        super().__init__(name="optimizer")
        check_sparse(sparse)
        self.one_pass = one_pass
        self.loss_scale = loss_scale
        self.drops_nonfinite = drops_nonfinite or loss_scale is not None
        self._sparse: Sparse | None = sparse
        if not isinstance(rule, Rule) and (variables is not None or not isinstance(rule, Iterable)):
            raise InputError(f"Optimizer needs (rule, variables), or a list of such pairs, found {described(rule)}.")
        groups = [(rule, variables)] if isinstance(rule, Rule) else list(rule)
        self.step = tf.Variable(tf.constant(0, tf.int64), trainable=False, name="step")
        self.dropped = tf.Variable(tf.constant(0, tf.int64), trainable=False, name="dropped")
        self.slots: dict[str, dict[str, tf.Variable]] = {}
        self.masters: dict[str, tf.Variable] = {}
        assignments: dict[str, _Assignment] = {}
        for rule, variables in groups:
            if not isinstance(variables, Mapping):
                raise InputError(f"Optimizer needs a mapping from name to tf.Variable, found {described(variables)}.")
            for name, variable in variables.items():
                check_variable(name, variable, {other: one.variable for other, one in assignments.items()})
                own = rule.for_variable(name, variable.shape.rank)
                slots = first_slots(name, own, tf.cast(variable, slot_dtype(variable)))
                names = refilled(slots, {slot: slot for slot in named(slots)})
                assignments[name] = _Assignment(variable, own, names)
                if variable.dtype != slot_dtype(variable):
                    self.masters[name] = tf.Variable(
                        tf.cast(variable, slot_dtype(variable)), trainable=False, name=f"{name}/master"
                    )
                self.slots[name] = {
                    slot: tf.Variable(value, trainable=False, name=f"{name}/{slot}")
                    for slot, value in named(slots).items()
                }
        if not assignments:
            raise InputError("Optimizer needs a mapping from name to tf.Variable with at least one variable.")
        self._assignments = assignments
        check_names(name for name, _ in self._held())

    @property
    def state(self) -> dict[str, tf.Variable]:
        """All that a step changes, by what a person calls it: "step", "h1", "master of h1", "m of h1"."""
        return dict(self._held())

    def _held(self) -> Iterator[tuple[str, tf.Variable]]:
        yield "step", self.step
        yield from ((name, assignment.variable) for name, assignment in self._assignments.items())
        yield from ((f"master of {name}", master) for name, master in self.masters.items())
        yield from ((f"{slot} of {name}", of) for name, own in self.slots.items() for slot, of in own.items())
        yield "dropped steps", self.dropped
        if self.loss_scale is not None:
            yield from self.loss_scale.state.items()

    @property
    def begun(self) -> int:
        """How many steps were taken or dropped."""
        return int(self.step.numpy()) + int(self.dropped.numpy())

    def manages(self, variables: Variables) -> bool:
        """Whether these are the variables that the optimizer was given, by these names."""
        owned = {name: assignment.variable for name, assignment in self._assignments.items()}
        return owned.keys() == variables.keys() and all(owned[name] is variables[name] for name in owned)

    def assigned(self, name: str) -> tuple[tf.Variable, Rule]:
        """The variable of this name, and the rule that updates it."""
        assignment = self._assignments[name]
        return assignment.variable, assignment.rule

    def parameter(self, name: str) -> tf.Tensor:
        """The variable of this name as its rule receives it, in the slots' dtype."""
        return parameter(self._assignments[name].variable, self.masters.get(name))

    def served(self) -> dict[str, tf.Tensor]:
        """What evaluation and export use of each variable, in its dtype: itself, unless its rule serves another."""
        found = {}
        for name, of in self._assignments.items():
            with mistakes_in(of.rule, method="served"):
                value = of.rule.served(self.parameter(name), refilled(of.slots, self.slots[name]))
            found[name] = tf.cast(value, of.variable.dtype)
        return found

    def updates(self, gradients: Gradients, cost: tf.Tensor | None = None, seen: Seen = unchanged) -> dict[str, Step]:
        """The step that each variable's rule takes for these gradients next, completed; changes nothing.

        gradients: by the variables' names, of their shapes and dtypes, as `tape.gradient(cost, variables)` returns,
                   dense or sparse; of a narrow variable in the slots' dtype, too.
        cost:      what they are of; one that is not finite is a reason to drop the step too.
        seen:      what each rule receives for a gradient and the slots behind it, all in the slots' dtype.

        Raises InputError for a missing, unknown or None gradient, for a wrong shape or dtype, and for a rule that does
        not return what it should.
        """
        self._check(gradients)
        return self._updates(gradients, self._holds(gradients, cost), seen)

    def computed(
        self, gradients: Gradients, cost: tf.Tensor | None = None
    ) -> tuple[dict[str, Step], dict[str, tf.Tensor]]:
        """What `updates` returns, and what each of `state` is after that step, by the names there; changes nothing.

        Takes and raises what `updates` does.
        """
        self._check(gradients)
        holds = self._holds(gradients, cost)
        updates = self._updates(gradients)
        after = self._after(gradients, updates)
        if holds is None:
            return updates, after
        state = self.state
        kept = {name: tf.where(holds, value, state[name]) for name, value in after.items()}
        return self._updates(gradients, holds), kept | self._counted(holds)

    def apply(self, gradients: Gradients, cost: tf.Tensor | None = None) -> dict[str, Step]:
        """Takes one step: every variable and slot is assigned, after all updates have been computed.

        Takes and raises what `updates` does, and returns what it returned.
        """
        self._check(gradients)
        holds = self._holds(gradients, cost)
        updates = self._updates(gradients, holds)
        if holds is None:
            self._assign(self._after(gradients, updates))
        else:
            done_where(holds, lambda: self._assign(self._after(gradients, self._updates(gradients))))
            self._assign(self._counted(holds))
        return updates

    def _check(self, gradients: Gradients) -> None:
        if not isinstance(gradients, Mapping) or gradients.keys() != self._assignments.keys():
            expected = ", ".join(self._assignments)
            found = ", ".join(gradients) if isinstance(gradients, Mapping) else type(gradients).__name__
            raise InputError(f"Optimizer needs one gradient for each of: {expected}; found: {found}.")
        for name, gradient in gradients.items():
            check_gradient(name, gradient, self._assignments[name].variable)
        self._warn_once(gradients)

    def _updates(self, gradients: Gradients, holds: tf.Tensor | None = None, seen: Seen = unchanged) -> dict[str, Step]:
        """The steps where `holds`, a boolean scalar; else such as move nothing."""
        at = self._at(gradients)
        return {name: self._update(name, gradients[name], at, seen, holds) for name in self._assignments}

    def _after(self, gradients: Gradients, updates: Mapping[str, Step]) -> dict[str, tf.Tensor]:
        """What these updates make of `state`, except for what counts dropped steps."""
        after, slots = self._apart(gradients, updates)
        return {
            "step": self.step + 1,
            **{name: tf.cast(x, self._assignments[name].variable.dtype) for name, x in after.items()},
            **{f"master of {name}": after[name] for name in self.masters},
            **{f"{slot} of {name}": value for name, own in slots.items() for slot, value in own.items()},
        }

    def _counted(self, holds: tf.Tensor) -> dict[str, tf.Tensor]:
        """The rest of `state` after a step that is taken where `holds`, and else dropped."""
        dropped = {"dropped steps": self.dropped + tf.cast(tf.logical_not(holds), tf.int64)}
        return dropped if self.loss_scale is None else dropped | self.loss_scale.after(holds)

    def _assign(self, after: Mapping[str, tf.Tensor]) -> None:
        state = self.state
        for name, value in after.items():
            state[name].assign(value)

    def _apart(
        self, gradients: Gradients, updates: Mapping[str, Step]
    ) -> tuple[dict[str, tf.Tensor], dict[str, dict[str, tf.Tensor]]]:
        """The parameters and the slots after updates; with `one_pass`, each as if it alone were computed.

        XLA merges loops that read the same, not those of which one reads what another has written. So each loop
        computes all that it needs, and barriers hide that others do so too until the loops are one.
        """
        if not self.one_pass or tf.executing_eagerly():
            slots = {name: named(step.slots) for name, step in updates.items()}
            return {name: step.x for name, step in updates.items()}, slots
        at = self._at(gradients)

        def alone(name: str, number: int) -> Step:
            return self._update(name, gradients[name], at, partial(_hidden, number))

        after = {name: alone(name, 0).x for name in updates}
        slots = {
            name: {slot: named(alone(name, number).slots)[slot] for number, slot in enumerate(own, start=1)}
            for name, own in self.slots.items()
        }
        return after, slots

    def _at(self, gradients: Gradients) -> At:
        """What the rules know beside their tensors at the next step."""
        t = tf.cast(self.step + 1, tf.float64)
        if not any(of.rule.reads_norm for of in self._assignments.values()):
            return At(t)
        return At(t, global_norm(gradients.values()))

    def _holds(self, gradients: Gradients, cost: tf.Tensor | None) -> tf.Tensor | None:
        """Whether the next step is taken, a boolean scalar, or dropped; None where none ever is."""
        if not self.drops_nonfinite:
            return None
        return all_finite([*gradients.values(), *([] if cost is None else [cost])])

    def _update(self, name: str, gradient: Any, at: At, seen: Seen, holds: tf.Tensor | None = None) -> Step:
        variable, rule = self._assignments[name].variable, self._assignments[name].rule
        sparse, dtype = isinstance(gradient, tf.IndexedSlices), slot_dtype(variable)
        read = tf.cast(gradient.values if sparse else gradient, dtype)
        g, *values = seen(read, *map(tf.convert_to_tensor, self.slots[name].values()))
        slots = refilled(self._assignments[name].slots, dict(zip(self.slots[name], values, strict=True)))
        x = self.parameter(name)
        if sparse:
            g = Occurrences(g, gradient.indices, variable.shape[0])
        with mistakes_in(rule):
            step = updated(rule, g, slots, x, at, self._sparse or "sum")
            check_step(rule, name, step, slots, variable.shape, dtype)
        return step.completed(x) if holds is None else taken_where(holds, step.completed(x), slots, x)

    def _warn_once(self, gradients: Gradients) -> None:
        sparse = [name for name, gradient in gradients.items() if isinstance(gradient, tf.IndexedSlices)]
        if sparse and self._sparse is None:
            self._sparse = "sum"
            warnings.warn(
                f"The gradient of {', '.join(map(repr, sparse))} is sparse (tf.IndexedSlices) and counts as the dense "
                "gradient that it stands for, so that rows that do not occur move too: pass sparse='sum' to Optimizer "
                "to agree, or sparse='lazy' to leave them as they are.",
                stacklevel=3,
            )


def _hidden(number: int, *read: tf.Tensor) -> list[tf.Tensor]:
    """The tensors, behind a barrier to XLA's optimizations, which would merge barriers of one order into one."""
    order = [*range(number, len(read)), *range(number)]
    behind = dict(zip(order, barrier(*(read[place] for place in order)), strict=True))
    return [behind[place] for place in range(len(read))]
