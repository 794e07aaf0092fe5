"""What `import core` brings in and what it prints, each in a fresh process; and which way the arrows run."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.engine.xla_options import Options, apply, options

ROOT = Path(__file__).parents[2]


def python(program: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", program]
    environment = os.environ | environment
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)


LOADED = (
    "print([name for name in ('keras', 'matplotlib', 'rich', 'torch', 'jax', 'optax', 'sympy') if name in sys.modules])"
)


def test_core_brings_in_nothing_else_and_prints_nothing():
    """Compiling included: XLA has notes of its own."""
    done = python(
        "import sys, core, tensorflow as tf\n"
        "tf.function(lambda x: x + 1, jit_compile=True)(tf.constant(1.0))\n" + LOADED
    )
    assert done.stdout == "[]\n"
    assert done.stderr == ""


def test_the_log_level_that_jax_leaves_to_its_children_brings_no_notes():
    """Would catch chatter in every process that is started by one which has imported Keras or JAX."""
    done = python(
        "import core, tensorflow as tf\ntf.function(lambda x: x + 1, jit_compile=True)(tf.constant(1.0))",
        TF_CPP_MIN_LOG_LEVEL="1",
    )
    assert done.stderr == ""


def test_core_brings_in_nothing_else_and_keeps_the_notes_where_the_log_level_asks_for_all():
    done = python(
        "import sys, core, os; print(os.environ['TF_CPP_MIN_LOG_LEVEL'])\n" + LOADED, TF_CPP_MIN_LOG_LEVEL="0"
    )
    assert done.stdout == "0\n[]\n"
    assert "AVX" in done.stderr or "cuda" in done.stderr.lower()


def test_core_leaves_the_devices_to_be_configured():
    """Would catch a start that sets the devices up, after which these calls are refused."""
    python(
        "import core, tensorflow as tf\n"
        "tf.config.threading.set_intra_op_parallelism_threads(1)\n"
        "cpu = tf.config.list_physical_devices('CPU')[0]\n"
        "tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)\n"
        "assert len(tf.config.list_logical_devices('CPU')) == 2"
    )


def test_keras_is_there_for_whoever_asks():
    done = python("import core, tensorflow as tf; print(tf.keras.optimizers.Adam().name)")
    assert done.stdout == "adam\n"


def imported(path: Path, at_the_top: bool = False) -> set[str]:
    """The modules that a file imports, relative ones by their full names; all, or those of its first level."""
    package = path.relative_to(ROOT).parts[:-1]
    names, tree = set(), ast.parse(path.read_text())
    for node in tree.body if at_the_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            names.add(".".join([*base, *([node.module] if node.module else [])]))
    return names


ALLOWED = {
    "core/rules": ["core.errors", "core.xp", "core.rules"],
    "core/engine/sparse.py": ["core.errors", "core.rules", "core.xp"],
    "core/mistakes.py": ["core.errors"],
    "core/costs.py": ["core.errors"],
    "core/engine/checks.py": [
        "core.errors",
        "core.engine.masters",
        "core.mistakes",
        "core.rules",
        "core.engine.sparse",
    ],
    "core/engine/dropping.py": ["core.rules"],
    "core/engine/loss_scale.py": ["core.costs", "core.errors"],
    "core/engine/masters.py": [],
    "core/engine/private.py": [],
    "core/engine/reductions.py": ["core.costs", "core.engine.private"],
    "core/engine/optimizer.py": [
        "core.engine.checks",
        "core.engine.dropping",
        "core.errors",
        "core.engine.loss_scale",
        "core.engine.masters",
        "core.mistakes",
        "core.rules",
        "core.engine.loss_scale",
        "core.engine.private",
        "core.engine.reductions",
        "core.engine.sparse",
    ],
    "core/bridges/keras.py": [
        "core.bridges.keras_optimizer",
        "core.bridges.keras_pieces",
        "core.bridges.keras_schedule",
        "core.errors",
        "core.rules",
        "core.engine.optimizer",
        "core.verification",
    ],
    "core/bridges/keras_optimizer.py": [
        "core.bridges.keras_files",
        "core.bridges.keras_pieces",
        "core.bridges.keras_schedule",
        "core.engine.checks",
        "core.errors",
        "core.engine.masters",
        "core.mistakes",
        "core.engine.reductions",
        "core.rules",
        "core.engine.sparse",
    ],
    "core/bridges/keras_files.py": ["core.errors", "core.rules"],
    "core/bridges/keras_schedule.py": [],
    "core/bridges/keras_pieces.py": ["core.errors", "core.rules"],
    "core/verification": [
        "core.engine.checks",
        "core.errors",
        "core.mistakes",
        "core.seeds",
        "core.xp",
        "core.rules",
        "core.engine.optimizer",
        "core.engine.executions",
        "core.engine.program",
        "core.verification",
    ],
    "core/engine/figures.py": ["core.mistakes", "core.engine.reductions", "core.rules"],
    "core/engine/recorder.py": [
        "core.errors",
        "core.engine.figures",
        "core.engine.masters",
        "core.engine.optimizer",
        "core.engine.private",
        "core.engine.reductions",
        "core.rules",
        "core.engine.sparse",
    ],
    "core/engine/slow.py": ["core.errors"],
    "core/engine/xla_options.py": [],
    "core/engine/training_step.py": [
        "core.costs",
        "core.errors",
        "core.engine.masters",
        "core.engine.optimizer",
        "core.engine.recorder",
        "core.engine.slow",
        "core.rules",
        "core.engine.sparse",
    ],
    "core/engine/runners.py": [
        "core.errors",
        "core.engine.optimizer",
        "core.engine.private",
        "core.engine.training_step",
    ],
    "core/engine/executions.py": ["core.errors", "core.engine.runners", "core.engine.training_step"],
    "core/engine/replicas.py": [
        "core.engine.checks",
        "core.errors",
        "core.engine.executions",
        "core.engine.optimizer",
        "core.engine.runners",
        "core.engine.training_step",
    ],
    "core/engine/feeds": ["core.engine.feeds", "core.errors", "core.seeds"],
    "core/engine/program.py": [
        "core.errors",
        "core.engine.executions",
        "core.engine.feeds",
        "core.mistakes",
        "core.engine.optimizer",
        "core.engine.recorder",
        "core.engine.replicas",
        "core.engine.runners",
        "core.engine.training_step",
    ],
    "core/engine/guard.py": [
        "core.errors",
        "core.engine.feeds",
        "core.engine.loss_scale",
        "core.engine.optimizer",
        "core.engine.program",
    ],
    "core/__init__.py": ["core"],
    "core": [],
    "training": ["core", "training"],
    "benchmarks/pjrt.py": [],
    "benchmarks": ["core", "training", "benchmarks"],
}
"""Which of our modules a room may import; the first row that fits a file counts."""


FOREIGN = {
    "core/bridges/keras.py": {"keras"},
    "core/bridges/keras_files.py": {"keras"},
    "core/bridges/keras_optimizer.py": {"keras"},
    "core/bridges/keras_schedule.py": {"keras"},
    "core/verification/libraries/keras.py": {"keras"},
    "core/verification/libraries/torch.py": {"torch"},
    "core/verification/libraries/optax.py": {"jax", "optax"},
    "core/verification/libraries/around.py": {"torch", "jax", "optax"},
    "training/workloads/keras_models.py": {"keras"},
    "training/exchange/serving.py": {"keras"},
}
"""The files of core and training that may import other people's frameworks; libraries only inside functions."""


PRIVATE = {
    "core/engine/private.py": {"tensorflow.compiler.tf2xla", "tensorflow.python"},
    "core": set(),
    # What XLA made of a program, in its own messages, and the StableHLO dialect: TensorFlow has no public reader. The
    # message that a saved graph has of each variable, and the one that a checkpoint has of its objects: TensorFlow
    # publishes the graph's own alone, and a class that writes a checkpoint in twice the time.
    "training": {
        "tensorflow.compiler.xla", "tensorflow.compiler.mlir.stablehlo", "tensorflow.core.framework.variable_pb2",
        "tensorflow.core.protobuf.trackable_object_graph_pb2",
    },
    "benchmarks": set(),
}  # fmt: skip
"""The parts of TensorFlow that it does not publish, by who may import them; the first row that fits a file counts."""


FILES = [path.relative_to(ROOT) for room in ("core", "training", "benchmarks") for path in ROOT.glob(f"{room}/**/*.py")]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_arrows_run_one_way(path):
    """Would catch core importing training, training importing benchmarks, the optimizer importing the program, and a
    private name of TensorFlow that comes in elsewhere than by its door."""
    allowed = next(modules for room, modules in ALLOWED.items() if str(path).startswith(room))
    modules = imported(ROOT / path)
    ours = {name for name in modules if name.split(".")[0] in ("core", "training", "benchmarks", "tests")}
    assert not {name for name in ours if not any(f"{name}.".startswith(f"{module}.") for module in allowed)}
    private = {name for name in modules if name.startswith("tensorflow.")}
    doors = next(parts for room, parts in PRIVATE.items() if str(path).startswith(room))
    assert not {name for name in private if not any(f"{name}.".startswith(f"{part}.") for part in doors)}
    others = {name.split(".")[0] for name in modules} & {"keras", "torch", "jax", "optax"}
    if path.name == "pjrt.py":  # which runs where there is no TensorFlow
        assert "tensorflow" not in {name.split(".")[0] for name in modules}
    if path.parts[0] != "benchmarks":  # which measures Keras too, in a process of its own
        assert others <= FOREIGN.get(str(path), set())
    if path.parts[:3] == ("core", "verification", "libraries") and str(path) in FOREIGN:
        assert not {n.split(".")[0] for n in imported(ROOT / path, at_the_top=True)} & FOREIGN[str(path)]
    if path.parts[:2] == ("core", "rules"):
        assert not {"tensorflow", "numpy"} & {name.split(".")[0] for name in modules}, "through xp alone"


OPTIONS = """
import os, core, tensorflow as tf
from core.engine.xla_options import apply, options
compile = tf.function(lambda x: x + 1, jit_compile=True)
{before}
print(apply(options(55_050, 7_331_840)), os.environ["XLA_FLAGS"])
"""
OWN = "--xla_cpu_enable_concurrency_optimized_scheduler=true"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("", f"True {OWN} --xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true"),
        ("compile(tf.constant(1.0))", f"False {OWN}"),
    ],
    ids=["in time", "too late"],
)
def test_options_of_xla_are_applied_as_long_as_it_has_not_read_its_flags(before, said):
    """Would catch flags that are set and not read, a user's own option overruled, and one pass without merged loops."""
    assert python(OPTIONS.format(before=before), XLA_FLAGS=OWN).stdout == f"{said}\n"


def test_the_notebook_s_network_gets_no_options_and_small_ones_do():
    """Would catch a threshold on either side of the sizes that were measured."""
    assert options(269_322, 121_139_200) == Options()
    assert apply(Options())
    assert options(269_322, 77_529_088) == options(26_506, 3_469_312) != Options()
    assert str(options(10**6, 10**7)) == "none"
    assert str(options(55_050, 7_331_840)).endswith("scheduler=false, one pass over each tensor")
