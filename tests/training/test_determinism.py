"""Same seed, same processor, same versions, same number of threads: same bits; docs/determinism.md says where another
number has them too, and its tables are what is expected here.

`make test` takes the default run, two others, and at once all settings that keep their bits; `make faults` takes each
cell and each setting by itself. Cells that say "others" were seen on one processor: on another they may be "same".
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from .processes import ENVIRONMENT, ROOT

PAGE = ROOT / "docs" / "determinism.md"
EXECUTIONS = ["eager", "graph", "xla-step", "xla-loop"]


def rows(heading):
    """Of the page's table with this first heading: what the first cell says, and the others by their headings."""
    lines = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip().strip("`") for cell in line] for line in lines]
    start = next(place for place, line in enumerate(cells) if line[0] == heading)
    names, _, *rest = cells[start:]
    end = next((place for place, line in enumerate(rest) if len(line) != len(names)), len(rest))
    return {first: dict(zip(names[1:], others, strict=True)) for first, *others in rest[:end]}


PROBLEMS, SETTINGS = rows("problem"), rows("setting")
SENSITIVE = tuple(tuple(re.split("`?, ", heading)) for heading in next(iter(SETTINGS.values())))
"""The runs that the settings are tried with: a problem and its execution, whose bits differ by threads."""


def to_one_core():
    """As taskset does, but to a core that this process may use."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@cache
def computed(threads, runs, *settings):
    """A hash for each run, of a process with so many threads and these settings, as a shell would be given them."""
    variables = dict(setting.split("=", 1) for setting in settings if "=" in setting)
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.some_steps", json.dumps(runs)],
        env=ENVIRONMENT | {"TF_NUM_INTRAOP_THREADS": str(threads)} | variables,
        cwd=ROOT, capture_output=True, text=True, preexec_fn=to_one_core if "taskset -c 0" in settings else None,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(runs, done.stdout.split(), strict=True))


def compared(*hashes):
    """For each run, whether all have the same bits, in the page's words."""
    return {run: "same" if len({of[run] for of in hashes}) == 1 else "others" for run in hashes[0]}


def said(runs):
    return {(problem, execution): PROBLEMS[problem][execution] for problem, execution in runs}


PART = (*(("mlp", execution) for execution in EXECUTIONS), *SENSITIVE)


def test_the_default_run_has_its_bits_with_any_number_of_threads_and_others_have_other_bits():
    """Would catch a cost, a rule or a metric whose sums are divided among threads, and a hash that sees nothing."""
    with ThreadPoolExecutor() as pool:
        found = [*pool.map(lambda threads: computed(threads, PART), (1, 8))]
    assert compared(*found) == said(PART)
    assert {*said(SENSITIVE).values()} == {"others"}
    assert found[0]["mlp", "graph"] != found[0]["mlp", "xla-loop"], "bits of another execution are others"


def test_all_that_is_said_to_keep_the_bits_keeps_them_at_once():
    """Of runs whose bits depend on the number of threads. Would catch an order taken from a set or from whichever
    operation is done first, and a number of threads taken from the cores."""
    keeping = [setting for setting, cells in SETTINGS.items() if {*cells.values()} == {"same"}]
    assert len(keeping) > 3
    assert {*compared(computed(8, SENSITIVE, *keeping), computed(8, PART)).values()} == {"same"}


@pytest.mark.whole
@pytest.mark.parametrize("problem", PROBLEMS)
def test_each_problem_has_the_same_bits_with_any_number_of_threads_where_the_page_says_so(problem):
    runs = tuple((problem, execution) for execution in EXECUTIONS)
    assert compared(*(computed(threads, runs) for threads in (1, 2, 8))) == said(runs)


@pytest.mark.whole
@pytest.mark.parametrize("setting", SETTINGS)
def test_each_setting_by_itself_changes_the_bits_where_the_page_says_so(setting):
    found = compared(computed(8, SENSITIVE, setting), computed(8, SENSITIVE))
    assert [*found.values()] == [*SETTINGS[setting].values()]


UNSTEADY = """
import core, numpy as np, tensorflow as tf
random = np.random.default_rng(0)
draw = lambda *shape: tf.constant(random.standard_normal(shape).astype(np.float32))
bins, weights, a, b = random.integers(0, 50_000, 100_000), draw(100_000), draw(2, 4, 50_000), draw(2, 50_000, 4)
for kernel in (lambda: tf.math.bincount(bins, weights=weights), lambda: tf.matmul(a, b)):
    print(len({kernel().numpy().tobytes() for _ in range(50)}))
"""


@pytest.mark.whole
def test_the_kernels_that_the_page_warns_of_return_other_bits_from_call_to_call():
    """Where a new TensorFlow has fixed them, the page need not warn any more."""
    variables = ENVIRONMENT | {"TF_NUM_INTRAOP_THREADS": "8"}
    done = subprocess.run([sys.executable, "-c", UNSTEADY], env=variables, cwd=ROOT, capture_output=True, text=True)
    assert [int(kinds) > 1 for kinds in done.stdout.split()] == [True, True], done.stdout + done.stderr[-2000:]
