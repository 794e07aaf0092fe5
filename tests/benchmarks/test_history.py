"""What `make bench` saves of each benchmark beside its times, from a run of three of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The benchmarks of one step in float32 as graphs, by their rules."""
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    command = [sys.executable, "-m", "pytest", "benchmarks", "-k", "test_step and graph and float32"]
    # A worker of pytest-xdist makes its children take themselves for one, and pytest-benchmark would time nothing.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    options = ["--benchmark-enable", f"--benchmark-json={path}", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *options], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return {benchmark["extra_info"]["rule"]: benchmark for benchmark in json.loads(path.read_text())["benchmarks"]}


@pytest.mark.parametrize(("rule", "bytes_a_parameter"), [("adam", 28), ("adagrad", 20), ("adadelta", 28)])
def test_work_of_the_notebooks_network(saved, rule, bytes_a_parameter):
    info = saved[rule]["extra_info"]
    assert info["parameters"] == 269_322
    assert info["update_bytes"] == 269_322 * bytes_a_parameter
    assert info["step_flop"] == {"forward": 53_760_000, "weight_gradients": 53_760_000, "input_gradients": 13_619_200}


def test_what_was_timed(saved):
    assert saved.keys() == {"adam", "adagrad", "adadelta"}
    for benchmark in saved.values():
        info = benchmark["extra_info"]
        assert (benchmark["group"], info["steps"], info["dtype"], info["execution"]) == ("step", 1, "float32", "graph")
        assert {"tensorflow", "numpy", "rawstep"} <= info["versions"].keys()
        assert benchmark["stats"]["rounds"] == 50
        assert benchmark["stats"]["min"] > 0
