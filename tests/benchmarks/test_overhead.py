"""A step taken apart: that the parts are its parts, never how long any takes."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import overhead as module
from benchmarks.engines import ENGINES
from benchmarks.overhead import CALLS, Part, count_variables, has_jax, overhead, taken_apart
from benchmarks.tables import print_parts
from benchmarks.work import TrainingWork
from core import Adam, Optimizer

ROUNDS = 5
SECONDS = {"empty": 2, "data": 5, "read": 9, "assigned": 10, "concrete": 25, "dispatch": 45, "rows": 3, "loop": 100,
           "step": 120, "jax empty": 1, "jax donated": 4, "jax step": 110}  # fmt: skip


@pytest.fixture(scope="module")
def heard():
    return []


@pytest.fixture(scope="module")
def parts(heard):
    return overhead(ROUNDS, seed=0, heard=heard.append)


def of_role(parts, role):
    return [part for part in parts if part.role == role]


def test_the_parts_add_up_to_the_step(parts):
    """They do within each round, but medians do not add up as rounds do: each part's differs from the round's by
    no more than their range, which the interval of a median of five is. So the sum is off by at most the intervals'
    widths.
    """
    (step,) = of_role(parts, "whole")
    made_of = of_role(parts, "part")
    widths = sum(high - low for _, _, (low, high), _, _ in [*made_of, step])
    assert abs(sum(part.seconds for part in made_of) - step.seconds) <= widths
    assert all(part.interval[0] <= part.seconds <= part.interval[1] for part in parts)


def test_a_round_and_every_row_is_heard_and_there(parts, heard):
    assert heard[-ROUNDS:] == [f"round {number} of {ROUNDS}" for number in range(1, ROUNDS + 1)]
    assert len({part.what for part in parts}) == len(parts) == 13
    assert {part.whose for part in parts} == {"work", "TensorFlow", "rawstep", "JAX"}


def test_known_samples_are_taken_apart_rightly():
    """Would catch a difference with the wrong function, and parts that are counted twice."""
    parts = taken_apart({name: np.array([value, value, 2.0 * value]) for name, value in SECONDS.items()})
    assert [part.seconds for part in of_role(parts, "part")] == [2, 3, 4, 1, 3, 100, 7]
    assert [part.seconds for part in of_role(parts, "whole")] == [120]
    assert [part.seconds for part in of_role(parts, "beside")] == [20, 40, 1, 4, 110]
    assert parts[0].interval == (2, 4)


def test_every_sample_makes_as_many_calls_and_the_variables_are_those_of_the_step():
    work = TrainingWork()
    weights = {name: tf.Variable(value) for name, value in work.first_weights().items()}
    optimizer = Optimizer(Adam(), weights)
    held = {id(variable) for variable in [*weights.values(), *optimizer.variables]}
    assert count_variables(work) == len(held - {id(optimizer.dropped)}) == 19
    calls = []
    module._repeated(lambda *arguments: calls.append(arguments), 1, 2)()
    assert calls == [(1, 2)] * CALLS


def test_without_jax_its_rows_are_left_out_and_that_is_said(monkeypatch):
    monkeypatch.setitem(ENGINES, "jax-step", ENGINES["jax-step"]._replace(packages=("no_such_package",)))
    noted = []
    assert not has_jax(noted.append)
    assert noted == ["no_such_package not installed: JAX's rows are left out."]
    without = {name: np.ones(2) for name in SECONDS if "jax" not in name}
    assert {part.whose for part in taken_apart(without)} == {"work", "TensorFlow", "rawstep"}


def test_a_part_is_not_shown_where_it_is_within_noise_or_below_nothing(monkeypatch, capsys):
    """A difference of two times may come out as −71 µs."""
    monkeypatch.setenv("COLUMNS", "120")
    intervals = [(-9e-5, -71e-6, -6e-5, "–"), (-9e-5, -71e-6, 1e-6, "within noise"), (1e-6, 7e-6, 9e-6, "7")]
    rows = [Part(shown, median, (low, high), "rawstep", "part")._asdict() for low, median, high, shown in intervals]
    load = {"load_before": (7.0, 1, 1), "load_after": (4.0, 1, 1), "cores": 2}
    print_parts({"parts": rows} | load, "a step")
    table = capsys.readouterr().out
    for low, _, high, shown in intervals:
        (line,) = (line for line in table.splitlines() if line.strip().startswith(shown) and "rawstep" in line)
        assert line.count(shown) == 2
        assert f"{1e6 * low:.0f} to {1e6 * high:.0f}" in line
    assert "-71" not in table
    assert "the load average was 7.0 before and 4.0 after, on 2 cores" in table
    print_parts({"parts": rows[2:]} | load, "a step")
    assert "load average" not in capsys.readouterr().out
