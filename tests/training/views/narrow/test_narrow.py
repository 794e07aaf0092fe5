"""Where rules stop in narrow dtypes: the same libraries called plainly, and the reasons on numbers known by hand."""

import json

import jax.numpy as jnp
import keras
import numpy as np
import optax
import pytest
import torch

from training.views.narrow.cells import cells, pieces
from training.views.narrow.tables import as_record, markdown, rows
from training.views.narrow.walks import GRADIENTS, of_library

# Keras's own, wherever it makes a NumPy array of one of its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

STEPS = 60
PLACE = {gradient: place for place, gradient in enumerate(GRADIENTS)}


@pytest.fixture(scope="module")
def found():
    begun = []
    listed = [*cells(["adam", "sgd", "ftrl"], STEPS, begun.append)]
    assert len(begun) == pieces(["adam", "sgd", "ftrl"])
    return {(cell.rule, cell.library, cell.dtype, PLACE[cell.gradient]): cell for cell in listed}


CASES = {
    ("adam", "keras", "bfloat16", 0): ("stops", 0, "Δ = 0: β2 → 1"),  # the bias correction 1 − β2^t is 0
    ("adam", "tf1-kernel", "bfloat16", 1): ("stops", 0, "Δ = 0: v = 0, β2 → 1"),  # v gets (1 − β2)·g², which is 0
    ("adam", "torch", "bfloat16", 0): ("stops", 0, "½ ulp"),  # 0.001 from 1, whose unit below is 0.0039
    ("adam", "torch", "float16", 1): ("not finite", 1, "v = 0, ε → 0"),  # g² = 2⁻²⁶, and 1e-8 is 0 too
    ("adam", "torch", "float16", 0): ("moves", STEPS, ""),
    ("sgd", "optax", "bfloat16", 1): ("stops", 0, "½ ulp"),
    ("sgd", "keras", "bfloat16", 0): ("moves", STEPS, ""),
    ("ftrl", "torch", "float16", 0): ("lacks", None, ""),
    **{
        ("adam", "rawstep", dtype, place): ("moves", STEPS, "") for dtype in ("bfloat16", "float16") for place in (0, 1)
    },
    ("sgd", "rawstep", "bfloat16", 1): ("moves", STEPS, ""),
}


@pytest.mark.parametrize("key", CASES, ids=lambda key: "-".join(map(str, key)))
def test_a_cell_says_where_a_rule_stops_and_why(key, found):
    """By arithmetic that can be done by hand."""
    cell = found[key]
    assert (cell.outcome, cell.step, cell.why) == CASES[key]


def torch_s(g):
    x = torch.nn.Parameter(torch.ones(2, dtype=torch.bfloat16))
    optimizer = torch.optim.Adagrad([x])
    for _ in range(STEPS):
        x.grad = torch.tensor(g, dtype=torch.bfloat16)
        optimizer.step()
    return x.detach().float().numpy()


def optax_s(g):
    optimizer, x = optax.adagrad(1e-2), jnp.ones(2, jnp.bfloat16)
    state = optimizer.init(x)
    for _ in range(STEPS):
        updates, state = optimizer.update(jnp.asarray(g, jnp.bfloat16), state, x)
        x = optax.apply_updates(x, updates)
    return np.asarray(x, "f")


def keras_s(g):
    x, optimizer = keras.Variable(np.ones(2), dtype="float16"), keras.optimizers.Adagrad()
    for _ in range(STEPS):
        optimizer.apply([keras.ops.convert_to_tensor(g, "float16")], [x])
    return keras.ops.convert_to_numpy(x).astype("f")


@pytest.mark.parametrize(
    ("library", "dtype", "plainly"),
    [("torch", "bfloat16", torch_s), ("optax", "bfloat16", optax_s), ("keras", "float16", keras_s)],
)
def test_a_library_goes_where_it_goes_when_it_is_called_plainly(library, dtype, plainly):
    """To the bit. Would catch slots in another dtype, a parameter that passes through a wider one, a setting."""
    walk = of_library(library, "adagrad", dtype, STEPS)
    np.testing.assert_array_equal(walk.x[-1], plainly(GRADIENTS))
    assert (walk.x[-1] != 1).any(), "or nothing was tested"


def test_a_record_is_shown_again_as_it_was(found):
    listed = [*found.values()]
    record = json.loads(json.dumps(as_record(listed, STEPS)))
    shown = markdown(record)
    assert "| adam | moves | 0: Δ = 0: β2 → 1 | 0: ½ ulp | 0: ½ ulp | 0: Δ = 0: v = 0, β2 → 1 |" in shown
    assert shown.count("| ftrl |") == 4
    assert rows(listed, "float16", GRADIENTS[0])["ftrl"][2] == "–"


def test_the_command_writes_both_files_and_refuses_a_rule_that_is_not_there(tmp_path, run_here):
    done = run_here("narrow", "--rule", "SGD", "--steps", "20", "--json", "s.json", "--markdown", "s.md", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "½ ulp" in done.stdout
    record = json.loads((tmp_path / "s.json").read_text())
    assert len(record["cells"]) == 2 * 2 * 5
    assert (tmp_path / "s.md").read_text().startswith("**bfloat16: θ is 1 at first, and 20 steps")
    done = run_here("narrow", "--rule", "adamx", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no rule 'adamx'" in done.stderr
