"""The paired comparison itself, on real engines in real processes; never how fast anything is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cogapp import Cog

from benchmarks.conductor import FIRST_STEPS_MAY_DIFFER, WARM_UP_MAY_DIFFER, compare
from benchmarks.engines import ENGINES, build, check_name
from benchmarks.figures import summaries
from benchmarks.tables import HEADINGS, markdown
from benchmarks.workload import Workload
from core import InputError

ROOT = Path(__file__).parents[2]
SMALL = Workload(hidden=(16, 16), batch_size=500)


FAMILIES = (
    "xla-loop", "graph", "tf1-session", "keras-fit", "keras-epoch", "keras-step", "frozen-step", "jax-step", "jax-scan",
    "torch-fused",
)  # fmt: skip
"""One engine or two of each library's; `pytest -m whole` takes all."""


@pytest.fixture(scope="module")
def contestants():
    """Two rounds on small layers; the notebook's own take longer, and agree as well."""
    return compare(FAMILIES, SMALL, rounds=2)


@pytest.mark.whole
def test_every_engine_trains_the_same():
    """torch.compile among them, which needs a C++ compiler and a minute."""
    assert {contestant.name: contestant.failure for contestant in compare(list(ENGINES), SMALL, rounds=2)} == (
        dict.fromkeys(ENGINES)
    )


def test_engines_train_the_same(contestants):
    ours = contestants[0]
    for contestant in contestants:
        assert contestant.failure is None
        assert contestant.first.cost == pytest.approx(ours.first.cost, rel=FIRST_STEPS_MAY_DIFFER)
        assert contestant.warm_up.cost == pytest.approx(ours.warm_up.cost, rel=WARM_UP_MAY_DIFFER)
        for sample, our_sample in zip(contestant.samples, ours.samples, strict=True):
            assert sample.cost == pytest.approx(our_sample.cost, rel=0.05), "still, after more epochs"


def test_a_sample_of_each_engine_is_taken_in_each_round(contestants):
    for contestant in contestants:
        assert len(contestant.samples) == 2
        assert all(sample.wall > 0 and sample.cpu > 0 for sample in contestant.samples)
        assert contestant.memory_mb > 100
        assert contestant.start > 0


def test_the_figures_are_a_row_for_each_engine(contestants):
    figures = summaries(contestants, steps=110)
    assert figures[0]["times_as_long"] == {"median": 1, "low": 1, "high": 1}
    table = markdown(figures).splitlines()
    assert [cell.strip() for cell in table[0].strip("|").split("|")] == list(HEADINGS)
    assert [line.split("|")[1].strip() for line in table[2:]] == list(FAMILIES)
    assert "1.00×" in table[2]


@pytest.fixture(scope="module")
def impostors():
    names = ["RateOff", "Lazy", "Unbuildable", "Dying"]
    compared = compare(["frozen-step", *(f"tests.benchmarks.planted:{name}" for name in names)], SMALL, rounds=2)
    return {contestant.name.rpartition(":")[2]: contestant for contestant in compared}


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("RateOff", "it trains something else: mean cost "),
        ("Lazy", "it trains something else: mean cost "),
        ("Unbuildable", "RuntimeError: no such device"),
        ("Dying", "its process died"),
    ],
)
def test_an_engine_that_trains_something_else_or_fails_says_so_and_is_not_timed(impostors, name, failure):
    """The comparison of costs can fail; and one engine's end is not that of the others."""
    assert impostors[name].failure.startswith(failure)
    assert "\n" not in impostors[name].failure
    assert impostors[name].samples == []
    figures = summaries(list(impostors.values()), steps=110)
    row = next(line for line in markdown(figures).splitlines() if name in line)
    assert failure in row
    assert "×" not in row


def test_an_engine_whose_package_is_not_installed_is_named(monkeypatch):
    """Would catch a peer that is left out in silence."""
    monkeypatch.setitem(ENGINES, "jax-step", ENGINES["jax-step"]._replace(packages=("numpy", "no_such_package")))
    with pytest.raises(InputError, match=r"^no_such_package not installed: pip install -e '.\[peers\]'"):
        build("jax-step", SMALL)


def test_those_that_are_left_are_still_timed(impostors):
    assert impostors["frozen-step"].failure is None
    assert len(impostors["frozen-step"].samples) == 2


def test_the_others_are_compared_with_each_other_where_the_first_fails():
    names = ["tests.benchmarks.planted:Unbuildable", "frozen-step"]
    failed, timed = summaries(compare(names, SMALL, rounds=2), steps=110)
    assert failed["failure"].startswith("RuntimeError")
    assert timed["times_as_long"]["median"] == 1


def test_the_command_writes_all_samples_and_what_is_needed_to_judge_them(tmp_path):
    path = tmp_path / "compare.json"
    command = [sys.executable, "-m", "benchmarks", "compare", "--engines", "xla-loop", "frozen-step", "--rounds", "2"]
    size = ["--hidden", "16", "--batch-size", "500", "--json", str(path)]
    done = subprocess.run([*command, *size], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "frozen-step" in done.stdout
    record = json.loads(path.read_text())
    assert set(record) == {
        "date", "command", "commit", "versions", "flags", "processor", "vector_instructions", "cores", "load_before",
        "workload", "steps", "figures", "samples",
    }  # fmt: skip
    assert record["steps"] == 110
    assert record["workload"]["hidden"] == [16]
    assert [len(contestant["samples"]) for contestant in record["samples"]] == [2, 2]
    assert record["figures"][1]["times_as_long"]["median"] > 0


def test_an_engine_that_is_none_is_refused():
    with pytest.raises(InputError, match="There is no engine 'warp'; there are: xla-loop, xla-step"):
        check_name("warp")


def test_readme_shows_the_newest_records(monkeypatch, capsys):
    """`make readme` puts them there."""
    monkeypatch.chdir(ROOT)
    assert Cog().main(["cog", "-P", "--check", "-I", ".", "README.md"]) == 0, capsys.readouterr().out
