"""The paired comparison itself, on real engines in real processes; never how fast anything is."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.cli import main
from benchmarks.conductor import compare
from benchmarks.devices import missing
from benchmarks.engines import CEILINGS, ENGINES, build, check_name
from benchmarks.figures import floor, summaries, walls
from benchmarks.pictures import plot_comparison
from benchmarks.tables import COMPARISON, markdown
from benchmarks.workload import Workload
from core import InputError
from tests.training.processes import heed_signals

ROOT = Path(__file__).parents[2]
SMALL = Workload(hidden=(16, 16), batch_size=500)


FAMILIES = ("xla-loop", "tf1-session", "keras-fit", "keras-step", "frozen-step", "jax-scan", "torch-fused")
"""One engine of each file of `benchmarks.engines`; `pytest -m whole` takes all."""


@pytest.fixture(scope="module")
def contestants():
    """Two rounds on small layers; the notebook's own take longer, and agree as well."""
    return compare([*FAMILIES, *CEILINGS], SMALL, rounds=2)


@pytest.mark.whole
def test_every_engine_trains_the_same():
    """torch.compile among them, which needs a C++ compiler and a minute."""
    assert {contestant.name: contestant.failure for contestant in compare(list(ENGINES), SMALL, rounds=2)} == (
        dict.fromkeys(ENGINES)
    )


def test_engines_train_the_same(contestants):
    ours = contestants[0]
    for contestant in contestants[: len(FAMILIES)]:
        assert contestant.failure is None
        assert contestant.first.cost == pytest.approx(ours.first.cost, rel=SMALL.first_steps_may_differ)
        assert contestant.warm_up.cost == pytest.approx(ours.warm_up.cost, rel=SMALL.warm_up_may_differ)
        for sample, our_sample in zip(contestant.samples, ours.samples, strict=True):
            assert sample.cost == pytest.approx(our_sample.cost, rel=0.05), "still, after more epochs"


def test_a_sample_of_each_engine_is_taken_in_each_round(contestants):
    for contestant in contestants:
        assert len(contestant.samples) == 2
        assert all(sample.wall > 0 and sample.cpu > 0 for sample in contestant.samples)
        assert contestant.memory_mb > 100
        assert contestant.start > 0


@pytest.fixture(scope="module")
def figures(contestants):
    return summaries(contestants, SMALL)


def test_the_figures_are_a_row_for_each_engine(figures):
    assert figures[0]["times_as_long"] == {"median": 1, "low": 1, "high": 1}
    table = markdown(figures).splitlines()
    assert [cell.strip() for cell in table[0].strip("|").split("|")] == ["engine", *COMPARISON]
    assert [line.split("|")[1].strip() for line in table[2:]] == list(FAMILIES)
    assert "1.00×" in table[2]


def test_the_ceiling_is_the_products_and_the_traffic_of_the_same_round(contestants, figures):
    products, stream = contestants[-2:]
    assert products.first.cost is stream.first.cost is None
    # Adam moves 28 B a parameter, the stream 36.
    least = [p + s * 28 / 36 for p, s in zip(walls(products), walls(stream), strict=True)]
    assert floor(contestants, SMALL) == pytest.approx(least)
    shares = [share / wall for share, wall in zip(least, walls(contestants[0]), strict=True)]
    assert figures[0]["share_of_ceiling"]["median"] == pytest.approx(sum(shares) / 2)


def test_without_a_ceiling_there_is_no_share_of_it(contestants, tmp_path):
    """As where one fails; and on a GPU, where NumPy's products would be none."""
    figures = summaries([*contestants[:2], contestants[-2]], SMALL)
    assert {figure["share_of_ceiling"] for figure in figures} == {None}
    assert "–" in markdown(figures)
    plot_comparison({"figures": figures}, "small", tmp_path / "small.svg")
    assert (tmp_path / "small.svg").exists()
    on_gpu = summaries([contestants[0], *contestants[-2:]], replace(SMALL, device="gpu"))
    assert on_gpu[0]["share_of_ceiling"] is None


@pytest.fixture(scope="module")
def ill_matched():
    """One that cannot be built, before one that stands there twice, before impostors."""
    planted = [f"tests.benchmarks.planted:{name}" for name in ("Unbuildable", "RateOff", "Lazy", "Dying")]
    return compare([planted[0], "frozen-step", "frozen-step", *planted[1:]], SMALL, rounds=2)


def test_an_engine_may_be_compared_with_itself(ill_matched):
    """Would catch two of one name that share a process, and one that is left behind."""
    _, first, second, *_ = ill_matched
    assert first.failure is second.failure is None
    assert first.warm_up.cost == second.warm_up.cost
    assert [sample.cost for sample in first.samples] == [sample.cost for sample in second.samples]
    assert len(first.samples) == 2


@pytest.fixture(scope="module")
def impostors(ill_matched):
    return {contestant.name.rpartition(":")[2]: contestant for contestant in ill_matched if ":" in contestant.name}


@pytest.fixture(scope="module")
def figures_of_all(ill_matched):
    return summaries(ill_matched, SMALL)


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("RateOff", "it trains something else: mean cost "),
        ("Lazy", "it trains something else: mean cost "),
        ("Unbuildable", "RuntimeError: no such device"),
        ("Dying", "its process died"),
    ],
)
def test_an_engine_that_trains_something_else_or_fails_says_so_and_is_not_timed(
    impostors, figures_of_all, name, failure
):
    """The comparison of costs can fail; and one engine's end is not that of the others."""
    assert impostors[name].failure.startswith(failure)
    assert "\n" not in impostors[name].failure
    assert impostors[name].samples == []
    row = next(line for line in markdown(figures_of_all).splitlines() if name in line)
    assert failure in row
    assert "×" not in row


def test_an_engine_whose_package_is_not_installed_is_named(monkeypatch):
    """Would catch a peer that is left out in silence."""
    monkeypatch.setitem(ENGINES, "jax-step", ENGINES["jax-step"]._replace(packages=("numpy", "no_such_package")))
    with pytest.raises(InputError, match=r"^no_such_package not installed: pip install -e '.\[peers\]'"):
        build("jax-step", SMALL)


def test_the_others_are_compared_with_each_other_where_the_first_fails(figures_of_all):
    failed, timed, *_ = figures_of_all
    assert failed["failure"].startswith("RuntimeError")
    assert timed["times_as_long"]["median"] == 1


COMMAND = [sys.executable, "-m", "benchmarks", "compare", "--engines", "xla-loop", "frozen-step"]
SIZE = ["--hidden", "16", "--batch-size", "500"]


def test_the_command_writes_all_samples_and_what_is_needed_to_judge_them(tmp_path, capsys):
    arguments = ["--rounds", "2", *SIZE, "--out", str(tmp_path / "record")]
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["compare", "--engines", "frozen-step", *arguments])
    assert "frozen-step" in capsys.readouterr().out
    name = "compare-784-16-10-batch-500"
    assert {path.name for path in (tmp_path / "record").iterdir()} == {f"{name}.json", f"{name}.svg"}
    record = json.loads((tmp_path / "record" / f"{name}.json").read_text())
    assert set(record) == {
        "date", "command", "commit", "versions", "flags", "processor", "vector_instructions", "cores", "load_before",
        "load_after", "work", "steps", "rounds", "figures", "samples",
    }  # fmt: skip
    assert record["steps"] == 110
    assert record["work"]["hidden"] == [16]
    assert [contestant["name"] for contestant in record["samples"]] == ["frozen-step", *CEILINGS]
    assert [len(contestant["samples"]) for contestant in record["samples"]] == [2] * 3
    assert record["figures"][0]["share_of_ceiling"]["median"] > 0


def test_ctrl_c_keeps_the_rounds_that_are_complete(tmp_path):
    """In the fourth round of a comparison that would go on for hours; heeded under nohup too, which passes on that
    signals are ignored."""
    engine = "tests.benchmarks.planted:Interrupting"
    arguments = ["--engines", engine, "--rounds", "99999", *SIZE, "--json", str(tmp_path / "compare.json")]
    done = subprocess.run([*COMMAND[:4], *arguments], capture_output=True, text=True, cwd=ROOT, preexec_fn=heed_signals)
    assert done.returncode == 130
    assert done.stderr == "rawstep-bench: interrupted; 3 of 99999 rounds were complete.\n"
    assert "Interrupting" in done.stdout
    record = json.loads((tmp_path / "compare.json").read_text())
    assert record["rounds"] == 3
    assert {len(contestant["samples"]) for contestant in record["samples"]} == {3}
    assert all(figure["memory_mb"] > 100 for figure in record["figures"])


def test_engines_end_with_a_conductor_that_is_killed():
    process = subprocess.Popen([*COMMAND, *SIZE, "--rounds", "99999"], stdout=subprocess.DEVNULL, cwd=ROOT)
    engines = _children(process.pid, expected=2)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 30
    while left := [pid for pid in engines if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline, f"{left} are still there"
        time.sleep(0.1)


def _children(pid: int, expected: int) -> list[str]:
    """The engines' processes, once there are so many; beside them runs multiprocessing's resource tracker."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        spawned = [child for child in children if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text()]
        if len(spawned) >= expected:
            return spawned
        time.sleep(0.1)
    raise AssertionError(f"{expected} engines were not started")


@pytest.mark.skipif(not missing(), reason="a GPU can be used here")
def test_a_gpu_that_is_not_there_is_told_before_anything_starts(tmp_path, capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["compare", *SIZE, "--device", "gpu", "--out", str(tmp_path / "out")])
    assert capsys.readouterr().err.startswith("rawstep-bench: No GPU can be used: ")
    assert not (tmp_path / "out").exists()


def test_options_of_xla_reach_the_process_of_their_engine_alone():
    """Would catch options that all engines share; and one that XLA does not know, which ends a process."""
    engines = ["frozen-step@--xla_cpu_use_xnnpack=false", "frozen-step@--xla_no_such_option=1"]
    with_option, with_none = compare(engines, SMALL, rounds=2)
    assert with_option.failure is None
    assert with_none.failure == "its process died"


def test_an_engine_that_is_none_is_refused():
    with pytest.raises(InputError, match="There is no engine 'warp'; there are: xla-loop, xla-loop-one-pass"):
        check_name("warp")
