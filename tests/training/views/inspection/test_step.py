"""Inspected programs: a linear model whose work is counted by hand, the notebook's network, and planted faults."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from core import Adam, ClipByGlobalNorm, DecoupledDecay, InputError, Optimizer, Program, chain
from core.engine.executions import EXECUTIONS
from core.engine.runners import Loop
from core.rules import SGD, Step
from core.xp import cast_like, minimum
from training.runs.settings import Settings
from training.views.inspection.charts import arithmetic_chart, traffic_chart
from training.views.inspection.conclusions import UNKNOWN, conclusions, facts
from training.views.inspection.figures import step_figures
from training.views.inspection.step import by_phase, inspect, together
from training.views.inspection.study import Study
from training.views.inspection.tables import work_cells

BATCHES = np.arange(20).reshape(4, 5) % 7


def linear(rule, execution="xla-loop", scale=1.0, units=(3, 2)):
    """Inspects 4 steps of batches of 5, of a model from inputs to outputs."""
    weights = {"w": tf.Variable(tf.ones(units), name="w")}

    def cost(weights, x, y):
        return tf.reduce_mean(tf.square(scale * tf.matmul(x, weights["w"]) - y))

    return inspect(
        Program(cost, weights, Optimizer(rule, weights), execution), [tf.ones((7, count)) for count in units], BATCHES
    )


@pytest.fixture(scope="module")
def adam():
    return linear(Adam())


@pytest.fixture(scope="module")
def notebook():
    """Its network with Adam, and 10 steps of batches of 100."""
    return Study(Settings(), Settings().data(), steps=10).step()["step"]


def test_arithmetic_of_the_linear_model(adam):
    """x·w and xᵀ·(its gradient): 2 · 5 · 3 · 2 each; the inputs need no gradient."""
    work = by_phase(adam.kernels)
    assert work["forward"].flop.products == work["backward"].flop.products == 60
    assert together(adam.kernels).flop.products == 120
    assert work["forward"].launches["product"] == work["backward"].launches["product"] == 1


def test_arithmetic_of_adam_s_update(adam):
    """6 weights. In the loops of m and of v: β·m + (1 − β)·g is 3 a weight, β·v + (1 − β)·g·g is 4. In that of w: α·m̂
    and the difference, m/c₁, v/c₂, the root, + ε and the quotient are 7. Besides the scalars, β₁^t and β₂^t, and
    1 − β^t of both."""
    assert by_phase(adam.kernels)["update"].flop == (0, 6 * (3 + 4 + 7) + 4)


class ByHand(Adam):
    """Clipped to 1 by the global norm, and a decay of 0.01, in one body."""

    NEEDS_NORM = True

    def update(self, g, slots, x, at):
        norm = cast_like(at.norm_g, g)
        step = super().update(g * (1.0 * minimum(1.0 / norm, 1.0)), slots, x, at)
        return Step(step.delta + x * 0.01 * self.learning_rate, step.slots, {})


def test_a_chain_is_what_one_body_written_by_hand_would_be():
    """Kernel by kernel. A clip reads the gradient once more, and writes nothing of its size; a decay moves nothing."""
    units, clip, decay = (100, 64), ClipByGlobalNorm(1.0), DecoupledDecay(0.01)
    rules = dict(
        plain=Adam(0.01), hand=ByHand(0.01), chain=chain(clip, Adam(0.01), decay), decay=chain(Adam(0.01), decay)
    )
    found = {name: linear(rule, units=units).kernels for name, rule in rules.items()}
    moved = {name: sum(kernel.read + kernel.written for kernel in of) for name, of in found.items()}
    ours, theirs = ([(kernel.kind, kernel.operations, kernel.read, kernel.written) for kernel in found[name]]
                    for name in ("chain", "hand"))  # fmt: skip
    assert len(ours) == len(theirs)
    assert moved["chain"] == moved["hand"]
    assert ours == theirs
    assert moved["decay"] == moved["plain"]
    gradient = 4 * 100 * 64
    assert gradient <= moved["chain"] - moved["plain"] < 1.1 * gradient


def test_bytes_of_adam_s_update(adam):
    """XLA makes a loop each of m, v and w, 24 B every one. m and v: each reads itself and the gradient and writes
    itself. w: reads all three and writes itself. So 40 B a weight where 28 would do. Besides scalars: two powers of 8
    B, written and read again, each from the step of 8 B; the step itself, read, with 8 B of 1, and written."""
    work = by_phase(adam.kernels)["update"]
    assert work.read + work.written == 40 * 6 + 2 * (8 + 8 + 8) + 24


def test_bytes_of_the_gather(adam):
    """5 rows of 3 and of 2 numbers, read and written, each by the row of 5 numbers in the batches and the place of that
    row: not the 7 examples."""
    work = by_phase(adam.kernels)["gather"]
    assert work.read == (60 + 20 + 4) + (40 + 20 + 4)
    assert work.written == 60 + 40


def test_variables_and_memory_of_the_linear_model(adam):
    """Examples, batches, the step and three times w; the costs and a table of 5 pointers."""
    assert {one.name: one.bytes for one in adam.variables} == {"step": 8, "w/m": 24, "w/v": 24, "w": 24}
    assert all(one.in_place for one in adam.variables)
    assert {one.name for one in adam.variables if one.copied} == {"step"}
    assert adam.memory.arguments == 4 * (7 * 3 + 7 * 2) + 4 * 20 + 8 + 3 * 24
    assert adam.memory.outputs == 8 * 4 + 8 * 5
    assert adam.memory.temporaries > 0


def test_a_loop_that_xla_puts_into_a_function_of_its_own_is_found():
    """As XLA:CPU does with plain descent on so small a model."""
    found = linear(SGD(0.1))
    assert (found.loops, found.trip_count) == (True, 4)
    assert all(kernel.times == 1 for kernel in found.kernels)
    assert [(one.name, one.in_place) for one in found.variables] == [("step", True), ("w", True)]


def test_one_step_a_call_has_no_loop_and_the_same_products():
    found = linear(Adam(), execution="xla-step")
    assert (found.loops, found.trip_count) == (False, None)
    work = by_phase(found.kernels)
    assert work["forward"].flop.products == work["backward"].flop.products == 60
    assert set(work) >= {"gather", "forward", "backward", "update", "observe"}


class UnboundedLoop(Loop):
    """Planted: its end is in its arguments, so that XLA cannot know how often it runs."""

    def _loop(self, data, batches):
        steps = batches.shape[0] + tf.reduce_min(batches)

        def body(i):
            self._step.taken(*self._step.differentiated(data, tf.gather(batches, i)))
            return (i + 1,)

        return tf.while_loop(lambda i: i < steps, body, (tf.constant(0),))


def test_a_loop_whose_length_xla_does_not_know_is_seen():
    found = linear(Adam(), execution=replace(EXECUTIONS["xla-loop"], runner=UnboundedLoop))
    assert (found.loops, found.trip_count) == (True, None)
    assert "does not know how often" in facts(step_figures(found, {}))[0]


def test_a_variable_that_is_not_updated_in_place_is_seen():
    """Planted: one that the cost reads and nobody trains."""
    found = linear(Adam(), scale=tf.Variable(2.0, name="scale"))
    assert [one.name for one in found.variables if not one.in_place] == ["scale"]
    assert "4 of 5 variables are updated in place; not scale." in facts(step_figures(found, {}))


def test_where_the_least_is_not_known_its_cells_are_empty_and_a_sentence_says_so(adam):
    """Would catch a least of 0, which everything exceeds without end. Its pictures lack the bars."""
    figures = step_figures(adam, {})
    assert UNKNOWN in conclusions(figures, None)
    assert [*np.array(work_cells(figures["whole"]))[[2, 4]]] == ["–", "–"]
    assert "at least" not in traffic_chart(figures) + arithmetic_chart(figures)


def test_an_eager_program_is_refused():
    with pytest.raises(InputError, match="Only the xla executions"):
        linear(Adam(), execution="eager")


def test_all_variables_of_the_notebook_s_network_are_updated_in_place_in_a_loop_of_known_length(notebook):
    """The step, 6 weights and biases, two slots of each."""
    assert notebook["trip_count"] == 10
    assert len(notebook["variables"]) == 1 + 6 * 3
    assert all(one["in_place"] for one in notebook["variables"])
    assert "19 of 19 variables are updated in place." in facts(notebook)


def test_the_notebook_s_network_computes_no_product_beyond_the_least(notebook):
    for work in notebook["phases"].values():
        assert work["flop"]["products"] == work["least"]["products"]
    assert notebook["whole"]["flop"]["products"] == notebook["whole"]["least"]["products"] == 121_139_200


def test_the_notebook_s_update_moves_forty_bytes_a_parameter(notebook):
    """See `test_bytes_of_adam_s_update`; scalars are less than 100 B of 11 MB a tensor."""
    work = notebook["phases"]["update"]
    assert work["read"] + work["written"] == pytest.approx(40 * 269_322, abs=600)
    assert work["least"]["bytes"] == 28 * 269_322


def test_whole_copies_in_the_notebook_s_step_are_named(notebook):
    """The old values of these are read after the forward pass, and XLA makes the new ones in their place."""
    assert {one["name"] for one in notebook["variables"] if one["copied"]} == {"step", "h2", "ho", "bo"}
    assert sum(kernel["written"] for kernel in notebook["kernels"] if kernel["kind"] == "copy") == (
        4 * (256 * 256 + 256 * 10 + 10) + 8 + 4
    )


def test_the_notebook_s_memory_is_its_arguments_and_little_more(notebook):
    """55,000 images of 784 B and their labels, 10 batches of 100 numbers, the step, three times 269,322 floats."""
    memory = notebook["memory"]
    assert memory["arguments"] == 55_000 * 785 + 4 * 1_000 + 8 + 3 * 4 * 269_322
    assert 0 < memory["temporaries"] < 3 * 4 * 269_322
    assert memory["total"] == sum(memory[part] for part in ("arguments", "outputs", "constants", "temporaries"))


def test_no_phase_moves_less_than_its_least(notebook):
    """Would catch a least that counts a batch written between gather and forward, which XLA fuses away."""
    for phase, work in notebook["phases"].items():
        assert work["read"] + work["written"] >= work["least"]["bytes"], phase


def test_what_follows_from_the_figures_is_said(notebook):
    launched, shares, nearness, look = conclusions(notebook, None)
    whole, update = notebook["whole"], notebook["phases"]["update"]
    moved = whole["read"] + whole["written"]
    assert launched.startswith(f"A step launches {sum(whole['launches'].values())} kernels: ")
    assert "8 matrix products" in launched, "of three layers, the first of which needs no gradient of its inputs"
    assert f"the bytes, {(update['read'] + update['written']) / moved:.0%}" in shares
    assert f"moves {moved / whole['least']['bytes']:.2f} times the least bytes" in nearness
    assert "1.00 times the least products" in nearness
    assert any(kernel["name"] in look for kernel in notebook["kernels"])
    fused = notebook | {"whole": whole | {"least": {"bytes": 2 * moved, "products": whole["flop"]["products"]}}}
    assert "0.50 times the least bytes" in conclusions(fused, None)[2]
    assert "fused, they need less" in conclusions(fused, None)[2]


def test_a_gather_fused_into_the_forward_pass_is_reported(notebook):
    """Images are gathered and scaled in one kernel, which reads 100 rows and not 43 MB."""
    (first,) = (kernel for kernel in notebook["kernels"] if kernel["result"] == "f32[100,784]")
    assert (first["phase"], first["others"]) == ("forward", ("gather",))
    assert first["read"] == 78_400 + 400 + 4
    assert "forward computes parts of gather in 1 kernel" in " ".join(facts(notebook))
